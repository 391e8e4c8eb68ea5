"""What `check` prints besides findings: counts, settings, and paths and widths that fit the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import NARROW, WIDE, Scratch


@pytest.fixture
def widened(tmp_path: Path) -> Scratch:
    """Two policies that were widened since the last commit."""
    scratch = Scratch(tmp_path / "repository")
    scratch.write("iam/a.json", NARROW)
    scratch.write("iam/b.json", NARROW)
    scratch.commit()
    scratch.write("iam/a.json", WIDE)
    scratch.write("iam/b.json", WIDE)
    return scratch


def test_statistics_count_findings_by_severity_and_check(widened: Scratch) -> None:
    answer = widened.guard("check", "--statistics")
    assert answer.code == 1
    assert answer.out.startswith("2  error    no-new-access\n2 policies changed since ")


def test_a_set_up_error_is_told_once(tmp_path: Path) -> None:
    answer = Scratch(tmp_path / "empty").guard("check", "--statistics", "--base", "nowhere")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("no policy was checked: ")
