"""The condition operators, a file for each family."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from policy_guard.iam.meaning.operator import Operator


@cache
def operators() -> dict[str, Operator]:
    """Every operator that is understood, by its name in AWS's spelling."""
    found: dict[str, Operator] = {}
    for module in iter_modules(__path__):
        for operator in import_module(f"{__name__}.{module.name}").OPERATORS:
            found[operator.name] = operator
    return found
