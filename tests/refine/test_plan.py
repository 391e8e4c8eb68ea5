"""Refined policies: the cases of `fixtures/refine`, and promises that hold for every policy and every finding."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.edit import applied
from policy_guard.documents.source import Source
from policy_guard.iam import catalog
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy
from policy_guard.pipeline.pairing.file_version import version_of
from policy_guard.refine.access_analyzer import latest, read_findings
from policy_guard.refine.file import Refined, refined
from policy_guard.refine.narrow import Scope, as_glob, narrow
from policy_guard.refine.plan import plan
from policy_guard.refine.proof import NotProved, doubt
from policy_guard.refine.quotas import fits, passed_limits, size
from policy_guard.refine.unused_actions import ActionCatalog, Unused, Use, collect_unused
from policy_guard.report.refinement import Entry, Refinement, text
from tests.support.examples import nightly
from tests.support.places import BESIDE, FIXTURES, ROOT, needs

CASES = sorted(folder.name for folder in (FIXTURES / "refine").iterdir())
PUBLISHED = BESIDE / "examples" / "unused-access"


def known(folder: Path) -> ActionCatalog:
    lines = (folder / "catalog.txt").read_text().splitlines()
    by_service = {line.split()[0]: tuple(line.split()[1:]) for line in lines}
    return cast(
        ActionCatalog,
        SimpleNamespace(services=lambda: tuple(by_service), actions=lambda service: by_service.get(service, ())),
    )


def scope(folder: Path) -> Scope:
    sources = [Source(file.name, file.read_text()) for file in folder.glob("findings.*")]
    found = latest(each for source in sources for each in read_findings(source))
    options = json.loads((folder / "options.json").read_text()) if (folder / "options.json").exists() else {}
    uses = collect_unused(use for each in found for use in each.uses)
    return Scope(replace(uses, keep=tuple(options.get("keep", ()))), known(folder), options.get("coarse", False))


def done(folder: Path) -> Refined:
    (before,) = folder.glob("before.*")
    side = version_of(before.read_bytes(), before.name, "", True, None)
    assert not side.problems
    return refined(side.source, side.policies, scope(folder))


@pytest.mark.parametrize("case", CASES)
def test_a_case(case: str, golden: Callable[[Path, str], None]) -> None:
    folder = FIXTURES / "refine" / case
    found = done(folder)
    (before,) = folder.glob("before.*")
    golden(folder / f"after{before.suffix}", found.text)
    golden(folder / "said.txt", text(Refinement((Entry(before.name, found),), (), False), True, False))


def test_the_documentation_shows_what_is_really_said() -> None:
    folder = FIXTURES / "refine" / "the example of the README"
    found = done(folder)
    path = "iam/orders-worker.json"
    source = Source(path, found.source.text)
    entry = Entry(path, found._replace(source=source), basis=("OrdersWorker, analyzed 2026-11-14",))
    assert (
        f"$ policy-guard refine\n{text(Refinement((entry,), (), False), False, False)}```"
        in (ROOT / "docs" / "refine.md").read_text()
    )


@pytest.mark.parametrize("case", CASES)
def test_a_second_run_changes_nothing(case: str) -> None:
    folder = FIXTURES / "refine" / case
    first = done(folder)
    again = version_of(first.text.encode(), first.source.path, "", True, None)
    assert refined(again.source, again.policies, scope(folder)).text == first.text


@needs(PUBLISHED)
def test_the_published_example_as_it_was_published() -> None:
    names = known(FIXTURES / "refine" / "the published example with the actions of June 2024")
    before = Source("policy.json", (PUBLISHED / "policy.json").read_text())
    findings = read_findings(Source("f.json", (PUBLISHED / "unused-permissions.json").read_text()))
    held = {"": parse(policies(before).policies[0])}
    found = refined(before, held, Scope(collect_unused(findings[0].uses), names))
    assert json.loads(found.text) == json.loads((PUBLISHED / "recommended.json").read_text())
    removed, added = lines_changed(before.text, found.text)
    assert len(removed) == 9
    assert len(added) == 7


def test_the_published_example_with_the_actions_of_today() -> None:
    folder = FIXTURES / "refine" / "the published example with the actions of June 2024"
    given_ = scope(folder)._replace(catalog=catalog)
    before = Source("before.json", (folder / "before.json").read_text())
    found = refined(before, {"": parse(policies(before).policies[0])}, given_)
    patterns = json.loads(found.text)["Statement"][1]["Action"]
    allowed = {action for pattern in patterns for action in catalog.matching(pattern)}
    for action in catalog.matching("s3:Get*"):
        assert (action in allowed) == (given_.unused.use(action) is None), action


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that only one of the two has; all others are in both, in the same order."""
    old, new = before.splitlines(), after.splitlines()
    removed = [line for line in old if line not in new]
    added = [line for line in new if line not in old]
    assert [line for line in old if line in new] == [line for line in new if line in old]
    return removed, added


