"""Bool: true or false in any case (IAM User Guide, reference_policies_elements_condition_operators)."""

from __future__ import annotations

from policy_guard.iam.meaning.matching import matches
from policy_guard.iam.meaning.operator import Operator
from policy_guard.solver.formula import Formula, conjunction, member
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import Slot
from policy_guard.solver.strings.pattern import Pattern

BOOLEANS = language([Pattern(("true",)), Pattern(("false",))], fold=True)


def _holds(pattern: Pattern, value: str) -> bool:
    return value.lower() in ("true", "false") and matches(pattern, value, wild=False, fold=True)


def _encode(slot: Slot, patterns: tuple[Pattern, ...]) -> Formula:
    return conjunction([member(slot, BOOLEANS), member(slot, language(patterns, wild=False, fold=True))])


OPERATORS = (Operator(name="Bool", holds=_holds, encode=_encode),)
