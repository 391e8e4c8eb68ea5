"""Reads templates: what stands in quotation marks, in heredocs and in template files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from policy_guard.documents.hcl.cursor import Cursor
from policy_guard.documents.hcl.syntax import Chosen, Expression, Interpolation, Part, Repeated, Template, Text
from policy_guard.documents.source import Span
from policy_guard.records import NamedTuple

Reads: TypeAlias = "Callable[[Cursor], Expression]"
_HEREDOC = re.compile(r"<<(-?)([^\W\d](?:\w|-)*)\r?\n")
# What may stand beside the word that ends a heredoc. Source: Go, bytes.TrimSpace.
_BLANKS = " \t\v\f\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SPACE = "\n \t\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_STRAY_RETURN = re.compile(r"\r(?!\n)")
_QUOTED_RUN = re.compile(r'[^"\\$%\n\r]+')
_FREE_RUN = re.compile(r"[^$%\n]*\n?")
_UNICODE = re.compile(r"u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class _Mark(NamedTuple):
    """A directive of a template before its end is known."""

    word: str
    names: tuple[str | None, str]
    value: Expression | None
    span: Span
    trims: tuple[bool, bool]


_Piece: TypeAlias = "Text | Interpolation | _Mark"


def quoted(cursor: Cursor, read_value: Reads) -> Template:
    """The template in quotation marks that begins here."""
    start = cursor.at
    cursor.at += 1
    pieces: list[_Piece] = []
    while not cursor.sees('"'):
        if cursor.at >= len(cursor.text) or cursor.text[cursor.at] in "\r\n":
            cursor.fail("the string has no end in its line; close the quotation mark", start)
        pieces.append(_piece(cursor, read_value, _in_quotes))
    cursor.at += 1
    return _template(cursor, _strip_blanks(pieces, by_line=False), start)


def is_heredoc(cursor: Cursor) -> bool:
    """Tell whether a heredoc begins here."""
    return cursor.sees("<<") and _HEREDOC.match(cursor.text, cursor.at) is not None


def heredoc(cursor: Cursor, read_value: Reads) -> Template:
    """The heredoc that begins here."""
    start = cursor.at
    head = cursor.match(_HEREDOC)
    assert head is not None
    close = re.compile(rf"[{_BLANKS}]*{re.escape(head[2])}[{_BLANKS}]*(?=\n)")
    pieces: list[_Piece] = []
    begins = True
    while not (begins and close.match(cursor.text, cursor.at)):
        if cursor.at >= len(cursor.text):
            cursor.fail(f"the heredoc has no end; write {head[2]} in a line of its own", start)
        pieces.append(_piece(cursor, read_value, _literal_text))
        if isinstance(pieces[-1], Text) and _STRAY_RETURN.search(pieces[-1].value):
            cursor.fail("a carriage return stands alone before this; remove it")
        begins = isinstance(pieces[-1], Text) and pieces[-1].value.endswith("\n")
    cursor.match(close)
    stripped = _strip_blanks(pieces, by_line=True)
    return _template(cursor, _flush(stripped) if head[1] else stripped, start)


def template_of(text: str, read_value: Reads) -> Template:
    """The template that a text is."""
    cursor = Cursor(text)
    cursor.skip_byte_order_mark()
    pieces: list[_Piece] = []
    while cursor.at < len(text):
        pieces.append(_piece(cursor, read_value, _literal_text))
    return _template(cursor, _strip_blanks(pieces, by_line=True), 0)


def _template(cursor: Cursor, pieces: list[_Piece], start: int) -> Template:
    parts = _Tree(cursor, pieces).all()
    template = Template(parts, Span(start, cursor.at))
    return cursor.build(template, *parts)


def _piece(cursor: Cursor, read_value: Reads, literal: Callable[[Cursor], Text]) -> _Piece:
    sign = cursor.text[cursor.at]
    if sign in "$%" and cursor.text.startswith("{", cursor.at + 1):
        return _interpolation(cursor, read_value) if sign == "$" else _directive(cursor, read_value)
    if sign in "$%":
        start = cursor.at
        escaped = cursor.sees(f"{sign}{sign}{{")
        cursor.at += 3 if escaped else 1
        return Text(f"{sign}{{" if escaped else sign, Span(start, cursor.at))
    return literal(cursor)


def _in_quotes(cursor: Cursor) -> Text:
    start = cursor.at
    if run := cursor.match(_QUOTED_RUN):
        return Text(run[0], Span(start, cursor.at))
    sign = cursor.text[start + 1 : start + 2]
    if sign in _ESCAPES:
        cursor.at += 2
        return Text(_ESCAPES[sign], Span(start, cursor.at))
    cursor.at += 1
    match = cursor.match(_UNICODE)
    number = int(match[0][1:], 16) if match else None
    if number is None or number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        cursor.fail("there is no such escape; write two backslashes for one", start)
    return Text(chr(number), Span(start, cursor.at))


def _literal_text(cursor: Cursor) -> Text:
    start = cursor.at
    run = cursor.match(_FREE_RUN)
    assert run is not None
    return Text(run[0], Span(start, cursor.at))


def _open(cursor: Cursor) -> bool:
    cursor.at += 2
    cursor.lines = False
    if cursor.sees("~"):
        cursor.at += 1
        return True
    return False


def _close(cursor: Cursor) -> bool:
    """Goes past the end; tells whether it trims, by a mark that has to stand right before the brace."""
    if cursor.takes("~}"):
        return True
    cursor.needs("}")
    return False


def _interpolation(cursor: Cursor, read_value: Reads) -> Interpolation:
    start, lines = cursor.at, cursor.lines
    left = _open(cursor)
    value = read_value(cursor)
    right = _close(cursor)
    cursor.lines = lines
    return cursor.build(Interpolation(value, Span(start, cursor.at), (left, right)), value)


def _directive(cursor: Cursor, read_value: Reads) -> _Mark:
    start, lines = cursor.at, cursor.lines
    left = _open(cursor)
    cursor.skip()
    word = cursor.name()
    names: tuple[str | None, str] = (None, "")
    value: Expression | None = None
    if word == "if":
        value = read_value(cursor)
    elif word == "for":
        names, value = for_head(cursor, read_value)
    elif word not in ("else", "endif", "endfor"):
        cursor.fail("only if, else, endif, for and endfor stand after %{", start)
    right = _close(cursor)
    cursor.lines = lines
    return _Mark(word=word, names=names, value=value, span=Span(start, cursor.at), trims=(left, right))


def for_head(cursor: Cursor, read_value: Reads) -> tuple[tuple[str | None, str], Expression]:
    """The names and the collection after the word `for`."""
    cursor.skip()
    first, second = cursor.name(), None
    if cursor.takes(","):
        cursor.skip()
        second = cursor.name()
    cursor.skip()
    if not first or second == "" or cursor.name() != "in":
        cursor.fail('after "for" stand one or two names and "in"')
    return ((first, second) if second else (None, first)), read_value(cursor)


# --- directives as trees


class _Tree:
    """Makes a tree of the pieces of a template."""

    def __init__(self, cursor: Cursor, pieces: Sequence[_Piece]) -> None:
        self._cursor = cursor
        self._pieces = pieces
        self._at = 0

    def all(self) -> tuple[Part, ...]:
        return self._parts_until(())

    def _parts_until(self, stops: tuple[str, ...]) -> tuple[Part, ...]:
        parts: list[Part] = []
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            if isinstance(piece, _Mark):
                if piece.word in stops:
                    return _without_empty(parts)
                self._at += 1
                parts.append(self._directive(piece))
            else:
                self._at += 1
                parts.append(piece)
        if stops:
            self._cursor.fail(f"the template lacks %{{ {stops[-1]} }}")
        return _without_empty(parts)

    def _directive(self, mark: _Mark) -> Part:
        if mark.value is None:
            self._cursor.fail(f"%{{ {mark.word} }} stands without a beginning", mark.span.start)
        self._cursor.deeper()
        end = "endif" if mark.word == "if" else "endfor"
        body = self._parts_until(("else", "endif") if mark.word == "if" else ("endfor",))
        if_false: tuple[Part, ...] = ()
        if self._next().word == "else":
            self._at += 1
            if_false = self._parts_until((end,))
        span = Span(mark.span.start, self._next().span.end)
        self._at += 1
        self._cursor.higher()
        children = (mark.value, *body, *if_false)
        if mark.word == "if":
            return self._cursor.build(Chosen(mark.value, body, if_false, span), *children)
        return self._cursor.build(Repeated(mark.names, mark.value, body, span), *children)

    def _next(self) -> _Mark:
        piece = self._pieces[self._at]
        assert isinstance(piece, _Mark)
        return piece


def _without_empty(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts as they are, but without empty texts."""
    return tuple(part for part in parts if not (isinstance(part, Text) and not part.value))


