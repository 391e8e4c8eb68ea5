"""The critical list: permissions that no policy may grant."""

from __future__ import annotations

from policy_guard.settings.critical.entry import (
    CriticalEntry,
    CriticalList,
    RequestSet,
    covered,
    exceptions,
    looked_up,
    unknown_actions,
)
from policy_guard.settings.critical.load import load_critical

__all__ = [
    "CriticalEntry",
    "CriticalList",
    "RequestSet",
    "covered",
    "exceptions",
    "load_critical",
    "looked_up",
    "unknown_actions",
]
