"""The operations, one a file."""

from __future__ import annotations

from functools import cache

from policy_guard.plugins import Plugins
from policy_guard.serve.operation import Operation

_PLUGINS = Plugins("serve/operations", "OPERATION", Operation)


@cache
def operations() -> dict[str, Operation]:
    """Every operation by its path."""
    return {operation.path: operation for operation in _PLUGINS.load_all()}
