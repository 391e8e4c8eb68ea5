"""BinaryEquals: base64, compared byte by byte.

Source: IAM User Guide, reference_policies_elements_condition_operators, Conditions_BinaryEquals.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.iam.condition_values import usual_base64
from policy_guard.iam.meaning.operator import Operator, Way, text_of, typed
from policy_guard.solver.formula import Formula, member
from policy_guard.solver.strings.automaton import Glob, glob_of
from policy_guard.solver.strings.language import Slot
from policy_guard.solver.strings.pattern import Pattern


def _build(text: str) -> Iterator[Glob]:
    usual = usual_base64(text)
    if usual is not None:
        yield glob_of(usual)


def _holds(pattern: Pattern, value: str) -> bool:
    return usual_base64(text_of(pattern)) == value


def _towards(value: str) -> str:
    return value if usual_base64(value) == value else "QUJD"


_WAY = Way(_build, towards=_towards)


def _encode(slot: Slot, patterns: tuple[Pattern, ...]) -> Formula:
    return member(slot, typed(patterns, [_WAY]))


OPERATORS = (Operator(name="BinaryEquals", holds=_holds, encode=_encode),)
