"""Boundaries that cap less than before, where all is known that their principals have, and where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.repository import Answer, Scratch

BOUNDARY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
WIDER = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
TEMPLATE = f"""
Parameters:
  Stage: {{Type: String}}
Resources:
  Worker:
    Type: AWS::IAM::Role
    Properties:
      RoleName: report-worker
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: {{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}
      PermissionsBoundary: {BOUNDARY}
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - {{Effect: Allow, Action: 's3:GetObject', Resource: '*'}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Worker.Arn
"""
LINE = f"      PermissionsBoundary: {BOUNDARY}\n"


GRADED = (".policy-guard.yaml", "version: 1\nseverity: {wider-boundary: warning}\n")


def _told(scratch: Scratch, old: str, new: str) -> tuple[int, list[str]]:
    scratch.write(*GRADED)
    scratch.write("t.yaml", old)
    scratch.commit()
    scratch.write("t.yaml", new)
    return _findings(scratch.guard("check", "--format", "json"))


def _findings(answer: Answer) -> tuple[int, list[str]]:
    return answer.code, [f"{each['severity']} {each['check']}" for each in json.loads(answer.out)["findings"]]


@pytest.mark.parametrize("boundary", ["", LINE.replace(BOUNDARY, WIDER)], ids=["gone", "wider"])
def test_a_boundary_that_caps_less_and_lets_in_nothing_is_graded_by_the_settings(tmp_path: Path, boundary: str) -> None:
    scratch = Scratch(tmp_path)
    new = TEMPLATE.replace(LINE, boundary)
    assert _told(scratch, TEMPLATE, new) == (0, ["warning wider-boundary"])
    for settings in ("version: 1\n", "version: 1\nseverity: {wider-boundary: error}\n"):
        scratch.write(".policy-guard.yaml", settings)
        code, told = _findings(scratch.guard("check", "--format", "json"))
        assert (code, set(told)) == (1, {"error no-new-access"})
        assert "policy-guard accept t.yaml" in scratch.guard("check").out


@pytest.mark.parametrize("boundary", ["", LINE.replace(BOUNDARY, WIDER)], ids=["gone", "wider"])
def test_a_boundary_that_lets_in_what_a_policy_allows_fails_with_that_alone(tmp_path: Path, boundary: str) -> None:
    scratch = Scratch(tmp_path)
    template = TEMPLATE.replace("'s3:GetObject'", "['s3:GetObject', 's3:PutObject']")
    scratch.write(*GRADED)
    scratch.write("t.yaml", template)
    scratch.commit()
    scratch.write("t.yaml", template.replace(LINE, boundary))
    answer = scratch.guard("check", "--format", "json")
    access, wider = json.loads(answer.out)["findings"]
    assert (answer.code, access["check"], wider["check"]) == (1, "no-new-access", "wider-boundary")
    assert access["line"] == wider["line"]
    assert access["witness"]["action"] == "s3:PutObject"
    assert [cell["actions"] for cell in access["difference"]["cells"]] == [["s3:GetObject", "s3:PutObject"]]


SOMEWHERE = """
  Other:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: other
      Roles: [{role}]
      PolicyDocument:
        Version: '2012-10-17'
        Statement: {{Effect: Allow, Action: 'sqs:SendMessage', Resource: '*'}}
"""
IN_THE_TEMPLATE = {
    "an output tells the role": "Outputs: {Role: {Value: !Ref Worker}}\n",
    "a policy that nobody knows is attached": "      ManagedPolicyArns: ['arn:aws:iam::111122223333:policy/helper']\n",
    "a policy is that of a role that the template is told": SOMEWHERE.format(role="!Ref Stage"),
    "a policy of a bucket names the role": """
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: reports
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {AWS: !GetAtt Worker.Arn}
            Action: 's3:PutObject'
            Resource: 'arn:aws:s3:::reports/*'
""",
    "another role trusts the role by its name": """
  Second:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {AWS: 'arn:aws:iam::111122223333:role/report-worker'}
            Action: 'sts:AssumeRole'
""",
    "another template is told the role": """
  Nested:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: https://example.s3.amazonaws.com/nested.yaml
      Parameters: {RoleName: !Ref Worker}
""",
    "a condition decides whether the role is there": "    Condition: IsProd\n",
}


@pytest.mark.parametrize("more", IN_THE_TEMPLATE.values(), ids=list(IN_THE_TEMPLATE))
def test_a_boundary_is_lost_where_the_template_may_give_its_role_more(tmp_path: Path, more: str) -> None:
    template = TEMPLATE + more
    if more.startswith("      "):
        template = TEMPLATE.replace(LINE, LINE + more)
    if more.startswith("    Condition"):
        template = TEMPLATE.replace("Resources:\n", "Conditions: {IsProd: !Equals [!Ref Stage, prod]}\nResources:\n")
        template = template.replace("::Role\n", f"::Role\n{more}", 1)
    code, told = _told(Scratch(tmp_path), template, template.replace(LINE, ""))
    assert (code, "error no-new-access" in told) == (1, True)


ELSEWHERE = {
    "another template": ("other.yaml", "Resources:" + SOMEWHERE.format(role="report-worker"), 1),
    "Terraform": ("iam/main.tf", 'data "aws_iam_role" "r" {\n  name = "report-worker"\n}\n', 1),
    "a file of attachments": ("attachments.yaml", "attachments:\n  - role: report-worker\n    policies: []\n", 1),
    "a policy in other bytes": ("p.json", '{"Statement": {"Principal": {"AWS": "\\u0072eport-worker"}}}', 1),
    "an acceptance": (".policy-guard/accepted/r.yaml", "holder: report-worker\n", 0),
    "a file that does not name it": ("notes.md", "This is about reports.\n", 0),
}


@pytest.mark.parametrize(("path", "text", "code"), ELSEWHERE.values(), ids=list(ELSEWHERE))
def test_a_boundary_is_lost_where_another_file_names_its_role(tmp_path: Path, path: str, text: str, code: int) -> None:
    scratch = Scratch(tmp_path)
    scratch.write(path, text)
    assert _told(scratch, TEMPLATE, TEMPLATE.replace(LINE, ""))[0] == code


def test_a_user_of_a_group_may_have_more(tmp_path: Path) -> None:
    user = TEMPLATE.replace("::Role", "::User").replace("RoleName", "UserName").partition("  Function:")[0]
    head, _, rest = user.partition("      AssumeRole")
    user = head + rest[rest.index("      PermissionsBoundary") :]
    assert _told(Scratch(tmp_path / "a"), user, user.replace(LINE, "")) == (0, ["warning wider-boundary"])
    member = user.replace(LINE, LINE + "      Groups: [developers]\n")
    assert _told(Scratch(tmp_path / "b"), member, member.replace(LINE, ""))[0] == 1


ROOT = f"""
resource "aws_iam_role" "worker" {{
  name                 = "report-worker"
  permissions_boundary = "{BOUNDARY}"
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "lambda.amazonaws.com" }} }}]
  }})
}}

