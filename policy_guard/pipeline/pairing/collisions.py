"""Names that are one on systems that do not tell all of them apart: of such files only one is there.

Source: git's clone, "the following paths have collided ... and only one from the same colliding group is in the
working tree".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile

from policy_guard.documents.source import Problem, Source, Span
from policy_guard.pipeline.repository import File
from policy_guard.pipeline.repository.changes import Change
from policy_guard.pipeline.repository.folded import folded
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable_findings


def added_files(changed: Iterable[Change]) -> dict[str, File]:
    """The files under names, or of a sort, that were not there before."""
    old_modes = {change.old.path: change.old.mode & 0o170000 for change in changed if change.old}
    news = (change.new for change in changed if change.new)
    return {file.path: file for file in news if old_modes.get(file.path) != file.mode & 0o170000}


def collisions(
    new_files: Mapping[str, File], all_files: Mapping[str, File], matters: Callable[[str], bool], revision: str
) -> Iterator[Finding]:
    """A finding for each name that came and takes the place of another, if a policy may stand under one of the two.

    Two folders can be one, and two files, or a file and a folder, cannot.
    """
    places = set[str]()
    for path in map(folded, new_files):
        places.update(takewhile(lambda place: place not in places, _path_and_folders(path)))
    paths_by_spelling: dict[str, dict[str, list[str]]] = {}
    for path in all_files:
        for place in _path_and_folders(folded(path)):
            if place in places:
                paths_by_spelling.setdefault(place, {}).setdefault(_beginning(path, place.count("/")), []).append(path)
    for path in new_files:
        for place in _path_and_folders(folded(path)):
            spelling = _beginning(path, place.count("/"))
            other_spellings = {
                name: files for name, files in paths_by_spelling.get(place, {}).items() if name != spelling
            }
            rivals = (
                o
                for o in other_spellings
                if (spelling in all_files or o in all_files) and any(map(matters, (path, *other_spellings[o])))
            )
            if rival := next(rivals, None):
                yield _collision(path, spelling, rival, revision)
                break


def _path_and_folders(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _beginning(path: str, folders: int) -> str:
    """The path down to a depth."""
    return "/".join(path.split("/")[: folders + 1])


def _collision(path: str, spelling: str, rival: str, revision: str) -> Finding:
    message = (
        f"{spelling} and {rival} are one name on systems such as macOS and Windows, and only one is there; rename one"
    )
    return next(iter(unreadable_findings(Source(path, "", revision), [Problem(message, Span(0, 0))])))
