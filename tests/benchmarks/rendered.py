"""What the policies of a template come to under values, as this package reads it and as anybody renders it.

A document is a list of pairs of keys and values, a value a list of documents or texts, and a text is a pattern: what
nobody knows may be any text, and what is there under an open choice may be missing.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from policy_guard.documents.containers.cloudformation.evaluate import Changes
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.containers.cloudformation.units import all_units
from policy_guard.documents.source import Array, Guard, Hole, Node, Object, Scalar

OPEN = "\ue001"
"""What stands in a text for what is not known."""


_PERMISSIONS = ("AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission")
# Where grants stand that are no documents, and what AWS SAM makes that is known by its text.
_OTHERS = ("", "AuthType", "Connectors", "Groups", "ManagedPolicyArns", "ManagedPolicies", "PermissionsBoundary")
_OTHERS += ("Properties", "PublicAccessBlockConfiguration", "Users", "Auth")


class Document(NamedTuple):
    """A mapping; with `optional` nobody knows whether it is there."""

    entries: tuple[tuple[str, Values], ...]
    optional: bool = False


Values: TypeAlias = "tuple[str | Document, ...]"


class Policy(NamedTuple):
    """A policy document of a resource, at a place in it; `document` is None if it cannot be told."""

    resource: str
    place: str
    document: Document | None
    why: str = ""


def read_policies(template: Template, values: Mapping[str, str], all_choices: bool = False) -> list[Policy]:
    """The documents that this package reads, with these values of parameters and pseudo parameters.

    With `all_choices`, what is not there with these values may be there all the same.
    """
    policies: dict[tuple[str, int], Policy] = {}
    for unit in all_units(template, grants=True):
        label = unit.policy.label if unit.policy is not None else unit.address
        parts = label.split(".")
        resource, place = (parts[1], ".".join(parts[2:])) if parts[0] == "Resources" else (parts[0], "")
        if unit.policy is None:
            policies[label, 0] = Policy(resource, place, None, unit.problems[0].message)
        elif place.split(".")[0] not in _OTHERS or type_of(template.resources.get(resource)) in _PERMISSIONS:
            document = _document(unit.policy.node, values, all_choices)
            if isinstance(document, Document) and any(key == "Statement" and value for key, value in document.entries):
                policies[label, unit.policy.node.span.start] = Policy(resource, place, document)
    return list(policies.values())


def attached_policies(template: Template, values: Mapping[str, str]) -> list[Policy]:
    """The managed policies of each role, as a document that lists them."""
    reading = Reading(template, Changes(partitions=template.other_partitions))
    policies: list[Policy] = []
    for name, resource in template.resources.items():
        if type_of(resource) not in ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
            continue
        properties = resource.get("Properties")
        node = properties.get("ManagedPolicyArns") if isinstance(properties, Object) else None
        arns = tuple(
            text
            for truths in reading.existing(name)
            for outcome in reading.texts(node, truths)
            if all(_truth(guard, values) is not False for guard in reading.guards(outcome.truths))
            for text in _values(Array(outcome.value or (), resource.span), values)
        )
        if arns:
            policies.append(Policy(name, "ManagedPolicyArns", Document((("ManagedPolicyArns", arns),))))
    return policies


def _document(node: Node, values: Mapping[str, str], all_choices: bool = False) -> str | Document | None:
    if isinstance(node, Scalar):
        return _text(node, values)
    assert isinstance(node, Object)
    truths = [None if all_choices else _truth(guard, values) for guard in node.guards]
    if False in truths:
        return None
    entries = ((_text(key, values), tuple(_values(value, values, all_choices))) for key, value in node.entries)
    return Document(tuple(entries), None in truths)


def _values(node: Node, values: Mapping[str, str], all_choices: bool = False) -> Iterator[str | Document]:
    for item in node.items if isinstance(node, Array) else (node,):
        if isinstance(item, Array):
            yield from _values(item, values, all_choices)
            continue
        part = item.parts[0] if isinstance(item, Scalar) and item.parts and len(item.parts) == 1 else None
        if isinstance(part, Hole) and part.several and part.name in values:
            yield from (text.strip() for text in values[part.name].split(","))
            continue
        value = _document(item, values, all_choices)
        if value is not None:
            yield value


def _truth(guard: Guard, values: Mapping[str, str]) -> bool | None:
    return None if guard.key not in values else (values[guard.key] in guard.values) != guard.negated


def _text(scalar: Scalar, values: Mapping[str, str]) -> str:
    parts = scalar.parts if scalar.parts is not None else (scalar.text,)
    return "".join(values.get(part.name, OPEN) if isinstance(part, Hole) else part for part in parts)


def plain(value: Any) -> Values:
    """Return what somebody else renders, in the same form."""
    if isinstance(value, Mapping):
        entries = ((str(key), plain(part)) for key, part in value.items() if part is not None)
        return (Document(tuple(entries)),)
    if isinstance(value, list | tuple | set):
        return tuple(item for part in value if part is not None for item in plain(part))
    if isinstance(value, bool):
        return (str(value).lower(),)
    return (value.isoformat() if isinstance(value, datetime.date) else str(value),)


def is_same(one: str | Document, other: str | Document) -> bool:
    """Tell whether two values may be one: the same entries, and lists with the same items in whatever order."""
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and _may_be(one, other)
    return _covers(one.entries, other.entries) and _covers(other.entries, one.entries)


def _covers(some: tuple[tuple[str, Values], ...], others: tuple[tuple[str, Values], ...]) -> bool:
    return all(
        any(_may_be(key, other) and _same_values(value, other_value) for other, other_value in others)
        for key, value in some
    )


def _same_values(some: Values, others: Values) -> bool:
    return all(
        _is_optional(item) or any(is_same(item, other) for other in right)
        for left, right in ((some, others), (others, some))
        for item in left
    )


def _is_optional(value: str | Document) -> bool:
    return isinstance(value, Document) and value.optional


def _may_be(one: str, other: str) -> bool:
    return one == other or _matches(one, other) or _matches(other, one)


def _matches(pattern: str, text: str) -> bool:
    if OPEN not in pattern:
        return False
    return re.fullmatch(".*".join(map(re.escape, pattern.split(OPEN))), text, re.DOTALL) is not None


def is_known(value: str | Document) -> bool:
    """Tell whether nothing in it is open."""
    if isinstance(value, str):
        return OPEN not in value
    return not value.optional and all(OPEN not in key and all(map(is_known, values)) for key, values in value.entries)


def mapped(value: str | Document, change: Callable[[str], str]) -> str | Document:
    """The value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    entries = ((key, tuple(mapped(item, change) for item in items)) for key, items in value.entries)
    return value._replace(entries=tuple(entries))
