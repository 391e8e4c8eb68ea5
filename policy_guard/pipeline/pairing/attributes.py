"""Attributes by which git writes other bytes into a work tree, or into an archive, than those that are judged.

Source: git's gitattributes, "ident", "filter", "working-tree-encoding", "export-subst" and "export-ignore". `text`,
`eol` and `crlf` are not among them: they change ends of lines, and these mean the same in JSON and in YAML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from policy_guard.documents.format import sniff
from policy_guard.documents.source import Problem, Source, Span
from policy_guard.pipeline.pairing import Reader, Side
from policy_guard.pipeline.pairing.links import Sides
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository, names
from policy_guard.pipeline.repository.attribute_values import (
    ENCODING,
    FILE,
    NAMES,
    Values,
    folders_above,
    questions,
    texts_of,
    values_in,
    values_of,
)
from policy_guard.pipeline.repository.changes import Change, snapshot
from policy_guard.pipeline.repository.revisions import Base, New
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable

_WORDS = re.compile(rb"ident|filter|working-tree-encoding|export-(?:subst|ignore)")
"""A macro counts, too: it names one of them where it is defined."""
_FAITHFUL = ("utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "utf-16le-bom", "utf-16be-bom", "utf-32")
"""Encodings that spell the same characters: what git writes into the work tree is what is judged."""
_IDENT = re.compile(rb"\$Id[:$]")
_FORMAT = re.compile(rb"\$Format:([^$\n]*)\$")
_WORDLESS = re.compile(rb"(?:[^%]|%(?:[HhTtPpDdn%]|[ac][dDrtiIs]|\(describe[^()]*\)))*")
"""Formats for hashes, dates and names of refs, which cannot spell a policy; others hold the author's words."""
_MOST_NAMED = 5


class Question(NamedTuple):
    """A change, as far as it matters here. `sides` are both sides with what stands behind links, if that may matter."""

    repository: Repository
    reader: Reader
    new: New
    base: Base
    changed: list[Change]
    sides: Sides | None


class _Asked(NamedTuple):
    """A file of the new side, under its own path, and a name under which it is looked at.

    `touched` if the change is about the file itself; `before` is the path of its old version, if there was one.
    """

    file: File
    name: str
    touched: bool
    before: str | None


def rewritten(question: Question, everything: bool, note: Callable[[str], None]) -> Iterator[Finding]:
    """A finding for each policy that git writes otherwise than it is judged, and a note of files nobody can tell of.

    With `everything` those that did not change count, too. A policy that git wrote otherwise before, and now does not,
    is added to the changes, and its old version is distrusted: everything in it counts as new.
    """
    asked = _asked(question, everything)
    texts = _texts(question, asked)
    if not asked or not (_mentioned(texts) or any(_sniffed(question.repository, each) for each in asked.values())):
        return
    values = _values_of_new(question, asked, texts)
    suspects = {path: each for path, each in asked.items() if not values.alike(path, Values({}), path)}
    before = _before(question, asked if _may_have_been(question) else suspects)
    filtered: list[str] = []
    for path, each in suspects.items():
        if not (each.touched or everything) and values.alike(path, before, path):
            continue
        data, side = question.repository.read(each.file) or b"", question.reader.side(each.file, each.name, "")
        gone = values.ignored(path) and each.before is not None and not before.ignored(each.before)
        if reason := _reason(values, path, data, side) or (_left_out(side) if gone else None):
            problem = Problem(f"{reason}; take that out in {FILE}", Span(0, 0))
            yield from unreadable(Source(path, "", question.new.name), [problem])
        elif each.touched and not side.note and _filters(values, path):
            filtered.append(path)
    if filtered:
        note(_about(filtered))
    _distrust(question, asked, before, values, note)


