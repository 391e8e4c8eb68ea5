"""Finds which spans lie around a place, of spans of a tree: these lie in each other, or apart."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from policy_guard.documents.source import Span


class Nesting:
    """Spans by where they begin, each with the one that it lies in."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = sorted(set(spans), key=lambda span: (span.start, -span.end))
        self._starts = [span.start for span in self._spans]
        self._outer: list[int] = []
        way: list[int] = []
        for number, span in enumerate(self._spans):
            while way and self._spans[way[-1]].end <= span.start:
                way.pop()
            self._outer.append(way[-1] if way else -1)
            way.append(number)

    def around(self, at: int) -> Iterator[Span]:
        """The spans around a place, innermost first."""
        number = bisect_right(self._starts, at) - 1
        while number >= 0:
            if at < self._spans[number].end:
                yield self._spans[number]
            number = self._outer[number]
