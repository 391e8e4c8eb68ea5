"""References as they are written, and what their dots and brackets lead to in values."""

from __future__ import annotations

from typing import TypeGuard

from policy_guard.documents.containers.opaque import Missing, Opaque
from policy_guard.documents.containers.terraform.scope import Attachables
from policy_guard.documents.containers.terraform.values import (
    SET,
    is_known,
    label_of,
    name_of,
    pairs_of,
    single,
    unknown,
)
from policy_guard.documents.hcl.syntax import Attribute, Expression, Index, Item
from policy_guard.documents.source import Array, Node, Object, Scalar, Span


def head_and_steps(node: Expression) -> tuple[Expression, list[Attribute | Index]]:
    """What a reference begins with, and the dots and brackets that follow."""
    steps: list[Attribute | Index] = []
    while isinstance(node, Attribute | Index):
        steps.append(node)
        node = node.value
    return node, steps[::-1]


def is_of_item(node: Expression) -> bool:
    """Tell whether a reference begins with what stands for each item of a splat."""
    return isinstance(head_and_steps(node)[0], Item)


def child_of(value: Node, key: Node, span: Span, policies: Attachables) -> Node:
    """The part of a value that a dot or brackets lead to; one that is the ARN of a policy is noted among the policies.

    Raises `Opaque`.
    """
    is_text_key = isinstance(key, Scalar) and is_known(key)
    text = key.text if isinstance(key, Scalar) else ""
    if is_text_key and isinstance(value, Object):
        values = [entry.value for entry in value.entries if entry.key.text == text]
        if not values:
            raise (Opaque if value.tag else Missing)(f"there is no {text[:60]!r} in this value", span)
        return values[-1]
    if is_text_key and _is_list(value) and text.isdecimal() and len(text) < 6:
        if int(text) >= len(value.items):
            raise (Opaque if pairs_of(value) is None else Missing)("the list is shorter than that", span)
        return value.items[int(text)]
    child = unknown(f"{label_of(value)}.{label_of(key)}", span, name_of(value), name_of(key))
    return single(child) if policies.note_part(value, text, child) else child


def _is_list(value: Node) -> TypeGuard[Array]:
    """Tell whether a value is a list of which the order is known."""
    return isinstance(value, Array) and value.tag != SET
