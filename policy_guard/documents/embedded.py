"""JSON text inside a string of another file: read as JSON, every place found again in the outer file."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise

from policy_guard.documents.formats.json import scan
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, Span, Unreadable
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

# Following a spelling takes far more memory than the text; AWS's largest policies have some tens of thousands of
# characters (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
_MAX_FOLLOWED = 250_000
_PROPERTIES = regex(r"(?:[!&]\S*\s+)*")
_BLANKS = regex(r"\s*")
_ESCAPED = r"\\[nrtvfNLP_ \t]|\\\r?\n|\\[\r\x85\u2028\u2029]"
_ESCAPE = r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\x..|\\u.{4}|\\U.{8}|\\."
# Blanks are matched run by run: YAML folds line breaks and strips indentation, so their numbers differ.
_DOUBLE = regex(rf"(?P<blank>(?:\s|{_ESCAPED})+)|(?P<escape>{_ESCAPE})|(?P<same>[^\s\\]+)")
_SINGLE = regex(r"(?P<blank>\s+)|(?P<escape>'')|(?P<same>[^\s']+)")
_BARE = regex(r"(?P<blank>\s+)|(?P<same>\S+)")


class _Piece(NamedTuple):
    """A stretch of the text that a string stands for, and where it is written."""

    at: int
    written_span: Span
    is_verbatim: bool


def read_text(scalar: Scalar, source: Source) -> Node:
    """The JSON value in `scalar`, a string of `source`; raises Unreadable. All spans are places in `source`.

    Where the spelling of the string cannot be followed, or is very long, every value has the place of the whole string.
    """
    places = places_in(scalar, source)
    try:
        return _relocate(scan(scalar.text), places)
    except Unreadable as error:
        problems = (Problem(f"the JSON text in this string: {p.message}", places.span(p.span)) for p in error.problems)
        raise Unreadable(*problems) from None


def places_in(scalar: Scalar, source: Source) -> Places:
    """Return where the characters of a string of `source` are written."""
    return Places(_pieces(scalar, source), scalar.span)


class Places:
    """Finds in the outer file what stands at an offset of the inner text."""

    def __init__(self, pieces: tuple[_Piece, ...], full_span: Span) -> None:
        self.pieces = pieces
        self.full_span = full_span
        self.starts = [piece.at for piece in pieces]

    def span(self, inner: Span) -> Span:
        if not self.pieces:
            return self.full_span
        return Span(self.character(inner.start).start, self.character(max(inner.end - 1, inner.start)).end)

    def character(self, at: int) -> Span:
        piece = self.pieces[bisect_right(self.starts, at) - 1]
        if not piece.is_verbatim:
            return piece.written_span
        start = min(piece.written_span.start + at - piece.at, piece.written_span.end)
        return Span(start, start + 1)


def _pieces(scalar: Scalar, source: Source) -> tuple[_Piece, ...]:
    """The stretches of a string in their order; none where the spelling cannot be followed to the end."""
    if len(scalar.text) > _MAX_FOLLOWED:
        return ()
    body, spelling = _body(scalar, source.text)
    pieces: list[_Piece] = []
    at = 0
    for match in spelling.finditer(source.text, *body):
        length = _length(match, scalar.text, at)
        if length is None:
            return ()
        if length:
            pieces.append(_Piece(at, Span(*match.span()), match.lastgroup == "same"))
        at += length
    complete = not scalar.text[at:].strip() and all(
        a.written_span.end <= b.written_span.start for a, b in pairwise(pieces)
    )
    return tuple(pieces) if complete else ()


def _length(match: re.Match[str], text: str, at: int) -> int | None:
    """Return how many characters of `text` at `at` are written as `match`; None where something else stands there."""
    if match.lastgroup == "blank":
        return len(_BLANKS.match(text, at)[0])  # type: ignore[index]  # it matches nothing, too
    if match.lastgroup == "escape":
        return 1 if at < len(text) else None
    return len(match[0]) if text.startswith(match[0], at) else None


def _body(scalar: Scalar, text: str) -> tuple[Span, re.Pattern[str]]:
    """Return where the content of a string is written, without quotation marks or block header, and how."""
    start = _PROPERTIES.match(text, *scalar.span).end()  # type: ignore[union-attr]  # it matches nothing, too
    end = scalar.span.end
    match text[start : start + 1]:
        case '"':
            return Span(start + 1, end - 1), _DOUBLE
        case "'":
            return Span(start + 1, end - 1), _SINGLE
        case "|" | ">":
            return Span(text.find("\n", start, end) + 1 or end, end), _BARE
        case _:
            return Span(start, end), _BARE


def _relocate(node: Node, places: Places) -> Node:
    span = places.span(node.span)
    match node:
        case Scalar():
            return node._replace(span=span)
        case Array():
            return Array(tuple(_relocate(item, places) for item in node.items), span)
        case Object():
            return Object(tuple(_relocate_entry(entry, places) for entry in node.entries), span)


def _relocate_entry(entry: Entry, places: Places) -> Entry:
    return Entry(entry.key._replace(span=places.span(entry.key.span)), _relocate(entry.value, places))
