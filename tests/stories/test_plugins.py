"""A check, a reporter, a format and an operator are one new file each: here each is added to a copy of the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import policy_guard
from policy_guard.plugins import Plugins
from policy_guard.report.reporters import names as reporters
from policy_guard.verify.check import Check
from tests.support.repository import ENVIRON, Scratch, allow, document

CHECK = '''"""no-bucket-deletion: no policy deletes buckets.

A page.
"""

from collections.abc import Iterator

from policy_guard.iam.meaning import concrete
from policy_guard.iam.policy import Request, Statement, by_effect
from policy_guard.settings.severity import CheckId
from policy_guard.solver.formula import Formula, conjunction, member
from policy_guard.solver.strings.language import Language
from policy_guard.verify.check import Check, Claim, Question

_DELETION = "s3:deletebucket"


def _claims(question: Question) -> Iterator[Claim]:
    def excess(part: Statement | None) -> Formula:
        return conjunction([question.access.applies(part), member("action", Language(texts=[_DELETION]))])

    def holds(part: Statement | None, request: Request) -> bool:
        return concrete.applies(part, request) and request.action == _DELETION

    yield from (Claim(statement, excess, holds) for statement in by_effect(question.new)[0])


CHECK = Check(
    id=CheckId("no-bucket-deletion"),
    headline="deletes buckets",
    advice="leave it to people",
    claims=_claims,
    applies=lambda facts: facts.new is not None,
    label="deletion",
    title="Deletion",
    verb="deletes",
    assurance="no deleted bucket",
)
'''
REPORTER = """
from policy_guard.report.report import Reporter

REPORTER = Reporter("count", lambda report, style: f"{len(report.findings)} found\\n")
"""
FORMAT = '''
from policy_guard.documents.format import Format
from policy_guard.documents.formats import json
from policy_guard.documents.source import Source


def _read(source):
    """JSON below a line that begins with %."""
    head, _, rest = source.text.partition("\\n")
    return json.FORMAT.read(Source(source.path, " " * len(head) + "\\n" + rest, source.revision))


FORMAT = Format("headed", (".headed",), _read)
'''
OPERATOR = """
from policy_guard.iam.meaning.matching import matches
from policy_guard.iam.meaning.operator import Operator
from policy_guard.solver.formula import member
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.pattern import STAR, Pattern


def _longer(pattern):
    return Pattern((*pattern.parts, STAR))


OPERATORS = Operator(
    name="StringBegins",
    holds=lambda given, value: matches(_longer(given), value, wild=True, fold=False),
    encode=lambda slot, given: member(slot, language(map(_longer, given))),
)
"""
ADDED = {
    "verify/checks/no_bucket_deletion.py": CHECK,
    "report/reporters/count.py": REPORTER,
    "documents/formats/headed.py": FORMAT,
    "iam/meaning/operators/begins.py": OPERATOR,
}
RUN = "import sys, json, policy_guard.cli; sys.exit(policy_guard.cli.main(json.loads(sys.argv[1])))"
BUCKETS = document(allow("s3:DeleteBucket"))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package to which one of each was added."""
    folder = tmp_path_factory.mktemp("copy")
    original = Path(policy_guard.__file__).parent
    shutil.copytree(original, folder / "policy_guard", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in ADDED.items():
        (folder / "policy_guard" / path).write_text(text)
    return folder


class Copy:
    """A repository in which the copy of the package runs."""

    def __init__(self, package: Path, folder: Path) -> None:
        self._package = package
        self.scratch = Scratch(folder)

    def run(self, *arguments: str) -> tuple[int, str]:
        environ = {**ENVIRON, "PYTHONPATH": str(self._package), "POLICY_GUARD_DEBUG": "1"}
        command = [sys.executable, "-c", RUN, json.dumps(arguments)]
        done = subprocess.run(command, cwd=self.scratch.folder, env=environ, capture_output=True, timeout=60)
        return done.returncode, done.stdout.decode() + done.stderr.decode()


@pytest.fixture
def copy(package: Path, tmp_path: Path) -> Copy:
    return Copy(package, tmp_path)


def test_a_check_is_asked_and_shown_in_every_format(copy: Copy) -> None:
    copy.scratch.commit(**{"iam/a.json": BUCKETS})
    copy.scratch.write("iam/a.json", json.dumps(BUCKETS))
    shown = [f"--format={name}={name}.out" for name in reporters()]
    code, _ = copy.run("check", *shown)
    assert code == 1
    written = {name: (copy.scratch.folder / f"{name}.out").read_text() for name in reporters()}
    assert all("no-bucket-deletion" in text or "Deletion: s3:DeleteBucket" in text for text in written.values())
    assert "iam/a.json:1:72: error: deletes buckets [no-bucket-deletion]" in written["text"]
    assert "Statement 0 deletes, for example, s3:DeleteBucket" in written["github"]
    (run,) = json.loads(written["sarif"])["runs"]
    rule = run["tool"]["driver"]["rules"][run["results"][0]["ruleIndex"]]
    assert (rule["id"], rule["shortDescription"]["text"]) == ("no-bucket-deletion", "No policy deletes buckets.")


def test_a_check_is_set_explained_and_claimed(copy: Copy) -> None:
    copy.scratch.commit(**{"iam/a.json": document(allow("s3:GetObject"))})
    copy.scratch.write("iam/a.json", document())
    copy.scratch.write(
        "iam/a.json", document(allow("s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "true"}}))
    )
    code, said = copy.run("check")
    assert (code, "no new access, no lost Deny, no deleted bucket" in said) == (0, True), said
    copy.scratch.write(".policy-guard.yaml", "version: 1\nseverity: {no-bucket-deletion: note, no-new-access: off}\n")
    copy.scratch.write("iam/a.json", BUCKETS)
    code, said = copy.run("check")
    assert (code, "note: deletes buckets [no-bucket-deletion]" in said) == (0, True), said
    assert "no-bucket-deletion: no policy deletes buckets.\n" in copy.run("explain")[1]
    assert copy.run("explain", "no-bucket-deletion")[1].endswith("A page.\n")


def test_a_reporter_a_format_and_an_operator_are_used(copy: Copy) -> None:
    def policy(text: str) -> dict[str, Any]:
        return document(allow("s3:GetObject", Condition={"StringBegins": {"aws:PrincipalTag/team": text}}))

    copy.scratch.commit(**{"iam/a.headed": f"% mine\n{json.dumps(policy('blue'))}"})
    copy.scratch.write("iam/a.headed", f"% mine\n{json.dumps(policy('blue-'))}")
    assert copy.run("check", "--format", "count") == (0, "0 found\n")
    copy.scratch.write("iam/a.headed", f"% mine\n{json.dumps(policy('bl'))}")
    assert copy.run("check", "--format", "count") == (1, "1 found\n")


def test_what_is_no_plug_in_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="REPORTER is no Check"):
        Plugins("report/reporters", "REPORTER", Check).load("text")


def test_names_are_those_of_the_files() -> None:
    folder = os.path.dirname(policy_guard.__file__)
    files = {name[:-3] for name in os.listdir(os.path.join(folder, "verify/checks")) if name[0] != "_"}
    assert {name.replace("-", "_") for name in Plugins("verify/checks", "CHECK", Check).names()} == files
