"""Folders of Terraform in two versions, each named by what differs: which pass, and at which line the others fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.places import FIXTURES
from tests.support.repository import Answer, Scratch

CASES = FIXTURES / "terraform"
PASSES, FAILS = (sorted((CASES / side).iterdir()) for side in ("passes", "fails"))


def judged(case: Path, place: Path) -> Answer:
    scratch = Scratch(place)
    shutil.copytree(case / "old", place, dirs_exist_ok=True)
    scratch.git("add", "-A")
    scratch.git("commit", "-q", "-m", "old")
    scratch.git("rm", "-q", "-r", ".")
    shutil.copytree(case / "new", place, dirs_exist_ok=True)
    scratch.git("add", "-A")
    return scratch.guard("check", "--format", "concise")


@pytest.mark.parametrize("case", PASSES, ids=lambda case: case.name)
def test_what_grants_nothing_new_passes(case: Path, tmp_path: Path) -> None:
    answer = judged(case, tmp_path)
    assert (answer.code, answer.out.count("error[")) == (0, 0)


@pytest.mark.parametrize("case", FAILS, ids=lambda case: case.name)
def test_what_may_grant_more_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    answer = judged(case, tmp_path)
    assert answer.code == 1
    lines = [line for line in answer.out.splitlines() if ": error[" in line]
    assert lines[0].startswith(f"{(case / 'line').read_text().strip()}:")
