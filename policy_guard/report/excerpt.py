"""The lines of a source around a span, with the span underlined, as they look in a terminal."""

from __future__ import annotations

from typing import NamedTuple

from policy_guard.documents.printable import ELLIPSIS, TAB, cells, visible
from policy_guard.documents.source import Source, Span

CONTEXT = 2


class Line(NamedTuple):
    """One line to show; `number` is None for the underline, whose `text` begins with the blanks before it."""

    number: int | None
    text: str


def excerpt(source: Source, span: Span, width: int) -> tuple[Line, ...]:
    """Up to two lines of context, the first line of `span`, and the underline; nothing where there is no text.

    Each text is at most `width` columns wide: long lines are cut around the span.
    """
    if not source.text or source.text.isspace():
        return ()
    start = min(span.start, len(source.text))
    number, column = source.position(start)
    first = max(1, number - CONTEXT)
    before = tuple(Line(at, _cut(source.line(at), width)) for at in range(first, number))
    shown, mark = _marked(source.line(number), column - 1, column - 1 + max(span.end - start, 1), width)
    return (*before, Line(number, shown), Line(None, mark))


def _cut(line: str, width: int) -> str:
    return _fitted(_drawn(line[: 2 * width + 1]), width)


def _marked(line: str, start: int, end: int, width: int) -> tuple[str, str]:
    """The line and its underline, shifted so that the marked characters are in sight."""
    start = min(start, len(line))
    end = max(min(end, len(line)), start)
    left = _first_shown(line, start, end, width)
    shown = _drawn(line[left : left + 2 * width + 1])
    lead = ELLIPSIS if left else ""
    before = cells(lead) + cells("".join(shown[: start - left]))
    marked = cells("".join(shown[start - left : end - left]))
    drawn = lead + _fitted(shown, width - len(lead))
    return drawn, " " * before + "^" * max(1, min(marked, width - before))


def _first_shown(line: str, start: int, end: int, width: int) -> int:
    """0 where the marked characters are in sight from the line's beginning, else a place shortly before them."""
    if cells("".join(_drawn(line[: min(end, 2 * width)]))) < width and end <= 2 * width:
        return 0
    left = max(0, start - width // 3)
    while left < start and cells("".join(_drawn(line[left:start]))) > width // 2:
        left += 1
    return left


def _drawn(text: str) -> list[str]:
    """Each character of `text` as it is shown; a tab ends at the next tab stop."""
    drawn: list[str] = []
    column = 0
    for character in text:
        shown = " " * (TAB - column % TAB) if character == "\t" else visible(character)
        column += cells(shown)
        drawn.append(shown)
    return drawn


def _fitted(drawn: list[str], width: int) -> str:
    whole = "".join(drawn)
    if cells(whole) <= width:
        return whole
    kept, column = [], 1
    for shown in drawn:
        column += cells(shown)
        if column > width:
            break
        kept.append(shown)
    return "".join(kept) + ELLIPSIS
