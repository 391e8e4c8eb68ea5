"""Attributes by which git writes other bytes into a working tree, or into an archive, than those that are judged.

Source: git's gitattributes, "ident", "filter", "working-tree-encoding", "export-subst" and "export-ignore". `text`,
`eol` and `crlf` are not among them: they change ends of lines, and these mean the same in JSON and in YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from policy_guard.documents.format import sniff
from policy_guard.documents.source import Problem, Source, Span
from policy_guard.pipeline.pairing.archived import Party, partial_groups, parties_of, way_of
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.pairing.links import Sides
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository, names
from policy_guard.pipeline.repository.attribute_values import (
    ENCODING,
    FILE,
    NAMES,
    Values,
    Way,
    folders_above,
    questions,
    texts_of,
    values_in,
    values_of,
)
from policy_guard.pipeline.repository.changes import Change, Comparison, snapshot
from policy_guard.pipeline.repository.folded import folded
from policy_guard.records import NamedTuple
from policy_guard.regex import regex
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable_findings

_WORDS = regex(rb"ident|filter|working-tree-encoding|export-(?:subst|ignore)")
"""A macro counts, too: it names one of them where it is defined."""
_FAITHFUL = ("utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "utf-16le-bom", "utf-16be-bom", "utf-32")
"""Encodings that spell the same characters: what git writes into the working tree is what is judged."""
_IDENT = regex(rb"\$Id[:$]")
_FORMAT = regex(rb"\$Format:([^$]*)\$")
"""It may go over ends of lines. Source: git's archive.c, format_subst."""
_WORDLESS = regex(rb"(?:[^%]|%(?:[HhTtPpDdn%]|[ac][dDrtiIs]|\(describe[^()]*\)))*")
"""Formats for hashes, dates and names of refs, which cannot spell a policy; others hold the author's words."""
_MOST_NAMED = 5


class Question(NamedTuple):
    """A change, as far as it matters here. `sides` are both sides with what stands behind links, if that may matter."""

    repository: Repository
    reader: Reader
    comparison: Comparison
    sides: Sides | None


class _Candidate(NamedTuple):
    """A file of the new side, under its own path, and a name under which it is looked at.

    `touched` if the change is about the file itself. `way` are the paths of the links that lead to it, and its own;
    `old_way` are those of its old version, none if there was none.
    """

    file: File
    name: str
    touched: bool
    way: Way
    old_way: Way


def rewrite_findings(question: Question, all_files: bool, note: Callable[[str], None]) -> Iterator[Finding]:
    """A finding for each policy that git writes otherwise than it is judged, and a note of files nobody can tell of.

    With `all_files` those that did not change count, too. A policy that git wrote otherwise before, and now does not,
    is added to the changes, and its old version is distrusted: everything in it counts as new.
    """
    candidates = _candidates(question, all_files)
    parties = list(parties_of(question.reader, question.sides, question.comparison))
    ways = dict.fromkeys(
        [*(candidate.way for candidate in candidates), *(way for party in parties for way in party.after.values())]
    )
    texts = _texts(question, ways)
    sniffed = any(sniff(question.repository.read(candidate.file) or b"") for candidate in candidates)
    if not (candidates or parties) or not (_mention_attributes(texts) or sniffed or parties):
        return
    values = _values_of_new(question, ways, texts)
    suspects = [each for each in candidates if values.effects(each.way) != Values({}).effects(each.way)]
    old_values = _old_values(question, candidates if _may_have_other_attributes(question) else suspects, parties)
    yield from _suspect_findings(question, suspects, old_values, values, all_files, note)
    for name, reason in partial_groups(parties, values, old_values):
        yield from _refusal(question, name, reason)
    _distrust(question, candidates, old_values, values, note)


