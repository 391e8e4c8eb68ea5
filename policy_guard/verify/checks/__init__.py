"""The checks, a file for each; the docstring of each file is its manual page."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from policy_guard.documents.errors import SetupError
from policy_guard.plugins import Plugins
from policy_guard.verify.check import Check

_CHECKS = Plugins("verify/checks", "CHECK", Check)
_BESIDES = ("readable", "unused-access", "lost-access", "accepted")
"""What is reported and asks no question: it has its page and its words in a file that begins with `_`."""


def names() -> tuple[str, ...]:
    """The names of all checks, and of what is reported besides."""
    return (*_CHECKS.names(), *_BESIDES)


def check(name: str) -> Check:
    """The check of this name."""
    return _CHECKS.load(_file(name))


@cache
def checks() -> tuple[Check, ...]:
    """All checks that ask a question, in the order in which they are asked."""
    return tuple(sorted(_CHECKS.load_all(), key=lambda check: (check.order, check.id)))


def manual(name: str) -> str:
    """The manual page of the check of this name."""
    return import_module(f"{__name__}.{_file(name).replace('-', '_')}").__doc__ or ""


def explained(name: str | None) -> str:
    """The manual page of this name, or with None the first line of each. Raises `SetupError` where there is none."""
    if name is None:
        return "".join(f"{manual(each).partition(chr(10))[0]}\n" for each in names())
    if name not in names():
        raise SetupError(f'there is no check "{name}"; there are {", ".join(names())}')
    return manual(name).strip() + "\n"


def _file(name: str) -> str:
    return f"_{name}" if name in _BESIDES else name
