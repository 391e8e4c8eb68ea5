"""Attributes by which git writes other bytes into a work tree, or into an archive, than those that are judged.

Source: git's gitattributes, "ident", "filter", "working-tree-encoding", "export-subst" and "export-ignore". `text`,
`eol` and `crlf` are not among them: they change ends of lines, and these mean the same in JSON and in YAML.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from policy_guard.base import Base, New
from policy_guard.changes import Change, snapshot
from policy_guard.errors import UserError
from policy_guard.finding import Finding
from policy_guard.format import sniff
from policy_guard.git import LINK, SUBMODULE, File, Repository
from policy_guard.links import Sides
from policy_guard.objects import OVERSIZED
from policy_guard.pairs import Reader, Side
from policy_guard.source import Problem, Source, Span
from policy_guard.unreadable import unreadable

FILE = ".gitattributes"
_ENCODING = "working-tree-encoding"
_NAMES = ("ident", "filter", _ENCODING, "export-subst", "export-ignore")
_WORDS = re.compile(rb"ident|filter|working-tree-encoding|export-(?:subst|ignore)")
"""A macro counts, too: it names one of them where it is defined."""
_FAITHFUL = ("utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "utf-16le-bom", "utf-16be-bom", "utf-32")
"""Encodings that spell the same characters: what git writes into the work tree is what is judged."""
_UNSET = ("unspecified", "unset")
_IDENT = re.compile(rb"\$Id[:$]")
_FORMAT = re.compile(rb"\$Format:([^$\n]*)\$")
_WORDLESS = re.compile(rb"(?:[^%]|%(?:[HhTtPpDdn%]|[ac][dDrtiIs]))*")
"""Formats for hashes, dates and names of revisions, which cannot spell a policy; others hold the author's words."""
_MOST_NAMED = 5


class Question(NamedTuple):
    """A change, as far as it matters here. `sides` are both sides with what stands behind links, if that may matter."""

    repository: Repository
    reader: Reader
    new: New
    base: Base
    changed: Collection[Change]
    sides: Sides | None


class _Asked(NamedTuple):
    """A file of the new side, under its own path, and a name under which it is looked at.

    `touched` if the change is about the file itself; `before` is the path of its old version, if there was one.
    """

    file: File
    name: str
    touched: bool
    before: str | None


class _Values(NamedTuple):
    """All values that attributes have on one machine or another, by path and name."""

    found: Mapping[tuple[str, str], frozenset[str]]

    def of(self, path: str, name: str) -> list[str]:
        """The values of an attribute that set it, in order."""
        return sorted(value for value in self.found.get((path, name), ()) if value not in _UNSET)

    def ignored(self, path: str) -> bool:
        """Whether an archive lacks the file: git asks for the folders above it, too."""
        return any("set" in self.found.get((place, "export-ignore"), ()) for place in (path, *_folders(path)))

    def alike(self, path: str, other: _Values) -> bool:
        """Whether the file is written in the same way under the other values."""
        same = all(self.of(path, name) == other.of(path, name) for name in _NAMES[:-1])
        return same and self.ignored(path) == other.ignored(path)


def rewritten(question: Question, everything: bool, note: Callable[[str], None]) -> Iterator[Finding]:
    """A finding for each policy that git writes otherwise than it is judged, and a note of files nobody can tell of.

    With `everything` those that did not change count, too.
    """
    asked = _asked(question, everything)
    texts = _texts(question, asked)
    if not asked or not (_mentioned(texts) or any(map(_sniffed, asked.values(), [question.repository] * len(asked)))):
        return
    values = _values_of_new(question, asked, texts)
    suspects = {path: each for path, each in asked.items() if not values.alike(path, _Values({}))}
    before = _before(question, suspects)
    filtered: list[str] = []
    for path, each in suspects.items():
        if not (each.touched or everything) and values.alike(path, before):
            continue
        data, side = question.repository.read(each.file) or b"", question.reader.side(each.file, each.name, "")
        gone = values.ignored(path) and each.before is not None and not before.ignored(each.before)
        if reason := _reason(values, path, data, side) or (_left_out(side) if gone else None):
            problem = Problem(f"{reason} in {FILE}", Span(0, 0))
            yield from unreadable(Source(path, "", question.new.name), [problem])
        elif each.touched and not side.note and _filters(values, path):
            filtered.append(path)
    if filtered:
        note(_about(filtered))


def _sniffed(asked: _Asked, repository: Repository) -> bool:
    return sniff(repository.read(asked.file) or b"")


def _reason(values: _Values, path: str, data: bytes, side: Side) -> str | None:
    """Says why the file on disk, or in an archive, is another; None if it is not."""
    policy = bool(side.policies or side.problems)
    encodings = [value for value in values.of(path, _ENCODING) if value.lower() not in _FAITHFUL]
    if encodings:
        return f"git rewrites this file for {_ENCODING}={encodings[0]}; take that out"
    if policy and (filters := _filters(values, path)):
        return f"git rewrites this file for filter={filters[0]}; take that out for it"
    if values.of(path, "ident") and sniff(data) and _IDENT.search(data):
        return "git rewrites this file for ident, since it holds $Id; take that out"
    if values.of(path, "export-subst") and _spelling(data):
        return "git archive rewrites this file for export-subst, since it holds $Format; take that out"
    return None


def _left_out(side: Side) -> str | None:
    if not side.policies and not side.problems:
        return None
    return "git archive leaves this policy out for export-ignore, and did not before; delete it, or take that out"


