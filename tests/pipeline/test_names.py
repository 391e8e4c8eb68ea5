"""Names that are one on systems such as macOS and Windows: of such policies only one is there."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import ENVIRON, NARROW, Answer, Scratch, deny, document

SCPS = "version: 1\npolicies: [{files: ['org/*.json'], kind: scp}]\n"
STRICT, LAX = document(deny("*")), document(deny("s3:DeleteBucket"))


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{".policy-guard.yaml": SCPS, "org/DenyAll.json": STRICT, "iam/a.json": NARROW, "docs/a.md": "x"})
    made.git("checkout", "-q", "-b", "feature")
    return made


def judged(scratch: Scratch, path: str, content: Any = LAX, mode: str = "100644") -> Answer:
    scratch.write("new", content)
    hashed = subprocess.run(["git", "hash-object", "-w", "new"], cwd=scratch.folder, env=ENVIRON, capture_output=True)
    (scratch.folder / "new").unlink()
    scratch.git("update-index", "--add", "--cacheinfo", f"{mode},{hashed.stdout.decode().strip()},{path}")
    scratch.git("commit", "-q", "-m", "x")
    return scratch.guard("check", "--base", "main", CI="true")


@pytest.mark.parametrize(
    "path",
    ["org/denyall.json", "ORG/DenyAll.json", "org/DenyAll.j\u017fon", "org/Deny\u200cAll.json", "org/DenyAll.json "],
)
def test_a_second_policy_under_almost_the_same_name(scratch: Scratch, path: str) -> None:
    answer = judged(scratch, path)
    assert answer.code == 1, answer
    shown = path.replace("\u200c", "\\u200c")
    assert f":1:1: error: {shown} and org/DenyAll.json are one name on systems such as macOS and Windows" in answer.out


@pytest.mark.parametrize("path", ["Org", "IAM/A.json/x", "ORG/denyall.JSON/x.md"])
def test_a_file_where_a_folder_is_or_a_folder_where_a_file_is(scratch: Scratch, path: str) -> None:
    answer = judged(scratch, path, "x\n")
    assert answer.code == 1, answer
    assert "are one name on systems" in answer.out


def test_a_link_where_the_folder_of_policies_is(scratch: Scratch) -> None:
    assert "IAM and iam are one name" in judged(scratch, "IAM", "docs", "120000").out


def test_before_it_is_committed(scratch: Scratch) -> None:
    scratch.write("org/denyall.json", LAX)
    scratch.stage()
    assert "org/denyall.json and org/DenyAll.json are one name" in scratch.guard("check", "--staged").out


@pytest.mark.parametrize("path", ["DOCS/A.md", "ORG/other.json", "IAM/b.md"])
def test_other_names_may_differ_in_their_case(scratch: Scratch, path: str) -> None:
    answer = judged(scratch, path, "x\n")
    assert answer.code == 0, answer


def test_a_policy_may_get_a_name_in_another_case(scratch: Scratch) -> None:
    scratch.git("mv", "org/DenyAll.json", "org/denyall.json")
    scratch.git("commit", "-q", "-m", "x")
    answer = scratch.guard("check", "--base", "main", CI="true")
    assert answer.code == 0, answer


def test_names_that_were_there_before(scratch: Scratch) -> None:
    judged(scratch, "org/denyall.json")
    scratch.git("branch", "-f", "main")
    assert judged(scratch, "docs/b.md", "x\n").code == 0
