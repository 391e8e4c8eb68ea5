"""Null: whether the key is absent (IAM User Guide, reference_policies_elements_condition_operators, Null)."""

from __future__ import annotations

from policy_guard.iam.meaning.matching import matches
from policy_guard.iam.meaning.operator import Operator
from policy_guard.solver.strings.pattern import Pattern


def _holds(pattern: Pattern, value: str) -> bool:
    return matches(pattern, value, wild=False, fold=True)


OPERATORS = (Operator(name="Null", holds=_holds, encode=None),)
