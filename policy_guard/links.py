"""Links and submodules: what stands behind them is judged, or is missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.base import Base, New
from policy_guard.changes import Change, folder_of, follow, snapshot
from policy_guard.finding import Finding
from policy_guard.format import sniff
from policy_guard.git import LINK, File, Repository, names
from policy_guard.pairs import Reader
from policy_guard.source import Source
from policy_guard.unreadable import vanished


def tree_of(repository: Repository, base: Base) -> dict[str, File]:
    """Every file of the base, by path."""
    return names(repository.files(base.commit)) if base.commit else {}


def may_matter(repository: Repository, reader: Reader, changed: Iterable[Change]) -> bool:
    """Whether a changed file is a link, or may be a policy under a name that only a link makes one.

    Listing all files to look for links costs one process more, so it is done only then.
    """
    for change in changed:
        for file in (change.old, change.new):
            if file and file.mode == LINK:
                return True
        for file in (change.old, change.new):
            if file and not reader.concerned(file.path) and sniff(repository.read(file) or b""):
                return True
    return False


def let_be_followed(repository: Repository, reader: Reader, new: New, base: Base, changed: list[Change]) -> None:
    """Gives the reader every file of both sides, and adds the links whose targets changed to what changed."""
    after = snapshot(repository, new)
    before = tree_of(repository, base)
    reader.with_files(new.name, after)
    reader.with_files(base.name, before)
    touched = {file.path for change in changed for file in (change.old, change.new) if file}
    for path, file in after.items():
        if file.mode == LINK and path not in touched and reader.concerned(path):
            target = follow(repository, file, after).file
            if target is None or target.path in touched:
                changed.append(Change(before.get(path), file))


def taken_away(reader: Reader, submodule: File, changed: list[Change], base: Base) -> Iterator[Finding]:
    """A finding for each policy that was where a submodule is now."""
    for change in changed:
        if change.old and change.new is None and change.old.path.startswith(f"{submodule.path}/"):
            old = reader.side(change.old, change.old.path, base.name)
            if old.policies:
                yield vanished(Source(submodule.path, ""), old.source, "a submodule stands in its place")


def look_behind_folders(repository: Repository, new: New, base: Base, changed: list[Change]) -> None:
    """Adds the files behind each new link to a folder, under the names that it gives them."""
    after, before = snapshot(repository, new), tree_of(repository, base)
    for change in list(changed):
        if change.new is None or change.new.mode != LINK:
            continue
        folder = folder_of(repository, change.new)
        for path, file in list(after.items()) if folder else ():
            if path.startswith(f"{folder}/"):
                name = f"{change.new.path}/{path.removeprefix(f'{folder}/')}"
                changed.append(Change(before.get(name), file._replace(path=name)))
