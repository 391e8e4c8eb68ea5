"""What each principal of the working tree has, and from where."""

from __future__ import annotations

from pathlib import Path

from policy_guard.pipeline.principal_access import Holding, access_of_principals
from tests.support.repository import ENVIRON, Scratch

TEMPLATE = """\
Resources:
  Readers:
    Type: AWS::IAM::Group
    Properties:
      GroupName: readers
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: '2012-10-17'
            Statement: {Effect: Allow, Action: 's3:Get*', Resource: '*'}
  Bob:
    Type: AWS::IAM::User
    Properties:
      UserName: bob
      Groups: [!Ref Readers]
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AWSDenyAll']
"""
TERRAFORM = """\
resource "aws_iam_role_policy" "p" {
  role   = "orders"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", NotAction = "iam:*", Resource = "*" }]
  })
}
resource "aws_iam_role_policy_attachment" "a" {
  role       = "orders"
  policy_arn = "arn:aws:iam::111122223333:policy/team"
}
"""


def test_what_each_principal_has_from_where(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"t.yaml": TEMPLATE, "infra/main.tf": TERRAFORM})
    access = {each.principal: each for each in access_of_principals(None, tmp_path, ENVIRON)}
    assert set(access) == {"Group readers", "User bob", "role orders"}
    group, user, role = (access[name] for name in ("Group readers", "User bob", "role orders"))
    assert group.holdings == (Holding("Allow", ("s3:Get*",), ("*",), (), "t.yaml", 10),)
    assert (user.unit, role.unit) == ("t.yaml", "infra")
    assert group.holdings[0] in user.holdings
    (denied,) = (each for each in user.holdings if each.effect == "Deny")
    assert (denied.line, denied.attached, denied.actions) == (16, "arn:aws:iam::aws:policy/AWSDenyAll", ("*",))
    inline, attached = role.holdings
    assert (inline.but, inline.actions, inline.line, inline.attached) == (("iam:*",), (), 5, "")
    assert (attached.line, attached.attached) == (10, "arn:aws:iam::111122223333:policy/team")


def test_a_repository_without_principals_has_none(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"a.json": '{"Version": "2012-10-17", "Statement": []}'})
    assert access_of_principals(None, tmp_path, ENVIRON) == ()
