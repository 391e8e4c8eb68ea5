"""The checks, a file for each; the docstring of each file is its manual page."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from policy_guard.check import Check
from policy_guard.unreadable import READABLE


def names() -> tuple[str, ...]:
    """The names of all checks, and of the one that every file has to pass first."""
    return (*sorted(module.name.replace("_", "-") for module in iter_modules(__path__)), READABLE)


def check(name: str) -> Check:
    """The check of this name."""
    found = import_module(f"{__name__}.{name.replace('-', '_')}").CHECK
    assert isinstance(found, Check)
    return found


def manual(name: str) -> str:
    """The manual page of the check of this name."""
    place = "policy_guard.unreadable" if name == READABLE else f"{__name__}.{name.replace('-', '_')}"
    return import_module(place).__doc__ or ""
