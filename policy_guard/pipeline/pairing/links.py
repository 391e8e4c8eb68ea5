"""Links and submodules: what stands behind them is judged, or is missed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from policy_guard.documents.format import sniff
from policy_guard.documents.source import Source
from policy_guard.errors import UserError
from policy_guard.pipeline.pairing import Reader
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository, names
from policy_guard.pipeline.repository.changes import Change, resolved, snapshot, target_of
from policy_guard.pipeline.repository.revisions import Base, New
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import vanished

MOST_BEHIND = 1_000_000
"""Names that links to folders give to files: more of them would take seconds."""


class View(NamedTuple):
    """All files of one side: by their own path, and by the names that links to folders give them."""

    files: Mapping[str, File]
    behind: Mapping[str, File]
    leading: Mapping[str, str | None]

    def named(self) -> dict[str, File]:
        """Every name with its file."""
        return {**{name: file._replace(path=name) for name, file in self.behind.items()}, **self.files}

    def under(self, wanted: Callable[[str], bool]) -> set[str]:
        """The own paths of the files that have a wanted name."""
        real = (self.leading.get(name) or name for name in self.files if wanted(name))
        return {*real, *(file.path for name, file in self.behind.items() if wanted(name))} & self.files.keys()

    def apart(self, reader: Reader) -> dict[str, File]:
        """Every name with its file, without those names under which the file is judged as under its own."""
        return {n: f for n, f in self.named().items() if n not in self.behind or not alike(reader, n, self.behind[n])}


class Sides(NamedTuple):
    before: View
    after: View


def alike(reader: Reader, name: str, file: File) -> bool:
    """Whether the file is judged under this name as under its own."""
    return reader.concerned(file.path) and reader.scope(name) == reader.scope(file.path)


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


def view(repository: Repository, files: Mapping[str, File]) -> View:
    """The files with the names behind links. Raises `UserError` where those are too many."""
    targets = {path: target_of(repository, file) for path, file in files.items() if file.mode == LINK}
    leading = {path: resolved(path, targets.get)[0] for path in targets}
    return View(files, _behind(files, leading) if targets else {}, leading)


def _behind(files: Mapping[str, File], leading: Mapping[str, str | None]) -> dict[str, File]:
    """The files behind links to folders, by the names that the links give them."""
    paths = sorted(files)
    found: dict[str, File] = {}
    waiting: list[tuple[str, tuple[str, ...]]] = [
        (link, (target,)) for link, target in leading.items() if target is not None and target not in files
    ]
    seen = 0
    while waiting:
        name, way = waiting.pop()
        folder = way[-1]
        start = f"{folder}/" if folder else ""
        for at in range(bisect_left(paths, start), len(paths)):
            path = paths[at]
            if not path.startswith(start):
                break
            seen += 1
            if seen > MOST_BEHIND:
                raise UserError(f"links to folders give more than {MOST_BEHIND:,} names to files. Remove some of them.")
            inside = f"{name}/{path.removeprefix(start)}"
            target = leading.get(path, path)
            if target is not None and target in files:
                found[inside] = files[target]
            elif target is not None and target not in way:
                waiting.append((inside, (*way, target)))
    return found


def let_be_followed(repository: Repository, reader: Reader, new: New, base: Base, changed: list[Change]) -> Sides:
    """Gives the reader every file of both sides, and adds what changed behind links to what changed."""
    after, before = view(repository, snapshot(repository, new)), view(repository, tree_of(repository, base))
    reader.with_files(new.name, after.named())
    reader.with_files(base.name, before.named())
    touched = {file.path for change in changed for file in (change.old, change.new) if file}
    for path, file in after.files.items():
        if file.mode == LINK and path not in touched and reader.concerned(path):
            target = after.leading[path]
            if target not in after.files or target in touched or target != before.leading.get(path):
                changed.append(Change(before.files.get(path), file))
    changed += _changed_behind(reader, before, after, touched)
    return Sides(before, after)


def _changed_behind(reader: Reader, before: View, after: View, touched: set[str]) -> Iterator[Change]:
    """A change for each name behind a link to a folder that stands for another file, or for one that changed."""
    for name in dict.fromkeys([*after.behind, *before.behind]):
        old = before.behind.get(name) or before.files.get(name)
        new = after.behind.get(name) or after.files.get(name)
        same = old is not None and new is not None and old.path == new.path
        if same and old and new and (new.path not in touched or alike(reader, name, new)):
            continue
        yield Change(old._replace(path=name) if old else None, new._replace(path=name) if new else None)


def out_of_sight(
    reader: Reader, sides: Sides | None, change: Change, changed: list[Change], base: Base
) -> tuple[str, tuple[Finding, ...]] | None:
    """What is to be said of a changed submodule, or of a link that leads out of the repository or into a submodule."""
    if change.new is None or change.new.mode not in (LINK, SUBMODULE):
        return None
    path, here = change.new.path, sides.after if sides else None
    if change.new.mode == SUBMODULE:
        why = "is a submodule, which is not looked into"
    elif here is None or (target := here.leading.get(path, path)) is None:
        why = "is a link that leads out of the repository or in a circle, which is not looked behind"
    elif any(here.files[each].mode == SUBMODULE for each in _above(target) if each in here.files):
        why = "is a link into a submodule, which is not looked into"
    else:
        return None
    return f"{path} {why}", tuple(_taken_away(reader, path, changed, base))


def _above(path: str) -> Iterator[str]:
    """The path, and each folder above it."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _taken_away(reader: Reader, path: str, changed: list[Change], base: Base) -> Iterator[Finding]:
    """A finding for each policy that was where something is now that is not looked into."""
    for change in changed:
        if change.old and change.old.path.startswith(f"{path}/"):
            old = reader.side(change.old, change.old.path, base.name)
            if old.policies and (change.new is None or change.new.path != change.old.path):
                yield vanished(Source(path, ""), old.source, "something stands in its place that is not looked into")
