"""Links: what stands behind them is judged under the names that they give."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping

from policy_guard.documents.errors import SetupError
from policy_guard.documents.format import sniff
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import LINK, File, Repository
from policy_guard.pipeline.repository.changes import Change, Comparison, snapshot
from policy_guard.pipeline.repository.ways import MOST_HOPS, Tree, Way
from policy_guard.records import NamedTuple

MOST_BEHIND = 1_000_000
"""Names that links to folders give to files: more of them would take seconds."""


class View(NamedTuple):
    """All files of one side: by their own path, and by the names that links to folders give them."""

    files: Mapping[str, File]
    behind: Mapping[str, File]
    ways: Mapping[str, Way]
    tree: Tree

    def leads_to(self, path: str) -> str | None:
        """Return where a file is to be found: itself, or what a link leads to; None if that is nowhere."""
        return self.ways[path].path if path in self.ways else path

    def files_by_name(self) -> dict[str, File]:
        """Every name with its file."""
        return {**{name: file._replace(path=name) for name, file in self.behind.items()}, **self.files}

    def under(self, selects: Callable[[str], bool]) -> set[str]:
        """The own paths of the files that have a wanted name."""
        real = (self.leads_to(name) or name for name in self.files if selects(name))
        return {*real, *(file.path for name, file in self.behind.items() if selects(name))} & self.files.keys()

    def files_to_judge(self, reader: Reader) -> dict[str, File]:
        """Every name with its file, without those names under which the file is judged as under its own."""
        return {
            n: f
            for n, f in self.files_by_name().items()
            if n not in self.behind or not has_same_scope(reader, n, self.behind[n])
        }


class Sides(NamedTuple):
    before: View
    after: View


def has_same_scope(reader: Reader, name: str, file: File) -> bool:
    """Tell whether the file is judged under this name as under its own."""
    return reader.concerned(file.path) and reader.scope(name) == reader.scope(file.path)


def may_matter(repository: Repository, reader: Reader, changed: Iterable[Change]) -> bool:
    """Tell whether a changed file is a link, or may be a policy under a name that only a link makes one.

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
    """The files with the names behind links. Raises `SetupError` where those are too many."""
    tree = Tree(repository, files)
    ways = {path: tree.way(path) for path, file in files.items() if file.mode == LINK}
    return View(files, _files_behind(files, ways) if ways else {}, ways, tree)


def _files_behind(files: Mapping[str, File], ways: Mapping[str, Way]) -> dict[str, File]:
    """The files behind links to folders, by the names that the links give them.

    No name leads over more links than the system follows.
    """
    paths = sorted(files)
    files_behind: dict[str, File] = {}
    waiting: list[tuple[str, tuple[str, ...], int]] = [
        (link, (way.path,), len(way.links))
        for link, way in ways.items()
        if way.path is not None and way.path not in files
    ]
    count = 0
    while waiting:
        name, passed_folders, hops = waiting.pop()
        folder = passed_folders[-1]
        start = f"{folder}/" if folder else ""
        for at in range(bisect_left(paths, start), len(paths)):
            path = paths[at]
            if not path.startswith(start):
                break
            count += 1
            if count > MOST_BEHIND:
                raise SetupError(
                    f"links to folders give more than {MOST_BEHIND:,} names to files. Remove some of them."
                )
            name_behind = f"{name}/{path.removeprefix(start)}"
            way = ways.get(path) or Way(path)
            total_hops = hops + len(way.links)
            if way.path is None or total_hops > MOST_HOPS:
                continue
            if way.path in files:
                files_behind[name_behind] = files[way.path]
            elif way.path not in passed_folders:
                waiting.append((name_behind, (*passed_folders, way.path), total_hops))
    return files_behind


def follow_links(repository: Repository, reader: Reader, comparison: Comparison) -> Sides:
    """Gives the reader every file of both sides, and adds what changed behind links to what changed."""
    old, new, changed = comparison
    old_view, new_view = view(repository, snapshot(repository, old)), view(repository, snapshot(repository, new))
    reader.with_files(new, new_view.files_by_name())
    reader.with_files(old, old_view.files_by_name())
    touched = {file.path for change in changed for file in (change.old, change.new) if file}
    for path, way in new_view.ways.items():
        if path not in touched and _leads_elsewhere(reader, path, way, old_view, touched):
            changed.append(Change(old_view.files.get(path), new_view.files[path]))
    changed += _changed_behind(reader, old_view, new_view, touched)
    return Sides(old_view, new_view)


def _leads_elsewhere(reader: Reader, path: str, way: Way, old_view: View, touched: set[str]) -> bool:
    """Tell whether a link that says what it said may lead to something else, or to a file that changed."""
    if path in old_view.ways and way.path != old_view.ways[path].path:
        return True
    at_file = way.path is not None and way.path in old_view.files
    return reader.concerned(path) and (not at_file or way.path in touched or path not in old_view.ways)


def _changed_behind(reader: Reader, old_view: View, new_view: View, touched: set[str]) -> Iterator[Change]:
    """A change for each name behind a link to a folder that stands for another file, or for one that changed."""
    for name in dict.fromkeys([*new_view.behind, *old_view.behind]):
        old = old_view.behind.get(name) or old_view.files.get(name)
        new = new_view.behind.get(name) or new_view.files.get(name)
        is_same_file = old is not None and new is not None and old.path == new.path
        if is_same_file and old and new and (new.path not in touched or has_same_scope(reader, name, new)):
            continue
        yield Change(old._replace(path=name) if old else None, new._replace(path=name) if new else None)
