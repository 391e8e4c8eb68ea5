"""References as they are written, and what their dots and brackets lead to in values."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TypeGuard

from policy_guard.documents.containers.opaque import Missing, Opaque
from policy_guard.documents.containers.terraform.definition import plain_text
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
from policy_guard.documents.hcl.syntax import Attribute, Call, Expression, Index, Item, Mapping, Variable, parts_of
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span
from policy_guard.records import NamedTuple


def head_and_steps(node: Expression) -> tuple[Expression, list[Attribute | Index]]:
    """What a reference begins with, and the dots and brackets that follow."""
    steps: list[Attribute | Index] = []
    while isinstance(node, Attribute | Index):
        steps.append(node)
        node = node.value
    return node, steps[::-1]


class WrittenPart(NamedTuple):
    """A part of a value that stands in mappings: where it is written, its type if it has one, and the steps left."""

    value: Expression
    type_: Expression | None
    path: tuple[str, ...]
    rest: Sequence[Attribute | Index]


def written_part(value: Expression, steps: Sequence[Attribute | Index], type_: Expression | None = None) -> WrittenPart:
    """The part that the first steps lead to: what stands beside it in mappings need not be worked out.

    Of a value with a type, it is one to which the type gives no other value than what is written.
    """
    path: list[str] = []
    for step in steps:
        type_ = None if isinstance(type_, Variable) and type_.name == "any" else type_
        name = step.name if isinstance(step, Attribute) else plain_text(step.key)
        entry = _entry(value, name)
        inner_type = _entry(type_.arguments[0], name) if _is_object_type(type_) else None
        if entry is None or (type_ is not None and (inner_type is None or _is_optional(inner_type))):
            break
        value, type_ = entry, inner_type
        path.append(name)
    return WrittenPart(value, type_, tuple(path), steps[len(path) :])


def _entry(mapping: Expression, name: str) -> Expression | None:
    """The value that is written under a name in a mapping whose keys are all written out; None for all else."""
    if not isinstance(mapping, Mapping) or not name:
        return None
    entries = {plain_text(key): value for key, value in mapping.items}
    return entries.get(name) if "" not in entries else None


def _is_object_type(type_: Expression | None) -> TypeGuard[Call]:
    return isinstance(type_, Call) and type_.name == "object" and len(type_.arguments) == 1


def _is_optional(type_: Expression) -> bool:
    return isinstance(type_, Call) and type_.name == "optional"


def is_of_item(node: Expression) -> bool:
    """Tell whether a reference begins with what stands for each item of a splat."""
    return isinstance(head_and_steps(node)[0], Item)


def names_any(node: Expression, names: Container[str]) -> bool:
    """Tell whether one of the names of loops and of objects stands in an expression; `*` is the item of a splat."""
    pending: list[object] = [node]
    while pending:
        part = pending.pop()
        if ("*" if isinstance(part, Item) else part.name if isinstance(part, Variable) else "") in names:
            return True
        pending += part if isinstance(part, tuple) else parts_of(part)
    return False


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
    if isinstance(value, Object) and not value.tag and not is_text_key:
        keys = tuple(entry.key.text for entry in value.entries)
        return _any_of(f"{label_of(value)}.{label_of(key)}", (key, keys), [e.value for e in value.entries], span)
    child = unknown(f"{label_of(value)}.{label_of(key)}", span, name_of(value), name_of(key))
    return single(child) if policies.note_part(value, text, child) else child


def _any_of(words: str, key: tuple[Node, tuple[str, ...]], values: Sequence[Node], span: Span) -> Node:
    """The one of these values that stands under a key that nobody knows, and that there may be none for.

    Of mappings with the same keys each value is one that the others do not decide.
    """
    keys = [{entry.key.text for entry in each.entries} if isinstance(each, Object) else None for each in values]
    if not keys or not keys[0] or any(each != keys[0] for each in keys) or any(each.tag for each in values):
        return unknown(words, span, name_of(key[0]), key[1], list(map(name_of, values)))
    entries: list[Entry] = []
    for name in sorted(keys[0]):
        inner_values = [inner for each in values if isinstance(each, Object) and (inner := each.get(name)) is not None]
        entries.append(Entry(Scalar(name, span), _any_of(f"{words}.{name}", key, inner_values, span)))
    return Object(tuple(entries), span)


def _is_list(value: Node) -> TypeGuard[Array]:
    """Tell whether a value is a list of which the order is known."""
    return isinstance(value, Array) and value.tag != SET