resource "aws_iam_role_policy" "read" {{
  role = aws_iam_role.worker.name
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }}]
  }})
}}

resource "aws_lambda_function" "f" {{
  role = aws_iam_role.worker.arn
}}
"""
ARGUMENT = f'  permissions_boundary = "{BOUNDARY}"\n'


def _told_of_root(scratch: Scratch, old: str, new: str) -> tuple[int, list[str]]:
    scratch.write(*GRADED)
    scratch.write("iam/main.tf", old)
    scratch.commit()
    scratch.write("iam/main.tf", new)
    return _findings(scratch.guard("check", "--format", "json"))


@pytest.mark.parametrize("boundary", ["", ARGUMENT.replace(BOUNDARY, WIDER)], ids=["gone", "wider"])
def test_a_boundary_of_a_root_that_lets_in_nothing_is_a_warning(tmp_path: Path, boundary: str) -> None:
    new = ROOT.replace(ARGUMENT, boundary)
    assert _told_of_root(Scratch(tmp_path / "a"), ROOT, new) == (0, ["warning wider-boundary"])
    wide = ROOT.replace('"s3:GetObject"', '"s3:GetObject", "s3:PutObject"')
    told = _told_of_root(Scratch(tmp_path / "b"), wide, wide.replace(ARGUMENT, boundary))
    assert told == (1, ["error no-new-access", "warning wider-boundary"])


BESIDE = {
    "an output of another file": ("iam/outputs.tf", 'output "role" {\n  value = aws_iam_role.worker.arn\n}\n'),
    "a module": ("iam/m.tf", 'module "m" {\n  source = "./m"\n  role   = aws_iam_role.worker.name\n}\n'),
    "a policy of a role that the root is told": (
        "iam/p.tf",
        'variable "role" {}\nresource "aws_iam_role_policy_attachment" "a" {\n'
        '  role = var.role\n  policy_arn = "a"\n}\n',
    ),
    "a policy of all roles of a block": (
        "iam/p.tf",
        'resource "aws_iam_policy_attachment" "a" {\n  name = "a"\n  policy_arn = "a"\n'
        "  roles = aws_iam_role.worker[*].name\n}\n",
    ),
    "a local value": ("iam/l.tf", 'locals {\n  names = ["report-worker"]\n}\n'),
    "a policy of a bucket": (
        "iam/b.tf",
        'resource "aws_s3_bucket_policy" "b" {\n  bucket = "b"\n  policy = jsonencode({ Version = "2012-10-17", '
        'Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*", '
        "Principal = { AWS = aws_iam_role.worker.arn } }] })\n}\n",
    ),
    "another root": ("app/main.tf", 'data "aws_iam_role" "r" {\n  name = "report-worker"\n}\n'),
    "values that Terraform loads": ("iam/terraform.tfvars", 'names = ["report-worker"]\n'),
}


@pytest.mark.parametrize(("path", "text"), BESIDE.values(), ids=list(BESIDE))
def test_a_boundary_is_lost_where_a_root_may_give_its_role_more(tmp_path: Path, path: str, text: str) -> None:
    scratch = Scratch(tmp_path)
    scratch.write(path, text)
    code, told = _told_of_root(scratch, ROOT, ROOT.replace(ARGUMENT, ""))
    assert (code, "error no-new-access" in told) == (1, True)