def _suspect_findings(
    question: Question,
    suspects: Iterable[_Candidate],
    old_values: Values,
    values: Values,
    all_files: bool,
    note: Callable[[str], None],
) -> Iterator[Finding]:
    refusals: set[tuple[str, str]] = set()
    filtered: dict[str, None] = {}
    for suspect in suspects:
        path, ignored = suspect.file.path, values.left_out(suspect.way)
        unchanged = values.effects(suspect.way) == old_values.effects(suspect.old_way)
        if unchanged and not (suspect.touched or all_files):
            continue
        data, version = (
            question.repository.read(suspect.file) or b"",
            question.reader.version(suspect.file, suspect.name, question.comparison.new),
        )
        newly_left_out = ignored is not None and suspect.old_way and not old_values.left_out(suspect.old_way)
        reason, place = _reason(values, path, data, version), path
        if reason is None and newly_left_out:
            reason, place = _reason_of_omission(version), ignored or path
        if reason and (place, reason) not in refusals:
            refusals.add((place, reason))
            yield from _refusal(question, place, reason)
        elif not reason and suspect.touched and not version.passed_over and _filters(values, path):
            filtered[path] = None
    if filtered:
        note(_filter_note(list(filtered)))


def _refusal(question: Question, path: str, reason: str) -> Iterator[Finding]:
    problem = Problem(f"{reason}; take that out in {FILE}", Span(0, 0))
    yield from unreadable_findings(Source(path, "", question.comparison.new.name), [problem])


def _distrust(
    question: Question,
    candidates: Iterable[_Candidate],
    old_values: Values,
    values: Values,
    note: Callable[[str], None],
) -> None:
    """Lets the old versions count as unknown that git wrote otherwise, if it does not write the new ones so."""
    changed = [
        candidate
        for candidate in candidates
        if candidate.old_way and old_values.effects(candidate.old_way) != values.effects(candidate.way)
    ]
    old_files = names(question.repository.files(question.comparison.old.tree)) if changed else {}
    for candidate in changed:
        path, old = candidate.file.path, old_files.get(candidate.old_way[-1])
        if old is None or old.mode in (LINK, SUBMODULE):
            continue
        version = question.reader.version(old, candidate.old_way[0], question.comparison.old)
        reason = _reason(old_values, old.path, question.repository.read(old) or b"", version)
        if old_values.left_out(candidate.old_way) and not values.left_out(candidate.way) and version.policies:
            reason = reason or "git archive left it out for export-ignore"
        new_version = question.reader.version(candidate.file, candidate.name, question.comparison.new)
        new_reason = _reason(values, path, question.repository.read(candidate.file) or b"", new_version)
        if reason is not None and new_reason is None and (new_version.policies or new_version.problems):
            question.reader.distrust(question.comparison.old, old)
            note(f"{candidate.name} was another file before: {reason}. So everything in it counts as new")
            if not candidate.touched:
                question.comparison.changes.append(
                    Change(old._replace(path=candidate.name), candidate.file._replace(path=candidate.name))
                )


def _may_have_other_attributes(question: Question) -> bool:
    """Tell whether a file may have other attributes now: attributes changed, or it moved."""
    moved = (change.old and change.new and change.old.path != change.new.path for change in question.comparison.changes)
    return any(moved) or bool(_prefixes(question.comparison.changes))


def _reason(values: Values, path: str, data: bytes, version: FileVersion) -> str | None:
    """Says why the file on disk, or in an archive, is another; None if it is not."""
    policy = bool(version.policies or version.problems)
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


def _reason_of_omission(version: FileVersion) -> str | None:
    if not version.policies and not version.problems:
        return None
    return "git archive leaves this policy out for export-ignore, and did not before"


def _filters(values: Values, path: str) -> list[str]:
    """The names of filters; without a name the attribute has no effect."""
    return [value for value in values.of(path, "filter") if value != "set"]


def _spelling(data: bytes) -> bool:
    """Tell whether something in a file becomes other text in an archive that may spell a policy."""
    marked = b"$Format:" in data
    return marked and (
        sniff(data) or any(not _WORDLESS.fullmatch(format_text) for format_text in _FORMAT.findall(data))
    )


