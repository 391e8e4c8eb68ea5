"""Reads a critical list and the packs that it names."""

from __future__ import annotations

from policy_guard.documents.source import Source
from policy_guard.settings.critical.entries import read_entries
from policy_guard.settings.critical.entry import CriticalEntry, CriticalList
from policy_guard.settings.validation import load


def load_critical(source: Source) -> CriticalList:
    """The entries of a critical list and of the packs that it names. Raises `SetupError` with file, line and remedy."""
    plain, node = load(source, "critical.json")
    entries: tuple[CriticalEntry, ...] = ()
    if "packs" in plain or "skip" in plain:
        from policy_guard.settings.critical.packs import from_packs

        entries = from_packs(source, plain, node)
    return CriticalList((*entries, *read_entries(source, plain, node, entries)), source)
