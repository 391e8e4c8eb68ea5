"""Policies that a change puts where they are not seen: under a name that nobody looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from policy_guard.documents.containers.plain import looks_like_policy_text
from policy_guard.documents.format import sniff
from policy_guard.documents.source import Source
from policy_guard.pipeline.pairing import Reader, side_of
from policy_guard.pipeline.pairing.disguise import holds_policy, is_opaque
from policy_guard.pipeline.repository import LINK, SUBMODULE, File
from policy_guard.pipeline.repository.changes import Change
from policy_guard.pipeline.repository.revisions import Base, New
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import vanished

MOST_LOOKED_AT = 1_000_000
"""Bytes of files under other names that are read: it takes its time, and of more only the words are looked at."""
_ELSEWHERE = 0.25
_SHARES = (_ELSEWHERE, 0.1, 0.0)
"""How much of a file has to be a policy's for it to be one: elsewhere, near by, and in the same place."""


def moved_out_of_sight(reader: Reader, changed: Iterable[Change], base: Base, new: New) -> Iterator[Finding]:
    """A finding for each file that now holds a policy under a name where none is looked for, while a policy goes.

    Where git sees one file renamed, the pair of both says so already. Whoever takes two changes for it is not seen.
    """
    every = list(changed)
    lost = list(_lost(reader, every, base, new))
    if not lost:
        return
    room = MOST_LOOKED_AT
    parts: dict[str, list[tuple[str, bytes]]] = {}
    for change in every:
        file = change.new
        if file is None or file.mode in (LINK, SUBMODULE) or _is_judged(reader, file, new):
            continue
        data = reader.content(file) or b""
        room -= len(data)
        least = min(_least(file.path, source.path) for source in lost)
        if _shows_one(reader, change, data, least, room):
            yield _out_of_sight(file.path, lost[0], new)
        elif room >= 0:
            parts.setdefault(file.path.rpartition("/")[0], []).append((file.path, data))
    for several in parts.values():
        joined = b"".join(data.rstrip(b"\r\n") for _, data in sorted(several))
        if len(several) > 1 and holds_policy(joined, _ELSEWHERE):
            yield _out_of_sight(min(several)[0], lost[0], new)


def _out_of_sight(path: str, lost: Source, new: New) -> Finding:
    return vanished(Source(path, "", new.name), lost, "no policy is looked for under this name")


def _lost(reader: Reader, changed: Iterable[Change], base: Base, new: New) -> Iterator[Source]:
    """The places where a policy goes: files that are deleted or get another name, and those with one policy less."""
    for change in changed:
        if change.old is None:
            continue
        if change.new is not None and change.new.path == change.old.path and not _shrinks(reader, change):
            continue
        old = reader.side(change.old, change.old.path, base.name)
        after = reader.side(change.new, change.path, new.name) if change.new and change.how == "same" else None
        if set(old.policies) - set(after.policies if after else ()):
            yield old.source


def _shrinks(reader: Reader, change: Change) -> bool:
    """Whether a file may have one policy less than before, at a glance."""
    before, after = (reader.content(file) or b"" for file in (change.old, change.new) if file)
    return before.count(b"Statement") > max(after.count(b"Statement"), 1)


def _is_judged(reader: Reader, file: File, new: New) -> bool:
    if not reader.concerned(file.path):
        return False
    side = reader.side(file, file.path, new.name)
    return bool(side.policies or side.problems)


def _least(path: str, lost: str) -> float:
    """The share of a file that has to be a policy's: the nearer it lies to the one that goes, the less is enough."""
    folder, _, name = path.rpartition("/")
    other, _, before = lost.rpartition("/")
    return _SHARES[(folder == other) + (name.partition(".")[0].lower() == before.partition(".")[0].lower())]


def _shows_one(reader: Reader, change: Change, data: bytes, least: float, room: int) -> bool:
    """Whether a policy is to be seen in the file, and was not before where it may be no more than an example.

    In the place of the policy that goes, a new file that nobody can look into counts as one.
    """
    seen = partial(_holds_policy, least=least) if room >= 0 else _seems_to_hold_one
    if not least and change.old is None and is_opaque(data):
        return True
    if not seen(data):
        return False
    return not (change.old and least and seen(reader.content(change.old) or b""))


def _holds_policy(data: bytes, least: float) -> bool:
    """Whether it is a policy in JSON, if a broken one, or in YAML, or holds one in whatever else."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if sniff(data):
        side = side_of(data, f"policy.{'json' if data.lstrip()[:1] in (b'{', b'[') else 'yaml'}", "", False, None)
        if side.policies or (side.problems and side.source.path.endswith("json")):
            return True
    return holds_policy(data, least)


def _seems_to_hold_one(data: bytes) -> bool:
    """A quick look, for where much is new."""
    return looks_like_policy_text(Source("", data.decode("utf-8", "replace")))
