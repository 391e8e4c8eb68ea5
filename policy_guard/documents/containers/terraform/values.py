"""Values of Terraform as trees: texts with holes, lists and mappings, and what is known of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from policy_guard.documents.containers.holes import Parts, hole, joined, spelling, visible
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.hcl.syntax import (
    Literal,
)
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Origin, Scalar, Span, Stretch, origins_of
from policy_guard.solver.strings.pattern import HIDDEN

JSON = "!json"
"""The tag of a value that is given on as the JSON of it."""
SET = "!set"
"""The tag of a list of which nobody knows the order, and whether its texts are all different."""
SORTED_SET = "!sorted"
"""The tag of a list that is a set of which all is known: each item is its own key."""
_WHOLE = f"{HIDDEN}in JSON"
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*[1-9])?")


def literal(node: Literal) -> Scalar:
    """Return a literal as a text says it. Terraform writes 1.0 as 1: of such numbers nobody has to know that."""
    if node.kind == "number" and not _NUMBER.fullmatch(node.text):
        raise Opaque("write this number in its shortest form, or as a text", node.span)
    return Scalar(text="" if node.kind == "null" else node.text, span=node.span, kind=node.kind)


def surely_equal(left: Node, right: Node) -> bool | None:
    """Tell whether two values are equal; None if nobody knows, as for values of two types and texts beyond ASCII."""
    if not (isinstance(left, Scalar) and isinstance(right, Scalar) and is_known(left) and is_known(right)):
        return None
    if is_null(left) or is_null(right):
        return is_null(left) and is_null(right)
    if left.kind != right.kind or not (left.text + right.text).isascii():
        return None
    return left.text == right.text


def surely_differ(one: Parts, other: Parts) -> bool:
    """Tell whether two texts differ whatever stands in their holes: by what is known of their ends."""
    if all(isinstance(part, str) for part in (*one, *other)):
        return one != other
    starts, ends = ([_text_at(each, at) for each in (one, other)] for at in (0, -1))
    is_start = starts[0].startswith(starts[1]) or starts[1].startswith(starts[0])
    return not is_start or not (ends[0].endswith(ends[1]) or ends[1].endswith(ends[0]))


def _text_at(text: Parts, at: int) -> str:
    """The part at an end of a text; empty for a hole."""
    part = text[at] if text else ""
    return part if isinstance(part, str) else ""


def name_of(node: Node) -> str:
    """Equal for two values only if they are one."""
    if isinstance(node, Scalar):
        return json.dumps([node.kind == "null", [[*part] if isinstance(part, Hole) else part for part in parts(node)]])
    tag = node.tag or ""
    if isinstance(node, Array):
        return f"{tag}[{', '.join(map(name_of, node.items))}]"
    guards = "".join(f"{guard[:3]!r} " for guard in node.guards)
    return f"{guards}{tag}{{{', '.join(sorted(f'{name_of(key)}: {name_of(value)}' for key, value in node.entries))}}}"


def parts(node: Node) -> Parts:
    """The parts of a text."""
    if not isinstance(node, Scalar):
        return (hole("a list or a mapping", name_of(node)),)
    return node.parts if node.parts is not None else joined((node.text,))


def label_of(node: Node) -> str:
    """A value for people."""
    if isinstance(node, Scalar):
        text_parts = parts(node)
        return (
            visible(text_parts[0]) if len(text_parts) == 1 and isinstance(text_parts[0], Hole) else spelling(text_parts)
        )
    return "a list" if isinstance(node, Array) else "a mapping"


def is_known(node: Node) -> bool:
    """Tell whether a value has no hole."""
    if isinstance(node, Scalar):
        return not any(isinstance(part, Hole) for part in parts(node))
    children = node.items if isinstance(node, Array) else [part for entry in node.entries for part in entry]
    return all(map(is_known, children))


def is_null(node: Node) -> bool:
    """Tell whether a value is null."""
    return isinstance(node, Scalar) and node.kind == "null"


def text_of(text_parts: Parts, span: Span, written: Iterable[Stretch] = ()) -> Scalar:
    """The text with these parts."""
    return Scalar(text=spelling(text_parts), span=span, parts=joined(text_parts), written=tuple(written))


def text_in(stretches: Sequence[Stretch], span: Span) -> Scalar:
    """The text that these stretches make."""
    return text_of(tuple(stretch.part for stretch in stretches), span, stretches)


def stretches_of(node: Scalar) -> tuple[Stretch, ...]:
    """The stretches of a text; where they are not those of its parts, each part may come from all places."""
    text_parts = parts(node)
    if node.written and joined(stretch.part for stretch in node.written) == text_parts:
        return node.written
    return tuple(Stretch(part, node.span, False, origins_of(node)) for part in text_parts)


def unknown(words: str, span: Span, *deciding: object, is_list: bool = True) -> Scalar:
    """A value that nobody knows, and that everything in `deciding` decides."""
    return text_of((hole(words, *deciding)._replace(several=is_list),), span)


def single(node: Node) -> Node:
    """A value where one text has to stand."""
    if isinstance(node, Scalar) and node.kind != "null":
        text_parts = tuple(part._replace(several=False) if isinstance(part, Hole) else part for part in parts(node))
        return node._replace(kind="string", parts=text_parts)
    return node


def encoded_whole(node: Scalar) -> Parts | None:
    """The JSON of a value of which nothing is known, as a text marked as one that may be any value."""
    inner = parts(node)
    if len(inner) != 1 or not isinstance(inner[0], Hole):
        return None
    return ('"', as_any_value(inner[0]), '"')


def as_any_value(part: Hole) -> Hole:
    """The hole, marked as one that may be any value in JSON."""
    return Hole(f"{part.name.removesuffix(_WHOLE)}{_WHOLE}")


def as_whole(part: Hole) -> Hole:
    """The hole of a text in JSON; one that is marked may be a list."""
    name = part.name.removesuffix(_WHOLE)
    return part if name == part.name else Hole(name, several=True)


def place_at(node: Node, span: Span, name: str = "") -> Node:
    """The value as if it were written at a place, to which it comes by way of a name."""
    if isinstance(node, Scalar):
        return node._replace(span=span, written=tuple(_stretch_at(each, span, name) for each in node.written))
    if isinstance(node, Array):
        return Array(tuple(place_at(item, span, name) for item in node.items), span, node.tag)
    entries = tuple(Entry(key._replace(span=span), place_at(value, span, name)) for key, value in node.entries)
    return node._replace(entries=entries, span=span)


def _stretch_at(stretch: Stretch, span: Span, name: str) -> Stretch:
    origins = stretch.origins
    if name:
        origins = tuple([Origin(each.source, each.span, each.exact, (*each.way, name)) for each in origins])
    return Stretch(stretch.part, span, False, origins)


def without_sets(node: Node) -> Node:
    """The value with sets as the lists that JSON makes of them, in whatever order."""
    if isinstance(node, Array):
        tag = None if node.tag in (SET, SORTED_SET) else node.tag
        return node._replace(items=tuple(map(without_sets, node.items)), tag=tag)
    if isinstance(node, Object):
        return node._replace(entries=tuple(Entry(key, without_sets(value)) for key, value in node.entries))
    return node


def count_object(index: Node) -> Node:
    return Object((Entry(Scalar("index", index.span), index),), index.span)


def each_of(key: Node, value: Node) -> Node:
    return Object((Entry(Scalar("key", key.span), key), Entry(Scalar("value", key.span), value)), key.span)


def pairs_of(node: Node) -> list[tuple[Node, Node]] | None:
    """The keys and values of a collection, in Terraform's order; None if nobody knows them."""
    if isinstance(node, Array):
        if any(
            isinstance(item, Scalar) and any(isinstance(p, Hole) and p.several for p in parts(item))
            for item in node.items
        ):
            return None
        if node.tag in (SET, SORTED_SET):
            return [(item, item) for item in node.items]
        return [(Scalar(str(number), item.span, "number"), item) for number, item in enumerate(node.items)]
    if isinstance(node, Object):
        return [(entry.key, entry.value) for entry in sorted(node.entries, key=lambda entry: entry.key.text)]
    return None