def _distrust(
    question: Question, asked: Mapping[str, _Asked], before: Values, values: Values, note: Callable[[str], None]
) -> None:
    """Lets the old versions count as unknown that git wrote otherwise, if it does not write the new ones so."""
    changed = {
        path: each for path, each in asked.items() if each.before and not before.alike(each.before, values, path)
    }
    old_files = names(question.repository.files(question.base.tree)) if changed else {}
    for path, each in changed.items():
        old = old_files.get(each.before or "")
        if old is None or old.mode in (LINK, SUBMODULE):
            continue
        side = question.reader.side(old, old.path, question.base.name)
        reason = _reason(before, old.path, question.repository.read(old) or b"", side)
        if before.ignored(old.path) and not values.ignored(path) and side.policies:
            reason = reason or "git archive left it out for export-ignore"
        now = question.reader.side(each.file, each.name, question.new.name)
        still = _reason(values, path, question.repository.read(each.file) or b"", now)
        if reason is not None and still is None and (now.policies or now.problems):
            question.reader.distrust(question.base.name, old)
            note(f"{path} was another file before: {reason}. So everything in it counts as new")
            if not each.touched:
                question.changed.append(Change(old._replace(path=each.name), each.file._replace(path=each.name)))


def _may_have_been(question: Question) -> bool:
    """Whether a file may have other attributes now: attributes changed, or it moved."""
    moved = (change.old and change.new and change.old.path != change.new.path for change in question.changed)
    return any(moved) or bool(_below(question.changed))


def _sniffed(repository: Repository, asked: _Asked) -> bool:
    return sniff(repository.read(asked.file) or b"")


def _reason(values: Values, path: str, data: bytes, side: Side) -> str | None:
    """Says why the file on disk, or in an archive, is another; None if it is not."""
    policy = bool(side.policies or side.problems)
    encodings = [value for value in values.of(path, ENCODING) if value.lower() not in _FAITHFUL]
    if encodings:
        return f"git rewrites this file for {ENCODING}={encodings[0]}"
    if policy and (filters := _filters(values, path)):
        return f"git rewrites this file for filter={filters[0]}"
    if values.of(path, "ident") and sniff(data) and _IDENT.search(data):
        return "git rewrites this file for ident, since it holds $Id"
    if values.of(path, "export-subst") and _spelling(data):
        return "git archive rewrites this file for export-subst, since it holds $Format"
    return None


def _left_out(side: Side) -> str | None:
    if not side.policies and not side.problems:
        return None
    return "git archive leaves this policy out for export-ignore, and did not before"


def _filters(values: Values, path: str) -> list[str]:
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
    leading = ((link, after.tree.file(way)) for link, way in after.ways.items())
    return {**after.files, **after.behind, **{link: file for link, file in leading if file}}


def _own(sides: Sides | None, file: File) -> File | None:
    """The file itself of a name; of a link the file that it leads to."""
    if sides is None:
        return file
    if file.mode == LINK:
        return sides.after.files.get(sides.after.leads_to(file.path) or "")
    return file if file.path in sides.after.files else sides.after.behind.get(file.path, file)


def _texts(question: Question, asked: Iterable[str]) -> dict[str, bytes]:
    """The attributes of the new side, by path: all of a commit, or those on disk that are about what is asked for."""
    if question.new.commit is not None:
        return texts_of(question.repository, question.new.commit)
    places = {f"{folder}{FILE}" for path in asked for folder in ("", *folders_above(path))}
    texts = {place: question.repository.read(File(place, 0o100644, None)) for place in places}
    return {place: text for place, text in texts.items() if text}


def _values_of_new(question: Question, asked: Iterable[str], texts: Mapping[str, bytes]) -> Values:
    if question.new.commit is not None:
        return values_in(question.repository, texts, asked)
    options = ("--cached",) if question.new.staged else ()
    return values_of([question.repository.attributes(NAMES, questions(asked), *options)])


def _before(question: Question, suspects: Mapping[str, _Asked]) -> Values:
    """The values in the base, for the paths that files had there."""
    paths = dict.fromkeys(path for own, each in suspects.items() for path in (own, each.before) if path)
    if not paths:
        return Values({})
    return values_in(question.repository, texts_of(question.repository, question.base.tree), paths)
