"""The critical list: permissions that no policy may grant."""

from __future__ import annotations

from policy_guard.settings.critical.entry import (
    CriticalEntry,
    CriticalList,
    RequestSet,
    checkable_part,
    covered_actions,
    exceptions,
    unknown_actions,
)
from policy_guard.settings.critical.load import load_critical

__all__ = [
    "CriticalEntry",
    "CriticalList",
    "RequestSet",
    "covered_actions",
    "exceptions",
    "load_critical",
    "checkable_part",
    "unknown_actions",
]
