"""What Terraform makes of texts, numbers and truth values that stand where one type is wanted.

Source: Terraform, "Type Constraints", "Conversion of Primitive Types" and "Conversion of Complex Types".
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from policy_guard.documents.containers.holes import Parts
from policy_guard.documents.containers.terraform.values import is_known, is_null, label_of, parts, single
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar


def of_one_type(nodes: Sequence[Node]) -> tuple[Node, ...] | None:
    """Return the items of a list as Terraform makes them alike; None if nobody is sure."""
    kinds = {node.kind if isinstance(node, Scalar) else type(node).__name__ for node in nodes} - {"null"}
    if len(kinds) <= 1:
        return tuple(nodes) if kinds <= {"string", "number", "boolean"} or _are_alike(nodes) else None
    if "string" not in kinds or not kinds <= {"string", "number", "boolean"}:
        return None
    return tuple(map(single, nodes))


def _are_alike(nodes: Sequence[Node]) -> bool:
    """Tell whether the texts, numbers and truth values in lists and mappings are all of one kind."""
    kinds: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            kinds.add(node.kind)
        else:
            stack += node.items if isinstance(node, Array) else (value for _, value in node.entries)
    return len(kinds - {"null"}) <= 1


def has_other_kinds(value: Node) -> bool:
    """Tell whether a value is or has a number or truth value, which Terraform may make a text."""
    if isinstance(value, Scalar):
        return value.kind in ("number", "boolean")
    inner = value.items if isinstance(value, Array) else tuple(each for _, each in value.entries)
    return any(map(has_other_kinds, inner))


def as_beside(value: Node, other: Node) -> Node | None:
    """The value of one side of a condition as the other makes it; None if nobody is sure."""
    if isinstance(value, Scalar) and isinstance(other, Scalar):
        return next(iter(of_one_type((value, other)) or ()), None)
    if isinstance(value, Array) and isinstance(other, Array):
        items = of_one_type((*value.items, *other.items))
        return value._replace(items=items[: len(value.items)]) if items is not None else None
    if isinstance(value, Object) and isinstance(other, Object):
        pairs = [(entry, other.get(entry.key.text)) for entry in value.entries]
        values = [as_beside(entry.value, each) if each is not None else entry.value for entry, each in pairs]
        entries = [Entry(entry.key, each) for (entry, _), each in zip(pairs, values, strict=True) if each is not None]
        return value._replace(entries=tuple(entries)) if len(entries) == len(value.entries) else None
    return value


def json_text(text: str) -> str:
    """A text as JSON has it, without its quotation marks."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    # Go writes these otherwise: encoding/json, "Marshal".
    for symbol in "<>&\u2028\u2029":
        written = written.replace(symbol, f"\\u{ord(symbol):04x}")
    return written


def json_parts(node: Node) -> Parts | None:
    """The parts of the JSON that a value is written as; None if nobody knows how many there are of something."""
    if isinstance(node, Scalar):
        return _scalar_parts(node)
    if isinstance(node, Object) and not all(is_known(entry.key) for entry in node.entries):
        return None
    items = node.items if isinstance(node, Array) else tuple(value for _, value in _sorted_entries(node))
    heads = [""] * len(items) if isinstance(node, Array) else [f'"{key}":' for key, _ in _sorted_entries(node)]
    opening, closing = "[]" if isinstance(node, Array) else "{}"
    written: list[str | Hole] = [opening]
    for number, (head, item) in enumerate(zip(heads, items, strict=True)):
        inner = json_parts(item)
        if inner is None:
            return None
        written += (f"{',' if number else ''}{head}", *inner)
    return (*written, closing)


def _sorted_entries(node: Object) -> list[tuple[str, Node]]:
    last = {entry.key.text: entry.value for entry in node.entries}
    return [(json_text(key), last[key]) for key in sorted(last)]


def _scalar_parts(node: Scalar) -> Parts | None:
    if is_null(node) or node.kind != "string":
        return ("null" if is_null(node) else label_of(node),)
    inner = parts(node)
    if any(isinstance(part, Hole) and part.several for part in inner):
        return None
    return ('"', *(part if isinstance(part, Hole) else json_text(part) for part in inner), '"')