def managed() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    return {name: each["Document"] for name, each in json.loads(aws_managed_policies_data).items()}


MANAGED = managed()
SPELLINGS: tuple[Callable[[Any], tuple[str, str]], ...] = (
    lambda document: ("p.json", json.dumps(document, indent=2) + "\n"),
    lambda document: ("p.json", json.dumps(document)),
    lambda document: ("p.json", json.dumps(document, indent="\t")),
    lambda document: ("p.yaml", "# a comment\n" + yaml.safe_dump(document, sort_keys=False)),
    lambda document: ("p.yaml", yaml.safe_dump(document, sort_keys=False).replace("\n", "\r\n")),
    lambda document: ("p.yaml", yaml.safe_dump(document, sort_keys=False, default_flow_style=True)),
    lambda document: ("p.yaml", yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=60)),
)


def some_unused(policy: Policy, rng: random.Random) -> Unused:
    values = [value for each in policy.statements if each.effect == "Allow" for value in each.action.values]
    actions = sorted({action for value in values for action in catalog.matching(value.text)})
    share = rng.choice((0.02, 0.1, 0.5, 0.9))
    uses = [Use(*action.split(":")) for action in actions if rng.random() < share]
    if actions and rng.random() < 0.2:
        uses.append(Use(rng.choice(actions).split(":")[0], ""))
    keep = tuple(rng.sample(actions, min(2, len(actions)))) if rng.random() < 0.3 else ()
    return replace(collect_unused(uses), keep=keep)


@pytest.mark.parametrize("part", [0, *map(nightly, range(1, 24))])
def test_managed_policies_are_refined_in_place_proved_and_once_for_all(part: int) -> None:
    """One in 72 by default, a third every night."""
    rng = random.Random(part)
    for name in sorted(MANAGED)[::3][part::24]:
        path, spelled = rng.choice(SPELLINGS)(MANAGED[name])
        side = version_of(spelled.encode(), path, "", True, None)
        policy = side.policies[""]
        given_ = Scope(some_unused(policy, rng), catalog, rng.random() < 0.3)
        found = refined(side.source, side.policies, given_)
        assert found.refused is None, name
        assert all(left.reason == "NotAction grants all but what it names" for left in found.plans[0].staying_grants), (
            name
        )
        nothing_else_changed(side.source.text, found, name)
        again = version_of(found.text.encode(), path, "", True, None)
        assert refined(again.source, again.policies, given_).text == found.text, name


def nothing_else_changed(before: str, found: Refined, name: str) -> None:
    """Outside of the statements and actions that change, the text is the same to the byte."""
    (planned,) = found.plans
    if planned.empty:
        assert found.text == before, name
        return
    changed = {id(each.statement) for each in planned.narrowed}
    kept = {id(statement) for statement, _ in planned.statements}
    for statement in planned.policy.statements:
        span = statement.action.span if id(statement) in changed and id(statement) in kept else None
        whole = before[statement.span.start : statement.span.end]
        if id(statement) not in changed:
            assert whole in found.text, name
        elif span:
            head, tail = before[statement.span.start : span.start].rstrip(), before[span.end : statement.span.end]
            assert head in found.text and tail.strip() in found.text, name


