"""StringEquals, StringLike and their siblings (IAM User Guide, reference_policies_elements_condition_operators)."""

from __future__ import annotations

from functools import partial

from policy_guard.iam.meaning.matching import matches
from policy_guard.iam.meaning.operator import Operator
from policy_guard.solver.formula import Formula, member
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import Slot
from policy_guard.solver.strings.pattern import Pattern


def _encode(slot: Slot, patterns: tuple[Pattern, ...], *, wild: bool, fold: bool) -> Formula:
    return member(slot, language(patterns, wild=wild, fold=fold))


def _operator(name: str, *, negated: bool = False, wild: bool = False, fold: bool = False) -> Operator:
    return Operator(
        name=name,
        holds=partial(matches, wild=wild, fold=fold),
        encode=partial(_encode, wild=wild, fold=fold),
        negated=negated,
        wild=wild,
    )


OPERATORS = (
    _operator("StringEquals"),
    _operator("StringNotEquals", negated=True),
    _operator("StringEqualsIgnoreCase", fold=True),
    _operator("StringNotEqualsIgnoreCase", negated=True, fold=True),
    _operator("StringLike", wild=True),
    _operator("StringNotLike", negated=True, wild=True),
)
