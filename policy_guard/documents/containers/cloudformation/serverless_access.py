"""What AWS SAM adds to the role of a function for what the function uses: events, a queue, a network, traces.

Source: aws-sam-translator, samtranslator/model/sam_resources.py and model/eventsources/pull.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_guard.documents.source import Node, Object, Scalar

_BY_EVENT = {
    "Kinesis": "AWSLambdaKinesisExecutionRole",
    "DynamoDB": "AWSLambdaDynamoDBExecutionRole",
    "SQS": "AWSLambdaSQSQueueExecutionRole",
    "MSK": "AWSLambdaMSKExecutionRole",
}
_BY_PROPERTY = {"VpcConfig": "AWSLambdaVPCAccessExecutionRole"}
_SENDING = {"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}
# What these events read is written out by the transform; the broker and the secrets decide it.
_WITH_SECRETS = {
    "MQ": ("mq:DescribeBroker", "Broker"),
    "DocumentDB": ("rds:DescribeDBClusters", "Cluster"),
    "SelfManagedKafka": ("secretsmanager:GetSecretValue", ""),
}


def attached_by_use(properties: Object) -> Iterator[str]:
    """The names of the managed policies that the transform attaches."""
    for kind, _ in _events(properties):
        if kind in _BY_EVENT:
            yield _BY_EVENT[kind]
    yield from (name for key, name in _BY_PROPERTY.items() if properties.get(key) is not None)
    tracing = properties.get("Tracing")
    if isinstance(tracing, Scalar) and tracing.text in ("Active", "PassThrough"):
        yield "AWSXrayWriteOnlyAccess"


def inline_by_use(properties: Object) -> Iterator[dict[str, Any]]:
    """The inline policies that the transform writes, as JSON with nodes of the template in it."""
    queue = properties.get("DeadLetterQueue")
    if isinstance(queue, Object):
        yield from _sending(queue.get("Type"), queue.get("TargetArn"))
    for kind, event in _events(properties):
        action, key = _WITH_SECRETS.get(kind, ("", ""))
        if action:
            yield from _policy(action, event.get(key) if key else "*")
        access = event.get("SourceAccessConfigurations")
        for item in getattr(access, "items", ()) if action else ():
            uri = item.get("URI") if isinstance(item, Object) else None
            yield from _policy("secretsmanager:GetSecretValue", uri)


def _sending(kind: Node | None, target: Node | None) -> Iterator[dict[str, Any]]:
    action = _SENDING.get(kind.text) if isinstance(kind, Scalar) else None
    if action:
        yield from _policy(action, target)


def _policy(action: str, resource: Node | str | None) -> Iterator[dict[str, Any]]:
    if resource is not None:
        yield {"Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}


def _events(properties: Object) -> Iterator[tuple[str, Object]]:
    """The events of a function by kind, each with its properties."""
    events = properties.get("Events")
    for entry in events.entries if isinstance(events, Object) else ():
        kind = entry.value.get("Type") if isinstance(entry.value, Object) else None
        own = entry.value.get("Properties") if isinstance(entry.value, Object) else None
        if isinstance(kind, Scalar) and isinstance(own, Object):
            yield kind.text, own
