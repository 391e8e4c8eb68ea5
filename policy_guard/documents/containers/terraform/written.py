"""Where the texts of values are written: the stretches that they are made of, followed through functions and files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from policy_guard.documents.containers.holes import HOLE
from policy_guard.documents.source import Array, Entry, Hole, Node, Origin, Scalar, Span, Stretch, scalars

_MOST_ORIGINS = 50
"""Of how many places one text is said to come; what is made of more comes from some of them."""


class Locator:
    """Finds what stands at an offset of a text: its place, and where it is written."""

    def __init__(self, stretches: Iterable[Stretch], full_span: Span) -> None:
        self._stretches = [stretch for stretch in stretches if stretch.part != ""]
        self._starts = [0, *accumulate(_length(stretch) for stretch in self._stretches)]
        self._full_span = full_span

    def span(self, inner: Span) -> Span:
        """Return the place of a part of the text."""
        first, last = self._character(inner.start), self._character(max(inner.end - 1, inner.start))
        return Span(first.start, last.end) if first.start < last.end else first

    def origins(self, inner: Span) -> tuple[Origin, ...]:
        """Return all places where a part of the text is written."""
        origins: list[Origin] = []
        number = max(bisect_right(self._starts, inner.start) - 1, 0)
        while number < len(self._stretches) and self._starts[number] < inner.end and len(origins) < _MOST_ORIGINS:
            origins += _parts_of_origins(self._stretches[number], inner, self._starts[number])
            number += 1
        return tuple(origins[:_MOST_ORIGINS])

    def _character(self, at: int) -> Span:
        number = min(bisect_right(self._starts, at), len(self._stretches)) - 1
        if number < 0:
            return self._full_span
        stretch = self._stretches[number]
        if not stretch.exact:
            return stretch.span
        start = stretch.span.start + at - self._starts[number]
        return Span(start, start + 1)


def _length(stretch: Stretch) -> int:
    return len(HOLE) if isinstance(stretch.part, Hole) else len(stretch.part)


def _parts_of_origins(stretch: Stretch, inner: Span, at: int) -> Iterator[Origin]:
    """The places of what lies within `inner` of a stretch that stands at an offset."""
    first, last = max(inner.start - at, 0), min(inner.end - at, _length(stretch))
    for origin in stretch.origins:
        if origin.exact:
            yield origin._replace(span=Span(origin.span.start + first, origin.span.start + last))
        else:
            yield origin


def with_places(node: Node, locator: Locator) -> Node:
    """The tree that was read from a text, each text in it with where it is written."""
    if isinstance(node, Scalar):
        return _scalar_from(node, locator.origins(node.span))
    if isinstance(node, Array):
        return node._replace(items=tuple(with_places(item, locator) for item in node.items))
    return node._replace(entries=tuple(Entry(key, with_places(value, locator)) for key, value in node.entries))


def made_of(value: Node, arguments: Sequence[Node]) -> Node:
    """The value a function makes of its arguments: texts in it that are new come from all that is written in these."""
    if all(scalar.written for scalar in scalars(value)):
        return value
    origins = _origins_in(arguments)
    return _filled(value, origins) if origins else value


def _origins_in(nodes: Sequence[Node]) -> tuple[Origin, ...]:
    origins: dict[Origin, None] = {}
    for node in nodes:
        for scalar in scalars(node):
            origins |= dict.fromkeys(origin for stretch in scalar.written for origin in stretch.origins)
            if len(origins) >= _MOST_ORIGINS:
                return tuple(origins)[:_MOST_ORIGINS]
    return tuple(origins)


def _scalar_from(scalar: Scalar, origins: tuple[Origin, ...]) -> Scalar:
    text_parts = scalar.parts if scalar.parts is not None else (scalar.text,)
    return scalar._replace(written=tuple(Stretch(part, scalar.span, False, origins) for part in text_parts))


def _filled(node: Node, origins: tuple[Origin, ...]) -> Node:
    if isinstance(node, Scalar):
        return node if node.written else _scalar_from(node, origins)
    if isinstance(node, Array):
        return node._replace(items=tuple(_filled(item, origins) for item in node.items))
    return node._replace(entries=tuple(Entry(key, _filled(value, origins)) for key, value in node.entries))
