"""Policies that a change puts where they are not seen: under a name that nobody looks at, in another encoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.base import Base, New
from policy_guard.changes import Change
from policy_guard.finding import Finding
from policy_guard.format import sniff
from policy_guard.formats import suffixes
from policy_guard.git import LINK, SUBMODULE, Repository, names
from policy_guard.pairs import Reader, side_of
from policy_guard.source import Problem, Source, Span
from policy_guard.unreadable import unreadable, vanished

_ENCODING = "working-tree-encoding"
_FAITHFUL = ("utf-8", "utf-16", "utf-16le", "utf-16be", "utf-16le-bom", "utf-16be-bom", "utf-32")
"""Encodings that spell the same characters: what git writes into the work tree is what is judged."""


def moved_out_of_sight(reader: Reader, changed: Iterable[Change], base: Base, new: New) -> Iterator[Finding]:
    """A finding for each new file that holds a policy under a name where none is looked for, while a policy goes.

    Where git sees one file renamed, the pair of both says so already.
    """
    every = list(changed)
    gone = (change.old for change in every if change.old and change.new is None)
    sides = (reader.side(file, file.path, base.name) for file in gone)
    lost = next((side.source for side in sides if side.policies), None)
    for file in (change.new for change in every if lost and change.old is None):
        if file and lost and file.mode not in (LINK, SUBMODULE) and not reader.concerned(file.path):
            data = reader.content(file) or b""
            if sniff(data) and any(
                side_of(data, f"{file.path}{each}", "", False, None).policies for each in suffixes()
            ):
                yield vanished(Source(file.path, "", new.name), lost, "no policy is looked for under this name")


def recoded(repository: Repository, reader: Reader, new: New) -> Iterator[Finding]:
    """A finding for each file that git writes into a work tree in another spelling than it is judged in.

    Source: git's gitattributes, "working-tree-encoding".
    """
    if new.commit is None:
        return
    files = names(repository.files(new.commit))
    attributes = (file for path, file in files.items() if path.rpartition("/")[2] == ".gitattributes")
    if not any(_ENCODING.encode() in (repository.read(file) or b"") for file in attributes):
        return
    for path, value in repository.attribute(_ENCODING, filter(reader.concerned, files)):
        if value.lower() not in (*_FAITHFUL, "unspecified", "unset"):
            problem = Problem(
                f"git rewrites this file for {_ENCODING}={value}; take that out of .gitattributes", Span(0, 0)
            )
            yield from unreadable(Source(path, "", new.name), [problem])
