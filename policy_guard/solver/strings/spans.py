"""Stretches of a line, such as that of numbers or of time: what values lie in all of these and in none of those."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Context, Decimal
from typing import TypeAlias

from policy_guard.records import NamedTuple

Cut: TypeAlias = "tuple[Decimal, int]"
"""A place between values: before the value with 0, after it with 1."""
Stretch: TypeAlias = "tuple[Cut, Cut]"

FIRST, LAST = (Decimal("-Infinity"), 0), (Decimal("Infinity"), 1)
_EXACT = Context(prec=1000)


class Line(NamedTuple):
    """What texts stand for that lie in all languages `needed` and in none of those `barred`; `spell` spells a value."""

    name: str
    spell: Callable[[Decimal], str]
    needed: frozenset[object] = frozenset()
    barred: frozenset[object] = frozenset()


class Span(NamedTuple):
    """The values on a line of the texts of a language: every other text on the line lies outside of the language."""

    line: Line
    stretches: tuple[Stretch, ...]


def below(value: Decimal) -> Stretch:
    return FIRST, (value, 0)


def at(value: Decimal) -> Stretch:
    return (value, 0), (value, 1)


def above(value: Decimal) -> Stretch:
    return (value, 1), LAST


def remaining_stretches(inside: Iterable[Span], outside: Iterable[Span]) -> list[Stretch]:
    """The stretches that lie in all spans of the one kind and in none of the other."""
    stretches = _complement(_joined(stretch for span in outside for stretch in span.stretches))
    for span in inside:
        stretches = _common(stretches, _joined(span.stretches))
    return stretches


def relation(first: Span, second: Span) -> bool | None:
    """True if the first holds all values of the second, False if they share none, None if neither."""
    stretches = _joined(second.stretches)
    common = _common(_joined(first.stretches), stretches)
    return True if common == stretches else None if common else False


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same values in stretches that do not touch."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _complement(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return what lies between stretches, and on both sides of them."""
    cuts = [FIRST, *(cut for stretch in stretches for cut in stretch), LAST]
    return [(start, end) for start, end in zip(cuts[::2], cuts[1::2], strict=True) if start < end]


def _common(first: list[Stretch], second: list[Stretch]) -> list[Stretch]:
    """Return what lies in some of the ones and in some of the others, both in order."""
    common: list[Stretch] = []
    first_at = second_at = 0
    while first_at < len(first) and second_at < len(second):
        start, end = max(first[first_at][0], second[second_at][0]), min(first[first_at][1], second[second_at][1])
        common += [(start, end)] if start < end else []
        if first[first_at][1] < second[second_at][1]:
            first_at += 1
        else:
            second_at += 1
    return common


def value_in(stretch: Stretch) -> Decimal:
    """A value in the stretch: its first if it has one, else a whole one after that if there is room."""
    (start, is_after), (end, with_end) = stretch
    if start.is_infinite():
        return Decimal(0) if end.is_infinite() else _EXACT.subtract(end, Decimal(not with_end))
    if not is_after:
        return start
    next_one = _EXACT.add(start, Decimal(1))
    if next_one < end:
        return next_one
    return end if with_end else _EXACT.divide(_EXACT.add(start, end), Decimal(2))
