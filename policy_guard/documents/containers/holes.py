"""Texts with holes: their parts, and trees that are read from such texts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span
from policy_guard.solver.strings.pattern import HIDDEN

Parts: TypeAlias = "tuple[str | Hole, ...]"
HOLE = "\ue000"
"""What stands for a hole while a text is read: JSON takes it in strings only."""


def hole(words: str, *deciding: object) -> Hole:
    """The text that people know by these words, and that everything in `deciding` decides."""
    return Hole(f"{words}{HIDDEN}{digest(deciding)}" if deciding else words)


def spelling(parts: Iterable[str | Hole]) -> str:
    """The parts as one text for people."""
    return "".join(f"${{{visible(part)}}}" if isinstance(part, Hole) else part for part in parts)


def joined(parts: Iterable[str | Hole]) -> Parts:
    """The parts with neighbouring texts as one, and without empty ones."""
    merged_parts: list[str | Hole] = []
    for is_text, run in groupby(parts, key=_is_text):
        if is_text:
            text = "".join(part for part in run if isinstance(part, str))
            merged_parts += [text] if text else []
        else:
            merged_parts += run
    return tuple(merged_parts)


def _is_text(part: str | Hole) -> bool:
    return isinstance(part, str)


def visible(part: Hole) -> str:
    """The name of a hole for people."""
    return part.name.partition(HIDDEN)[0].removeprefix("!Ref ")


def at_holes(text: str, holes: Sequence[Hole], first: int = 0) -> Iterator[str | Hole]:
    """Return the pieces of a text with a hole, from the `first` on, for each character that stands for one."""
    for number, piece in enumerate(text.split(HOLE)):
        if number:
            yield holes[first + number - 1]
        yield piece


class Filled:
    """Puts the holes of a text, and the places where it is written, into the tree that was read from it."""

    def __init__(
        self,
        text: str,
        holes: Sequence[Hole],
        span: Callable[[Span], Span],
        combine: Callable[[Parts], Parts] = joined,
    ) -> None:
        """`span` tells where a stretch of the text is written; `combine` puts the pieces of a string together."""
        self._holes = holes
        self._at = [at for at, symbol in enumerate(text) if symbol == HOLE]
        self._span = span
        self._combine = combine

    def tree(self, node: Node) -> Node:
        """Return a tree with its places in the file, and the holes in its strings."""
        if isinstance(node, Scalar):
            return self._scalar(node)
        if isinstance(node, Array):
            return Array(tuple(map(self.tree, node.items)), self._span(node.span))
        entries = (Entry(self._scalar(entry.key), self.tree(entry.value)) for entry in node.entries)
        return Object(tuple(entries), self._span(node.span))

    def _scalar(self, scalar: Scalar) -> Scalar:
        if scalar.kind == "null":
            return scalar._replace(span=self._span(scalar.span))
        first = bisect_right(self._at, scalar.span.start)
        parts = self._combine(tuple(at_holes(scalar.text, self._holes, first)))
        return scalar._replace(text=spelling(parts), span=self._span(scalar.span), parts=parts)
