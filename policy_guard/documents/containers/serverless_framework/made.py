"""Resources that the Serverless Framework makes: roles, with what functions and their events add to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.holes import hole, spelled
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span

# Serverless Framework, "AWS - Event Sources": what the role of a function with such an event may do.
_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_TABLE = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams")
_STREAM = ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStreamSummary", "kinesis:ListShards")
_SUBSCRIBED = (*_STREAM, "kinesis:SubscribeToShard")
_LISTENED = {"sqs": _QUEUE}
_BROKERS = ("kafka", "msk", "activemq", "rabbitmq")
# What besides gives the role of a function access: to a queue or topic, other functions, files, networks, keys, traces.
_SETTINGS = ("onError", "destinations", "fileSystemConfig", "vpc", "kmsKeyArn", "tracing", "snapStart")


class Made(NamedTuple):
    """What a role gets: statements, managed policies and a boundary."""

    statements: tuple[Node, ...] = ()
    managed: tuple[Node, ...] = ()
    boundary: Node | None = None

    def with_events(self, variables: Variables, functions: Iterable[tuple[Scalar, Object]]) -> Made:
        """What it gets for the events of functions without a role of their own, too."""
        own = (function for _, function in functions if not has_own_role(function))
        events = tuple(statement for function in own for statement in of_events(variables, function))
        return self._replace(statements=(*self.statements, *events))


def has_own_role(function: Object) -> bool:
    """Tell whether a function has a role of its own, made or named."""
    return any(function.get(key) is not None for key in ("iamRoleStatements", "iam", "role"))


def of_events(variables: Variables, function: Object) -> Iterator[Node]:
    """The statements that the events and settings of a function add to its role."""
    for name in _SETTINGS:
        setting = variables.given(function.get(name))
        if setting is not None:
            yield _access(name, setting)
    events = function.get("events")
    found = variables.filled(events) if events is not None else None
    for event in found.items if isinstance(found, Array) else ():
        for key, value in event.entries if isinstance(event, Object) else ():
            if key.text in _BROKERS:
                yield _access(key.text, value)
            elif key.text in ("sqs", "stream"):
                yield statement(key.span, _actions(key.text, value), _arn(value))


def _access(key: str, value: Node) -> Object:
    """Access that the framework works out from a setting: it is known by its text, and another text is new access."""
    resource = hole(f"what {key} gives access to", canonical(value))
    return statement(value.span, ("serverless:Access",), Scalar(spelled((resource,)), value.span, parts=(resource,)))


def _actions(kind: str, value: Node) -> tuple[str, ...]:
    if kind in _LISTENED:
        return _LISTENED[kind]
    type_ = value.get("type") if isinstance(value, Object) else None
    arn = _arn(value)
    words = f"{type_.text if isinstance(type_, Scalar) else ''} {arn.text if isinstance(arn, Scalar) else ''}"
    if "kinesis" in words:
        return _SUBSCRIBED if isinstance(value, Object) and value.get("consumer") is not None else _STREAM
    return _TABLE if "dynamodb" in words else (*_TABLE, *_SUBSCRIBED)


def _arn(value: Node) -> Node:
    found = value.get("arn") if isinstance(value, Object) else value
    return found if found is not None else Scalar("*", value.span)


def role(name: str, made: Made, span: Span) -> list[Entry]:
    """The role of this logical id; nothing if it gets nothing but what every function has."""
    if made == Made():
        return []
    properties = [entry("AssumeRolePolicyDocument", _trust(span))]
    if made.statements:
        whole = Array(made.statements, made.statements[0].span)
        document = mapping(whole.span, Version=text("2012-10-17", whole.span), Statement=whole)
        policy = mapping(whole.span, PolicyName=text("serverless", whole.span), PolicyDocument=document)
        properties.append(entry("Policies", Array((policy,), whole.span)))
    if made.managed:
        properties.append(entry("ManagedPolicyArns", Array(made.managed, made.managed[0].span)))
    if made.boundary is not None:
        properties.append(entry("PermissionsBoundary", made.boundary))
    return [entry(name, mapping(span, Type=text("AWS::IAM::Role", span), Properties=Object(tuple(properties), span)))]


def _trust(span: Span) -> Object:
    service = mapping(span, Service=text("lambda.amazonaws.com", span))
    allowed = statement(span, ("sts:AssumeRole",), None, Principal=service)
    return mapping(span, Version=text("2012-10-17", span), Statement=Array((allowed,), span))


def statement(span: Span, actions: Iterable[str], resource: Node | None, **more: Node) -> Object:
    """A statement that allows actions."""
    allowed = Array(tuple(text(action, span) for action in actions), span)
    given = {"Resource": resource} if resource is not None else {}
    return mapping(span, Effect=text("Allow", span), Action=allowed, **given, **more)


def mapping(span: Span, **entries: Node) -> Object:
    """A mapping that stands at a place."""
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in entries.items()), span)


def text(words: str, span: Span) -> Scalar:
    """A text that stands at a place."""
    return Scalar(words, span)


def entry(key: str, value: Node) -> Entry:
    """An entry whose key stands at the place of its value."""
    return Entry(Scalar(key, value.span), value)
