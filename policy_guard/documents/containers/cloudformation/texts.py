"""A policy written as JSON in a text, which functions may put together: read as JSON, with every place in the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.evaluate import PLACE, Evaluator
from policy_guard.documents.containers.cloudformation.parts import NoValue, literal, parts_of, with_marks
from policy_guard.documents.containers.holes import HOLE, Filled, spelling
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.embedded import Places, places_in
from policy_guard.documents.formats.json import scan
from policy_guard.documents.source import Array, Hole, Node, Problem, Scalar, Source, Span, Unreadable
from policy_guard.records import NamedTuple


class _Piece(NamedTuple):
    """A stretch of the text; `at` is where it begins in the string `scalar`, if it stands in one.

    If it is `filled` in, all of it comes from there.
    """

    part: str | Hole
    scalar: Scalar | None = None
    at: int = 0
    filled: bool = False


def is_text(node: Node) -> bool:
    """Tell whether a text stands there, or a function that makes one."""
    function_call = call(node)
    return function_call.name in ("Fn::Sub", "Fn::Join") if function_call else isinstance(node, Scalar)


def json_in(evaluator: Evaluator, node: Node) -> Node:
    """The tree of the JSON in a text. Any other text is given back. Raises `Opaque` and `Unreadable`."""
    pieces = list(_pieces(evaluator, node))
    text = "".join(HOLE if isinstance(piece.part, Hole) else piece.part for piece in pieces)
    holes = [piece.part for piece in pieces if isinstance(piece.part, Hole)]
    if not text.lstrip().startswith(("{", "[")):
        return literal(Scalar(spelling(piece.part for piece in pieces), node.span, parts=tuple(p.part for p in pieces)))
    if text.count(HOLE) != len(holes) or "\\ue000" in text.lower():
        raise Opaque("the text contains a private-use character; remove it", node.span)
    if any(hole.several for hole in holes):
        raise Opaque("a list is part of the text of a policy", node.span)
    locator = _Locator(pieces, evaluator.template.source, node.span)
    try:
        return Filled(text, holes, locator.span, with_marks).tree(scan(text))
    except Unreadable as error:
        problems = (Problem(f"the JSON in this text: {p.message}", locator.span(p.span)) for p in error.problems)
        raise Unreadable(*problems) from None


def _pieces(evaluator: Evaluator, node: Node) -> Iterator[_Piece]:
    function_call = call(node)
    if function_call is None and isinstance(node, Scalar) and node.parts is None:
        yield _Piece(node.text, node)
    elif function_call is not None and function_call.name == "Fn::Sub":
        yield from _under_sub(evaluator, function_call.argument, node)
    elif function_call is not None and function_call.name == "Fn::Join":
        yield from _in_list(evaluator, function_call.argument, node)
    else:
        value = evaluator.value(node)
        if isinstance(value, NoValue):
            return
        if not isinstance(value, Scalar):
            raise Opaque("a string is expected here, and this is a list or a mapping", node.span)
        yield from map(_Piece, parts_of(value))


def _under_sub(evaluator: Evaluator, argument: Node, node: Node) -> Iterator[_Piece]:
    text, substitutions = argument, {}
    if isinstance(argument, Array) and len(argument.items) in (1, 2):
        text, *mappings = argument.items
        substitutions = evaluator.substitutions(mappings[0]) if mappings else {}
    if not isinstance(text, Scalar) or text.tag is not None:
        raise Opaque("Fn::Sub takes a string, or a list of a string and a mapping", node.span)
    position = 0
    for place in PLACE.finditer(text.text):
        yield _Piece(text.text[position : place.start()], text, position)
        parts, _ = evaluator.substituted(place[0], substitutions, node.span)
        yield from (_Piece(part, text, place.start(), True) for part in parts)
        position = place.end()
    yield _Piece(text.text[position:], text, position)


def _in_list(evaluator: Evaluator, argument: Node, node: Node) -> Iterator[_Piece]:
    items = argument.items if isinstance(argument, Array) and argument.tag is None else ()
    if len(items) != 2 or not isinstance(items[1], Array) or items[1].tag is not None:
        value = evaluator.text(node)
        yield from map(_Piece, parts_of(value))
        return
    separator = parts_of(evaluator.text(items[0]))
    for number, item in enumerate(items[1].items):
        if number:
            yield from map(_Piece, separator)
        yield from _pieces(evaluator, item)


class _Locator:
    """Finds in the file what stands at an offset of the text."""

    def __init__(self, pieces: Iterable[_Piece], source: Source, full_span: Span) -> None:
        self._pieces = [piece for piece in pieces if piece.part != ""]
        lengths = (1 if isinstance(piece.part, Hole) else len(piece.part) for piece in self._pieces)
        self._starts = [0, *accumulate(lengths)]
        self._source = source
        self._full_span = full_span
        self._places: dict[Span, Places] = {}

    def span(self, inner: Span) -> Span:
        """Return where a stretch of the text is written."""
        first, last = self._character(inner.start), self._character(max(inner.end - 1, inner.start))
        return Span(first.start, last.end) if first.start < last.end else first

    def _character(self, at: int) -> Span:
        number = min(bisect_right(self._starts, at), len(self._pieces)) - 1
        piece = self._pieces[number] if number >= 0 else _Piece("")
        if piece.scalar is None:
            return self._full_span
        if piece.scalar.span not in self._places:
            self._places[piece.scalar.span] = places_in(piece.scalar, self._source)
        offset = piece.at + (0 if piece.filled else at - self._starts[number])
        return self._places[piece.scalar.span].span(Span(offset, offset + 1))
