"""Policies that a change puts where they are not seen: under a name that nobody looks at."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator

from policy_guard.documents.errors import SetupError
from policy_guard.documents.format import sniff
from policy_guard.documents.formats.snapshots import SUFFIXES as SNAPSHOTS
from policy_guard.documents.source import Problem, Source, Span
from policy_guard.pipeline.pairing.disguise import LARGEST, Room, holds_policy, is_opaque, shows_policy
from policy_guard.pipeline.pairing.file_version import version_of
from policy_guard.pipeline.pairing.links import Sides
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import LINK, SUBMODULE, File
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.records import NamedTuple
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable_findings, vanished_finding

MOST_LOOKED_AT = 40_000_000
"""Characters of files under other names that are looked at in every way, those of decoded texts included."""
MOST_READ = 50_000_000
"""Characters of files that are only read as they stand, because they or all of them are long."""
_LARGEST_YAML = 200_000
_ELSEWHERE = 0.25
# What a snapshot is made by, and where its policies stood before it lost them. Source: AWS CDK, "Supported programming
# languages".
_PROGRAMS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".py", ".java", ".kt", ".cs", ".fs", ".go")
_SHARES = (_ELSEWHERE, 0.1, 0.0)
"""How much of a file has to be a policy's for it to be one: elsewhere, near by, and in the same place."""


class _LostPlace(NamedTuple):
    """Where a policy goes, and the file that had it, which may be known there by another name."""

    path: str
    source: Source


class _LostPlaces(NamedTuple):
    """The places of policies that go, as folders and stems; `first` is one of them."""

    first: Source
    folders: frozenset[str]
    stems: frozenset[str]
    places: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, first: Source, paths: Collection[str]) -> _LostPlaces:
        places = frozenset(map(_place, paths))
        return cls(first, frozenset(folder for folder, _ in places), frozenset(stem for _, stem in places), places)

    def least_share(self, path: str) -> float:
        """The share of a file that has to be a policy's: the nearer it lies to one that goes, the less is enough."""
        folder, stem = _place(path)
        is_near = folder in self.folders or stem in self.stems
        return _SHARES[2 if (folder, stem) in self.places else is_near]


