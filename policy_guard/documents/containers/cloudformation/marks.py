"""Marks of template engines in a template: what decides which resources there are is known by its text and its place.

A mark with a name alone fills in a text, which is a hole where it stands. Any other is a program: it may leave out
resources, set what other marks stand for, or write more of the template. An engine runs over comments as well.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

from policy_guard.documents.containers.cloudformation.template import Template
from policy_guard.documents.format import may_grant
from policy_guard.documents.formats.snapshots import SUFFIXES as SNAPSHOTS
from policy_guard.documents.source import Problem, Span
from policy_guard.regex import regex

_ENGINES = (".j2", ".jinja", ".jinja2", ".erb", ".tmpl", ".tpl", ".gotmpl", ".mustache", ".hbs", ".njk", ".liquid")
_OPENING = regex(r"\{\{|\{%|<%")
_COMMENT = regex(r"(?:^|(?<=[ \t]))#")
_CLOSING = {"{{": "}}", "{%": "%}", "<%": "%>"}
_NAME_ALONE = regex(r"\{\{(?:resolve:[^{}]*|[-~]?[ ]*\.?\w[\w.]*(?:[ ]?\|[ ]?\w+)*[ ]*[-~]?)\}\}")
_WORDS = "this mark decides what else the template says; judge what comes of it, or have the change reviewed"
_GONE = "a mark of a template engine is gone or stands elsewhere; judge what comes of the template, or have it reviewed"


def changed_marks(old: Template | None, new: Template) -> Iterator[Problem]:
    """Return what is wrong with the marks of a new version that the old one does not have at the same place."""
    old_marks = Counter(key for key, _ in _marks(old)) if old is not None else Counter[tuple[str, str]]()
    new_marks = list(_marks(new))
    missing_marks = old_marks - Counter(key for key, _ in new_marks)
    for key, span in new_marks:
        if old_marks[key]:
            old_marks[key] -= 1
        else:
            yield Problem(_WORDS, span)
    if missing_marks:
        yield Problem(_GONE, Span(new.root.span.start, new.root.span.start + 1))


def _marks(template: Template) -> Iterator[tuple[tuple[str, str], Span]]:
    """The marks that are programs and may grant, each with the resource that it follows."""
    text = template.source.text
    if template.source.path.lower().endswith(SNAPSHOTS):
        return
    grants = may_grant(text.encode("utf-8", "replace")) or "Effect" in text
    is_engine = template.source.path.lower().endswith(_ENGINES)
    spans = sorted((scalar.span.start, name) for name, scalar in template.spans.items())
    starts = [start for start, _ in spans]
    comments = _comments(text)
    for span in _mark_spans(text):
        mark = text[slice(*span)]
        if _NAME_ALONE.fullmatch(mark) or not (is_engine or _is_in_comment(comments, span.start)):
            continue
        is_output = not mark.startswith("{%") and ('"' in mark or "'" in mark)
        if not (grants or is_output):
            continue
        before = bisect_right(starts, span.start)
        yield (mark, spans[before - 1][1] if before else ""), span


def _mark_spans(text: str) -> Iterator[Span]:
    """The places of all marks; one that is not closed goes to the end."""
    position = 0
    while opening := _OPENING.search(text, position):
        closing = text.find(_CLOSING[opening[0]], opening.end())
        position = closing + 2 if closing >= 0 else len(text)
        yield Span(opening.start(), position)


def _comments(text: str) -> list[tuple[int, int]]:
    """Return where each line begins, and where its comment does: at its end if it has none."""
    comments: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        comment = _COMMENT.search(line)
        comments.append((start, start + (comment.start() if comment else len(line))))
        start += len(line) + 1
    return comments


def _is_in_comment(comments: list[tuple[int, int]], position: int) -> bool:
    return position > comments[bisect_right(comments, (position, position)) - 1][1]
