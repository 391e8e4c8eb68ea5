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


def test_what_is_not_equivalent_says_so_where_nothing_else_fails(scratch: Scratch) -> None:
    scratch.write("old.json", MORE)
    scratch.write("new.json", READ)
    answer = scratch.guard("compare", "old.json", "new.json", "--equivalent")
    assert (answer.code, ". The new version is narrower, so --equivalent fails. " in answer.out) == (1, True)
    wider = scratch.guard("compare", "new.json", "old.json", "--equivalent").out
    assert ". The new version is wider, so --equivalent fails. " in wider


def test_every_format_says_that_what_is_not_equivalent_fails(scratch: Scratch) -> None:
    scratch.write("old.json", MORE)
    scratch.write("new.json", READ)
    command = ("compare", "old.json", "new.json", "--equivalent", "--format")
    report = json.loads(scratch.guard(*command, "json").out)
    assert (report["result"], report["unmet"]) == ("fail", "--equivalent")
    assert scratch.guard(*command, "markdown").out.startswith("### ❌")
    assert 'failures="1"' in scratch.guard(*command, "junit").out
    assert "unmet" not in json.loads(scratch.guard("compare", "old.json", "old.json", *command[3:], "json").out)


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


SCP = document(allow("*"), deny("cloudtrail:StopLogging", "cloudtrail:DeleteTrail"))
LOOSER = document(allow("*"), deny("cloudtrail:DeleteTrail"))


@pytest.fixture
def organization(scratch: Scratch) -> Scratch:
    """A service control policy that the settings name, and copies elsewhere."""
    kinds = [{"files": ["scp/*.json"], "kind": "scp"}, {"files": ["caps/*.json"], "kind": "boundary"}]
    scratch.write(".policy-guard.yaml", {"version": 1, "policies": kinds})
    for path, policy in {"scp/a.json": SCP, "copy.json": SCP, "looser.json": LOOSER, "caps/b.json": SCP}.items():
        scratch.write(path, policy)
    return scratch


@pytest.mark.parametrize(("old", "new"), [("scp/a.json", "copy.json"), ("copy.json", "scp/a.json")])
def test_a_kind_that_is_known_of_one_side_counts_for_both(organization: Scratch, old: str, new: str) -> None:
    answer = organization.guard("compare", old, new, "--equivalent")
    assert (answer.code, "Both mean the same" in answer.out) == (0, True), answer


def test_a_deny_that_a_service_control_policy_loses_fails_from_wherever_it_comes(organization: Scratch) -> None:
    answer = organization.guard("compare", "scp/a.json", "looser.json", "--format", "concise")
    assert (answer.code, "error[no-lost-deny]" in answer.out) == (1, True), answer
    organization.write("scp/a.json", LOOSER)
    answer = organization.guard("compare", "copy.json", "scp/a.json", "--format", "concise")
    assert (answer.code, "error[no-lost-deny]" in answer.out) == (1, True), answer


def test_the_place_of_a_policy_in_a_template_tells_the_kind_of_the_other(organization: Scratch) -> None:
    properties = {"Name": "n", "Type": "SERVICE_CONTROL_POLICY", "Content": SCP}
    template = {"Resources": {"P": {"Type": "AWS::Organizations::Policy", "Properties": properties}}}
    organization.write("template.json", template)
    assert organization.guard("compare", "template.json", "copy.json", "--equivalent").code == 0
    assert organization.guard("compare", "template.json", "looser.json").code == 1


def test_two_kinds_are_not_compared(organization: Scratch) -> None:
    answer = organization.guard("compare", "scp/a.json", "caps/b.json")
    assert answer.code == 2
    assert "scp/a.json is of the kind scp by the settings, and caps/b.json of the kind boundary" in answer.err


def test_identical_templates_are_the_same(scratch: Scratch) -> None:
    policies = [{"PolicyName": "p", "PolicyDocument": READ}]
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": READ, "Policies": policies}}
    scratch.write("a.json", {"Resources": {"R": role}})
    scratch.write("b.json", {"Resources": {"R": role}})
    answer = scratch.guard("compare", "a.json", "b.json", "--equivalent")
    assert (answer.code, answer.out) == (0, "no policy differs from a.json. Both mean the same\n")


def test_a_file_of_terraform_is_not_compared(scratch: Scratch) -> None:
    scratch.write("a.tf", "locals {}\n")
    answer = scratch.guard("compare", "a.tf", "a.tf")
    assert answer.code == 2
    assert "compare does not read a.tf, a file of Terraform" in answer.err


def test_no_policy_allows_nothing(scratch: Scratch) -> None:
    scratch.write("new.json", NO_DELETE)
    scratch.write("old.json", "{}")
    answer = scratch.guard("compare", "old.json", "new.json")
    assert "Neither is narrower: each version allows more, or denies less, than the other" in answer.out
