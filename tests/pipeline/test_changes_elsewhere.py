"""A finding on a line that nobody touched leads to the line that changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import Scratch

ROLE = """
variable "env" {
  default = "dev"
}
locals {
  actions = ["s3:GetObject"]
}
resource "aws_iam_role" "worker" {
  name               = "worker-${var.env}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
resource "aws_iam_role_policy" "worker" {
  role   = aws_iam_role.worker.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = local.actions, Resource = "*" }]
  })
}
"""
MODULE = """
variable "actions" {}
resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = var.actions, Resource = "*" }]
  })
}
"""
CALLER = """
locals {
  acts = ["s3:GetObject"]
}
module "m" {
  source  = "./mod"
  actions = local.acts
}
"""
TEMPLATE = """
Resources:
  Extra:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: sns:Publish, Resource: "*"}]
  Other:
    Type: AWS::SNS::Topic
    Properties: {TopicName: a}
  Worker:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/IAMReadOnlyAccess
"""
READ_ONLY = "        - arn:aws:iam::aws:policy/IAMReadOnlyAccess\n"


@pytest.mark.parametrize(
    ("files", "old", "new", "place", "use"),
    [
        ({"main.tf": ROLE}, '"dev"', '"prod"', "main.tf:3:3", "main.tf:19:47: used here"),
        ({"main.tf": ROLE}, "worker-", "workers-", "main.tf:9:3", "main.tf:19:47: used here"),
        (
            {"main.tf": ROLE},
            '["s3:GetObject"]',
            '["s3:GetObject", "s3:PutObject"]',
            "main.tf:6:31",
            "main.tf:19:47: used here, by way of local.actions",
        ),
        (
            {"main.tf": CALLER, "mod/main.tf": MODULE},
            '["s3:GetObject"]',
            '["s3:GetObject", "s3:PutObject"]',
            "main.tf:3:28",
            "mod/main.tf:6:47: used here, by way of local.acts -> module.m.actions",
        ),
        (
            {"a.yaml": TEMPLATE},
            READ_ONLY,
            f"{READ_ONLY}        - !Ref Extra\n",
            "a.yaml:8:45",
            "a.yaml:20:9: changed here, and this policy depends on it",
        ),
    ],
)
def test_a_finding_stands_where_the_value_is_written_that_changed(
    files: dict[str, str], old: str, new: str, place: str, use: str, tmp_path: Path
) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**files)
    for path, text in files.items():
        scratch.write(path, text.replace(old, new).replace("TopicName: a", "TopicName: b"))
    out = scratch.guard("check").out
    assert out.startswith(f"{place}: error")
    assert f"see      {use}\n" in out


def test_another_holder_is_told_in_place_of_no_policy(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"main.tf": ROLE})
    scratch.write("main.tf", ROLE.replace("worker-", "workers-"))
    out = scratch.guard("check").out
    assert "this was the policy of another holder: all that it grants is new to this one" in out
    assert "no policy: everything" not in out


def test_a_line_that_changed_leads_nowhere_else(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"main.tf": ROLE})
    widened = ROLE.replace("Action = local.actions", 'Action = concat(local.actions, ["s3:PutObject"])')
    scratch.write("main.tf", widened.replace('  default = "dev"', '  default = "dev" # why'))
    assert "changed here" not in scratch.guard("check").out


CONDITIONAL = """\
Parameters:
  Stage: {Type: String, Default: dev}
Mappings:
  Stages:
    live: {name: prod}
Conditions:
  IsLive: !Equals [!Ref Stage, !FindInMap [Stages, live, name]]
  IsProd: !Condition IsLive
Resources:
  Reader:
    Type: AWS::IAM::ManagedPolicy
    Condition: IsProd
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement: {Effect: Allow, Action: 'sns:Publish', Resource: '*'}
  Other:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement: {Effect: Allow, Action: 'sns:Subscribe', Resource: '*'}
"""


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("Default: dev", "Default: prod", 2),
        ("name: prod", "name: test", 5),
        ("!Equals [!Ref Stage", "!Not [!Equals [!Ref Stage", 7),
        ("!Condition IsLive", "!Not [!Condition IsLive]", 8),
    ],
)
def test_a_finding_leads_to_the_definition_that_changed(tmp_path: Path, before: str, after: str, line: int) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.commit(**{"stack.yaml": CONDITIONAL})
    changed = CONDITIONAL.replace(before, after)
    scratch.write("stack.yaml", changed.replace("name]]", "name]]]") if "!Not [!Equals" in after else changed)
    answer = scratch.guard()
    assert answer.code == 1, answer
    assert f"stack.yaml:{line}:" in answer.out.split("see  ", 1)[1], answer
    assert "changed here, and this policy depends on it" in answer.out
