"""NumericEquals, NumericLessThan and their siblings: whole and decimal numbers, compared by value.

Source: IAM User Guide, reference_policies_elements_condition_operators, Conditions_Numeric.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import TypeAlias

from policy_guard.automaton import Glob
from policy_guard.condition import Operator, spelled, typed
from policy_guard.decimals import above, below, equal
from policy_guard.formula import Formula, member
from policy_guard.pattern import Pattern
from policy_guard.strings import Slot
from policy_guard.values import number

Build: TypeAlias = "Callable[[str], Iterator[Glob]]"


def _holds(given: Pattern, value: str, *, compare: Callable[[Decimal, Decimal], bool]) -> bool:
    one, two = number(value), number(spelled(given))
    return one is not None and two is not None and compare(one, two)


def _build(text: str, *, ways: tuple[Callable[[Decimal], Iterator[Glob]], ...]) -> Iterator[Glob]:
    value = number(text)
    for way in ways if value is not None else ():
        yield from way(value)  # type: ignore[arg-type]


def _encode(slot: Slot, given: tuple[Pattern, ...], *, build: Build) -> Formula:
    return member(slot, typed(given, build))


def _operator(
    name: str,
    compare: Callable[[Decimal, Decimal], bool],
    *ways: Callable[[Decimal], Iterator[Glob]],
    negated: bool = False,
) -> Operator:
    build = partial(_build, ways=ways)
    return Operator(f"Numeric{name}", partial(_holds, compare=compare), partial(_encode, build=build), negated=negated)


OPERATORS = (
    _operator("Equals", operator.eq, equal),
    _operator("NotEquals", operator.eq, equal, negated=True),
    _operator("LessThan", operator.lt, below),
    _operator("LessThanEquals", operator.le, below, equal),
    _operator("GreaterThan", operator.gt, above),
    _operator("GreaterThanEquals", operator.ge, above, equal),
)
