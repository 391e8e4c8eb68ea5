"""The lines of a source around a span, with the span underlined, as they look in a terminal."""

from __future__ import annotations

from policy_guard.documents.printable import ELLIPSIS, TAB, cells, visible
from policy_guard.documents.source import Source, Span
from policy_guard.records import NamedTuple

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
    context = tuple(Line(at, _cut(source.line(at), width)) for at in range(first, number))
    text, mark = _mark(source.line(number), column - 1, column - 1 + max(span.end - start, 1), width)
    return (*context, Line(number, text), Line(None, mark))


def _cut(line: str, width: int) -> str:
    return _fit(_draw(line[: 2 * width + 1]), width)


def _mark(line: str, start: int, end: int, width: int) -> tuple[str, str]:
    """The line and its underline, shifted so that the marked characters are in sight."""
    start = min(start, len(line))
    end = max(min(end, len(line)), start)
    offset = _first_column(line, start, end, width)
    characters = _draw(line[offset : offset + 2 * width + 1])
    lead = ELLIPSIS if offset else ""
    indent = cells(lead) + cells("".join(characters[: start - offset]))
    marked_width = cells("".join(characters[start - offset : end - offset]))
    drawn = lead + _fit(characters, width - len(lead))
    return drawn, " " * indent + "^" * max(1, min(marked_width, width - indent))


def _first_column(line: str, start: int, end: int, width: int) -> int:
    """0 where the marked characters are in sight from the line's beginning, else a place shortly before them."""
    if cells("".join(_draw(line[: min(end, 2 * width)]))) < width and end <= 2 * width:
        return 0
    offset = max(0, start - width // 3)
    while offset < start and cells("".join(_draw(line[offset:start]))) > width // 2:
        offset += 1
    return offset


def _draw(text: str) -> list[str]:
    """Each character of `text` as it is shown; a tab ends at the next tab stop."""
    drawn: list[str] = []
    column = 0
    for character in text:
        glyph = " " * (TAB - column % TAB) if character == "\t" else visible(character)
        column += cells(glyph)
        drawn.append(glyph)
    return drawn


def _fit(drawn: list[str], width: int) -> str:
    full_text = "".join(drawn)
    if cells(full_text) <= width:
        return full_text
    head, column = [], 1
    for glyph in drawn:
        column += cells(glyph)
        if column > width:
            break
        head.append(glyph)
    return "".join(head) + ELLIPSIS
