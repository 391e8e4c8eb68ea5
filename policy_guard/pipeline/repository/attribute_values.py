"""The values of git's attributes in the tree of a commit, or in the work tree at hand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from policy_guard.errors import UserError
from policy_guard.pipeline.repository import SUBMODULE, Repository
from policy_guard.pipeline.repository.objects import OVERSIZED

FILE = ".gitattributes"
UNSET = ("unspecified", "unset")
ENCODING = "working-tree-encoding"
NAMES = ("ident", "filter", ENCODING, "export-subst", "export-ignore")


class Values(NamedTuple):
    """All values that attributes have on one machine or another, by path and name."""

    found: Mapping[tuple[str, str], frozenset[str]]

    def of(self, path: str, name: str) -> list[str]:
        """The values of an attribute that set it, in order."""
        return sorted(value for value in self.found.get((path, name), ()) if value not in UNSET)

    def ignored(self, path: str) -> bool:
        """Whether an archive lacks the file: git asks for the folders above it, too."""
        return any("set" in self.found.get((place, "export-ignore"), ()) for place in (path, *folders_above(path)))

    def alike(self, path: str, other: Values, its_path: str) -> bool:
        """Whether the file is written in the same way as another under other values."""
        same = all(self.of(path, name) == other.of(its_path, name) for name in NAMES[:-1])
        return same and self.ignored(path) == other.ignored(its_path)


def folders_above(path: str) -> Iterator[str]:
    """The folders above a path, each with a stroke at its end; the root is none of them."""
    at = path.rfind("/")
    while at > 0:
        yield path[: at + 1]
        at = path.rfind("/", 0, at)


def texts_of(repository: Repository, tree: str) -> dict[str, bytes]:
    """All attributes of a tree by path. A link counts with its target, as git takes it when it fills a work tree."""
    files = [file for file in repository.files_called(tree, FILE) if file.mode != SUBMODULE]
    texts = ((file.path, repository.read(file)) for file in files)
    return {path: text for path, text in texts if text and text is not OVERSIZED}


def values_in(repository: Repository, texts: Mapping[str, bytes], paths: Iterable[str]) -> Values:
    """The values by the attributes of a tree, on machines that tell cases apart and on those that do not.

    Git 2.39 asks a work tree or the index only, so that the attributes are laid into a work tree of their own.
    """
    asked, place = questions(paths), repository.place()
    answers = []
    for folded in (False, True) if texts else (False,):
        with tempfile.TemporaryDirectory() as folder:
            work_tree = Path(folder) / "tree"
            work_tree.mkdir()
            for path, text in texts.items():
                _lay(work_tree, path, text, folded)
            ours = {"GIT_DIR": place, "GIT_WORK_TREE": str(work_tree), "GIT_INDEX_FILE": f"{folder}/index"}
            answers.append(repository.attributes(NAMES, asked, folded=folded, **ours))
    return values_of(answers)


def _lay(root: Path, path: str, text: bytes, folded: bool) -> None:
    """Writes one file of attributes. Names in another case are one name on some machines, and none on others."""
    folder, _, name = path.rpartition("/")
    if name != FILE and not folded:
        return
    if any(part in ("", ".", "..") for part in folder.split("/") if folder):
        raise UserError(f"{path[:200]} is no path that git writes. Take it out of the commit.")
    try:
        (root / folder).mkdir(parents=True, exist_ok=True)
        with open(root / folder / FILE, "ab") as file:
            file.write(text + b"\n")
    except OSError as error:
        raise UserError(f"{path[:200]} cannot be looked at: {error.strerror}. Shorten its path.") from None


def questions(paths: Iterable[str]) -> list[str]:
    """The paths and the folders above them, each once."""
    return list(dict.fromkeys(place for path in paths for place in (path, *folders_above(path))))


def values_of(answers: Iterable[Iterable[tuple[str, str, str]]]) -> Values:
    found: dict[tuple[str, str], set[str]] = {}
    for answer in answers:
        for path, name, value in answer:
            found.setdefault((path, name), set()).add(value)
    return Values({key: frozenset(values) for key, values in found.items()})
