"""The checks, a file for each; the docstring of each file is its manual page."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from policy_guard.check import Check


def names() -> tuple[str, ...]:
    """The names of all checks."""
    return tuple(sorted(module.name.replace("_", "-") for module in iter_modules(__path__)))


def check(name: str) -> Check:
    """The check of this name."""
    found = import_module(f"{__name__}.{name.replace('-', '_')}").CHECK
    assert isinstance(found, Check)
    return found


def manual(name: str) -> str:
    """The manual page of the check of this name."""
    return import_module(f"{__name__}.{name.replace('-', '_')}").__doc__ or ""
