"""Edits of a text at places, and lists of JSON and YAML rewritten where they stand, as their neighbours are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from policy_guard.documents.source import Span
from policy_guard.records import NamedTuple

_DASH = re.compile(r"[ \t]*-[ \t]+")
_KEY = re.compile(r"(?P<indent>[ \t]*(?:-[ \t]+)*)(?P<quote>[\"']?)\w+(?P=quote)[ \t]*:[ \t]*")
_BLANKS = re.compile(r"[ \t]*")
_COMMENT = re.compile(r"[ \t]*(?:#[^\r\n]*)?")
_STEP = 2


class Edit(NamedTuple):
    """What is to stand in place of a span."""

    span: Span
    replacement: str


class Layout(Exception):
    """A text is laid out in a way that is not edited; the message is one plain sentence without a final stop."""


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made. Raises `Layout` if two of them overlap."""
    parts: list[str] = []
    at = 0
    for edit in sorted(set(edits)):
        if edit.span.start < at:
            raise Layout("what is to be changed overlaps with what is to be removed")
        parts += (text[at : edit.span.start], edit.replacement)
        at = edit.span.end
    return "".join((*parts, text[at:]))


def rewritten(text: str, items: Sequence[Span], news: Sequence[Sequence[str] | None]) -> Iterator[Edit]:
    """The edits of a list: for each item None to leave it, or the strings in its place; some item must be left.

    Items in block style of YAML take their lines with them, others their comma. Raises `Layout`.
    """
    if _in_block(text, items[0]):
        yield from _in_lines(text, items, news)
        return
    if not text[: items[0].start].rstrip().endswith("["):
        raise Layout("its list is not a plain list in the file")
    for at, (item, strings) in enumerate(zip(items, news, strict=True)):
        if strings:
            yield Edit(item, _gap(text, items, at).join(_quote(text, item, string) for string in strings))
    yield from _removals(text, items, [strings is not None and not strings for strings in news])


def as_list(text: str, mapping: Span, item: Span, strings: Sequence[str], step: int) -> Iterator[Edit]:
    """The edits that make a list, or another string where it is one, of the one string that a key of `mapping` has.

    `step` is how far dashes stand behind their key, in block style.
    """
    spellings = [_quote(text, item, each) for each in strings]
    line = text.rfind("\n", 0, item.start) + 1
    key = _KEY.fullmatch(text, line, item.start)
    if len(spellings) == 1:
        yield Edit(item, spellings[0])
    elif text[mapping.start] == "{":
        yield Edit(item, _bracket(text, mapping, item, key, spellings))
    elif key:
        indent = " " * (len(key["indent"]) + step)
        end = _end_of_line(text, item.end)
        yield Edit(Span(line + len(text[line : item.start].rstrip(" \t")), item.end), "")
        yield Edit(Span(end, end), "".join(f"{_newline(text, item.start)}{indent}- {each}" for each in spellings))
    else:
        raise Layout("its key does not stand on the same line")


def _bracket(text: str, mapping: Span, item: Span, key: re.Match[str] | None, spellings: list[str]) -> str:
    if key is None or "\n" not in text[mapping.start : item.start]:
        return f"[{', '.join(spellings)}]"
    indent, outer = key["indent"], _indent(text, mapping.start)
    step = indent.removeprefix(outer) if indent.startswith(outer) else ""
    line = f"{_newline(text, item.start)}{indent}"
    inner = f"{line}{step or ' ' * _STEP}"
    return f"[{inner}{f',{inner}'.join(spellings)}{line}]"


def _in_lines(text: str, items: Sequence[Span], news: Sequence[Sequence[str] | None]) -> Iterator[Edit]:
    for item, strings in zip(items, news, strict=True):
        if strings is None:
            continue
        line = text.rfind("\n", 0, item.start) + 1
        dash = text[line : item.start]
        if not _DASH.fullmatch(dash):
            raise Layout("several lists begin on its line")
        end = _end_of_line(text, item.end)
        if not strings:
            yield Edit(Span(_line_feed_before(text, line), end), "")
            continue
        yield Edit(item, _quote(text, item, strings[0]))
        added_lines = "".join(f"{_newline(text, item.start)}{dash}{_quote(text, item, each)}" for each in strings[1:])
        yield from [Edit(Span(end, end), added_lines)] if added_lines else []


