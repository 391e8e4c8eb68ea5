"""Resources that the Serverless Framework makes: roles, with what functions and their events add to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.holes import hole, spelling
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span
from policy_guard.records import NamedTuple

# Serverless Framework, "AWS - Event Sources": what the role of a function with such an event may do.
_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_TABLE = ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams")
_STREAM = ("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStreamSummary", "kinesis:ListShards")
_SUBSCRIBED = (*_STREAM, "kinesis:SubscribeToShard")
_LISTENED = {"sqs": _QUEUE}
_BROKERS = ("kafka", "msk", "activemq", "rabbitmq")
# What besides gives the role of a function access: to a queue or topic, other functions, files, networks, keys, traces.
_SETTINGS = ("onError", "destinations", "fileSystemConfig", "vpc", "kmsKeyArn", "awsKmsKeyArn", "tracing", "snapStart")
_SHARED_SETTINGS = ("tracing", "vpc", "kmsKeyArn", "awsKmsKeyArn")


BARE_ROLE = "Serverless::Bare"
"""The type that stands for a role with only what every function has; beside one that has more it is a role."""


class RoleContents(NamedTuple):
    """What a role gets: statements, managed policies and a boundary."""

    statements: tuple[Node, ...] = ()
    managed: tuple[Node, ...] = ()
    boundary: Node | None = None

    def with_statements(self, statements: Iterable[Node]) -> RoleContents:
        """The contents with these statements, too."""
        return self._replace(statements=(*self.statements, *statements))


def is_given(variables: Variables, node: Node | None) -> bool:
    """Tell whether something stands there for sure: what is unknown may come to nothing."""
    value = variables.value(node)
    unknown = isinstance(value, Scalar) and value.parts and all(isinstance(part, Hole) for part in value.parts)
    return value is not None and not unknown


def of_provider(variables: Variables, provider: Object) -> Iterator[Node]:
    """The statements that settings of the provider add to the roles of functions."""
    for name in _SHARED_SETTINGS:
        setting = variables.value(provider.get(name))
        if name == "tracing" and isinstance(setting, Object):
            setting = setting.get("lambda")
        if setting is not None and not (isinstance(setting, Scalar) and setting.text == "false"):
            yield known_by_text(name, setting)
    group = variables.value(variables.at(provider, "logs", "lambda", "logGroup"))
    if group is not None:
        yield known_by_text("logGroup", group)


def of_events(variables: Variables, name: Scalar, function: Object) -> Iterator[Node]:
    """The statements that the events and settings of a function add to its role."""
    for key in _SETTINGS:
        setting = variables.value(function.get(key))
        if setting is not None:
            yield known_by_text(key, setting)
    group = variables.value(variables.at(function, "logs", "logGroup"))
    if group is not None:
        yield known_by_text("logGroup", group)
    if function.get("durableConfig") is not None:
        yield known_by_text("durableConfig", text("", name.span))
    for kind, value in events(variables, function):
        yield from _of_event(kind, value, name)


def events(variables: Variables, function: Object) -> Iterator[tuple[Scalar, Node]]:
    """The events of a function by kind; some are a kind alone."""
    written_events = function.get("events")
    event_nodes = variables.resolve(written_events) if written_events is not None else None
    for event in event_nodes.items if isinstance(event_nodes, Array) else ():
        if isinstance(event, Object):
            yield from event.entries
        elif isinstance(event, Scalar):
            yield event, Object((), event.span)


def _of_event(kind: Scalar, value: Node, name: Scalar) -> Iterator[Node]:
    if kind.text in _BROKERS:
        yield known_by_text(kind.text, value)
    elif kind.text in ("sqs", "stream"):
        yield statement(kind.span, _actions(kind.text, value), _arn(value))
    elif kind.text == "websocket":
        yield _connections(kind.span)
    setting_name = {"schedule": "method", "stream": "destinations"}.get(kind.text)
    node = value.get(setting_name) if setting_name and isinstance(value, Object) else None
    if node is not None and not (isinstance(node, Scalar) and node.text == "eventBus"):
        yield known_by_text(kind.text, node, name.text)


def _connections(span: Span) -> Object:
    """Return what a function with a WebSocket may do: send to all that are connected."""
    return statement(span, ("execute-api:ManageConnections",), text("arn:aws:execute-api:*:*:*/@connections/*", span))


def known_by_text(key: str, value: Node, *deciding: str) -> Object:
    """Access that a setting gives, which is not worked out: it is known by its text, and another text is new access."""
    resource = hole(f"what {key} gives access to", canonical(value), *deciding)
    return statement(value.span, ("serverless:Access",), Scalar(spelling((resource,)), value.span, parts=(resource,)))


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
    arn = value.get("arn") if isinstance(value, Object) else value
    return arn if arn is not None else Scalar("*", value.span)


def role(name: str, contents: RoleContents, span: Span, user: Span) -> list[Entry]:
    """The role of this logical id, for what stands at `user`: a bare one if it gets only what every function has."""
    if contents == RoleContents():
        return [entry(name, mapping(span, Type=text(BARE_ROLE, span)))]
    properties = [entry("AssumeRolePolicyDocument", _trust(user))]
    if contents.statements:
        statements = Array(contents.statements, contents.statements[0].span)
        document = mapping(statements.span, Version=text("2012-10-17", statements.span), Statement=statements)
        policy = mapping(statements.span, PolicyName=text("serverless", statements.span), PolicyDocument=document)
        properties.append(entry("Policies", Array((policy,), statements.span)))
    if contents.managed:
        properties.append(entry("ManagedPolicyArns", Array(contents.managed, contents.managed[0].span)))
    if contents.boundary is not None:
        properties.append(entry("PermissionsBoundary", contents.boundary))
    return [entry(name, mapping(span, Type=text("AWS::IAM::Role", span), Properties=Object(tuple(properties), span)))]


def without_contents(span: Span) -> Object:
    """The role of functions that nobody gives anything."""
    properties = Object((entry("AssumeRolePolicyDocument", _trust(span)),), span)
    return mapping(span, Type=text("AWS::IAM::Role", span), Properties=properties)


def _trust(span: Span) -> Object:
    service = mapping(span, Service=text("lambda.amazonaws.com", span))
    allow_statement = statement(span, ("sts:AssumeRole",), None, Principal=service)
    return mapping(span, Version=text("2012-10-17", span), Statement=Array((allow_statement,), span))


def statement(span: Span, actions: Iterable[str], resource: Node | None, **elements: Node) -> Object:
    """A statement that allows actions."""
    action_texts = Array(tuple(text(action, span) for action in actions), span)
    resource_element = {"Resource": resource} if resource is not None else {}
    return mapping(span, Effect=text("Allow", span), Action=action_texts, **resource_element, **elements)


def mapping(span: Span, **entries: Node) -> Object:
    """A mapping that stands at a place."""
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in entries.items()), span)


def text(words: str, span: Span) -> Scalar:
    """A text that stands at a place."""
    return Scalar(words, span)


def known(name: str, holder: str, words: str, nodes: Iterable[Node]) -> list[Entry]:
    """The resource of this logical id that is known by the text of some nodes, one by one; nothing without any.

    In `words` people know what gives the access.
    """
    items = tuple(nodes)
    if not items:
        return []
    span = items[0].span
    properties: dict[str, Node] = {"Holder": text(holder, span), words: Array(items, span)}
    return [
        entry(name, mapping(span, Type=text("Serverless::Permissions", span), Properties=mapping(span, **properties)))
    ]


def entry(key: str, value: Node) -> Entry:
    """An entry whose key stands at the place of its value."""
    return Entry(Scalar(key, value.span), value)