def _filter_note(paths: list[str]) -> str:
    ending = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return f"a filter in {FILE} rewrites {', '.join(paths[:_MOST_NAMED])}{ending}; the result is not checked"


def _mention_attributes(texts: Mapping[str, bytes]) -> bool:
    return any(text and _WORDS.search(text) for text in texts.values())


def _prefixes(changed: Iterable[Change]) -> tuple[str, ...]:
    """Return what the paths begin with that changed attributes are about, as names are alike on some systems."""
    paths = (folded(file.path) for change in changed for file in (change.old, change.new) if file)
    return tuple({path[: -len(FILE)] for path in paths if path.rpartition("/")[2] == FILE})


def _candidates(question: Question, all_files: bool) -> list[_Candidate]:
    """The files to ask for, under each of their names."""
    candidates: dict[str, _Candidate] = {}
    new_view, old_view = (question.sides.after, question.sides.before) if question.sides else (None, None)
    for change in question.comparison.changes:
        if change.new and question.reader.concerned(change.new.path):
            file = _target(question.sides, change.new)
            if file is not None and file.mode not in (LINK, SUBMODULE):
                name = change.new.path
                old_way = way_of(old_view, change.old.path) if change.old else ()
                candidates[name] = _Candidate(
                    file=file, name=name, touched=True, way=way_of(new_view, name), old_way=old_way
                )
    prefixes = ("",) if all_files else _prefixes(question.comparison.changes)
    for name, file in _files_by_name(question).items() if prefixes else ():
        if name in candidates or file.mode in (LINK, SUBMODULE) or not question.reader.concerned(name):
            continue
        way = way_of(new_view, name)
        if any(folded(path).startswith(prefixes) for path in way):
            candidates[name] = _Candidate(file=file, name=name, touched=False, way=way, old_way=way_of(old_view, name))
    return list(candidates.values())


def _files_by_name(question: Question) -> dict[str, File]:
    """Every file of the new side, under its own path and the names of links that lead to it."""
    if question.sides is None:
        return snapshot(question.repository, question.comparison.new)
    view = question.sides.after
    leading = ((link, view.tree.file(way)) for link, way in view.ways.items())
    return {**view.files, **view.behind, **{link: file for link, file in leading if file}}


def _target(sides: Sides | None, file: File) -> File | None:
    """The file itself of a name; of a link the file that it leads to."""
    if sides is None:
        return file
    if file.mode == LINK:
        return sides.after.files.get(sides.after.leads_to(file.path) or "")
    return file if file.path in sides.after.files else sides.after.behind.get(file.path, file)


def _texts(question: Question, ways: Iterable[Way]) -> dict[str, bytes]:
    """The attributes of the new side, by path: all of a commit, or those on disk that are about what is asked for."""
    if question.comparison.new.commit is not None:
        return texts_of(question.repository, question.comparison.new.commit)
    places = {f"{folder}{FILE}" for way in ways for path in way for folder in ("", *folders_above(path))}
    texts = {place: question.repository.read(File(place, 0o100644, None)) for place in places}
    return {place: text for place, text in texts.items() if text}


def _values_of_new(question: Question, ways: Iterable[Way], texts: Mapping[str, bytes]) -> Values:
    paths = [path for way in ways for path in way]
    if question.comparison.new.commit is not None:
        return values_in(question.repository, texts, paths)
    options = ("--cached",) if question.comparison.new.staged else ()
    return values_of([question.repository.attributes(NAMES, questions(paths), *options)])


def _old_values(question: Question, candidates: Iterable[_Candidate], parties: Iterable[Party]) -> Values:
    """The values in the base, for the paths that files had there."""
    ways = [
        *(candidate.old_way for candidate in candidates),
        *(way for party in parties for way in party.before.values()),
    ]
    paths = dict.fromkeys(path for way in ways for path in way)
    if not paths:
        return Values({})
    return values_in(question.repository, texts_of(question.repository, question.comparison.old.tree), paths)
