"""What AWS SAM adds to the role of a function for what the function uses: events, a queue, a network, traces.

Source: aws-sam-translator, samtranslator/model/sam_resources.py and model/eventsources/pull.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.source import Entry, Node, Object, Scalar

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
# AWS SAM Developer Guide, sam-property-function-eventsource: whose events a function is called for.
_CALLERS = {
    *("Bucket", "Topic", "SqsSubscription", "RestApiId", "ApiId", "EventBusName", "SkillId", "LogGroupName", "UserPool")
}


def attached_by_use(properties: Object) -> Iterator[str]:
    """The names of the managed policies that the transform attaches."""
    for kind, _ in _events(properties):
        if kind in _BY_EVENT:
            yield _BY_EVENT[kind]
    property_nodes = ((properties.get(key), name) for key, name in _BY_PROPERTY.items())
    yield from (name for node, name in property_nodes if node is not None and call(node) is None)
    tracing = properties.get("Tracing")
    if isinstance(tracing, Scalar) and tracing.text in ("Active", "PassThrough"):
        yield "AWSXrayWriteOnlyAccess"


def inline_by_use(properties: Object) -> Iterator[dict[str, Any]]:
    """The inline policies that the transform writes, as JSON with nodes of the template in it."""
    queue = properties.get("DeadLetterQueue")
    if isinstance(queue, Object):
        yield from _sending_policy(queue.get("Type"), queue.get("TargetArn"))
    for kind, event in _events(properties):
        action, key = _WITH_SECRETS.get(kind, ("", ""))
        if action:
            yield from _policy(action, event.get(key) if key else "*")
        access = event.get("SourceAccessConfigurations")
        for item in getattr(access, "items", ()) if action else ():
            uri = item.get("URI") if isinstance(item, Object) else None
            yield from _policy("secretsmanager:GetSecretValue", uri)


def known_by_text(properties: Object) -> Iterator[tuple[str, Node]]:
    """Return the properties by which a function uses something and gives access that is not worked out, with places.

    Events that call a function make permissions of it, and whatever a function of the template chooses may be any.
    """
    events = properties.get("Events")
    if isinstance(events, Object) and call(events) is None:
        for name, event in events.entries:
            if (node := _calling_node(event)) is not None:
                yield f"Events.{name.text}", node
    elif events is not None:
        yield "Events", events
    for key in ("DeadLetterQueue", *_BY_PROPERTY, "Tracing"):
        node = properties.get(key)
        if node is not None and (call(node) or (isinstance(node, Object) and _is_chosen(node.get("Type")))):
            yield key, node
    invoke_config = properties.get("EventInvokeConfig")
    if invoke_config is not None:
        plain = isinstance(invoke_config, Object) and call(invoke_config) is None
        if (destinations := invoke_config.get("DestinationConfig") if plain else invoke_config) is not None:  # type: ignore[union-attr]
            yield "EventInvokeConfig", destinations


def _calling_node(event: Node) -> Node | None:
    """Return what decides who may call a function by an event; None if its queue or stream is worked out."""
    kind = event.get("Type") if isinstance(event, Object) and call(event) is None else None
    event_properties = event.get("Properties") if isinstance(event, Object) else None
    if not isinstance(event, Object) or not isinstance(kind, Scalar) or kind.tag or _is_chosen(event_properties):
        return event
    if kind.text in _BY_EVENT or kind.text in _WITH_SECRETS:
        secrets = event_properties.get("SourceAccessConfigurations") if isinstance(event_properties, Object) else None
        return event if _is_chosen(secrets) else None
    deciding_entries = (
        tuple(e for e in event_properties.entries if e.key.text in _CALLERS)
        if isinstance(event_properties, Object)
        else ()
    )
    return Object((Entry(Scalar("Type", event.span), kind), *deciding_entries), event.span)


def _is_chosen(node: Node | None) -> bool:
    """Tell whether a function of the template decides what stands there."""
    return node is not None and call(node) is not None


def _sending_policy(kind: Node | None, target: Node | None) -> Iterator[dict[str, Any]]:
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
        event_properties = entry.value.get("Properties") if isinstance(entry.value, Object) else None
        if isinstance(kind, Scalar) and isinstance(event_properties, Object):
            yield kind.text, event_properties
