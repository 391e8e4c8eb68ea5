"""Policies that a change puts where they are not seen: under a name that nobody looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.base import Base, New
from policy_guard.changes import Change
from policy_guard.documents import looks_like_policy_text
from policy_guard.finding import Finding
from policy_guard.format import sniff
from policy_guard.git import LINK, SUBMODULE
from policy_guard.pairs import Reader, side_of
from policy_guard.source import Source
from policy_guard.unreadable import vanished

MOST_LOOKED_AT = 1_000_000
"""Bytes of files under other names that are read: it takes its time, and of more only the words are looked at."""


def moved_out_of_sight(reader: Reader, changed: Iterable[Change], base: Base, new: New) -> Iterator[Finding]:
    """A finding for each file that now holds a policy under a name where none is looked for, while a policy goes.

    Where git sees one file renamed, the pair of both says so already. Whoever takes two changes for it is not seen.
    """
    every = list(changed)
    gone = (change.old for change in every if change.old and change.new is None)
    sides = (reader.side(file, file.path, base.name) for file in gone)
    lost = next((side.source for side in sides if side.policies), None)
    if lost is None:
        return
    room = MOST_LOOKED_AT
    for change in every:
        file = change.new
        if file is None or file.mode in (LINK, SUBMODULE) or reader.concerned(file.path):
            continue
        data = reader.content(file) or b""
        if not sniff(data):
            continue
        room -= len(data)
        seen = _holds_policy if room >= 0 else _seems_to_hold_one
        if seen(data) and not (change.old and seen(reader.content(change.old) or b"")):
            yield vanished(Source(file.path, "", new.name), lost, "no policy is looked for under this name")


def _holds_policy(data: bytes) -> bool:
    """Whether it is a policy in JSON, if a broken one, or in YAML; prose and programs with one in them are none."""
    if data.lstrip()[:1] in (b"{", b"["):
        side = side_of(data, "policy.json", "", False, None)
        return bool(side.policies or side.problems)
    return bool(side_of(data, "policy.yaml", "", False, None).policies)


def _seems_to_hold_one(data: bytes) -> bool:
    """A quick look, for where much is new."""
    return looks_like_policy_text(Source("", data.decode("utf-8", "replace")))