def _line_feed_before(text: str, line: int) -> int:
    """Return where the line before ends: so that a last line that has no ending leaves none behind."""
    return line - (2 if text.startswith("\r\n", max(0, line - 2)) else 1)


def _end_of_line(text: str, at: int) -> int:
    """Return where the line ends; nothing but a comment may stand before that."""
    end = _COMMENT.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
    if text[end : end + 1] not in ("", "\n", "\r"):
        raise Layout("its line holds something else")
    return end


def _removals(text: str, items: Sequence[Span], removals: Sequence[bool]) -> Iterator[Edit]:
    """Removes items with one comma each, and with the lines that they leave empty."""
    for removed, run in groupby(range(len(items)), key=lambda at: removals[at]):
        numbers = list(run)
        first, last = numbers[0], numbers[-1]
        if not removed:
            continue
        if "#" in text[items[max(0, first - 1)].end : items[first].start] + text[items[last].end : _next(items, last)]:
            raise Layout("a comment stands beside it")
        ahead = last + 1 < len(items) and _begins_line(text, items[last + 1]) <= _begins_line(text, items[first])
        if first and not ahead:
            yield Edit(Span(items[first - 1].end, items[last].end), "")
        else:
            yield Edit(Span(items[first].start, items[last + 1].start), "")


def _next(items: Sequence[Span], at: int) -> int:
    return items[at + 1].start if at + 1 < len(items) else items[at].end


def _gap(text: str, items: Sequence[Span], at: int) -> str:
    """Return what stands between two items of the list."""
    gaps = [text[span.end : next_span.start] for span, next_span in pairwise(items)]
    plain_gaps = [gap for gap in (gaps[max(0, at - 1) :] + gaps) if not gap.replace(",", "", 1).strip()]
    if plain_gaps:
        return plain_gaps[0]
    if not _begins_line(text, items[at]):
        return ", "
    return f",{_newline(text, items[at].start)}{_indent(text, items[at].start)}"


def _in_block(text: str, item: Span) -> bool:
    return _DASH.fullmatch(text, text.rfind("\n", 0, item.start) + 1, item.start) is not None


def _quote(text: str, item: Span, string: str) -> str:
    """The string in the quotation marks of the item."""
    mark = text[item.start : item.start + 1]
    if mark == '"':
        return json.dumps(string)
    if mark == "'":
        return f"'{string}'"
    if not mark.isalnum() and mark != "*":
        raise Layout("it is not a plain string in the file")
    return string if string[0].isalnum() else json.dumps(string)


def _begins_line(text: str, item: Span) -> bool:
    return not text[text.rfind("\n", 0, item.start) + 1 : item.start].strip()


def _indent(text: str, at: int) -> str:
    return _BLANKS.match(text, text.rfind("\n", 0, at) + 1)[0]  # type: ignore[index]  # it matches nothing, too


def dash_step(text: str, mapping: Span) -> int:
    """Return how far dashes stand behind their key in the list around a mapping; 2 where there is none."""
    line = text.rfind("\n", 0, mapping.start) + 1
    dash = text[line : mapping.start]
    if not _DASH.fullmatch(dash):
        return _STEP
    column = len(dash) - len(dash.lstrip())
    while line:
        line = text.rfind("\n", 0, line - 1) + 1
        indent = len(_indent(text, line))
        if indent <= column and text[line + indent : line + indent + 1] not in ("", "-", "#", "\r", "\n"):
            return column - indent
    return _STEP


def _newline(text: str, at: int) -> str:
    """The line ending that is used around a place."""
    end = text.find("\n", at)
    end = end if end >= 0 else text.rfind("\n", 0, at)
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"
