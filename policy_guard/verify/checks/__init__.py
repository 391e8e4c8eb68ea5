"""The checks, a file for each; the docstring of each file is its manual page."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from policy_guard.errors import UserError
from policy_guard.verify.check import Check
from policy_guard.verify.readable import READABLE

# What is no set of requests that must be empty, and has its manual page in a module of its own.
_OTHERS = {
    READABLE: "policy_guard.verify.readable",
    "unused-access": "policy_guard.refine.unused_access",
    "accepted": "policy_guard.settings.acceptance",
}


def names() -> tuple[str, ...]:
    """The names of all checks, and of what is reported besides."""
    return (*sorted(module.name.replace("_", "-") for module in iter_modules(__path__)), *_OTHERS)


def check(name: str) -> Check:
    """The check of this name."""
    found = import_module(f"{__name__}.{name.replace('-', '_')}").CHECK
    assert isinstance(found, Check)
    return found


def manual(name: str) -> str:
    """The manual page of the check of this name."""
    return import_module(_OTHERS.get(name, f"{__name__}.{name.replace('-', '_')}")).__doc__ or ""


def explained(name: str | None) -> str:
    """The manual page of this name, or with None the first line of each. Raises `UserError` where there is none."""
    if name is None:
        return "".join(f"{manual(each).partition(chr(10))[0]}\n" for each in names())
    if name not in names():
        raise UserError(f'there is no check "{name}"; there are {", ".join(names())}')
    return manual(name).strip() + "\n"
