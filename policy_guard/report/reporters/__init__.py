"""The output formats, a file for each; imported only when its format is asked for."""

from __future__ import annotations

from policy_guard.documents.errors import SetupError
from policy_guard.plugins import Plugins
from policy_guard.report.report import Reporter

_REPORTERS = Plugins("report/reporters", "REPORTER", Reporter)
names = _REPORTERS.names


def reporter(name: str) -> Reporter:
    """The reporter called `name`. Raises `SetupError` if there is none."""
    if name not in names():
        raise SetupError(f'there is no format "{ascii(name)[1:-1][:60]}". Choose one of: {", ".join(names())}.')
    return _REPORTERS.load(name)
