"""Two files compared: how they relate, and what counts as no policy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Scratch, allow, deny, document

READ = document(allow("s3:GetObject"))
MORE = document(allow("s3:Get*"))
OTHER = document(allow("s3:PutObject"))
NO_DELETE = document(allow("s3:Get*"), deny("s3:DeleteObject"))
SPELLED_OTHERWISE = document(allow("s3:getobject", "s3:GetObject", resource=["*", "arn:aws:s3:::a"]))


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "relation", "code"),
    [
        (READ, READ, "same", 0),
        (READ, SPELLED_OTHERWISE, "same", 0),
        (MORE, READ, "narrower", 0),
        (READ, MORE, "wider", 1),
        (READ, OTHER, "neither", 1),
        (READ, "{}", "narrower", 0),
        ("", READ, "wider", 1),
        (MORE, NO_DELETE, "narrower", 0),
        (READ, "{", "unknown", 1),
        ("{", READ, "unknown", 1),
    ],
)
def test_the_relation_of_two_versions(scratch: Scratch, old: Any, new: Any, relation: str, code: int) -> None:
    scratch.write("old.json", old)
    scratch.write("new.json", new)
    run = scratch.guard("compare", "old.json", "new.json", "--format", "json")
    assert (json.loads(run.out)["relation"], run.code) == (relation, code)
    assert scratch.guard("compare", "old.json", "new.json", "--equivalent").code == (0 if relation == "same" else 1)


def test_a_deny_that_is_gone_is_no_equivalent(scratch: Scratch) -> None:
    scratch.write("old.json", NO_DELETE)
    scratch.write("new.json", MORE)
    assert "The new version is wider" in scratch.guard("compare", "old.json", "new.json").out
    assert scratch.guard("compare", "old.json", "new.json", "--equivalent").code == 1


def test_a_check_that_is_switched_off_leaves_the_relation_open(scratch: Scratch) -> None:
    scratch.write("old.json", READ)
    scratch.write("config.yaml", {"version": 1, "severity": {"no-lost-deny": "off"}})
    run = scratch.guard("compare", "old.json", "old.json", "--config", "config.yaml", "--equivalent")
    assert run.code == 1
    assert "How they relate is not known" in run.out


def test_one_side_may_be_the_standard_input(scratch: Scratch) -> None:
    scratch.write("new.json", MORE)
    command = [sys.executable, "-m", "policy_guard", "compare", "-", "new.json"]
    done = subprocess.run(
        command, cwd=scratch.folder, input=json.dumps(READ), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "compared with standard input" in done.stdout


@pytest.mark.parametrize(("old", "new"), [("-", "-"), ("empty.json", "empty.json")])
def test_nothing_to_compare_is_no_pass(scratch: Scratch, old: str, new: str) -> None:
    scratch.write("empty.json", " \n")
    assert scratch.guard("compare", old, new).code == 2


def test_what_is_lost_is_told_in_notes(scratch: Scratch) -> None:
    scratch.write("old.json", MORE)
    scratch.write("new.json", READ)
    assert "[lost-access]" not in scratch.guard("compare", "old.json", "new.json").out
    run = scratch.guard("compare", "old.json", "new.json", "--lost")
    assert run.code == 0
    assert "old.json:" in run.out
    assert "note: does not grant any more what the old version granted [lost-access]" in run.out
    shown = json.loads(scratch.guard("compare", "old.json", "new.json", "--lost", "--format", "json").out)
    assert [(each["check"], each["severity"]) for each in shown["findings"]] == [("lost-access", "note")]


def test_the_settings_of_the_repository_hold(scratch: Scratch) -> None:
    listed = "version: 1\npermissions: [{id: read, actions: ['s3:GetObject'], reason: r}]\n"
    scratch.write(".policy-guard.yaml", "version: 1\ncritical: critical.yaml\n")
    scratch.write("critical.yaml", listed)
    scratch.write("iam/old.json", READ)
    assert "[access-not-granted]" in scratch.guard("compare", "iam/old.json", "iam/old.json").out
    assert "[access-not-granted]" in scratch.guard("compare", "old.json", "old.json", folder="iam").out
