"""The tree of a policy that a value is: given on as JSON, or written as JSON in a text with holes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from policy_guard.documents.containers.holes import HOLE, Filled
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.values import JSON, parts
from policy_guard.documents.formats.json import scan
from policy_guard.documents.hcl.syntax import Template, Text
from policy_guard.documents.source import Hole, Node, Object, Problem, Scalar, Source, Span, Unreadable


class Piece(NamedTuple):
    """A stretch of a text, and where it is written; `exact` if it is written as it is."""

    part: str | Hole
    span: Span
    exact: bool


def pieces_of(evaluator: Evaluator, template: Template) -> list[Piece]:
    """The pieces of a template, each with its place."""
    pieces: list[Piece] = []
    for part in template.parts:
        for text_part in evaluator.part(part):
            exact = isinstance(part, Text) and evaluator.source.text[slice(*part.span)] == text_part
            pieces.append(Piece(text_part, part.span, exact))
    return pieces


def policy_of(source: Source, value: Node, pieces: Sequence[Piece] | None, span: Span) -> Object:
    """The policy that a value is. Raises `Opaque` and `Unreadable`."""
    if isinstance(value, Object) and value.tag == JSON:
        return value._replace(tag=None)
    if not isinstance(value, Scalar) or value.kind == "null":
        raise Opaque("a policy as JSON is expected here", span)
    if pieces is None:
        pieces = [Piece(part, span, False) for part in parts(value)]
    text = "".join(HOLE if isinstance(piece.part, Hole) else piece.part for piece in pieces)
    holes = [piece.part for piece in pieces if isinstance(piece.part, Hole)]
    if text.count(HOLE) != len(holes) or "\\ue000" in text.lower():
        raise Opaque("the text contains a private-use character; remove it", span)
    if not text.strip(f" \t\r\n{HOLE}"):
        raise Opaque("this is resolved later and is not a policy yet; write the policy here", span)
    locator = _Locator(pieces, span)
    try:
        policy = Filled(text, holes, locator.span).tree(scan(text))
    except Unreadable as error:
        problems = (Problem(f"the JSON in this text: {p.message}", locator.span(p.span)) for p in error.problems)
        raise Unreadable(*problems) from None
    if not isinstance(policy, Object):
        raise Opaque("a policy is a mapping with Version and Statement", span)
    return policy


class _Locator:
    """Finds in the file what stands at an offset of the text."""

    def __init__(self, pieces: Sequence[Piece], full_span: Span) -> None:
        self._pieces = [piece for piece in pieces if piece.part != ""]
        lengths = (1 if isinstance(piece.part, Hole) else len(piece.part) for piece in self._pieces)
        self._starts = [0, *accumulate(lengths)]
        self._full_span = full_span

    def span(self, inner: Span) -> Span:
        """Return where a stretch of the text is written."""
        first, last = self._character(inner.start), self._character(max(inner.end - 1, inner.start))
        return Span(first.start, last.end) if first.start < last.end else first

    def _character(self, at: int) -> Span:
        number = min(bisect_right(self._starts, at), len(self._pieces)) - 1
        if number < 0:
            return self._full_span
        piece = self._pieces[number]
        if not piece.exact:
            return piece.span
        start = piece.span.start + at - self._starts[number]
        return Span(start, start + 1)
