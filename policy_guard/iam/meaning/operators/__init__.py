"""The condition operators, a file for each family."""

from __future__ import annotations

from functools import cache

from policy_guard.iam.meaning.operator import Operator
from policy_guard.plugins import Plugins

_FAMILIES = Plugins("iam/meaning/operators", "OPERATORS", Operator)


@cache
def operators() -> dict[str, Operator]:
    """All supported operators by their names in AWS's spelling."""
    return {operator.name: operator for operator in _FAMILIES.load_all()}
