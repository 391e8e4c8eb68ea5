"""Nested templates that the repository holds: their outputs and the values they are given, in policies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.cases import cases, fails_at_its_line, passes


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("nested", "passes")])
def test_what_no_policy_uses_passes(case: Path, tmp_path: Path) -> None:
    passes(case, tmp_path)


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("nested", "fails")])
def test_what_a_policy_uses_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    fails_at_its_line(case, tmp_path)


def test_an_output_counts_of_one_of_very_many_templates_of_a_name(tmp_path: Path) -> None:
    case = next(
        each for each in cases("nested", "fails") if each.name == "an output of a template that a default names"
    )
    many = tmp_path / "case"
    shutil.copytree(case, many)
    for side in ("old", "new"):
        text = (case / "old" / "storage" / "data.yaml").read_text()
        for number in range(51):
            (many / side / str(number)).mkdir()
            (many / side / str(number) / "data.yaml").write_text(text)
    fails_at_its_line(many, tmp_path / "repository")
