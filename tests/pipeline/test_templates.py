"""Two versions of a template: what passes, and what fails at which line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.places import FIXTURES
from tests.support.repository import Answer, Scratch

CASES = FIXTURES / "templates"


def _cases(which: str) -> list[object]:
    return [pytest.param(folder, id=folder.name) for folder in sorted((CASES / which).iterdir())]


def _compared(folder: Path, place: Path) -> Answer:
    scratch = Scratch(place)
    scratch.write("t.yaml", (folder / "old.yaml").read_text())
    scratch.commit()
    scratch.write("t.yaml", (folder / "new.yaml").read_text())
    return scratch.guard("check", "--format", "json")


@pytest.mark.parametrize("folder", _cases("passes"))
def test_a_change_that_grants_nothing_new_passes(folder: Path, tmp_path: Path) -> None:
    answer = _compared(folder, tmp_path)
    assert (answer.code, json.loads(answer.out)["findings"]) == (0, [])


@pytest.mark.parametrize("folder", _cases("fails"))
def test_a_change_that_grants_more_fails_at_its_line(folder: Path, tmp_path: Path) -> None:
    answer = _compared(folder, tmp_path)
    assert answer.code == 1
    lines = [finding["line"] for finding in json.loads(answer.out)["findings"]]
    assert int((folder / "line").read_text()) in lines, answer
