"""Two versions of manifests of Kubernetes, Pulumi and Ansible: what passes, and what fails at which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cases import cases, fails_at_its_line, passes


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("manifests", "passes")])
def test_a_change_that_grants_nothing_new_passes(case: Path, tmp_path: Path) -> None:
    passes(case, tmp_path)


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("manifests", "fails")])
def test_a_change_that_grants_more_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    fails_at_its_line(case, tmp_path)
