"""The output formats: one module each, found by its file name and imported only when its format is asked for."""

from __future__ import annotations

import os
from importlib import import_module

from policy_guard.errors import UserError
from policy_guard.report.report import Reporter


def names() -> tuple[str, ...]:
    """The formats there are, without importing any."""
    files = (entry for folder in __path__ for entry in os.listdir(folder))
    return tuple(sorted(file[:-3] for file in files if file.endswith(".py") and not file.startswith("_")))


def reporter(name: str) -> Reporter:
    """The reporter called `name`; raises UserError where there is none."""
    known = names()
    if name not in known:
        raise UserError(f'there is no format "{ascii(name)[1:-1][:60]}". Choose one of: {", ".join(known)}.')
    found: Reporter = import_module(f"{__name__}.{name}").REPORTER
    return found
