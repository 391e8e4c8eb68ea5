"""Examples are requests that a reader takes for real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Scratch, allow, deny, document

ORG = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
GITHUB = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{GITHUB}"


def example(scratch: Scratch, path: str, text: Any) -> str:
    """The first example, in one line."""
    scratch.commit(readme="x")
    scratch.write(path, text)
    out = " ".join(scratch.guard("check").out.split())
    return out.partition(" example ")[2].partition(" next ")[0]


@pytest.mark.parametrize(
    ("statements", "shown"),
    [
        (
            [allow("s3:GetObject", Principal="*"), {**deny("s3:*"), "Principal": "*", "Condition": ORG}],
            "by arn:aws:iam::111122223333:user/example, when aws:PrincipalOrgID is o-a1b2c3d4e5",
        ),
        ([allow("sqs:SendMessage", Principal={"Service": "*"})], "by ec2.amazonaws.com"),
        (
            [allow("kms:Decrypt", Principal={"AWS": "arn:aws:iam::444455556666:role/orders"})],
            "arn:aws:kms:us-east-1:444455556666:key/example by arn:aws:iam::444455556666:role/orders",
        ),
        (
            [allow("sts:AssumeRoleWithWebIdentity", resource=None, Principal={"Federated": PROVIDER})],
            f"arn:aws:iam::111122223333:role/example by {PROVIDER}, when {GITHUB}:sub is repo:example/example",
        ),
    ],
)
def test_callers_and_resources_have_accounts_and_names_such_as_aws_gives(
    statements: list[dict[str, Any]], shown: str, tmp_path: Path
) -> None:
    for statement in statements:
        if statement.get("Resource") is None:
            statement.pop("Resource", None)
    assert shown in example(Scratch(tmp_path), "a.json", document(*statements))


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        (
            '!Sub "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders"',
            "arn:aws:dynamodb:us-east-1:123456789012:table/orders, "
            "when !Ref AWS::AccountId is 123456789012 and !Ref AWS::Region is us-east-1",
        ),
        ("!GetAtt Table.Arn", "arn:aws:dynamodb:us-east-1:123456789012:table/example"),
    ],
)
def test_parts_that_a_template_fills_in_look_as_they_will(resource: str, shown: str, tmp_path: Path) -> None:
    template = f"""
Resources:
  Table: {{Type: AWS::DynamoDB::Table}}
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Action: dynamodb:GetItem, Resource: {resource}}}]
"""
    assert shown in example(Scratch(tmp_path), "a.yaml", template)
