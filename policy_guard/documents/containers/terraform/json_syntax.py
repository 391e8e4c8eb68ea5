"""Terraform's configuration in JSON: blocks are objects or arrays of them, and expressions stand in strings.

Sources: Terraform, "JSON Configuration Syntax"; hashicorp/hcl, json/spec.md.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from policy_guard.documents.embedded import Places, places_in
from policy_guard.documents.formats.json import scan
from policy_guard.documents.hcl.bodies import read_expression, read_template
from policy_guard.documents.hcl.syntax import (
    Argument,
    Block,
    Body,
    Expression,
    List,
    Literal,
    Mapping,
    Part,
    Template,
    Text,
)
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, Span, Unreadable

_LABELS = {
    **dict.fromkeys(("resource", "data", "ephemeral"), 2),
    **dict.fromkeys(("variable", "output", "module", "provider", "check"), 1),
    **dict.fromkeys(("locals", "terraform", "moved", "import", "removed"), 0),
}
# What stands there is taken as it is, and nothing is filled in.
_PLAIN = ("variable", "terraform", "check", "import", "removed", "ephemeral", "lifecycle")
_PLAIN_ARGUMENTS = {
    "module": ("source", "version", "depends_on"),
    "output": ("description", "sensitive", "ephemeral", "depends_on", "precondition"),
    "provider": ("alias", "version"),
}
# A string there is a reference or a type, and no text.
_REFERENCES = {
    **dict.fromkeys(("resource", "data"), ("provider",)),
    "module": ("providers",),
    "variable": ("type",),
    "moved": ("from", "to"),
    "dynamic": ("iterator",),
}
_NEVER_BLOCKS = ("count", "for_each", "depends_on", "provider", "providers")
_LABELLED = ("dynamic", "provisioner")
_BLOCKS = ("statement", "principals", "not_principals", "condition", "content", "lifecycle", "inline_policy")
_SPECIAL = ("lifecycle", "dynamic")
_COMMENT = "//"
_NAME = re.compile(r"[^\W\d](?:\w|-)*")


def read_json(source: Source) -> Body:
    """The blocks of a file. Raises `Unreadable` for what Terraform refuses."""
    tree = scan(source.text)
    blocks: list[Block] = []
    for key, value in _entries(tree):
        if key.text == _COMMENT:
            continue
        if key.text not in _LABELS:
            raise Unreadable(Problem(f"Terraform has no block {key.text[:60]}; correct it", key.span))
        reader = _Reader(source, key.text)
        blocks += reader.blocks(key, value, _LABELS[key.text])
    return Body({}, tuple(blocks), tree.span)


def _entries(node: Node) -> Iterator[Entry]:
    """The entries of an object, or of all objects in an array."""
    for item in node.items if isinstance(node, Array) else (node,):
        if isinstance(item, Scalar) and item.kind == "null" and item is node:
            return
        if not isinstance(item, Object):
            raise Unreadable(Problem("an object of blocks is expected here", item.span))
        yield from item.entries


class _Reader:
    """Reads what stands in blocks of one type at the top of a file."""

    def __init__(self, source: Source, type_: str) -> None:
        self._source = source
        self._type = type_

    def blocks(self, key: Scalar, value: Node, count: int, labels: tuple[str, ...] = ()) -> Iterator[Block]:
        """The blocks that a value stands for, `count` labels deep."""
        if count:
            for entry in _entries(value):
                head = key._replace(span=entry.key.span)
                yield from self.blocks(head, entry.value, count - 1, (*labels, entry.key.text))
            return
        for item in value.items if isinstance(value, Array) else (value,):
            if isinstance(item, Scalar) and item.kind == "null":
                continue
            if not isinstance(item, Object):
                raise Unreadable(Problem(f"an object is expected here, as a block {key.text[:60]}", item.span))
            span = Span(key.span.start, item.span.end) if item is value else item.span
            body = self._body(item, key.text, is_top=len(labels) == _LABELS.get(key.text) and key.text == self._type)
            yield Block(type=key.text, labels=labels, body=body, span=span, head=key.span)

    def _body(self, node: Object, type_: str, is_top: bool) -> Body:
        arguments: dict[str, Argument] = {}
        blocks: list[Block] = []
        for key, value in node.entries:
            if key.text == _COMMENT:
                continue
            if self._type in ("resource", "data", "provider") and _is_block(key.text, value):
                blocks += self.blocks(key, value, int(key.text in _LABELLED))
                continue
            if key.text in arguments:
                raise Unreadable(Problem(f"{key.text[:60]} is written twice; keep one", key.span))
            expression = self._argument(type_ if is_top or type_ in _SPECIAL else "", key.text, value)
            arguments[key.text] = Argument(key.text, expression, Span(key.span.start, value.span.end))
        return Body(arguments, tuple(blocks), node.span)

    def _argument(self, type_: str, name: str, value: Node) -> Expression:
        is_reference = name in _REFERENCES.get(type_, ())
        if (type_ in _PLAIN and not is_reference) or name in _PLAIN_ARGUMENTS.get(type_, ()) or name == "depends_on":
            return plain(value)
        return self._value(value, self._reference if is_reference else self._template)

    def _value(self, node: Node, read: Callable[[Scalar], Expression]) -> Expression:
        if isinstance(node, Array):
            return List(tuple(self._value(item, read) for item in node.items), node.span)
        if isinstance(node, Object):
            items = ((self._template(key), self._value(value, read)) for key, value in node.entries)
            return Mapping(tuple(items), node.span)
        return read(node) if node.kind == "string" else Literal(node.kind, node.text, node.span)

    def _reference(self, scalar: Scalar) -> Expression:
        places = places_in(scalar, self._source)
        try:
            expression: Expression = _relocate(read_expression(scalar.text), places.span)
        except Unreadable as error:
            raise _at(error, places) from None
        return expression

    def _template(self, scalar: Scalar) -> Template:
        places = places_in(scalar, self._source)
        try:
            template = read_template(scalar.text)
        except Unreadable as error:
            raise _at(error, places) from None
        parts = (each for part in template.parts for each in _pieces(part, scalar.text, places))
        return Template(tuple(parts), scalar.span)


def _is_block(name: str, value: Node) -> bool:
    """Tell whether a value stands for blocks; what is written in braces is one unless a name in it is none."""
    if name in _NEVER_BLOCKS:
        return False
    if name in (*_LABELLED, *_BLOCKS):
        return not isinstance(value, Scalar) or value.kind == "null"
    items = value.items if isinstance(value, Array) else (value,)
    return bool(items) and all(
        isinstance(item, Object) and all(_NAME.fullmatch(key.text) or key.text == _COMMENT for key, _ in item.entries)
        for item in items
    )


def _at(error: Unreadable, places: Places) -> Unreadable:
    return Unreadable(*(problem._replace(span=places.span(problem.span)) for problem in error.problems))


def _pieces(part: Part, text: str, places: Places) -> Iterator[Part]:
    """The part with its places in the file: text that is written with escapes in stretches that are not."""
    if not isinstance(part, Text) or part.value != text[slice(*part.span)]:
        yield _relocate(part, places.span)
        return
    first = bisect_left(places.starts, part.span.start + 1)
    edges = [part.span.start]
    for start in places.starts[first:]:
        if start >= part.span.end:
            break
        edges.append(start)
    for start, end in zip(edges, [*edges[1:], part.span.end], strict=True):
        yield Text(text[start:end], places.span(Span(start, end)))


def _relocate(node: Any, span: Callable[[Span], Span]) -> Any:
    """The tree with its places in the file."""
    if isinstance(node, Span):
        return span(node)
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{field.name: _relocate(getattr(node, field.name), span) for field in fields(node)})
    return tuple(_relocate(each, span) for each in node) if isinstance(node, tuple) else node


def plain(node: Node) -> Expression:
    """The expression that says what a value in JSON says, with its texts taken as they are."""
    if isinstance(node, Array):
        return List(tuple(map(plain, node.items)), node.span)
    if isinstance(node, Object):
        items = ((_text(key), plain(value)) for key, value in node.entries)
        return Mapping(tuple(items), node.span)
    return _text(node) if node.kind == "string" else Literal(node.kind, node.text, node.span)


def _text(scalar: Scalar) -> Template:
    return Template((Text(scalar.text, scalar.span),), scalar.span)
