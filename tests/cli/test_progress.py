"""Progress: nothing in the first second, one line that goes again, and none of it in a log."""

from __future__ import annotations

import io
import itertools
from datetime import date
from pathlib import Path

from policy_guard.cli.progress import Line
from policy_guard.pipeline.check import Options, check
from policy_guard.pipeline.results import Step
from tests.support.repository import ENVIRON, NARROW, WIDE, Scratch


def test_nothing_is_shown_in_the_first_second() -> None:
    terminal, clock = io.StringIO(), iter([0.0, 0.4, 0.9])
    with Line(terminal, lambda: next(clock)) as progress:
        progress(Step("a.json", 1, 2, "files"))
        progress(Step("b.json", 2, 2, "files"))
    assert terminal.getvalue() == ""


def test_a_line_comes_and_goes() -> None:
    terminal, clock = io.StringIO(), itertools.count(0.0, 0.6)
    with Line(terminal, lambda: next(clock)) as progress:
        progress(Step("a.json", 1, 2, "files"))
        progress(Step("b\x1b[2J.json", 2, 2, "files"))
    assert terminal.getvalue() == "\r\x1b[2K2 of 2 files: b\\x1b[2J.json\r\x1b[2K"


def test_it_is_not_written_more_often_than_can_be_read() -> None:
    terminal, clock = io.StringIO(), itertools.count(2.0, 0.01)
    with Line(terminal, lambda: next(clock)) as progress:
        for number in range(300):
            progress(Step("a.json", number, 300, "files"))
    assert 10 < terminal.getvalue().count("files") < 40


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


def test_a_pattern_of_a_critical_entry_that_names_nothing_is_said_beside_one_that_does(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.write("iam/a.json", NARROW)
    scratch.write(".policy-guard.yaml", "version: 1\ncritical: c.yaml\n")
    files = "['iam/*.json', 'iam/*.yaml', 'iam/ap.json', 'scp/b.json#Resources.Reader']"
    scratch.write("c.yaml", f"version: 1\npermissions: [{{id: e, actions: ['iam:*'], reason: r, files: {files}}}]\n")
    scratch.commit()
    out = scratch.guard("check", "--all").out
    assert "note: the critical entry e: iam/ap.json names no file here" in out
    assert "note: the critical entry e: scp/b.json names no file here" in out
    assert out.count("names no file here") == 2


def test_a_line_is_never_broken_by_a_terminal() -> None:
    terminal, clock = io.StringIO(), itertools.count(0.0, 2.0)
    with Line(terminal, lambda: next(clock)) as progress:
        progress(Step("deep/" * 60, 9_000, 12_000, "changed files"))
    assert len(terminal.getvalue().split("\x1b[2K")[1].rstrip("\r")) == 79


def test_each_stage_says_how_much_there_is_of_it(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    for path in ("iam/a.json", "iam/b.json", "scp/c.json", "readme"):
        scratch.write(path, NARROW)
    scratch.commit()
    scratch.write("scp/c.json", WIDE)
    steps: list[Step] = []
    options = Options(today=date(2026, 1, 1), all_policies=True)
    check(options, scratch.folder, ENVIRON, steps.append)
    assert Step("scp/c.json", 1, 1, "changed files") in steps
    assert [(step.number, step.total) for step in steps if step.sort == "files"][-1] == (3, 3)
