"""Endpoints of the Serverless Framework: who may call its functions by HTTP or by a WebSocket.

Everybody may call one without an authorizer; one that asks for a signature of IAM lets in nobody by itself. What an
authorizer lets in is known by its text and that of its definition. A service without any of these is open as a whole:
another endpoint of it is nothing new. Sources: Serverless Framework, "API Gateway", "HTTP API" and "Websocket".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.holes import Parts, hole, joined, spelling
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.containers.serverless_framework.made import entry, events, mapping, statement, text
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar
from policy_guard.records import NamedTuple

_KINDS = ("http", "httpApi", "websocket")
_ANY = ("any", "*")
_ABSENT = ("false", "null", "")
_ARN = "arn:aws:execute-api:*:*:"
_EVERYBODY = _EVERYTHING = "*"


class _Endpoint(NamedTuple):
    """What is called, by whom, and where the file says so; without `callers` nobody is let in by it."""

    called: Parts
    callers: str | Hole | None
    place: Node


def endpoints(variables: Variables, provider: Object, functions: Iterable[tuple[Scalar, Object]]) -> list[Entry]:
    """The policy that stands for who may call the functions by their endpoints."""
    every_endpoint = [
        _endpoint(variables, provider, kind, event)
        for key, function in functions
        for kind, event in events(variables, function)
        if kind.text in _KINDS
    ]
    is_open = all(endpoint.callers == _EVERYBODY for endpoint in every_endpoint)
    statements = tuple(_statement(endpoint, is_open) for endpoint in every_endpoint if endpoint.callers is not None)
    if not statements:
        return []
    span = statements[0].span
    document = mapping(span, Version=text("2012-10-17", span), Statement=Array(statements, span))
    type_ = text("AWS::IAM::ManagedPolicy", span)
    return [entry("Endpoints", mapping(span, Type=type_, Properties=mapping(span, PolicyDocument=document)))]


def _statement(endpoint: _Endpoint, is_open: bool) -> Object:
    called = (_EVERYTHING,) if is_open else endpoint.called
    parts = joined((_ARN, *called, " by ", endpoint.callers or ""))
    span = endpoint.place.span
    return statement(span, (action_of("endpoint"),), Scalar(spelling(parts), span, parts=parts))


def _endpoint(variables: Variables, provider: Object, kind: Scalar, event: Node) -> _Endpoint:
    authorizer, api_key = (event.get(name) if isinstance(event, Object) else None for name in ("authorizer", "private"))
    called = tuple(_called(kind, event))
    if authorizer is not None and _asks_for_signature(authorizer):
        return _Endpoint(called, None, authorizer)
    if authorizer is not None and not _is_absent(authorizer):
        definition = variables.value(variables.at(provider, kind.text, "authorizers", _name(authorizer)))
        texts = [canonical(node) for node in (authorizer, definition, api_key) if node is not None]
        return _Endpoint(called, hole(f"whom {_name(authorizer)} lets in", *texts), authorizer)
    if api_key is not None and not _is_absent(api_key):
        return _Endpoint(called, "keys/*", api_key)
    network = variables.value(provider.get("endpointType")) if kind.text == "http" else None
    is_inside = isinstance(network, Scalar) and network.text.upper() == "PRIVATE"
    place = event if event.span != kind.span else kind
    return _Endpoint(called, "networks/*" if is_inside else _EVERYBODY, place)


def _called(kind: Scalar, event: Node) -> Iterator[str | Hole]:
    """The method and path of an endpoint, or the route of a WebSocket."""
    if isinstance(event, Object):
        method, path = (event.get(name) for name in ("method", "route" if kind.text == "websocket" else "path"))
    else:
        words = event.text.split(None, 1) if isinstance(event, Scalar) else []
        texts = [Scalar(word, event.span) for word in words]
        method, path = (texts[0], texts[1]) if len(texts) == 2 else (None, texts[0] if texts else None)
    yield f"{'websocket' if kind.text == 'websocket' else _method(method)} "
    if not isinstance(path, Scalar) or path.parts is not None or "${" in path.text:
        yield hole("a path", canonical(path)) if path is not None else _EVERYTHING
    else:
        yield path.text if path.text in ("*", "") or kind.text == "websocket" else f"/{path.text.lstrip('/')}"


def _method(method: Node | None) -> str:
    is_known = isinstance(method, Scalar) and method.parts is None and method.text.lower() not in _ANY
    return method.text.upper() if is_known and isinstance(method, Scalar) else "*"


def _asks_for_signature(authorizer: Node) -> bool:
    type_ = authorizer.get("type") if isinstance(authorizer, Object) else authorizer
    return isinstance(type_, Scalar) and type_.parts is None and type_.text.lower() == "aws_iam"


def _is_absent(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.kind == "null" or node.text.lower() in _ABSENT)


def _name(authorizer: Node) -> str:
    if isinstance(authorizer, Scalar):
        return authorizer.text
    names = [authorizer.get(key) for key in ("name", "arn", "id")] if isinstance(authorizer, Object) else []
    return next((name.text for name in names if isinstance(name, Scalar)), "an authorizer")
