"""The list of policies, as text and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import NARROW, Scratch, allow, document

TEMPLATE = """\
Parameters:
  Name: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: a
      Roles: [app]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: !Sub "arn:aws:s3:::${Name}/*"}]
"""


@pytest.fixture
def listed(tmp_path: Path) -> dict[str, dict[str, Any]]:
    scratch = Scratch(tmp_path)
    scratch.write("iam/a.json", NARROW)
    scratch.write("iam/b.json", document({**allow("s3:GetObject"), "Effect": "Alow"}))
    scratch.write("stack.yaml", TEMPLATE)
    answer = scratch.guard("list", "--format", "json")
    assert answer.code == 0, answer
    return {policy["path"]: policy for policy in json.loads(answer.out)["policies"]}


def test_a_policy_that_is_read_exactly(listed: dict[str, dict[str, Any]]) -> None:
    assert listed["iam/a.json"] == {
        "path": "iam/a.json",
        "why": "found by its shape",
        "address": "",
        "holder": "",
        "kind": "identity",
        "unknown": [],
        "choices": [],
        "line": None,
        "problem": "",
        "read": "exactly",
    }


def test_a_policy_that_cannot_be_read(listed: dict[str, dict[str, Any]]) -> None:
    assert listed["iam/b.json"]["read"] == "not at all"
    assert '"Effect" is "Alow"' in listed["iam/b.json"]["problem"]


def test_a_policy_of_a_template_has_address_and_holder(listed: dict[str, dict[str, Any]]) -> None:
    policy = listed["stack.yaml"]
    assert policy["read"] == "with unknown texts" and policy["unknown"] == ["Name"]
    assert "app" in policy["address"] and "app" in policy["holder"]


def test_text_has_paths_from_the_working_folder_and_json_from_the_root(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("iam/a.json", NARROW)
    (tmp_path / "docs").mkdir()
    assert scratch.guard("list", folder="iam").out.startswith("a.json: ")
    assert scratch.guard("list", folder="docs").out.startswith("../iam/a.json: ")
    assert '"path": "iam/a.json"' in scratch.guard("list", "--format", "json", folder="iam").out
