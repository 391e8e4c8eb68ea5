"""Files of the Serverless Framework in two versions, each named by what differs, and where the others fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cases import cases, fails_at_its_line, passes


@pytest.mark.parametrize("case", cases("serverless", "passes"), ids=lambda case: case.name)
def test_what_grants_nothing_new_passes(case: Path, tmp_path: Path) -> None:
    passes(case, tmp_path)


@pytest.mark.parametrize("case", cases("serverless", "fails"), ids=lambda case: case.name)
def test_what_may_grant_more_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    fails_at_its_line(case, tmp_path)
