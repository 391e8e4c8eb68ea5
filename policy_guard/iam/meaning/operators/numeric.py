"""NumericEquals, NumericLessThan and their siblings: whole and decimal numbers, compared by value.

Source: IAM User Guide, reference_policies_elements_condition_operators, Conditions_Numeric.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import TypeAlias

from policy_guard.iam.condition_values import number
from policy_guard.iam.meaning.operator import Operator, Way, text_of, typed
from policy_guard.solver.formula import Formula, member
from policy_guard.solver.strings import spans
from policy_guard.solver.strings.automaton import Glob
from policy_guard.solver.strings.language import Slot
from policy_guard.solver.strings.number_ranges import equal, numbers_above, numbers_below
from policy_guard.solver.strings.pattern import Pattern, holes
from policy_guard.solver.strings.spans import Line, Stretch

Globs: TypeAlias = "Callable[[Decimal], Iterator[Glob]]"
_VAST = "1" + "0" * 90


def _holds(pattern: Pattern, value: str, *, compare: Callable[[Decimal, Decimal], bool]) -> bool:
    amount, limit = number(value), number(text_of(pattern))
    return amount is not None and limit is not None and compare(amount, limit)


def _build(text: str, *, way: Globs) -> Iterator[Glob]:
    value = number(text)
    if value is not None:
        yield from way(value)


def _stretch(text: str, *, way: Callable[[Decimal], Stretch]) -> Stretch | None:
    value = number(text)
    return None if value is None else way(value)


# A value is below, equal to or above a number, and no two of these.
_LINE = Line("number", lambda value: f"{value:f}")
_BELOW, _EQUAL, _ABOVE = (
    Way(
        build=partial(_build, way=way),
        order="number",
        towards=towards,
        line=_LINE,
        stretch=partial(_stretch, way=stretch),
    )
    for way, towards, stretch in (
        (numbers_below, lambda value: _VAST, spans.below),
        (equal, str, spans.at),
        (numbers_above, lambda value: f"-{_VAST}", spans.above),
    )
)


def _encode(slot: Slot, patterns: tuple[Pattern, ...], *, ways: tuple[Way, ...]) -> Formula:
    return member(slot, typed(_farthest(patterns, ways), ways))


def _farthest(patterns: tuple[Pattern, ...], ways: tuple[Way, ...]) -> tuple[Pattern, ...]:
    """The patterns without the numbers that another covers: whatever is below one of several is below the greatest.

    Each long number takes hundreds of patterns, and a policy may name a thousand of them.
    """
    pick = max if _BELOW in ways else min if _ABOVE in ways else None
    numbers = {p: value for p in patterns if not holes(p) and (value := number(text_of(p))) is not None}
    if pick is None or len(numbers) < 2:
        return patterns
    farthest = pick(numbers, key=numbers.__getitem__)
    return tuple(pattern for pattern in patterns if pattern == farthest or pattern not in numbers)


def _operator(name: str, compare: Callable[[Decimal, Decimal], bool], *ways: Way, negated: bool = False) -> Operator:
    return Operator(
        name=f"Numeric{name}",
        holds=partial(_holds, compare=compare),
        encode=partial(_encode, ways=ways),
        negated=negated,
    )


OPERATORS = (
    _operator("Equals", operator.eq, _EQUAL),
    _operator("NotEquals", operator.eq, _EQUAL, negated=True),
    _operator("LessThan", operator.lt, _BELOW),
    _operator("LessThanEquals", operator.le, _BELOW, _EQUAL),
    _operator("GreaterThan", operator.gt, _ABOVE),
    _operator("GreaterThanEquals", operator.ge, _ABOVE, _EQUAL),
)
