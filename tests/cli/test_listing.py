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
        "what": "document",
        "members": [],
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


TERRAFORM = """
variable "bucket" {}

resource "aws_iam_role" "reader" {
  name               = "reader"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.reader.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::${var.bucket}/*" }]
  })
}

resource "aws_iam_role_policy" "odd" {
  role   = aws_iam_role.reader.name
  policy = jsonencode(["none"])
}

module "elsewhere" {
  source      = "terraform-aws-modules/iam/aws"
  policy_json = jsonencode({ Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}
"""


def test_the_policies_of_terraform_are_listed_with_their_holders(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("infra/main.tf", TERRAFORM)
    lines = scratch.guard("list").out.splitlines()
    assert "infra/main.tf aws_iam_role.reader.assume_role_policy: trust, in Terraform, readable" in lines
    read = "infra/main.tf aws_iam_role_policy.read.policy: identity of role reader, in Terraform, "
    assert f"{read}readable, unknown parts: var.bucket" in lines
    assert any(
        line.startswith("infra/main.tf aws_iam_role_policy.odd.policy: in Terraform, unreadable at line ")
        for line in lines
    )
    listed = json.loads(scratch.guard("list", "--format", "json").out)["policies"]
    extents = {each["address"]: each["read"] for each in listed}
    assert extents["aws_iam_role_policy.read.policy"] == "with unknown texts"
    assert extents["aws_iam_role.reader.assume_role_policy"] == "exactly"


def test_all_policies_of_terraform_are_asked_for_critical_permissions(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    text = TERRAFORM.replace('jsonencode(["none"])', '"{}"')
    scratch.commit(
        **{
            ".policy-guard.yaml": "version: 1\ncritical: critical.yaml\n",
            "critical.yaml": "version: 1\npermissions:\n  - {id: read, actions: ['s3:GetObject'], reason: r}\n",
            "infra/main.tf": text,
        }
    )
    answer = scratch.guard("check", "--all", "--format", "concise")
    assert answer.code == 1
    assert "infra/main.tf:16:" in answer.out and "access-not-granted" in answer.out
    assert "module.elsewhere is a module elsewhere" in scratch.guard("check", "--all").out
    assert scratch.guard("check", "--all", "iam").code == 2


def test_paths_restrict_what_is_listed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    terraform = 'resource "aws_iam_policy" "p" {\n  policy = ' + f"jsonencode({json.dumps(NARROW)})\n}}\n"
    for path, content in {"iam/a.json": NARROW, "other/b.json": NARROW, "other/main.tf": terraform}.items():
        scratch.write(path, content)
    assert scratch.guard("list", "iam").out.splitlines()[-1] == "1 policy"
    assert scratch.guard("list", "main.tf", folder="other").out.splitlines()[-1] == "1 policy"
    assert scratch.guard("list", ".", folder="other").out.splitlines()[-1] == "2 policies"
    gone = scratch.guard("list", "nowhere")
    assert (gone.code, gone.err) == (2, "nothing was listed: there is no nowhere to list\n")
    assert scratch.guard("list", "--critical", "iam").code == 2


def test_all_critical_permissions_of_one_policy_are_listed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    permissions = [
        {"id": f"entry-{n}", "actions": [f"s3:{n.title()}*"], "reason": "r"} for n in ("get", "put", "delete")
    ]
    scratch.commit(
        **{
            ".policy-guard.yaml": "version: 1\ncritical: critical.yaml\n",
            "critical.yaml": {
                "version": 1,
                "permissions": [*permissions, {"id": "no", "actions": ["ec2:*"], "reason": "r"}],
            },
            "iam/a.json": document(allow("s3:Get*", "s3:PutObject", "s3:DeleteObject")),
            "iam/b.json": document(allow("ec2:*")),
        }
    )
    answer = scratch.guard("list", "--critical", "iam/a.json")
    assert answer.code == 0
    assert sorted(line.partition(": ")[2] for line in answer.out.splitlines()[:-1]) == [
        "entry-delete (warning): s3:DeleteObject on *",
        "entry-get (warning): s3:Get* on *",
        "entry-put (warning): s3:PutObject on *",
    ]
    assert answer.out.endswith("3 of 4 critical entries granted\n")
    assert scratch.guard("list", "--critical", "iam/a.json", "--format", "json").code == 2


MIXED = {
    "stack.yaml": """\
Resources:
  Clerk:
    Type: AWS::IAM::User
    Properties:
      Policies:
        - PolicyName: orders
          PolicyDocument:
            Version: '2012-10-17'
            Statement: {Effect: Allow, Action: 's3:GetObject', Resource: '*'}
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']
  Call:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: f, Action: lambda:InvokeFunction, Principal: s3.amazonaws.com}
  Broken:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement: {Effect: Alow, Actions: 's3:GetObject', Resource: '*'}
""",
    "infra/main.tf": """\
resource "aws_iam_role" "r" {
  permissions_boundary = "arn:aws:iam::123456789012:policy/limit"
  assume_role_policy   = jsonencode({Version = "2012-10-17", Statement = [
    {Effect = "Allow", Principal = {Service = "ec2.amazonaws.com"}, Action = "sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.name
  policy = jsonencode({Version = "2012-10-17", Statement = [{Effect = "Allow", Resource = "*", Action = "s3:Get*"}]})
}
resource "aws_iam_role_policy" "q" {
  role   = aws_iam_role.r.name
  policy = jsonencode({Version = "2012-10-17", Statement = [{Effect = "Allow", Resource = "*", Action = "sqs:*"}]})
}
resource "aws_iam_policy" "broken" {
  policy = jsonencode({Version = "2012-10-17", Statement = [{Effect = "Alow", Resources = "*", Action = "s3:Get*"}]})
}
""",
    "k8s/role.yaml": """\
apiVersion: iam.aws.crossplane.io/v1beta1
kind: RolePolicyAttachment
metadata: {name: orders}
spec:
  forProvider:
    policyArn: arn:aws:iam::aws:policy/ReadOnlyAccess
    roleNameRef: {name: reader}
---
apiVersion: iam.aws.crossplane.io/v1beta1
kind: Policy
metadata: {name: orders}
spec:
  forProvider:
    document: |
      {"Version": "2012-10-17", "Statement": [{"Effect": "Alow", "Action": "s3:GetObject", "Resource": "*"}]}
""",
}


def test_every_policy_is_listed_as_what_it_is_and_where(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**MIXED)
    lines = scratch.guard("list").out.splitlines()
    assert [line.partition(", in ")[0] for line in lines if "unreadable" not in line] == [
        "k8s/role.yaml RolePolicyAttachment/orders.spec.forProvider.policyArn: attached policies of roleNameRef reader",
        "stack.yaml Resources.Clerk: identity of User ${Clerk}",
        "stack.yaml Resources.Call: access that a resource gives on "
        "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:f",
        "infra/main.tf aws_iam_role.r.permissions_boundary: permissions boundary by its ARN",
        "infra/main.tf aws_iam_role.r.assume_role_policy: trust",
        "infra/main.tf aws_iam_role_policy.p.policy: identity of role aws_iam_role.r.name, "
        "with aws_iam_role_policy.q.policy",
        "9 policies",
    ]
    assert [" ".join(line.split(": ")[:2]) for line in lines if "unreadable" in line] == [
        "k8s/role.yaml Policy/orders.spec.forProvider.document in a manifest, unreadable at line 15",
        "stack.yaml Resources.Broken.PolicyDocument in a template, unreadable at line 19",
        "infra/main.tf aws_iam_policy.broken.policy in Terraform, unreadable at line 15",
    ]


def test_the_list_counts_what_check_all_counts(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**MIXED)
    number = scratch.guard("list").out.splitlines()[-1]
    assert scratch.guard("check", "--all").out.splitlines()[-1].startswith(f"{number}, ")


def test_a_program_is_told_what_stands_in_place_of_a_document(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**MIXED)
    policies = json.loads(scratch.guard("list", "--format", "json").out)["policies"]
    by_address = {policy["address"]: policy for policy in policies}
    boundary = by_address["aws_iam_role.r.permissions_boundary"]
    assert (boundary["what"], boundary["kind"]) == ("boundary", "boundary")
    assert by_address["aws_iam_role_policy.p.policy"]["members"] == ["aws_iam_role_policy.q.policy"]
    assert by_address["RolePolicyAttachment/orders.spec.forProvider.policyArn"]["holder"] == "roleNameRef reader"