def _place(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, name.partition(".")[0].lower()


def policies_out_of_sight(reader: Reader, comparison: Comparison, sides: Sides | None) -> Iterator[Finding]:
    """A finding for each file that now holds a policy under a name where none is looked for, while a policy goes.

    Where git sees one file renamed, the pair of both says so already. Whoever takes two changes for it is not seen.
    """
    hiding = [change for change in comparison.changes if change.new and _may_hide(reader, change.new, comparison.new)]
    # All policies of the changed files are read only where one of them could be hidden.
    silence = _Silence()
    shows_one = bool(hiding) and _may_show_one(reader, comparison, sides, hiding, silence)
    lost_places = list(_lost_policies(reader, comparison, sides)) if shows_one else []
    if not lost_places:
        return
    programs = [change for change in hiding if change.path.lower().endswith(_PROGRAMS)]
    others = [change for change in hiding if not change.path.lower().endswith(_PROGRAMS)]
    beside_snapshots = [each for each in lost_places if not each.source.path.lower().endswith(SNAPSHOTS)]
    for files, places in ((others, lost_places), (programs, beside_snapshots)):
        if files and places:
            lost = _LostPlaces.of(places[0].source, [each.path for each in places])
            files.sort(key=lambda change, lost=lost: lost.least_share(change.path))  # type: ignore[misc]
            yield from _Look(reader, lost, comparison.new, silence).at(files)


class _Silence:
    """The files that are known to show no policy, each with the least share for which that was seen."""

    def __init__(self) -> None:
        self._shares: dict[tuple[str, str | None], float] = {}

    def note(self, file: File, least_share: float) -> None:
        self._shares[file.path, file.oid] = least_share

    def __contains__(self, wanted: tuple[File, float]) -> bool:
        file, least_share = wanted
        return self._shares.get((file.path, file.oid), math.inf) <= least_share


def _may_show_one(
    reader: Reader, comparison: Comparison, sides: Sides | None, files: Iterable[Change], silence: _Silence
) -> bool:
    """Tell whether one of the files would count if every changed file had lost a policy, as most have not.

    To know which have, all policies of all changed files are read.
    """
    paths = [change.old.path for change in comparison.changes if change.old]
    paths += [real for path in paths if (real := _real_path(path, sides))]
    if not paths:
        return False
    lost = _LostPlaces.of(Source(paths[0], "", comparison.old.name), paths)
    try:
        return any(True for _ in _Look(reader, lost, comparison.new, silence, is_certain=False).at(files))
    except SetupError:
        # A clone may lack files that need not be read where nothing is lost.
        return True


class _Look:
    """One look through the files of a change; what there is no room for is a finding, too."""

    def __init__(
        self, reader: Reader, lost: _LostPlaces, new: Revision, silence: _Silence, is_certain: bool = True
    ) -> None:
        """Unless it `is_certain` that the places lost a policy, what others than these would tell is told, too."""
        self._reader = reader
        self._lost = lost
        self._new = new
        self._silence = silence
        self._is_certain = is_certain
        self._room = Room(MOST_LOOKED_AT)
        self._reading = Room(MOST_READ)

    def at(self, files: Iterable[Change]) -> Iterator[Finding]:
        parts: dict[str, list[tuple[str, bytes]]] = {}
        passed_over: str | None = None
        for change in files:
            file = change.new
            assert file is not None
            data = self._reader.content(file) or b""
            if self._shows_policy(change, data):
                yield self._finding(file.path)
            elif self._room.remainder < 0 or self._reading.remainder < 0:
                passed_over = passed_over or file.path
            elif len(data) <= LARGEST:
                parts.setdefault(file.path.rpartition("/")[0], []).append((file.path, data))
            if self._reading.remainder < 0:
                break
        yield from self._policies_in_parts(parts)
        if passed_over or self._room.remainder < 0:
            yield from self._overflow(passed_over or self._lost.first.path)

    def _finding(self, path: str) -> Finding:
        reason = "files with this name are not checked"
        return vanished_finding(Source(path, "", self._new.name), self._lost.first, reason)

    def _overflow(self, path: str) -> Iterator[Finding]:
        words = f"{self._lost.first.path} is no policy any more, and with it more changes than can be looked through"
        problem = Problem(f"{words} for what became of it; make that a change of its own", Span(0, 0))
        yield from unreadable_findings(Source(path, "", self._new.name), [problem])

    def _policies_in_parts(self, parts: dict[str, list[tuple[str, bytes]]]) -> Iterator[Finding]:
        for files in parts.values():
            joined_data = b"".join(data.rstrip(b"\r\n") for _, data in sorted(files))
            if len(files) > 1 and holds_policy(joined_data, _ELSEWHERE, self._room):
                yield self._finding(min(files)[0])

    def _shows_policy(self, change: Change, data: bytes) -> bool:
        """Tell whether a policy is to be seen in the file, and was not before where it may be no more than an example.

        In the place of the policy that goes, a new file that nobody can look into counts as one.
        """
        least_share = self._lost.least_share(change.path)
        if not least_share and change.old is None and (is_opaque(data) or len(data) > LARGEST):
            return True
        assert change.new is not None
        if not self._shows(change.new, data, least_share):
            return False
        if change.old is None or not least_share:
            return True
        share_before = least_share if self._is_certain else _ELSEWHERE
        return not self._shows(change.old, self._reader.content(change.old) or b"", share_before)

    def _shows(self, file: File, data: bytes, least_share: float) -> bool:
        if (file, least_share) in self._silence:
            return False
        if len(data) <= LARGEST and self._room.remainder >= 0 and _holds_policy(data, least_share, self._room):
            return True
        if len(data) <= LARGEST and self._room.remainder >= 0:
            self._silence.note(file, least_share)
            return False
        return self._reading.spend(len(data)) and shows_policy(data, least_share)


def _lost_policies(reader: Reader, comparison: Comparison, sides: Sides | None) -> Iterator[_LostPlace]:
    """The places where a policy goes: files that are deleted or renamed, and those with one policy less.

    A file that a link led to is such a place, too.
    """
    for change in comparison.changes:
        if change.old is None:
            continue
        old = reader.version(change.old, change.old.path, comparison.old)
        if not old.documents:
            continue
        remaining_file = change.new if change.relation == "same" and change.path == change.old.path else None
        new_policies = (
            reader.version(remaining_file, remaining_file.path, comparison.new).policies if remaining_file else {}
        )
        if old.documents - set(new_policies):
            yield _LostPlace(change.old.path, old.source)
            if real := _real_path(change.old.path, sides):
                yield _LostPlace(real, old.source)


def _real_path(path: str, sides: Sides | None) -> str | None:
    """The path of the file behind a name that a link gave it in the base."""
    if sides is None:
        return None
    behind = sides.before.behind.get(path)
    way = sides.before.ways.get(path)
    return behind.path if behind else way and way.path


def _may_hide(reader: Reader, file: File, new: Revision) -> bool:
    """Tell whether the file may hold a policy that is not judged."""
    if file.mode in (LINK, SUBMODULE):
        return False
    if not reader.concerned(file.path):
        return True
    return not reader.holds_policy(file, file.path, new)


def _holds_policy(data: bytes, least_share: float, room: Room) -> bool:
    """Tell whether it is a policy in JSON, if a broken one, or in YAML, or holds one in whatever else."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    in_json = data.lstrip()[:1] in (b"{", b"[")
    if (in_json or len(data) <= _LARGEST_YAML) and sniff(data):
        version = version_of(data, f"policy.{'json' if in_json else 'yaml'}", "", False, None)
        if version.policies or (version.problems and version.source.path.endswith("json")):
            return True
    return holds_policy(data, least_share, room)
