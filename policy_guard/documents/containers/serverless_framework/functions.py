"""Functions of the Serverless Framework: their URLs, and who may call them by events."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.serverless_framework.made import entry, events, known, mapping, text
from policy_guard.documents.containers.serverless_framework.roles import normalized
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Entry, Node, Object, Scalar

# By these a function is called through an API or by a schedule of the service itself.
_OWN_CALLERS = ("http", "httpApi", "websocket", "schedule")
# Of these the function itself reads, by its role.
_READ = ("sqs", "stream", "kafka", "msk", "activemq", "rabbitmq")
# Serverless Framework, "AWS - Event Sources": whose events a function is called for.
_CALLERS = (
    *("arn", "topicName", "bucket", "appId", "logGroup", "eventBus", "pool", "listenerArn", "provisioningRoleArn"),
)


def url(variables: Variables, key: Scalar, function: Object) -> list[Entry]:
    """The URL of a function, open to everyone unless it asks for IAM."""
    node = variables.value(function.get("url"))
    if node is None or (isinstance(node, Scalar) and node.text in ("false", "null")):
        return []
    authorizer = node.get("authorizer") if isinstance(node, Object) else None
    asks = isinstance(authorizer, Scalar) and authorizer.text == "aws_iam"
    name = normalized(key.text)
    properties = mapping(
        key.span,
        AuthType=text("AWS_IAM" if asks else "NONE", (authorizer or node).span),
        TargetFunctionArn=text(f"{name}LambdaFunction", key.span),
    )
    return [
        entry(
            f"{name}LambdaFunctionUrl",
            mapping(node.span, Type=text("AWS::Lambda::Url", node.span), Properties=properties),
        )
    ]


def callers(variables: Variables, key: Scalar, function: Object) -> list[Entry]:
    """Who else may call a function, by its events."""
    nodes = [node for kind, value in events(variables, function) for node in _caller(kind, value)]
    return known(f"{normalized(key.text)}Callers", normalized(key.text), f"an event of {key.text}", nodes)


def _caller(kind: Scalar, value: Node) -> Iterator[Node]:
    if kind.text in (*_OWN_CALLERS, *_READ):
        return
    if isinstance(value, Object):
        value = value._replace(entries=tuple(each for each in value.entries if each.key.text in _CALLERS))
    yield Object((Entry(kind, value),), kind.span)
