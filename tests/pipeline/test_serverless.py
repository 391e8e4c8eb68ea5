"""Two versions of a template of AWS SAM: what passes, and what fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.repository import Scratch

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {PermissionsBoundary: 'arn:aws:iam::111111111111:policy/b', Timeout: 3}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Parameters:
  Stage: {Type: String}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      FunctionUrlConfig: {AuthType: AWS_IAM}
      Policies:
        - AmazonS3ReadOnlyAccess
        - S3CrudPolicy: {BucketName: !Ref Bucket}
        - Statement: [{Effect: Allow, Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:*:*:q'}]
        - !If [IsProd, {SQSPollerPolicy: {QueueName: q}}, !Ref 'AWS::NoValue']
      Events:
        Q: {Type: SQS, Properties: {Queue: 'arn:aws:sqs:*:*:q'}}
  Bucket: {Type: AWS::S3::Bucket}
"""
WIDER = {
    "another action": ("'sqs:SendMessage'", "'sqs:*'"),
    "a managed policy": ("AmazonS3ReadOnlyAccess", "AdministratorAccess"),
    "a parameter of a policy template": ("!Ref Bucket", "'*'"),
    "a policy template": ("SQSPollerPolicy: {QueueName: q}", "SQSSendMessagePolicy: {QueueName: q}"),
    "a condition": ("!Equals [!Ref Stage, prod]", "!Not [!Equals [!Ref Stage, prod]]"),
    "no policy template": ("SQSPollerPolicy", "SQSEverythingPolicy"),
    "no boundary": ("{PermissionsBoundary: 'arn:aws:iam::111111111111:policy/b', Timeout: 3}", "{Timeout: 3}"),
    "an open address": ("AuthType: AWS_IAM", "AuthType: NONE"),
    "another event": ("Type: SQS", "Type: Kinesis"),
    "a network": ("Handler: a.b", "VpcConfig: {SubnetIds: [s]}"),
    "a dead letter queue": ("Handler: a.b", "DeadLetterQueue: {Type: SQS, TargetArn: 'arn:aws:sqs:*:*:dead'}"),
    "a key written twice": ("{AuthType: AWS_IAM}", "{AuthType: AWS_IAM, AuthType: NONE}"),
    "a transform": ("- AmazonS3ReadOnlyAccess", "- Fn::Transform: {Name: 'AWS::Include'}"),
    "a trust policy of Globals": (
        "Timeout: 3}",
        "AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: "
        "{Effect: Allow, Principal: '*', Action: 'sts:AssumeRole'}}}",
    ),
}
NOT_WIDER = {
    "a narrower template": ("S3CrudPolicy", "S3ReadPolicy"),
    "no managed policy": ("        - AmazonS3ReadOnlyAccess\n", ""),
    "the ARN of a managed policy": ("AmazonS3ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
    "Globals that grant nothing": ("Timeout: 3", "Timeout: 4"),
    "the boundary in the function": (
        "Handler: a.b",
        "PermissionsBoundary: 'arn:aws:iam::111111111111:policy/b'",
    ),
    "a statement in a policy of the role": (
        "  Bucket: {Type",
        "  P: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [!Ref FRole], PolicyDocument: "
        "{Version: '2012-10-17', Statement: {Effect: Allow, Action: 'sqs:SendMessage', "
        "Resource: 'arn:aws:sqs:*:*:q'}}}}\n"
        "  Bucket: {Type",
    ),
    "an address that takes other headers": ("AuthType: AWS_IAM", "AuthType: AWS_IAM, Cors: {AllowOrigins: ['*']}"),
}


def _code(change: tuple[str, str], folder: Path) -> tuple[int, str]:
    assert change[0] in TEMPLATE
    scratch = Scratch(folder)
    scratch.commit(**{"t.yaml": TEMPLATE})
    scratch.write("t.yaml", TEMPLATE.replace(*change))
    answer = scratch.guard("check", "--format", "json")
    return answer.code, answer.out


@pytest.mark.parametrize("name", WIDER)
def test_what_grants_more_fails(name: str, tmp_path: Path) -> None:
    code, out = _code(WIDER[name], tmp_path)
    assert (code, bool(json.loads(out)["findings"])) == (1, True), out


@pytest.mark.parametrize("name", NOT_WIDER)
def test_what_grants_no_more_passes(name: str, tmp_path: Path) -> None:
    code, out = _code(NOT_WIDER[name], tmp_path)
    assert (code, json.loads(out)["findings"]) == (0, []), out


BESIDE = {
    "a connector": "  C: {Type: AWS::Serverless::Connector, Properties: {Source: {Id: F}, Permissions: [%s]}}\n",
    "a connector of a resource": (
        "  G:\n    Type: AWS::SNS::Topic\n"
        "    Connectors: {A: {Properties: {Destination: {Id: F}, Permissions: [%s]}}}\n"
    ),
    "a resource policy of an API": (
        "  A:\n    Type: AWS::Serverless::Api\n"
        "    Properties: {StageName: s, Auth: {ResourcePolicy: {IpRangeWhitelist: [%s]}}}\n"
    ),
}


@pytest.mark.parametrize("what", BESIDE)
def test_what_only_the_transform_works_out_fails_where_it_changes(what: str, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"t.yaml": TEMPLATE + BESIDE[what] % "Read"})
    scratch.write("t.yaml", TEMPLATE.replace("Timeout: 3", "Timeout: 4") + BESIDE[what] % "Read")
    assert scratch.guard("check").code == 0
    scratch.write("t.yaml", TEMPLATE + BESIDE[what] % "Write")
    assert scratch.guard("check").code == 1


def test_globals_for_too_many_resources_fail(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"t.yaml": TEMPLATE})
    many = "".join(f"  F{n}: {{Type: AWS::Serverless::Function, Properties: {{}}}}\n" for n in range(400))
    names = ", ".join(f"K{n}: v" for n in range(2_000))
    text = TEMPLATE.replace("Timeout: 3", f"Environment: {{Variables: {{{names}}}}}")
    scratch.write("t.yaml", text + many)
    answer = scratch.guard("check")
    assert answer.code == 1
    assert "Globals are too long to be merged" in answer.out