NAMES = ("Get", "GetA", "GetAb", "GetAB", "GetObject", "GetObjectAcl", "PutObject", "Put-Object", "List2", "ListV2")


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, unique_by=str.lower),
    st.sets(st.sampled_from(NAMES)),
    st.lists(st.sampled_from("GetAbObjc*?*"), min_size=1, max_size=8).map("".join),
    st.booleans(),
)
def test_a_pattern_keeps_what_is_used_and_grows_nowhere(
    names: list[str], gone: set[str], pattern: str, coarse: bool
) -> None:
    own = cast(ActionCatalog, SimpleNamespace(services=lambda: ("x",), actions=lambda service: tuple(names)))
    found = narrow(f"x:{pattern}", Scope(collect_unused(Use("x", name) for name in gone), own, coarse))
    from policy_guard.documents.globs import begins_within, glob

    def covered(name: str, patterns: tuple[str, ...]) -> bool:
        return any(glob(each.lower())(f"x:{name.lower()}") for each in patterns)

    unused_ = {name.lower() for name in gone}
    if found is None:
        assert not any(covered(name, (f"x:{pattern}",)) for name in gone)
        return
    for name in {*names, *gone}:
        inside = covered(name, (f"x:{pattern}",))
        assert covered(name, found.patterns) == (inside and name.lower() not in unused_)
    for each in found.patterns:
        body = each.removeprefix("x:").lower()
        within = begins_within(pattern.lower())(body[:-1]) if body.endswith("*") else glob(pattern.lower())(body)
        assert within, each


def test_a_wrong_result_is_never_called_proved() -> None:
    document = {"Version": "2012-10-17", "Statement": [STATEMENT, {**STATEMENT, "Sid": "b"}]}
    before = Source("p.json", json.dumps(document))
    policy = parse(policies(before).policies[0])
    given_ = Scope(collect_unused([Use("s3", "GetObjectAcl")]), catalog)
    planned = plan(policy, given_)
    good = applied(before.text, planned.edits)
    assert doubt(planned, parsed(good), given_) is None
    for wrong in (
        good.replace("s3:GetObjectAttributes", "s3:GetObject*", 1),
        good.replace("s3:GetObjectTorrent", "s3:GetObjectTorren", 1),
        good.replace("s3:GetObjectTorrent", "s3:PutObject", 1),
        good.replace("arn:aws:s3:::a/*", "arn:aws:s3:::*", 1),
        good.replace("arn:aws:s3:::a/*", "arn:aws:s3:::a/b", 1),
        before.text,
    ):
        assert wrong != good
        with pytest.raises(NotProved):
            doubt(planned, parsed(wrong), given_)


STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject*", "Resource": "arn:aws:s3:::a/*"}


def parsed(text: str) -> Policy:
    return parse(policies(Source("p.json", text)).policies[0])


def test_wildcards_are_read_like_the_parser_reads_them() -> None:
    values = parsed(json.dumps({"Statement": {**STATEMENT, "Action": ["s3:Get?*", "*"]}})).statements[0].action.values
    assert [as_glob(value.pattern) for value in values] == ["s3:Get?*", "*"]


def test_only_limits_that_were_kept_before_are_passed() -> None:
    assert [limit.characters for limit in passed_limits("identity", 2048, 6145)] == [6144, 2048, 5120]
    assert [limit.characters for limit in passed_limits("identity", 6145, 6200)] == []
    assert [limit.characters for limit in passed_limits("trust", 1, 2049)] == [2048]
    assert (fits("identity", 10240), fits("identity", 10241), fits("scp", 99999)) == (True, False, True)


def test_the_size_is_that_of_compact_json() -> None:
    spaced = Source("p.yaml", "Version: 2012-10-17\nStatement:\n- {Effect: Allow,  Action: [ 's3:Get*' ]}\n")
    compact = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*"]}]}'
    assert size(policies(spaced).policies[0].node) == len(compact)