def _filters(values: _Values, path: str) -> list[str]:
    """The names of filters; without a name the attribute has no effect."""
    return [value for value in values.of(path, "filter") if value != "set"]


def _spelling(data: bytes) -> bool:
    """Whether something in a file becomes other text in an archive that may spell a policy."""
    formats = _FORMAT.findall(data)
    return bool(formats) and (sniff(data) or any(not _WORDLESS.fullmatch(each) for each in formats))


def _about(paths: list[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return f"a filter in {FILE} rewrites {', '.join(paths[:_MOST_NAMED])}{more}; what comes out is not looked at"


def _mentioned(texts: Mapping[str, bytes]) -> bool:
    return any(map(_WORDS.search, texts.values()))


def _below(changed: Iterable[Change]) -> tuple[str, ...]:
    """What the paths begin with that changed attributes are about."""
    paths = {file.path for change in changed for file in (change.old, change.new) if file}
    return tuple(path[: -len(FILE)] for path in paths if path.rpartition("/")[2].lower() == FILE)


def _asked(question: Question, everything: bool) -> dict[str, _Asked]:
    """The files to ask for, by their own paths."""
    asked: dict[str, _Asked] = {}
    for change in question.changed:
        if change.new and question.reader.concerned(change.new.path):
            file = _own(question.sides, change.new)
            if file is not None and file.mode not in (LINK, SUBMODULE):
                asked[file.path] = _Asked(file, change.new.path, True, change.old.path if change.old else None)
    below = ("",) if everything else _below(question.changed)
    for name, file in _named(question).items() if below else ():
        if file.mode not in (LINK, SUBMODULE) and question.reader.concerned(name) and file.path.startswith(below):
            asked.setdefault(file.path, _Asked(file, name, False, file.path))
    return asked


def _named(question: Question) -> dict[str, File]:
    """Every file of the new side, under its own path and the names of links that lead to it."""
    if question.sides is None:
        return snapshot(question.repository, question.new)
    after = question.sides.after
    leading = ((link, after.files.get(path or "")) for link, path in after.leading.items())
    return {**after.files, **after.behind, **{link: file for link, file in leading if file}}


def _own(sides: Sides | None, file: File) -> File | None:
    """The file itself of a name; of a link the file that it leads to."""
    if sides is None:
        return file
    if file.mode == LINK:
        return sides.after.files.get(sides.after.leading.get(file.path) or "")
    return file if file.path in sides.after.files else sides.after.behind.get(file.path, file)


def _folders(path: str) -> Iterator[str]:
    """The folders above a path, each with a stroke at its end; the root is none of them."""
    at = path.rfind("/")
    while at > 0:
        yield path[: at + 1]
        at = path.rfind("/", 0, at)


def _texts(question: Question, asked: Iterable[str]) -> dict[str, bytes]:
    """The attributes of the new side, by path: all of a commit, or those on disk that are about what is asked for."""
    if question.new.commit is not None:
        return _texts_of(question.repository, question.new.commit)
    places = {f"{folder}{FILE}" for path in asked for folder in ("", *_folders(path))}
    texts = {place: question.repository.read(File(place, 0o100644, None)) for place in places}
    return {place: text for place, text in texts.items() if text}


def _texts_of(repository: Repository, tree: str) -> dict[str, bytes]:
    """All attributes of a tree by path. A link counts with its target, as git takes it when it fills a work tree."""
    files = [file for file in repository.files_called(tree, FILE) if file.mode != SUBMODULE]
    texts = ((file.path, repository.read(file)) for file in files)
    return {path: text for path, text in texts if text and text is not OVERSIZED}


def _values_of_new(question: Question, asked: Iterable[str], texts: Mapping[str, bytes]) -> _Values:
    if question.new.commit is not None:
        return _values_in(question.repository, texts, asked)
    options = ("--cached",) if question.new.staged else ()
    return _values([question.repository.attributes(_NAMES, _questions(asked), *options)])


def _before(question: Question, suspects: Mapping[str, _Asked]) -> _Values:
    """The values in the base, for the paths that files had there."""
    paths = dict.fromkeys(path for own, each in suspects.items() for path in (own, each.before) if path)
    if not paths:
        return _Values({})
    return _values_in(question.repository, _texts_of(question.repository, question.base.tree), paths)


def _values_in(repository: Repository, texts: Mapping[str, bytes], paths: Iterable[str]) -> _Values:
    """The values by the attributes of a tree, on machines that tell cases apart and on those that do not.

    Git 2.39 asks a work tree or the index only, so that the attributes are laid into a work tree of their own.
    """
    questions, place = _questions(paths), repository.place()
    answers = []
    for folded in (False, True) if texts else (False,):
        with tempfile.TemporaryDirectory() as folder:
            work_tree = Path(folder) / "tree"
            work_tree.mkdir()
            for path, text in texts.items():
                _lay(work_tree, path, text, folded)
            ours = {"GIT_DIR": place, "GIT_WORK_TREE": str(work_tree), "GIT_INDEX_FILE": f"{folder}/index"}
            answers.append(repository.attributes(_NAMES, questions, folded=folded, **ours))
    return _values(answers)


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


def _questions(paths: Iterable[str]) -> list[str]:
    """The paths and the folders above them, each once."""
    return list(dict.fromkeys(place for path in paths for place in (path, *_folders(path))))


def _values(answers: Iterable[Iterable[tuple[str, str, str]]]) -> _Values:
    found: dict[tuple[str, str], set[str]] = {}
    for answer in answers:
        for path, name, value in answer:
            found.setdefault((path, name), set()).add(value)
    return _Values({key: frozenset(values) for key, values in found.items()})
