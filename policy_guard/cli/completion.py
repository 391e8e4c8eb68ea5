"""`policy-guard completion SHELL`: a script by which a shell completes commands, options, names and files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from policy_guard.cli.arguments import parser
from policy_guard.documents.errors import SetupError
from policy_guard.plugins import names

_FILES = ("FILE", "NEW", "OLD", "PATH")
_FOLDERS = {"CHECK": "verify/checks", "NAME[=FILE]": "report/reporters"}


def script(shell: str) -> str:
    """The script for a shell. Raises `SetupError` if shtab, which makes it, is not installed."""
    try:
        import shtab
    except ImportError:
        raise SetupError('the package shtab is missing. Install "policy-guard[completion]"') from None
    top = parser("")
    for action in _actions(top):
        if action.metavar in _FILES:
            vars(action)["complete"] = shtab.FILE
        elif folder := _FOLDERS.get(str(action.metavar)):
            action.choices = names(folder)
    text: str = shtab.complete(top, shell)
    return text


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The options and arguments of all commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
