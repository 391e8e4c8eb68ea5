"""Nested templates that the repository holds: their outputs and the values they are given, in policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cases import cases, fails_at_its_line, passes


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("nested", "passes")])
def test_what_no_policy_uses_passes(case: Path, tmp_path: Path) -> None:
    passes(case, tmp_path)


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("nested", "fails")])
def test_what_a_policy_uses_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    fails_at_its_line(case, tmp_path)
