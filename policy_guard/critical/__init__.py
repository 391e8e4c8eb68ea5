"""The critical list: permissions that no policy may grant."""

from __future__ import annotations

from policy_guard.critical.entry import CriticalEntry, CriticalList, RequestSet, covered, exceptions, unknown_actions
from policy_guard.critical.quick import surely_good
from policy_guard.critical.reading import load_critical

__all__ = [
    "CriticalEntry",
    "CriticalList",
    "RequestSet",
    "covered",
    "exceptions",
    "load_critical",
    "surely_good",
    "unknown_actions",
]
