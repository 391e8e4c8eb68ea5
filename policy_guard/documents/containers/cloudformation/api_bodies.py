"""Who may call the methods of an API that a template describes in OpenAPI, where both versions have the method.

Source: AWS CloudFormation Template Reference, "Body" of AWS::ApiGateway::RestApi and AWS::ApiGatewayV2::Api.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.calls import TRANSFORM, call, canonical
from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.grant_statements import allow_statement, unit_of
from policy_guard.documents.containers.cloudformation.openapi import Callers, method_callers
from policy_guard.documents.containers.cloudformation.parts import key_of, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.containers.holes import hole
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.source import Node, Object

_BODIES = {
    "AWS::ApiGateway::RestApi": "Body",
    "AWS::ApiGatewayV2::Api": "Body",
    "AWS::Serverless::Api": "DefinitionBody",
    "AWS::Serverless::HttpApi": "DefinitionBody",
}
_PATHS = "paths"
_EVERY = " every method"


def lasting_methods(old: Template, new: Template) -> frozenset[str]:
    """The methods of the APIs that both templates have; a function in one that may write some stands for every one."""
    old_methods, new_methods = (frozenset(_methods(template)) for template in (old, new))
    written_elsewhere = frozenset(each for each in old_methods | new_methods if each.endswith(_EVERY))
    return (old_methods & new_methods) | written_elsewhere


def _methods(template: Template) -> Iterator[str]:
    for name, resource in template.resources.items():
        body = _body(resource)
        if body is not None:
            yield from (_name(name, label) for label in method_callers(body)) if isinstance(body, Object) else ()
            if _is_written_elsewhere(body):
                yield _name(name, _EVERY)


def body_units(reading: Reading, name: str) -> Iterator[Unit]:
    """Who may call each method of an API that both versions have, each as a policy of its own."""
    body = _body(reading.template.resources[name])
    if body is None or name not in reading.lasting:
        return
    statements: dict[str, list[Object]] = {}
    for truths in reading.existing(name):
        for outcome in outcomes(partial(_callers, reading, body), truths, body.span):
            for label, callers in (outcome.value or {}).items():
                if not reading.lasting.isdisjoint((_name(name, label), _name(name, _EVERY))):
                    statement = _statement(reading, label, callers, outcome.truths)
                    statements.setdefault(label, []).append(statement)
    for label, several in statements.items():
        yield from unit_of(reading, f"Resources.{name}.{label}", f"callers of {name} {label}", "identity", several)


def _statement(reading: Reading, label: str, callers: Callers, truths: Truths) -> Object:
    action = text_of((action_of("endpoint"),), callers.span)
    parts = (hole(f"what {label} lets in", callers.text),) if callers.text else ("*",)
    return allow_statement(reading, callers.span, truths, Action=action, Resource=text_of(parts, callers.span))


def _callers(reading: Reading, body: Node, truths: Truths) -> Mapping[str, Callers]:
    evaluator = reading.evaluator(truths)
    if (included := _included(body)) is not None:
        # It stands elsewhere, and is the same where its address, its parameters and what is beside it are.
        text = repr((key_of(evaluator.value(included)), canonical(body)))
        return {_EVERY.strip(): Callers(text, body.span)}
    value = evaluator.value(body)
    return method_callers(value) if isinstance(value, Object) else {}


def _body(resource: Object) -> Node | None:
    properties, key = resource.get("Properties"), _BODIES.get(type_of(resource), "")
    return properties.get(key) if isinstance(properties, Object) else None


def _included(body: Node) -> Node | None:
    """Return what is said of a part that is included."""
    function_call = call(body)
    if function_call is not None:
        return function_call.argument if function_call.name == TRANSFORM else None
    return body.get(TRANSFORM) if isinstance(body, Object) else None


def _is_written_elsewhere(body: Node) -> bool:
    """Tell whether a function writes the body of an API, its paths, one of them, or a method."""
    paths = body.get(_PATHS) if isinstance(body, Object) else None
    items = _values(paths)
    nodes = (body, paths, *items, *(method for item in items for method in _values(item)))
    return any(node is not None and (call(node) or _included(node)) for node in nodes)


def _values(node: Node | None) -> tuple[Node, ...]:
    return tuple(entry.value for entry in node.entries) if isinstance(node, Object) else ()


def _name(name: str, label: str) -> str:
    return f"{name} {label}"
