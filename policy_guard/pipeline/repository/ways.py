"""Where paths lead, as the operating system goes: over links, and through folders that are there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository
from policy_guard.pipeline.repository.folded import folded
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

MOST_HOPS = 32
"""Links in a row: what macOS follows. Linux follows 40."""
MOST_STEPS = 5_000_000
"""Names that all links of one tree may lead over: more of them would take seconds."""
_LONGEST, _LONGEST_NAME = 1023, 255
"""Bytes of a link and of a name in it that macOS takes: PATH_MAX without its NUL, and NAME_MAX. Linux takes 4095."""
_DRIVE = regex(r"[A-Za-z]:|\\")

MISSING, OUT, CIRCLE, BELOW, BROKEN = "missing", "out", "circle", "below", "broken"
"""Why a path leads nowhere: nothing is there, it leaves the repository or ends in no place, it goes into a submodule,
or a link says what no system follows as it is written."""


class Way(NamedTuple):
    """Where a path leads in its tree, a file or a folder; or None, with the kind of failure and the reason.

    `links` were followed. `remainder` is what is left of a path that leaves the repository.
    """

    path: str | None
    kind: str = ""
    reason: str = ""
    links: tuple[str, ...] = ()
    remainder: str = ""


class Tree:
    """The files of one revision. With `fold`, names are one that some file systems take for the same."""

    def __init__(self, repository: Repository, files: Mapping[str, File], fold: bool = False) -> None:
        self._repository = repository
        self._fold: Callable[[str], str] = folded if fold else str
        self.files = {folded(path): file for path, file in files.items()} if fold else files
        self._folded = fold
        self._steps = 0
        self._ways: dict[str, Way] = {}
        self._texts: dict[str, str] = {}

    @cached_property
    def folders(self) -> frozenset[str]:
        """The folders that hold a file; a submodule is one."""
        folders = {""} | {path for path, file in self.files.items() if file.mode == SUBMODULE}
        for path in self.files:
            while (path := path.rpartition("/")[0]) not in folders:
                folders.add(path)
        return frozenset(folders)

    def link_text(self, path: str) -> str | None:
        """Return what the link of a path says; None for what is no link."""
        file = self.files.get(path)
        if file is None or file.mode != LINK:
            return None
        key = file.oid or file.path
        if key not in self._texts:
            data = (self._repository.read(file) or b"")[: _LONGEST + 1]
            self._texts[key] = data.decode("utf-8", "surrogateescape")
        return self._texts[key]

    def file(self, way: Way) -> File | None:
        """The file that a way leads to; None of a folder."""
        return None if way.path is None else self.files.get(way.path)

    def way(self, path: str) -> Way:
        """Return where a path leads. Before each further name, what was reached has to be a folder that is there.

        Source: Linux's path_resolution(7); `..` after a name that is not there leads nowhere.
        """
        if path not in self._ways:
            self._ways[path] = self._walk(path)
        return self._ways[path]

    def _walk(self, path: str) -> Way:
        waiting, at, links = self._names(path), "", list[str]()
        while waiting:
            part = waiting.pop()
            self._count()
            if at not in self.folders:
                return _missing_way(links)
            if part in ("", "."):
                continue
            if part == ".." and at:
                at = at.rpartition("/")[0]
                continue
            if part == ".." or folded(part) == ".git":
                remainder = "/".join([part, *reversed(waiting)])
                return Way(
                    path=None,
                    kind=OUT,
                    reason="the link leads out of the repository",
                    links=tuple(links),
                    remainder=remainder,
                )
            if at in self.files and self.files[at].mode == SUBMODULE:
                return Way(path=None, kind=BELOW, reason="the link leads into a submodule", links=tuple(links))
            place = f"{at}/{self._fold(part)}" if at else self._fold(part)
            text = self.link_text(place)
            if text is None:
                at = place
                continue
            links.append(place)
            if failure := self._failure(text, links):
                return failure
            waiting += self._names(text)
        exists = at in self.files or at in self.folders
        return Way(at, links=tuple(links)) if exists else _missing_way(links)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.files)

    def files_below(self, folder: str) -> Iterator[tuple[str, File]]:
        """The files in a folder and deeper, each with its path from there."""
        start = f"{folder}/" if folder else ""
        for at in range(bisect_left(self._sorted, start), len(self._sorted)):
            path = self._sorted[at]
            if not path.startswith(start):
                return
            yield path[len(start) :], self.files[path]

    def _failure(self, text: str, links: list[str]) -> Way | None:
        if len(links) > MOST_HOPS:
            reason = f"the link leads in a circle, or over more than {MOST_HOPS} others"
            return Way(path=None, kind=CIRCLE, reason=reason, links=tuple(links))
        if reason := _reason_of_broken(text):
            return Way(path=None, kind=BROKEN, reason=reason, links=tuple(links))
        if text.startswith("/") or (self._folded and _DRIVE.match(text)):
            return Way(
                path=None, kind=OUT, reason="the link leads out of the repository", links=tuple(links), remainder=text
            )
        return None

    def _names(self, path: str) -> list[str]:
        return (path.replace("\\", "/") if self._folded else path).split("/")[::-1]

    def _count(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise SetupError(f"links lead over more than {MOST_STEPS:,} names. Remove some of them.")


def _missing_way(links: list[str]) -> Way:
    return Way(path=None, kind=MISSING, reason="the link leads to no file of the repository", links=tuple(links))


def _reason_of_broken(text: str) -> str:
    """Return why no system follows a link as it is written; empty if one does. Git hands its text to symlink(2)."""
    if not text:
        return "the link is empty, which no system takes; write where it leads"
    if "\0" in text:
        return "the link holds a NUL, at which the system cuts it off; write where it leads"
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > _LONGEST or any(len(name) > _LONGEST_NAME for name in data.split(b"/")):
        return f"the link is longer than systems take, {_LONGEST} bytes and {_LONGEST_NAME} in a name; shorten it"
    return ""
