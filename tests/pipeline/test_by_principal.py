"""All policies of one principal are one question, or with `judge-by: policy` each is its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Scratch, allow, document

TRUST = document(allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))
del TRUST["Statement"][0]["Resource"]
READ_ONLY = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
QUEUES = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListDeadLetterSourceQueues", "sqs:ListQueues")
READ = (*QUEUES, "sqs:ListMessageMoveTasks", "sqs:ListQueueTags")


def role(*actions: str, **properties: Any) -> dict[str, Any]:
    policies = [{"PolicyName": "p", "PolicyDocument": document(allow(*actions))}] if actions else []
    properties = {"AssumeRolePolicyDocument": TRUST, "Policies": policies, **properties}
    return {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}}


def terraform(*actions: str, attached: str = "") -> str:
    policy = json.dumps(json.dumps(document(allow(*actions))))
    inline = f'resource "aws_iam_role_policy" "p" {{\n  role = "r"\n  policy = {policy}\n}}\n'
    attachment = f'resource "aws_iam_role_policy_attachment" "a" {{\n  role = "r"\n  policy_arn = "{attached}"\n}}\n'
    return inline * bool(actions) + attachment * bool(attached)


MOVES = {
    "t.json": (role(*READ, "sns:Publish"), role("sns:Publish", ManagedPolicyArns=[READ_ONLY])),
    "main.tf": (terraform(*READ, "sns:Publish"), terraform("sns:Publish", attached=READ_ONLY)),
}


@pytest.mark.parametrize("path", MOVES)
@pytest.mark.parametrize(("setting", "code"), [("", 0), ("judge-by: principal", 0), ("judge-by: policy", 1)])
def test_access_moves_between_the_policies_of_a_principal(tmp_path: Path, path: str, setting: str, code: int) -> None:
    old, new = MOVES[path]
    scratch = Scratch(tmp_path)
    scratch.write(".policy-guard.yaml", f"version: 1\n{setting}\n")
    scratch.commit(**{path: old})
    scratch.write(path, new)
    answer = scratch.guard("check")
    assert answer.code == code, answer


@pytest.mark.parametrize("setting", ["", "judge-by: policy"])
def test_what_no_policy_of_the_principal_had_is_new_either_way(tmp_path: Path, setting: str) -> None:
    scratch = Scratch(tmp_path)
    scratch.write(".policy-guard.yaml", f"version: 1\n{setting}\n")
    scratch.commit(**{"t.json": role(*READ)})
    scratch.write("t.json", role(*READ, ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonSQSFullAccess"]))
    assert scratch.guard("check").code == 1
