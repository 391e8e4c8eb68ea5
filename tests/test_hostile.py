"""A hostile pull request, trick by trick: none of them passes, and what the reader sees is told here.

Settings that are weakened or deleted are in `test_trusted`, modules that lie in the checkout and a widening hidden
behind a harmless commit in `test_action`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from policy_guard import prove
from policy_guard.guard import Options, check
from tests.repository import ENVIRON, NARROW, WIDE, Answer, Scratch, document

GITHUB = {"CI": "true", "GITHUB_ACTIONS": ""}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write("iam/a.json", NARROW)
    made.write("iam/reader.json", NARROW)
    made.write("store/a.txt", NARROW)
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    return made


def judged(scratch: Scratch, **files: Any) -> Answer:
    scratch.commit(**files)
    return scratch.guard("check", "--base", "main", "--format", "github", **GITHUB)


def widened(**changes: Any) -> dict[str, Any]:
    return document({**WIDE["Statement"][0], **changes})


def seen(answer: Answer, *words: str) -> None:
    """It fails, says the words, and no line is a command but our own annotations."""
    assert answer.code == 1, answer.out + answer.err
    for word in words:
        assert word in answer.out, answer.out
    assert "##[" not in answer.out
    assert "\x1b" not in answer.out
    commands = [line for line in answer.out.splitlines() if line.lstrip().startswith("::")]
    assert all(line.startswith(("::error file=", "::warning file=", "::notice file=")) for line in commands), commands


def test_a_sid_that_is_a_command(scratch: Scratch) -> None:
    answer = judged(scratch, **{"iam/a.json": widened(Sid="x ##[stop-commands]t")})
    seen(answer, 'statement 0, "x ##\\[stop-commands]t"', "grants new access")


def test_a_file_name_that_is_a_command(scratch: Scratch) -> None:
    seen(judged(scratch, **{"iam/x\n::error::fine.json": WIDE}), "iam/x\\n::error::fine.json:", "grants new access")


def test_colors_and_cursors_in_an_arn(scratch: Scratch) -> None:
    arn = "arn:aws:s3:::a\x1b[2K\x1b[1Aiam/a.json: proved"
    seen(judged(scratch, **{"iam/a.json": widened(Resource=arn)}), "\\x1b[2K\\x1b[1Aiam/a.json: proved")


def test_a_policy_deleted_and_its_text_under_a_role_with_less(scratch: Scratch) -> None:
    (scratch.folder / "iam/a.json").unlink()
    seen(judged(scratch, **{"iam/reader.json": WIDE}), "iam/reader.json:8:9: error: grants new access")


def test_a_policy_renamed_to_a_template(scratch: Scratch) -> None:
    scratch.git("mv", "iam/a.json", "iam/a.tpl")
    seen(judged(scratch, **{"iam/a.tpl": WIDE}), "iam/a.tpl:1:1: error: was a policy before and is none any more")


def test_a_key_spelled_with_escapes(scratch: Scratch) -> None:
    text = json.dumps(WIDE).replace("Statement", "\\u0053tatement").replace("Effect", "\\u0045ffect")
    seen(judged(scratch, **{"iam/b.json": text}), "iam/b.json:1:", "grants new access")


def test_another_encoding(scratch: Scratch) -> None:
    answer = judged(scratch, **{"iam/a.json": json.dumps(WIDE).encode("utf-16")})
    seen(answer, "the file is in UTF-16; save it as UTF-8")


@pytest.mark.parametrize("hops", [1, 2])
def test_a_link_whose_target_changes(scratch: Scratch, hops: int) -> None:
    scratch.git("checkout", "-q", "main")
    target = "../store/a.txt"
    for hop in range(hops):
        (scratch.folder / f"iam/link{hop}.json").symlink_to(target)
        target = f"link{hop}.json"
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "other")
    seen(judged(scratch, **{"store/a.txt": WIDE}), f"iam/link{hops - 1}.json:8:9: error: grants new access")


def test_a_policy_that_becomes_a_link_to_more(scratch: Scratch) -> None:
    scratch.write("store/wide.txt", WIDE)
    os.remove(scratch.folder / "iam/a.json")
    (scratch.folder / "iam/a.json").symlink_to("../store/wide.txt")
    seen(judged(scratch), "iam/a.json:8:9: error: grants new access")


def test_attributes_and_filters(scratch: Scratch) -> None:
    scratch.git("config", "filter.hide.clean", "true")
    attributes = "*.json -diff -text filter=hide diff=hide linguist-generated export-ignore\n"
    scratch.write(".gitattributes", attributes)
    scratch.git("add", ".gitattributes")
    scratch.git("config", "--unset", "filter.hide.clean")
    seen(judged(scratch, **{"iam/a.json": WIDE}), "iam/a.json:8:9: error: grants new access")


def test_a_submodule_where_a_configured_policy_was(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{".policy-guard.yaml": "version: 1\npolicies: [{files: ['iam/*']}]\n"})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.git("rm", "-q", "--cached", "iam/a.json")
    os.remove(scratch.folder / "iam/a.json")
    head = scratch.git("rev-parse", "HEAD")
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},iam/a.json")
    scratch.git("commit", "-q", "-m", "x")
    answer = scratch.guard("check", "--base", "main", "--format", "github", **GITHUB)
    seen(answer, "a submodule stands where a policy is configured")


def test_a_version_that_makes_text_a_variable(scratch: Scratch) -> None:
    home = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/${aws:username}/*"}
    old, new = ({"Version": version, "Statement": [home]} for version in ("2008-10-17", "2012-10-17"))
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"iam/home.json": old})
    scratch.git("checkout", "-q", "-b", "other")
    seen(judged(scratch, **{"iam/home.json": new}), "iam/home.json:", "grants new access")


@pytest.mark.parametrize("path", ["../list.yaml", "/etc/passwd", "a/../../list.yaml"])
def test_settings_that_point_outside_of_the_repository(scratch: Scratch, path: str) -> None:
    answer = judged(scratch, **{".policy-guard.yaml": f"version: 1\ncritical: {path}\n"})
    assert answer.code == 2
    assert "no policy was checked: .policy-guard.yaml:2:11: critical: " in answer.err


def test_an_acceptance_for_itself(scratch: Scratch) -> None:
    files = {
        ".policy-guard.yaml": "version: 1\naccepted: accepted.yaml\naccepted-from: head\n",
        "accepted.yaml": "version: 1\naccepted: [{file: iam/a.json, actions: ['s3:*'], reason: me}]\n",
    }
    seen(judged(scratch, **files, **{"iam/a.json": WIDE}), "iam/a.json:8:9: error: grants new access")


def test_policies_made_to_exhaust_the_budget_of_a_run(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch.commit(**{f"iam/{number}.json": WIDE for number in range(12)})
    monkeypatch.setattr(prove, "STEPS_IN_A_RUN", 1000)
    report = check(Options(base="main"), scratch.folder, {**ENVIRON, "CI": "true"})
    assert report.fails
    assert (report.policies, report.refused) == (12, 12)
    assert {finding.outcome for finding in report.findings} == {"violated", "undecided"}
