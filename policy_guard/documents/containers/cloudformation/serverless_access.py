"""What AWS SAM adds to the role of a function for what the function uses: events, a queue, a network, traces.

Source: aws-sam-translator, samtranslator/model/sam_resources.py, iam.py and eventsources/pull.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.source import Array, Node, Object, Scalar

BY_EVENT = {
    "Kinesis": "AWSLambdaKinesisExecutionRole",
    "DynamoDB": "AWSLambdaDynamoDBExecutionRole",
    "SQS": "AWSLambdaSQSQueueExecutionRole",
    "MSK": "AWSLambdaMSKExecutionRole",
}
"""The managed policies of functions that read a queue or a stream."""

BY_PROPERTY = {
    "VpcConfig": "AWSLambdaVPCAccessExecutionRole",
    "DurableConfig": "AWSLambdaBasicDurableExecutionRolePolicy",
}
_TRACES = "AWSXrayWriteOnlyAccess"
_SENDING = {"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}
SECRETS = {
    "MSK": ("CLIENT_CERTIFICATE_TLS_AUTH",),
    "MQ": ("BASIC_AUTH",),
    "DocumentDB": ("BASIC_AUTH",),
    "SelfManagedKafka": (
        *("SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH", "BASIC_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH"),
        *("OAUTHBEARER_AUTH", "SERVER_ROOT_CA_CERTIFICATE"),
    ),
}
"""The kinds of authentication by which a function reads a secret, for each kind of event."""

_WITH_KEY = ("MQ", "DocumentDB", "SelfManagedKafka")
_ENABLED, _DISABLED = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_HERE = "${AWS::Region}:${AWS::AccountId}"
_NETWORK = [
    *("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"),
    *("ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"),
]


def attached_by_use(properties: Object) -> Iterator[str]:
    """The names of the managed policies that the transform attaches."""
    for kind, _ in _events(properties):
        if kind in BY_EVENT:
            yield BY_EVENT[kind]
    for key, name in BY_PROPERTY.items():
        node = properties.get(key)
        if isinstance(node, Object) and node.entries and call(node) is None:
            yield name
    tracing = properties.get("Tracing")
    if isinstance(tracing, Scalar) and tracing.tag is None and tracing.text in ("Active", "PassThrough"):
        yield _TRACES
    if isinstance(tracing, Object) and call(tracing) is None and enabled(tracing):
        yield _TRACES


def enabled(tracing: Object) -> bool | None:
    """Tell whether a state machine writes traces; None if nobody can."""
    node = tracing.get("Enabled")
    if node is None:
        return False
    is_boolean = isinstance(node, Scalar) and node.kind == "boolean" and node.tag is None
    if not is_boolean or node.text not in (*_ENABLED, *_DISABLED):  # type: ignore[union-attr]
        return None
    return node.text in _ENABLED  # type: ignore[union-attr]


def inline_by_use(properties: Object) -> Iterator[dict[str, Any]]:
    """The inline policies that the transform writes, as JSON with nodes of the template in it."""
    queue = properties.get("DeadLetterQueue")
    if isinstance(queue, Object):
        yield from _sending_policy(queue.get("Type"), queue.get("TargetArn"))
    for kind, event in _events(properties):
        if kind not in BY_EVENT and kind not in SECRETS:
            continue
        secrets = [uri for each, uri in _secrets(event) if each in SECRETS.get(kind, ()) and uri is not None]
        yield from (_policy("secretsmanager:GetSecretValue", uri) for uri in secrets)
        key = event.get("SecretsManagerKmsKeyId")
        if kind in _WITH_KEY and isinstance(key, Scalar) and key.tag is None and key.text:
            yield _policy("kms:Decrypt", {"Fn::Sub": f"arn:${{AWS::Partition}}:kms:{_HERE}:key/{key.text}"})
        yield from _reading_policies(kind, event)
        destination = failure_destination(event)
        if destination is not None:
            yield from _sending_policy(destination.get("Type"), destination.get("Destination"))


def failure_destination(event: Object) -> Object | None:
    """Return where an event with a queue or a stream sends what fails, as far as it is written out."""
    configuration = event.get("DestinationConfig")
    if not isinstance(configuration, Object) or call(configuration):
        return None
    destination = configuration.get("OnFailure")
    return destination if isinstance(destination, Object) and call(destination) is None else None


def _reading_policies(kind: str, event: Object) -> Iterator[dict[str, Any]]:
    """The policies to find a broker or a cluster, and to reach it in its network."""
    if kind == "MQ" and (broker := event.get("Broker")) is not None:
        yield _policy("mq:DescribeBroker", broker)
    if kind == "DocumentDB":
        prefix = f"arn:${{AWS::Partition}}:rds:{_HERE}:"
        yield _policy("rds:DescribeDBClusterParameters", {"Fn::Sub": f"{prefix}cluster-pg:*"})
        yield _policy("rds:DescribeDBSubnetGroups", {"Fn::Sub": f"{prefix}subgrp:*"})
        if (cluster := event.get("Cluster")) is not None:
            yield _policy("rds:DescribeDBClusters", cluster)
    kinds = {each for each, _ in _secrets(event)}
    if kind == "DocumentDB" or (kind == "SelfManagedKafka" and kinds >= {"VPC_SUBNET", "VPC_SECURITY_GROUP"}):
        yield _policy(_NETWORK, "*")


def _secrets(event: Object) -> Iterator[tuple[str, Node | None]]:
    """The ways of authentication of an event by kind, with their secrets."""
    configurations = event.get("SourceAccessConfigurations")
    for item in configurations.items if isinstance(configurations, Array) else ():
        kind = item.get("Type") if isinstance(item, Object) else None
        if isinstance(item, Object) and isinstance(kind, Scalar) and kind.tag is None:
            yield kind.text, item.get("URI")


def _sending_policy(kind: Node | None, target: Node | None) -> Iterator[dict[str, Any]]:
    text = kind.text if isinstance(kind, Scalar) and kind.tag is None else ""
    if target is None:
        return
    if text in _SENDING:
        yield _policy(_SENDING[text], target)
    if text == "S3":
        yield _policy("s3:PutObject", {"Fn::Join": ["/", [target, "*"]]})
        yield _policy("s3:ListBucket", target)


def _policy(actions: str | list[str], resource: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": "Allow", "Action": actions, "Resource": resource}}


def _events(properties: Object) -> Iterator[tuple[str, Object]]:
    """The events of a function by kind, each with its properties."""
    events = properties.get("Events")
    for entry in events.entries if isinstance(events, Object) else ():
        kind = entry.value.get("Type") if isinstance(entry.value, Object) else None
        event_properties = entry.value.get("Properties") if isinstance(entry.value, Object) else None
        if isinstance(kind, Scalar) and kind.tag is None and isinstance(event_properties, Object):
            yield kind.text, event_properties
