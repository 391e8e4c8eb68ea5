"""Policies that move from one template to another: what passes, and what fails at which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cases import cases, fails_at_its_line, passes


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("moves", "passes")])
def test_a_change_that_grants_nothing_new_passes(case: Path, tmp_path: Path) -> None:
    passes(case, tmp_path)


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("moves", "fails")])
def test_a_change_that_grants_more_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    fails_at_its_line(case, tmp_path)
