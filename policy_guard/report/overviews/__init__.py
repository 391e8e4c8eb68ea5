"""The formats of an overview, one a file: each a pure function from the overview to text."""

from __future__ import annotations

from collections.abc import Callable

from policy_guard.documents.errors import SetupError
from policy_guard.plugins import Plugins
from policy_guard.records import NamedTuple
from policy_guard.report.overview import Overview


class OverviewFormat(NamedTuple):
    """Registered as the constant `FORMAT` of a module here. `render` takes an overview and the path to its root.

    The path leads from the file that is written to the root of the repository: "", or "../" as often as needed.
    """

    name: str
    render: Callable[[Overview, str], str]


_PLUGINS = Plugins("report/overviews", "FORMAT", OverviewFormat)


def overview_format(name: str) -> OverviewFormat:
    """The format of this name. Raises `SetupError` for a name that none has."""
    if name not in _PLUGINS.names():
        raise SetupError(f"there is no format {name!r} of a report; there are {', '.join(_PLUGINS.names())}")
    return _PLUGINS.load(name)
