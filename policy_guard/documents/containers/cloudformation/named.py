"""Resources to which a template gives their name: what `Ref` and `Arn` of them are.

Source: AWS CloudFormation Template Reference, the return values of each type; Service Authorization Reference.
"""

from __future__ import annotations

import re

from policy_guard.records import NamedTuple

_REGIONAL = "arn:{P}:%s:{R}:{A}:%s"
_GLOBAL = "arn:{P}:iam::{A}:%s{path}{name}"


class Naming(NamedTuple):
    """`property` gives the name, `ref` tells what `Ref` is: "name" or "arn"; empty for something else.

    In `arn` stand `{P}`, `{R}`, `{A}` for partition, region and account, `{path}` and `{name}` for the properties.
    """

    property: str
    ref: str
    arn: str = ""


def _regional(service: str, resource: str) -> str:
    return _REGIONAL % (service, resource)


NAMED = {
    "AWS::S3::Bucket": Naming("BucketName", "name", "arn:{P}:s3:::{name}"),
    "AWS::SQS::Queue": Naming("QueueName", "", _regional("sqs", "{name}")),
    "AWS::SNS::Topic": Naming("TopicName", "arn", _regional("sns", "{name}")),
    "AWS::DynamoDB::Table": Naming("TableName", "name", _regional("dynamodb", "table/{name}")),
    "AWS::DynamoDB::GlobalTable": Naming("TableName", "name", _regional("dynamodb", "table/{name}")),
    "AWS::Lambda::Function": Naming("FunctionName", "name", _regional("lambda", "function:{name}")),
    "AWS::Serverless::Function": Naming("FunctionName", "name", _regional("lambda", "function:{name}")),
    "AWS::Serverless::SimpleTable": Naming("TableName", "name", _regional("dynamodb", "table/{name}")),
    "AWS::Logs::LogGroup": Naming("LogGroupName", "name", _regional("logs", "log-group:{name}:*")),
    "AWS::Kinesis::Stream": Naming("Name", "name", _regional("kinesis", "stream/{name}")),
    "AWS::ECR::Repository": Naming("RepositoryName", "name", _regional("ecr", "repository/{name}")),
    "AWS::Events::EventBus": Naming("Name", "name", _regional("events", "event-bus/{name}")),
    "AWS::StepFunctions::StateMachine": Naming("StateMachineName", "arn", _regional("states", "stateMachine:{name}")),
    "AWS::Serverless::StateMachine": Naming("Name", "arn", _regional("states", "stateMachine:{name}")),
    "AWS::CodeBuild::Project": Naming("Name", "name", _regional("codebuild", "project/{name}")),
    "AWS::CodePipeline::Pipeline": Naming("Name", "name"),
    "AWS::CodeCommit::Repository": Naming("RepositoryName", "", _regional("codecommit", "{name}")),
    "AWS::ECS::Cluster": Naming("ClusterName", "name", _regional("ecs", "cluster/{name}")),
    "AWS::SSM::Parameter": Naming("Name", "name"),
    "AWS::KMS::Alias": Naming("AliasName", "name"),
    "AWS::IAM::Role": Naming("RoleName", "name", _GLOBAL % "role"),
    "AWS::IAM::User": Naming("UserName", "name", _GLOBAL % "user"),
    "AWS::IAM::Group": Naming("GroupName", "name", _GLOBAL % "group"),
    "AWS::IAM::ManagedPolicy": Naming("ManagedPolicyName", "arn", _GLOBAL % "policy"),
}

IDENTIFYING = re.compile(
    r"(?!.*(?:Role|Key|V[Pp][Cc]|SecurityGroup|Subnet|Account|Topic|LogGroup)(?:Id|Arn|ARN)s?$)"
    r"(?:.*(?:Name|Identifier|Id|Arn|ARN)|Path|Alias|Domain|Family|Value|Source|Target)"
)
"""The properties that may decide what a resource is called, unless its type names the one that does."""


def all_decide(resource_type: str) -> bool:
    """Tell whether every property of such a resource may decide what its attributes are."""
    return not resource_type.startswith("AWS::") or resource_type.startswith("AWS::CloudFormation::")
