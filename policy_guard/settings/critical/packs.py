"""The critical lists that are shipped: named by a list of one's own, which may leave out single entries."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from policy_guard.documents.printable import shortened
from policy_guard.documents.source import Node, Source
from policy_guard.settings.critical.entries import read_entries
from policy_guard.settings.critical.entry import CriticalEntry
from policy_guard.settings.validation import error_at, load, node_at

PACKS = ("privilege-escalation", "data-exposure", "defence-evasion", "administrators")
FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "packs")


@cache
def pack(name: str) -> tuple[CriticalEntry, ...]:
    """The entries of a pack, each with its reason and the page that describes it."""
    with open(os.path.join(FOLDER, f"{name}.yaml"), encoding="utf-8") as file:
        source = Source(f"packs/{name}.yaml", file.read())
    plain, node = load(source, "critical.json")
    return tuple(entry._replace(is_own=False) for entry in read_entries(source, plain, node))


def from_packs(source: Source, plain: dict[str, Any], node: Node) -> tuple[CriticalEntry, ...]:
    """The entries of the packs that a list names, without those that it skips. Raises `SetupError`."""
    names = plain.get("packs", [])
    for number, name in enumerate(names):
        name_node = node_at(node, ("packs", number))
        if name not in PACKS:
            raise error_at(
                source, name_node, f'packs: there is no "{shortened(name, 60)}"; there are {", ".join(PACKS)}'
            )
        if name in names[:number]:
            raise error_at(source, name_node, f'packs: "{name}" is written twice; keep one')
    entries = {entry.id: entry for name in names for entry in pack(name)}
    skipped = plain.get("skip", [])
    for number, text in enumerate(skipped):
        if text not in entries:
            raise error_at(
                source, node_at(node, ("skip", number)), f'skip: "{shortened(text, 60)}" {_absence(text, entries)}'
            )
    return tuple(entry for entry in entries.values() if entry.id not in set(skipped))


def _absence(text: str, entries: Mapping[str, CriticalEntry]) -> str:
    if not entries:
        return "is in no pack, because none is named; write packs"
    close_names = get_close_matches(text, entries, 1)
    hint = f'did you mean "{close_names[0]}"?' if close_names else "policy-guard list --critical shows what is"
    return f"is in no pack that is named; {hint}"
