"""Which runs of lines differ between two texts, in time near the length of the texts."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from policy_guard.records import NamedTuple

_SMALL = 6_000
"""Up to how many pairs of lines are compared with each other."""
_DEEPEST = 6


class Run(NamedTuple):
    """Lines `old_start` to `old_end` became lines `start` to `end`, counted from 0; the ends are not in the run."""

    old_start: int
    old_end: int
    start: int
    end: int


@lru_cache(maxsize=8)
def differing(old: str, new: str) -> tuple[Run, ...]:
    """The runs that differ, in their order."""
    return tuple(_runs(old.splitlines(), new.splitlines(), 0, 0, 0))


def _runs(old: Sequence[str], new: Sequence[str], old_at: int, at: int, depth: int) -> Iterator[Run]:
    """The runs between lines that both have once each, in the same order (patience diff, Bram Cohen)."""
    head = _common_length(old, new)
    tail = _common_length(old[head:][::-1], new[head:][::-1])
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    old_at, at = old_at + head, at + head
    if not old or not new:
        yield from [Run(old_at, old_at + len(old), at, at + len(new))] if old or new else []
    elif len(old) * len(new) <= _SMALL:
        from difflib import SequenceMatcher

        for tag, *run in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag != "equal":
                yield Run(run[0] + old_at, run[1] + old_at, run[2] + at, run[3] + at)
    else:
        anchors = _anchors(old, new) if depth < _DEEPEST else []
        if not anchors:
            yield Run(old_at, old_at + len(old), at, at + len(new))
            return
        old_start, new_start = 0, 0
        for old_end, new_end in [*anchors, (len(old), len(new))]:
            yield from _runs(
                old[old_start:old_end], new[new_start:new_end], old_at + old_start, at + new_start, depth + 1
            )
            old_start, new_start = old_end + 1, new_end + 1


def _common_length(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many lines at the beginning are the same."""
    return next((n for n, (one, two) in enumerate(zip(old, new, strict=False)) if one != two), min(len(old), len(new)))


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The longest series of lines that both have once, with their places in both."""
    counts = Counter(old), Counter(new)
    places = {line: number for number, line in enumerate(new) if counts[0][line] == counts[1][line] == 1}
    pairs = [(number, places[line]) for number, line in enumerate(old) if line in places]
    ends: list[int] = []
    last: list[int] = []
    predecessors: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        predecessors.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    series: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        series.append(pairs[at])
        at = predecessors[at]
    return series[::-1]
