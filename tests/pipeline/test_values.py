"""Files of values for templates of Helm, plays of Ansible and programs of Pulumi: roles, and what policies use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cases import cases, fails_at_its_line, passes


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("values", "passes")])
def test_a_value_that_gives_nothing_new_passes(case: Path, tmp_path: Path) -> None:
    passes(case, tmp_path)


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("values", "fails")])
def test_a_value_that_gives_more_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    fails_at_its_line(case, tmp_path)
