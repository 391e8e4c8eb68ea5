"""Progress: nothing in the first second, one line that goes again, and none of it in a log."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

from policy_guard.cli.progress import Progress
from tests.support.repository import NARROW, Scratch


def test_nothing_is_shown_in_the_first_second() -> None:
    terminal, clock = io.StringIO(), iter([0.0, 0.4, 0.9])
    with Progress(terminal, lambda: next(clock)) as progress:
        progress("a.json")
        progress("b.json")
    assert terminal.getvalue() == ""


def test_a_line_comes_and_goes() -> None:
    terminal, clock = io.StringIO(), itertools.count(0.0, 0.6)
    with Progress(terminal, lambda: next(clock)) as progress:
        progress("a.json")
        progress("b\x1b[2J.json")
    assert terminal.getvalue() == "\r\x1b[2K2 judged: b\\x1b[2J.json\r\x1b[2K"


def test_it_is_not_written_more_often_than_can_be_read() -> None:
    terminal, clock = io.StringIO(), itertools.count(2.0, 0.01)
    with Progress(terminal, lambda: next(clock)) as progress:
        for number in range(300):
            progress(str(number))
    assert 10 < terminal.getvalue().count("judged") < 40


def test_a_log_has_none_of_it(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.write("iam/a.json", NARROW)
    scratch.commit()
    assert scratch.guard("check", "--all").err == ""


def test_patterns_that_name_nothing_are_said_where_all_is_checked(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.write("iam/a.json", NARROW)
    scratch.write(".policy-guard.yaml", "version: 1\npolicies: [{files: ['iam/*', 'scp/*']}]\nexclude: ['old/**']\n")
    scratch.commit()
    out = scratch.guard("check", "--all").out
    assert "note: policies: scp/* names no file here" in out
    assert "note: exclude: old/** names no file here" in out
    assert "iam/* names" not in out
