"""Which files to name in a first configuration: where every file is a policy, and where only a name tells the kind.

A file that is named and holds no policy fails, so a pattern is proposed only where all that it names today are
policies; all others are left to be found by their shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from policy_guard.documents.globs import matches_path, not_a_pattern
from policy_guard.iam.policy import Kind
from policy_guard.records import NamedTuple

SUFFIXES = (".json", ".yaml", ".yml")
_CAPS: dict[Kind, tuple[str, ...]] = {
    "scp": ("scp", "scps", "service-control-policy", "service-control-policies"),
    "rcp": ("rcp", "rcps", "resource-control-policy", "resource-control-policies"),
    "boundary": ("boundary", "boundaries", "boundary-policies", "permissions-boundary", "permissions-boundaries"),
    "session": ("session-policy", "session-policies"),
    "endpoint": ("endpoint-policy", "endpoint-policies", "vpc-endpoint", "vpc-endpoints", "vpce"),
}
_NAMES = {name: kind for kind, names in _CAPS.items() for name in names}
# What else has such a name, like the permissions of a service for sessions: taken for a cap, a policy that grants could
# come in as one that only takes away.
_UNSURE: dict[str, Kind] = {
    "session": "session",
    "sessions": "session",
    "endpoint": "endpoint",
    "endpoints": "endpoint",
}
# Folders of which everything below is about permissions, so that what comes there later is a policy, too.
_WHOLE = {"iam", "policies", "policy", "roles", "role", "users", "groups", "permissions", "trust", *_NAMES}
_ALIKE = 3
_MOST_APART = 50
MOST_PATTERNS = 50
"""More than that nobody reads, and every check would hold each against every file."""


class Entry(NamedTuple):
    """An entry of `policies`: the patterns, the kind where only the name tells it, and the files that it names."""

    patterns: tuple[str, ...]
    kind: Kind | None
    paths: tuple[str, ...]


class Files(NamedTuple):
    """All paths, and of those that hold policies the kind that their name and content tell; None is by shape.

    `unread` are those that hold policies, or seem to, and cannot be read.
    """

    paths: tuple[str, ...]
    kinds: Mapping[str, Kind | None]
    unread: frozenset[str] = frozenset()


def cap_kind(path: str) -> Kind | None:
    """The kind of cap that the name of a folder or of the file stands for; the one nearest to the file counts."""
    *folders, name = _normalized(path).split("/")
    stem = _NAMES.get(name.rpartition(".")[0])
    if stem in ("scp", "rcp", "boundary"):
        return stem
    return next((_NAMES[part] for part in reversed(folders) if part in _NAMES), None)


def possible_cap_kind(path: str) -> Kind | None:
    """The kind of cap that some name in the path may stand for, and as well for something else."""
    names = {**_NAMES, **_UNSURE}
    *folders, name = _normalized(path).split("/")
    return next((names[part] for part in (name.rpartition(".")[0], *reversed(folders)) if part in names), None)


def nameable(path: str) -> bool:
    """Tell whether a pattern can say exactly this path: `*` and `?` in a name would stand for others, too."""
    return path.isprintable() and not any(c in "*?" for c in path) and not_a_pattern(path) is None


def entries(files: Files) -> tuple[Entry, ...]:
    """Return what to name, no file twice, those of caps last.

    Files that are told by shape alone need no entry; those of a cap have one as far as there is room.
    """
    patterns = _join_families(_patterns(files), files)
    largest_patterns = sorted(patterns, key=lambda pattern: -patterns[pattern])[:MOST_PATTERNS]
    proposals = _of_any_suffix([_entry(pattern, files) for pattern in sorted(largest_patterns)], files)
    named_paths = {path for entry in proposals for path in entry.paths}
    for kind in _CAPS:
        cap_paths = tuple(
            path
            for path, path_kind in files.kinds.items()
            if path_kind == kind and path not in named_paths and nameable(path)
        )
        cap_paths = cap_paths[:_MOST_APART]
        proposals += [Entry(cap_paths, kind, cap_paths)] if cap_paths else []
    return tuple(sorted(proposals, key=lambda entry: entry.kind or ""))


def _entry(pattern: str, files: Files) -> Entry:
    paths = tuple(path for path in files.kinds if matches_path(pattern, path))
    return Entry((pattern,), next(files.kinds[path] for path in paths if path not in files.unread), paths)


def _of_any_suffix(pattern_entries: list[Entry], files: Files) -> list[Entry]:
    """The entries, one for all suffixes of a folder: a policy that is written in another format stays the same one.

    A suffix is left out if files with it are none of them policies, or of another kind.
    """
    by_folder: dict[tuple[str, Kind | None], list[Entry]] = {}
    for entry in pattern_entries:
        by_folder.setdefault((_without_suffix(entry.patterns[0]), entry.kind), []).append(entry)
    kinds = Counter(folder for folder, _ in by_folder)
    joined = []
    for (folder, kind), group in by_folder.items():
        own_patterns = {pattern for entry in group for pattern in entry.patterns}
        candidates = (f"{folder}{suffix}" for suffix in SUFFIXES)
        patterns = (p for p in candidates if p in own_patterns or (kinds[folder] == 1 and not _names_any(p, files)))
        paths = tuple(path for entry in group for path in entry.paths)
        joined.append(Entry(tuple(patterns), kind, paths))
    return joined


def _without_suffix(pattern: str) -> str:
    return next(pattern.removesuffix(suffix) for suffix in SUFFIXES if pattern.endswith(suffix))


def _names_any(pattern: str, files: Files) -> bool:
    return any(matches_path(pattern, path) for path in files.paths)


class _Contents:
    """The files with one suffix in a folder."""

    def __init__(self) -> None:
        self.kinds: set[Kind | None] = set()
        self.number = 0
        self.has_others = self.has_subfolders = False

    def add(self, path: str, files: Files) -> None:
        self.number += 1
        if path not in files.kinds:
            self.has_others = True
        elif path not in files.unread:
            self.kinds.add(files.kinds[path])

    def suits(self, pattern: str) -> bool:
        """Tell whether all are policies, some of them readable, judged alike, and a cap by the pattern's own name.

        By a wider pattern for caps, a policy that grants could come in as one. One file in a folder whose name says
        nothing does not tell what the next will be.
        """
        name_tells = self.number > 1 or any(_normalized(part) in _WHOLE for part in pattern.split("/"))
        return name_tells and not self.has_others and len(self.kinds) == 1 and self.kinds <= {None, cap_kind(pattern)}


class _Folders:
    """The files with each suffix by folder: those that lie directly in it, and all those below."""

    def __init__(self, files: Files) -> None:
        self.direct: dict[tuple[str, str], _Contents] = {}
        self.below: dict[tuple[str, str], _Contents] = {}
        for path in files.paths:
            suffix = next((each for each in SUFFIXES if path.endswith(each)), None)
            if suffix and "/" in path:
                self._add(path, suffix, files)

    def _add(self, path: str, suffix: str, files: Files) -> None:
        folders = path.split("/")[:-1]
        self.direct.setdefault(("/".join(folders), suffix), _Contents()).add(path, files)
        for depth in range(1, len(folders) + 1):
            contents = self.below.setdefault(("/".join(folders[:depth]), suffix), _Contents())
            contents.add(path, files)
            contents.has_subfolders |= depth < len(folders)


def _patterns(files: Files) -> dict[str, int]:
    """Patterns with the number of their files: one a folder and suffix, none below a folder named as a whole."""
    folders, whole_folders, patterns = _Folders(files), set[tuple[str, str]](), dict[str, int]()
    for folder, suffix in sorted(folders.below, key=lambda key: (key[0].count("/"), key)):
        parent, _, name = folder.rpartition("/")
        contents, direct = folders.below[folder, suffix], folders.direct.get((folder, suffix))
        if (parent, suffix) in whole_folders:
            whole_folders.add((folder, suffix))
        elif not nameable(folder):
            continue
        elif (
            contents.has_subfolders
            and (direct or _normalized(name) in _WHOLE)
            and contents.suits(f"{folder}/**/*{suffix}")
        ):
            whole_folders.add((folder, suffix))
            patterns[f"{folder}/**/*{suffix}"] = contents.number
        elif direct and direct.suits(f"{folder}/*{suffix}"):
            pattern = (
                f"{folder}/**/*{suffix}" if _may_take_subfolders(folder, folders, direct) else f"{folder}/*{suffix}"
            )
            patterns[pattern] = direct.number
    return patterns


def _may_take_subfolders(folder: str, folders: _Folders, direct: _Contents) -> bool:
    """Tell whether a pattern may name the subfolders, where there are none yet, and what comes there is a policy, too.

    Not so for caps: a policy that grants could come in as one.
    """
    contents = (folders.below.get((folder, suffix)) for suffix in SUFFIXES)
    name = folder.rpartition("/")[2]
    empty = not any(below.has_subfolders for below in contents if below)
    return empty and _normalized(name) in _WHOLE - _NAMES.keys() and direct.kinds == {None}


def _join_families(patterns: dict[str, int], files: Files) -> dict[str, int]:
    """The patterns, those that differ in one folder's name joined into one with `*` in its place."""
    for family in _families(patterns)[:MOST_PATTERNS]:
        members = [pattern for pattern in patterns if matches_path(family, pattern)]
        paths = [path for path in files.paths if matches_path(family, path)]
        contents = _Contents()
        for path in paths:
            contents.add(path, files)
        covered = sum(patterns[pattern] for pattern in members)
        if len(members) >= _ALIKE and contents.suits(family) and covered == len(paths):
            remaining = {pattern: number for pattern, number in patterns.items() if pattern not in members}
            patterns = {**remaining, family: covered}
    return patterns


def _families(patterns: Iterable[str]) -> list[str]:
    """Patterns that stand for at least three of the given ones and name a folder of policies, the widest first."""
    counts: Counter[str] = Counter()
    for pattern in patterns:
        parts = pattern.split("/")
        for at in range(len(parts) - 1):
            other_parts = [*parts[:at], *parts[at + 1 : -1]]
            if parts[at] != "**" and any(_normalized(part) in _WHOLE for part in other_parts):
                counts["/".join([*parts[:at], "*", *parts[at + 1 :]])] += 1
    return [family for family, times in counts.most_common() if times >= _ALIKE]


def _normalized(name: str) -> str:
    return name.lower().replace("_", "-")
