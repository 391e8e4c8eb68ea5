"""Managed policies as other resources speak of them: by their ARNs, one by one or as a collection.

Sources: the AWS provider's documentation of aws_iam_policy, also as a data source, and of aws_organizations_policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.holes import hole
from policy_guard.documents.containers.managed import path_of
from policy_guard.documents.containers.terraform.attributes import attribute
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.instances import keys_of
from policy_guard.documents.containers.terraform.scope import ARNS, Attachable
from policy_guard.documents.containers.terraform.values import (
    is_known,
    label_of,
    place_at,
    single,
    text_of,
)
from policy_guard.documents.hcl.syntax import Attribute, Expression, Index, Literal, Template, Text, Variable
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span

_DATA = "data."


def policy_reference(evaluator: Evaluator, head: str, steps: Sequence[Attribute | Index], span: Span) -> Node:
    """Return what a reference to a policy comes to, and note which policy that is. Raises `Need` and `Opaque`."""
    definition = evaluator.scope.folder.definitions[head]
    keys, rest = ([steps[0]], steps[1:]) if steps and isinstance(steps[0], Index) else ([], steps)
    if len(rest) > 1 or not all(isinstance(step, Attribute) and step.name in ARNS for step in rest):
        return attribute(evaluator, head, steps, span)
    key = evaluator.value(keys[0].key) if keys else None
    if head.startswith(_DATA):
        return _of_data(evaluator, head, steps, key, span) if rest else attribute(evaluator, head, steps, span)
    if not steps and (objects := _objects(evaluator, head, definition, span)) is not None:
        return objects
    value = attribute(evaluator, head, steps, span)
    evaluator.scope.policies.note(value, Attachable(evaluator.scope, head, key, is_whole=not rest))
    return value


def _objects(evaluator: Evaluator, head: str, definition: Definition, span: Span) -> Node | None:
    """All objects of a block as a list or a mapping; None if it makes one, or if nobody knows how many."""
    keys = keys_of(evaluator.outside(head, definition, span), definition)
    if keys is None:
        return None
    steps = ([Index(Variable(head, span), _text(key), span)] for key in keys)
    objects = [single(policy_reference(evaluator, head, step, span)) for step in steps]
    if definition.body.value("count") is not None:
        return Array(tuple(objects), span)
    return Object(tuple(_entries(keys, objects, span)), span)


def _entries(keys: Sequence[Node], objects: Sequence[Node], span: Span) -> Iterator[Entry]:
    for key, value in zip(keys, objects, strict=True):
        yield Entry(Scalar(label_of(key), span), value)


def _text(key: Node) -> Expression:
    """The expression that says what a key is."""
    if isinstance(key, Scalar) and key.kind == "number":
        return Literal("number", key.text, key.span)
    return Template((Text(label_of(key), key.span),), key.span)


def _of_data(evaluator: Evaluator, head: str, steps: Sequence[Attribute | Index], key: Node | None, span: Span) -> Node:
    """The ARN of a policy that a data source finds by its ARN or its name."""
    definition = evaluator.scope.folder.definitions[head]
    inner = evaluator.inside(head, definition, key, span)
    if (arn := definition.body.value("arn")) is not None:
        return place_at(inner.value(arn), span)
    name_argument = definition.body.value("name")
    name = single(inner.value(name_argument)) if name_argument is not None else None
    text = name.text if isinstance(name, Scalar) and is_known(name) else ""
    if path := path_of(text):
        return text_of(("arn:", hole("the partition"), path), span)
    value = attribute(evaluator, head, steps, span)
    if text:
        evaluator.scope.policies.note(value, text)
    return value
