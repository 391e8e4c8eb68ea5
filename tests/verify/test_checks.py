"""The cases in fixtures/checks: one folder each, with a policy, its counterpart, and the findings of bad ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.source import Source, Span
from policy_guard.iam.meaning.prover import Proved
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy, Value
from policy_guard.settings.acceptance import Accepted, interpret_acceptance, load_acceptance
from policy_guard.settings.critical import CriticalEntry, exceptions, load_critical
from policy_guard.solver.strings.pattern import plain_pattern
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.finding import Finding
from policy_guard.verify.messages import finding
from policy_guard.verify.proving import prover_for
from policy_guard.verify.public import fence_statements
from policy_guard.verify.verdicts import verdicts
from tests.support.places import FIXTURES

CASES = FIXTURES / "checks"


def cases(verdict: str) -> list[object]:
    folders = sorted(CASES.glob(f"*/{verdict}/*"))
    return [pytest.param(folder, id=f"{folder.parent.parent.name}: {folder.name}") for folder in folders]


def read(path: Path, kind: str | None) -> Policy:
    source = Source(path.name, path.read_text())
    return parse(policies(source).policies[0], kind)


def findings(folder: Path) -> list[Finding]:
    limits = json.loads(file.read_text()) if (file := folder / "limits.json").exists() else {}
    (path,) = folder.glob("policy.*")
    new = read(path, limits.get("kind"))
    old = read(folder / "reference.json", limits.get("kind")) if (folder / "reference.json").exists() else None
    entries = tuple(_entry(number, each) for number, each in enumerate(limits.get("access", ())))
    if (listed := folder / "critical.yaml").exists():
        entries = load_critical(Source(listed.name, listed.read_text())).entries
    ceiling = read(folder / "ceiling.json", limits.get("kind")) if (folder / "ceiling.json").exists() else None
    reviewed = tuple(acceptances(folder, new.kind))
    others = [statement for each in reviewed for statement in (*each.statements, *each.without)]
    within = read(folder / "within.json", limits.get("kind")) if (folder / "within.json").exists() else None
    policies_ = (each for each in (new, old, ceiling, within) if each)
    access = Access(policies_, (*exceptions(entries), *fence_statements(new), *others))
    question = Question(new.kind, new, old, entries, access, reviewed, ceiling, within=within)
    asked = check(folder.parent.parent.name)
    found = (each for each in verdicts(asked, question, prover_for(question)) if not isinstance(each.answer, Proved))
    return [finding(asked, verdict, question, "error") for verdict in found]


def acceptances(folder: Path, kind: str) -> Iterator[Accepted]:
    """What is accepted in the case in the year 2026."""
    if (file := folder / "accepted.yaml").exists():
        yield interpret_acceptance(load_acceptance(Source(file.name, file.read_text()), date(2026, 12, 1)), kind)


def _entry(number: int, access: dict[str, list[str]]) -> CriticalEntry:
    values = {name: tuple(Value(t, plain_pattern(t), Span(0, 0)) for t in texts) for name, texts in access.items()}
    return CriticalEntry(f"entry-{number}", values.get("actions", ()), values.get("resources", ()))


@pytest.mark.parametrize("folder", cases("ok"))
def test_nothing_is_found(folder: Path) -> None:
    assert findings(folder) == []


@pytest.mark.parametrize("folder", cases("bad"))
def test_each_finding_stands_at_its_place(folder: Path, golden: Callable[[Path, str], None]) -> None:
    lines = []
    for each in findings(folder):
        line, column = each.source.position(each.span.start)
        blamed = f"{', '.join(each.actions)} on {', '.join(each.resources)}" if each.actions else "-"
        lines.append(f"{line}:{column} {each.outcome}: {each.message} [{each.check}] {each.statement}: {blamed}\n")
    assert lines
    golden(folder / "expected.txt", "".join(lines))