# --- blanks that are taken away


def _strip_blanks(pieces: list[_Piece], by_line: bool) -> list[_Piece]:
    """The pieces after tildes took the blanks beside them: all, or those of the line with its break.

    Source: hashicorp/hcl, hclsyntax, parseTemplateParts: one token at most, which ends with a line outside of quotes.
    """
    if not any(not isinstance(piece, Text) and any(piece.trims) for piece in pieces):
        return pieces
    stripped = list(pieces)
    for number, piece in enumerate(pieces):
        if isinstance(piece, Text):
            continue
        if piece.trims[0]:
            _strip(stripped, range(number - 1, -1, -1), left=False, by_line=by_line)
        if piece.trims[1]:
            _strip(stripped, range(number + 1, len(stripped)), left=True, by_line=by_line)
    return stripped


def _strip(pieces: list[_Piece], places: Sequence[int], left: bool, by_line: bool) -> None:
    for place in places:
        piece = pieces[place]
        ends_line = by_line and isinstance(piece, Text) and piece.value.endswith("\n")
        if not isinstance(piece, Text) or (ends_line and not left and place != places[0]):
            return
        value = piece.value.lstrip(_SPACE) if left else piece.value.rstrip(_SPACE)
        pieces[place] = replace(piece, value=value)
        if value or (ends_line and left):
            return


def _flush(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces of a `<<-` heredoc without the least indentation of any line.

    Source: hashicorp/hcl, hclsyntax, flushHeredocTemplateParts.
    """
    indents: dict[int, int] = {}
    begins, indent = True, 1 << 30
    for number, piece in enumerate(pieces):
        if begins and isinstance(piece, Text):
            body = piece.value.lstrip(_SPACE)
            if body or not piece.value.endswith("\n"):
                indents[number] = len(piece.value) - len(body)
        elif begins:
            indent = 0
        begins = isinstance(piece, Text) and piece.value.endswith("\n")
    indent = min([indent, *indents.values()])
    return [_without_indent(piece, indent) if number in indents else piece for number, piece in enumerate(pieces)]


def _without_indent(piece: _Piece, count: int) -> Text:
    assert isinstance(piece, Text)
    return replace(piece, value=piece.value[count:], span=Span(piece.span.start + count, piece.span.end))
