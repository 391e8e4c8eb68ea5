"""The tree of a policy that a value is: given on as JSON, or written as JSON in a text with holes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.documents.containers.holes import HOLE, Filled
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.values import JSON, as_any_value, as_whole, stretches_of
from policy_guard.documents.containers.terraform.written import Locator, with_places
from policy_guard.documents.formats.json import scan
from policy_guard.documents.source import Hole, Node, Object, Problem, Scalar, Span, Stretch, Unreadable
from policy_guard.regex import regex

_ESCAPE_OR_QUOTE = regex(r'\\.|"')


def policy_of(value: Node, span: Span) -> Object:
    """The policy that a value is. Raises `Opaque` and `Unreadable`."""
    if isinstance(value, Object) and value.tag == JSON:
        return value._replace(tag=None)
    if not isinstance(value, Scalar) or value.kind == "null":
        raise Opaque("a policy as JSON is expected here", span)
    stretches = tuple(_quoted(stretches_of(value)))
    text = "".join(HOLE if isinstance(stretch.part, Hole) else stretch.part for stretch in stretches)
    holes = [as_whole(stretch.part) for stretch in stretches if isinstance(stretch.part, Hole)]
    if text.count(HOLE) != len(holes) or "\\ue000" in text.lower():
        raise Opaque("the text contains a private-use character; remove it", span)
    if not text.strip(f" \t\r\n{HOLE}"):
        raise Opaque("this is resolved later and is not a policy yet; write the policy here", span)
    locator = Locator(stretches, span)
    try:
        policy = Filled(text, holes, locator.span).tree(with_places(scan(text), locator))
    except Unreadable as error:
        problems = (Problem(f"the JSON in this text: {p.message}", locator.span(p.span)) for p in error.problems)
        raise Unreadable(*problems) from None
    if not isinstance(policy, Object):
        raise Opaque("a policy is a mapping with Version and Statement", span)
    return policy


def _quoted(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """The stretches of JSON with each hole that stands outside of texts as one, which may be any value."""
    is_inside = False
    for stretch in stretches:
        if isinstance(stretch.part, Hole) and not is_inside:
            quote = stretch._replace(part='"', exact=False)
            yield from (quote, stretch._replace(part=as_any_value(stretch.part)), quote)
        else:
            yield stretch
        if isinstance(stretch.part, str):
            is_inside ^= _ESCAPE_OR_QUOTE.findall(stretch.part).count('"') % 2 == 1
