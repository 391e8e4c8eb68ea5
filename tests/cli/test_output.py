"""What `check` prints besides findings: counts, settings, and paths and widths that fit the terminal."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.repository import NARROW, WIDE, Scratch, allow, deny, document


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


def test_statistics_come_last_and_the_result_once(widened: Scratch) -> None:
    lines = widened.guard("check", "--statistics", "--format", "concise").out.splitlines()
    assert [line.partition(" ")[0] for line in lines[-2:]] == ["2", "2"]
    assert sum("policies changed since" in line for line in lines) == 1


def test_a_line_says_what_is_no_longer_denied(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"a.json": document(allow("s3:*"), deny("s3:DeleteBucket"))})
    scratch.write("a.json", document(allow("s3:*")))
    assert (
        "warning[no-lost-deny] No longer denied: s3:DeleteBucket on *"
        in scratch.guard("check", "--format", "concise").out
    )


def test_a_renamed_policy_changed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"a.json": NARROW})
    scratch.git("mv", "a.json", "b.json")
    assert "1 policy changed since" in scratch.guard("check", "--staged").out


def test_the_last_line_counts_as_changed_what_changed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"iam/two.yaml": {"a": NARROW, "b": NARROW}})
    scratch.write("iam/two.yaml", {"a": NARROW, "b": WIDE})
    last = scratch.guard("check").out.splitlines()[-1]
    assert last.startswith("2 policies, 1 of them changed since ") and ": 1 proved, 1 failed" in last


def test_a_set_up_error_is_told_once(tmp_path: Path) -> None:
    answer = Scratch(tmp_path / "empty").guard("check", "--statistics", "--base", "nowhere")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("no policy was checked: ")


def test_paths_are_those_of_the_working_folder(widened: Scratch) -> None:
    (widened.folder / "docs").mkdir()
    shown = {folder: widened.guard("check", folder=folder).out for folder in (".", "iam", "docs")}
    assert {folder: text.splitlines()[0].partition(":")[0] for folder, text in shown.items()} == {
        ".": "iam/a.json",
        "iam": "a.json",
        "docs": "../iam/a.json",
    }
    assert "policy-guard accept ../iam/a.json " in shown["docs"]
    assert "iam/a.json" not in shown["iam"]
    assert widened.guard("check", "--format", "concise", folder="iam").out.startswith("a.json:")


def test_the_command_that_accepts_works_in_the_working_folder(widened: Scratch) -> None:
    out = widened.guard("check", folder="iam").out
    command = next(line.split("policy-guard ")[1] for line in out.splitlines() if "policy-guard accept" in line)
    answer = widened.guard(*shlex.split(command.replace("...", "orders")), "--yes", folder="iam")
    assert answer.code == 0, answer


@pytest.mark.parametrize("name", ["json", "sarif", "junit", "gitlab", "markdown"])
def test_programs_get_paths_from_the_root(name: str, widened: Scratch) -> None:
    texts = [widened.guard("check", "--format", name, folder=folder).out for folder in (".", "iam")]
    top, below = (re.sub(r"\d\\?\.\d\d s", "", text) for text in texts)
    assert top == below
    assert "iam/a.json" in top


@pytest.mark.parametrize("columns", ["40", "57", "119"])
def test_lines_fit_the_terminal(columns: str, widened: Scratch) -> None:
    out = widened.guard("check", COLUMNS=columns).out
    long = [line.strip() for line in out.splitlines() if len(line) > int(columns)]
    assert all(len(line.split()) == 1 or line.startswith("accept ") for line in long), long
    assert out.count(" --reason '...'\n") == 2
    assert " ".join(out.split()).endswith(" s")


@pytest.mark.parametrize("columns", ["", "0", "1", "wide", "9" * 5000, "٣"])
def test_an_odd_width_does_no_harm(columns: str, widened: Scratch) -> None:
    assert widened.guard("check", COLUMNS=columns).code == 1


def test_no_line_is_broken_in_ci(widened: Scratch) -> None:
    widened.commit()
    shown = [widened.guard("check", "--base", "HEAD~1", CI="true", COLUMNS=columns).out for columns in ("40", "")]
    assert shown[0].partition("0.")[0] == shown[1].partition("0.")[0]
    assert max(map(len, shown[0].splitlines())) > 80
