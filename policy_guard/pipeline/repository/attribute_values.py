"""The values of git's attributes in the tree of a commit, or in the working tree at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.repository import SUBMODULE, Repository
from policy_guard.pipeline.repository.folded import folded
from policy_guard.pipeline.repository.objects import OVERSIZED
from policy_guard.records import NamedTuple

FILE = ".gitattributes"
UNSET = ("unspecified", "unset")
ENCODING = "working-tree-encoding"
NAMES = ("ident", "filter", ENCODING, "export-subst", "export-ignore")

Way: TypeAlias = tuple[str, ...]
"""The paths of the links that lead to a file, and at the end its own."""


class Values(NamedTuple):
    """All values that attributes have on one machine or another, by path and name."""

    values: Mapping[tuple[str, str], frozenset[str]]

    def of(self, path: str, name: str) -> list[str]:
        """The values of an attribute that set it, in order."""
        return sorted(value for value in self.values.get((path, name), ()) if value not in UNSET)

    def left_out(self, way: Way) -> str | None:
        """Return what an archive lacks of the way to a file: git asks for each path, and for the folders above it."""
        return next((path for path in way if self._ignored(path)), None)

    def _ignored(self, path: str) -> bool:
        return any("set" in self.values.get((place, "export-ignore"), ()) for place in (path, *folders_above(path)))

    def effects(self, way: Way) -> tuple[object, ...]:
        """All that decides how the file at the end of a way is written, and whether an archive holds it."""
        own_values = tuple(tuple(self.of(path, name)) for path in way[-1:] for name in NAMES[:-1])
        return own_values or ((),) * (len(NAMES) - 1), self.left_out(way) is not None


def folders_above(path: str) -> Iterator[str]:
    """The folders above a path, each with a stroke at its end; the root is none of them."""
    at = path.rfind("/")
    while at > 0:
        yield path[: at + 1]
        at = path.rfind("/", 0, at)


def texts_of(repository: Repository, tree: str) -> dict[str, bytes]:
    """All attributes of a tree by path. A link counts with its target, as git takes it when it fills a working tree."""
    files = [file for file in repository.files_called(tree, FILE) if file.mode != SUBMODULE]
    texts = ((file.path, repository.read(file)) for file in files)
    return {path: text for path, text in texts if text and text is not OVERSIZED}


def values_in(repository: Repository, texts: Mapping[str, bytes], paths: Iterable[str]) -> Values:
    """The values by the attributes of a tree, on machines that tell cases apart and on those that do not.

    Git 2.39 asks a working tree or the index only, so that the attributes are laid into a working tree of their own.
    """
    places, git_folder = questions(paths), repository.place()
    folders = {"": {""}}
    for path in places:
        folders.setdefault(folded(path).rpartition("/")[0], set()).add(path.rpartition("/")[0])
    from tempfile import TemporaryDirectory

    answers = []
    for fold in (False, True) if texts else (False,):
        with TemporaryDirectory() as folder:
            work_tree = Path(folder) / "tree"
            work_tree.mkdir()
            for path, text in texts.items():
                _lay(work_tree, path, text, folders if fold else None)
            variables = {"GIT_DIR": git_folder, "GIT_WORK_TREE": str(work_tree), "GIT_INDEX_FILE": f"{folder}/index"}
            answers.append(repository.attributes(NAMES, places, folded=fold, **variables))
    return values_of(answers)


def _lay(root: Path, path: str, text: bytes, folders: Mapping[str, Collection[str]] | None) -> None:
    """Writes one file of attributes, with `folders` into each of those that are its own on some machine.

    Names in another spelling are one name on some machines, and none on others.
    """
    folder, _, name = path.rpartition("/")
    if any(part in ("", ".", "..") for part in folder.split("/") if folder):
        raise SetupError(f"{path[:200]} is not a path that git writes. Remove it from the commit.")
    if name != FILE and folders is None:
        return
    for spelling in (folder,) if folders is None else folders.get(folded(folder), ()):
        try:
            (root / spelling).mkdir(parents=True, exist_ok=True)
            with open(root / spelling / FILE, "ab") as file:
                file.write(text + b"\n")
        except OSError as error:
            raise SetupError(f"{path[:200]} cannot be looked at: {error.strerror}. Shorten its path.") from None


def questions(paths: Iterable[str]) -> list[str]:
    """The paths and the folders above them, each once."""
    return list(dict.fromkeys(place for path in paths for place in (path, *folders_above(path))))


def values_of(answers: Iterable[Iterable[tuple[str, str, str]]]) -> Values:
    values_by_key: dict[tuple[str, str], set[str]] = {}
    for answer in answers:
        for path, name, value in answer:
            values_by_key.setdefault((path, name), set()).add(value)
    return Values({key: frozenset(values) for key, values in values_by_key.items()})
