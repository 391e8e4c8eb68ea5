"""Functions of Terraform that are worked out where all of their arguments are known; else nobody knows the result.

Source: Terraform, "Functions". What depends on how letters of other alphabets change case is left unknown.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from posixpath import basename, dirname

from policy_guard.documents.containers.terraform.conversions import of_one_type
from policy_guard.documents.containers.terraform.decoding import csv_value, yaml_value
from policy_guard.documents.containers.terraform.file_patterns import IN_REPOSITORY
from policy_guard.documents.containers.terraform.numbers import OF_NUMBERS, whole
from policy_guard.documents.containers.terraform.values import (
    SORTED_SET,
    is_known,
    is_null,
    label_of,
    name_of,
    pairs_of,
    place_at,
    stretches_of,
)
from policy_guard.documents.containers.terraform.written import Locator, with_places
from policy_guard.documents.encoded import decoded
from policy_guard.documents.formats.json import scan
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span, Unreadable

_LONGEST = 200_000
_BREAKS = re.compile(r"(?:\r?\n)+\Z")


def _text_function(change: Callable[..., str | None], count: int) -> Callable[[Sequence[Node], Span], Node | None]:
    """A function of as many known texts that gives a text."""

    def run(arguments: Sequence[Node], span: Span) -> Node | None:
        texts = _texts(arguments)
        result = change(*texts) if texts is not None and len(texts) == count else None
        return None if result is None or len(result) > _LONGEST else Scalar(result, span, parts=(result,))

    return run


def _predicate(ask: Callable[..., bool], count: int) -> Callable[[Sequence[Node], Span], Node | None]:
    """A function of as many known texts that says yes or no."""

    def run(arguments: Sequence[Node], span: Span) -> Node | None:
        texts = _texts(arguments)
        return _truth(ask(*texts), span) if texts is not None and len(texts) == count else None

    return run


def _texts(arguments: Sequence[Node]) -> list[str] | None:
    """The texts of arguments; None if one of them is unknown, null, no text, or a path that begins elsewhere."""
    plain = all(isinstance(argument, Scalar) and is_known(argument) and not is_null(argument) for argument in arguments)
    texts = [label_of(argument) for argument in arguments] if plain else []
    return texts if plain and not any(text.startswith(IN_REPOSITORY) for text in texts) else None


def _of_one_kind(nodes: Sequence[Node]) -> bool:
    """Tell whether texts, numbers and truth values do not stand beside each other: Terraform would convert them."""
    return len({node.kind if isinstance(node, Scalar) else type(node) for node in nodes}) <= 1


def _truth(truth: bool, span: Span) -> Scalar:
    return Scalar("true" if truth else "false", span, "boolean")


def _replace_part(text: str, part: str, replacement: str) -> str | None:
    """A part between slashes is a regular expression of another dialect."""
    if not part or (len(part) > 1 and part[0] == part[-1] == "/"):
        return None
    return text.replace(part, replacement) if len(text) * max(1, len(replacement)) <= _LONGEST * 10 else None


def _split(arguments: Sequence[Node], span: Span) -> Node | None:
    texts = _texts(arguments)
    if texts is None or len(texts) != 2 or not texts[0]:
        return None
    return Array(tuple(Scalar(part, span, parts=(part,)) for part in texts[1].split(texts[0])), span)


def _lookup(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) not in (2, 3):
        return None
    mapping, key, *defaults = arguments
    if (
        not isinstance(mapping, Object)
        or not isinstance(key, Scalar)
        or not is_known(key)
        or not all(is_known(entry.key) for entry in mapping.entries)
    ):
        return None
    value = mapping.get(label_of(key))
    return value if value is not None else next(iter(defaults), None)


def _element(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 2 or not is_known(arguments[1]):
        return None
    items, index = _known_items(arguments[0]), label_of(arguments[1])
    return items[int(index) % len(items)] if items and index.isdecimal() and len(index) < 10 else None


def _known_items(node: Node) -> tuple[Node, ...]:
    """The items of a list of which the number is known; none of any other."""
    return node.items if isinstance(node, Array) and pairs_of(node) is not None else ()


def _coalesce(arguments: Sequence[Node], span: Span) -> Node | None:
    """The first that is neither null nor empty; one that nobody knows may be either."""
    for argument in arguments:
        if not isinstance(argument, Scalar) or not is_known(argument):
            return None
        if not is_null(argument) and label_of(argument):
            return _as_the_others(argument, arguments)
    return None


def _as_the_others(value: Scalar, arguments: Sequence[Node]) -> Node | None:
    """The value as a text if one of the others is one; None for one that nobody is sure of."""
    if value.kind == "string":
        return value
    alike = of_one_type((value, *arguments)) if all(map(is_known, arguments)) else None
    return alike[0] if alike else None


def _of_texts(change: Callable[..., Node | None], counts: range) -> Callable[[Sequence[Node], Span], Node | None]:
    """A function of a known text in ASCII and of other known values that gives a value."""

    def run(arguments: Sequence[Node], span: Span) -> Node | None:
        texts = _texts(arguments)
        if texts is None or len(texts) not in counts or not texts[0].isascii():
            return None
        return change(span, *texts)

    return run


def _part(span: Span, text: str, start: str, length: str) -> Node | None:
    if not all(re.fullmatch(r"-?[0-9]{1,6}", each) for each in (start, length)) or int(length) < -1:
        return None
    begin = int(start) + len(text) if int(start) < 0 else int(start)
    if begin < 0 or begin > len(text):
        return None
    part = text[begin:] if length == "-1" else text[begin : begin + int(length)]
    return Scalar(part, span, parts=(part,))


def _as_bool(arguments: Sequence[Node], span: Span) -> Node | None:
    texts = _texts(arguments)
    return _truth(texts[0] == "true", span) if texts in (["true"], ["false"]) else None


def _slice(arguments: Sequence[Node], span: Span) -> Node | None:
    start, end = (whole(argument) for argument in arguments[1:]) if len(arguments) == 3 else (None, None)
    items = arguments[0].items if arguments and isinstance(arguments[0], Array) else ()
    if start is None or end is None or not _known_items(arguments[0]) or not 0 <= start <= end <= len(items):
        return None
    return Array(items[start:end], span)


def _index(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 2 or not all(map(is_known, arguments)) or not isinstance(arguments[0], Array):
        return None
    names = [name_of(item) for item in arguments[0].items]
    name = name_of(arguments[1])
    is_there = _of_one_kind((*arguments[0].items, arguments[1])) and name in names
    return Scalar(str(names.index(name)), span, "number") if is_there else None


def _truths(arguments: Sequence[Node]) -> list[bool] | None:
    """The truth values in a list; None if nobody knows one of them."""
    items = arguments[0].items if len(arguments) == 1 and isinstance(arguments[0], Array) else (None,)
    is_plain = all(isinstance(item, Scalar) and item.kind == "boolean" and is_known(item) for item in items)
    return [label_of(item) == "true" for item in items if item is not None] if is_plain else None


def _of_truths(ask: Callable[[list[bool]], bool]) -> Callable[[Sequence[Node], Span], Node | None]:
    def run(arguments: Sequence[Node], span: Span) -> Node | None:
        truths = _truths(arguments)
        return _truth(ask(truths), span) if truths is not None else None

    return run


def _intersection(arguments: Sequence[Node], span: Span) -> Node | None:
    if not arguments or not all(isinstance(argument, Array) and is_known(argument) for argument in arguments):
        return None
    lists = [argument.items for argument in arguments if isinstance(argument, Array)]
    items = [item for each in lists for item in each]
    if not _of_one_kind(items) or not all(isinstance(item, Scalar) and item.kind == "string" for item in items):
        return None
    names = set.intersection(*({name_of(item) for item in each} for each in lists))
    common = {name_of(item): item for item in lists[0] if name_of(item) in names}
    return Array(tuple(sorted(common.values(), key=label_of)), span, SORTED_SET)


def _first_list(arguments: Sequence[Node], span: Span) -> Node | None:
    """The first list that is not empty; of one that nobody knows, nobody knows that either."""
    for argument in arguments:
        if not isinstance(argument, Array) or pairs_of(argument) is None:
            return None
        if argument.items:
            return argument
    return None


def _groups(arguments: Sequence[Node], span: Span) -> Node | None:
    size = whole(arguments[1]) if len(arguments) == 2 else None
    items = _known_items(arguments[0]) if arguments else ()
    if not items or size is None or size < 1:
        return None
    groups = (items[start : start + size] for start in range(0, len(items), size))
    return Array(tuple(Array(group, span) for group in groups), span)


def _contains(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 2 or not all(map(is_known, arguments)):
        return None
    collection, value = arguments
    if not isinstance(collection, Array) or not _of_one_kind((*collection.items, value)):
        return None
    return _truth(name_of(value) in map(name_of, collection.items), span)


def _zipmap(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 2 or not all(isinstance(argument, Array) for argument in arguments):
        return None
    keys, values = (argument.items if isinstance(argument, Array) else () for argument in arguments)
    plain = [key for key in keys if isinstance(key, Scalar) and is_known(key) and not is_null(key)]
    if len(plain) != len(values) or len(plain) != len(keys) or len({label_of(key) for key in plain}) != len(plain):
        return None
    return Object(
        tuple(Entry(Scalar(label_of(key), span), value) for key, value in zip(plain, values, strict=True)), span
    )


def _reverse(arguments: Sequence[Node], span: Span) -> Node | None:
    items = _known_items(arguments[0]) if len(arguments) == 1 else ()
    return Array(tuple(reversed(items)), span) if items else None


def _only_item(arguments: Sequence[Node], span: Span) -> Node | None:
    items = _known_items(arguments[0]) if len(arguments) == 1 else ()
    return items[0] if len(items) == 1 else None


def _subtract(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 2 or not all(isinstance(argument, Array) and is_known(argument) for argument in arguments):
        return None
    first, second = (argument.items if isinstance(argument, Array) else () for argument in arguments)
    removed_names = set(map(name_of, second))
    remaining = {name_of(item): item for item in first if name_of(item) not in removed_names}
    if not _of_one_kind((*first, *second)) or not all(isinstance(item, Scalar) for item in remaining.values()):
        return None
    if any(isinstance(item, Scalar) and item.kind != "string" for item in remaining.values()):
        return None
    return Array(tuple(sorted(remaining.values(), key=label_of)), span, SORTED_SET)


def _decode(arguments: Sequence[Node], span: Span) -> Node | None:
    texts = _texts(arguments)
    if texts is None or len(texts) != 1 or len(texts[0]) > _LONGEST:
        return None
    try:
        tree = scan(texts[0])
    except Unreadable:
        return None
    text = arguments[0]
    if isinstance(text, Scalar):
        tree = with_places(tree, Locator(stretches_of(text), span))
    return _plain(place_at(tree, span)) if not _has_twins(tree) else None


def _read(read: Callable[[str], Node | None]) -> Callable[[Sequence[Node], Span], Node | None]:
    """A function of a known text in another format."""

    def run(arguments: Sequence[Node], span: Span) -> Node | None:
        texts = _texts(arguments)
        value = read(texts[0]) if texts is not None and len(texts) == 1 and len(texts[0]) <= _LONGEST else None
        return place_at(value, span) if value is not None else None

    return run


def _plain(node: Node) -> Node:
    """The value with its texts as they are: nothing is filled in any more."""
    if isinstance(node, Scalar):
        return node._replace(parts=(node.text,)) if node.kind == "string" else node
    if isinstance(node, Array):
        return node._replace(items=tuple(map(_plain, node.items)))
    return node._replace(entries=tuple(Entry(key, _plain(value)) for key, value in node.entries))


def _has_twins(node: Node) -> bool:
    """Tell whether a key is written twice somewhere."""
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            if len({key.text for key, _ in node.entries}) != len(node.entries):
                return True
            stack += (value for _, value in node.entries)
    return False


def _change_case(change: Callable[[str], str]) -> Callable[[str], str | None]:
    return lambda text: change(text) if text.isascii() else None


KNOWN: dict[str, Callable[[Sequence[Node], Span], Node | None]] = {
    "lower": _text_function(_change_case(str.lower), 1),
    "upper": _text_function(_change_case(str.upper), 1),
    "trimspace": _text_function(_change_case(lambda text: text.strip(" \t\n\v\f\r")), 1),
    "trimprefix": _text_function(str.removeprefix, 2),
    "trimsuffix": _text_function(lambda text, end: text.removesuffix(end) if end else text, 2),
    "replace": _text_function(_replace_part, 3),
    "base64decode": _text_function(decoded, 1),
    "basename": _text_function(lambda path: basename(path) or None, 1),
    "dirname": _text_function(lambda path: dirname(path) or None, 1),
    "startswith": _predicate(str.startswith, 2),
    "endswith": _predicate(str.endswith, 2),
    "strcontains": _predicate(lambda text, part: part in text, 2),
    "split": _split,
    "lookup": _lookup,
    "element": _element,
    "coalesce": _coalesce,
    "contains": _contains,
    "zipmap": _zipmap,
    "reverse": _reverse,
    "one": _only_item,
    "setsubtract": _subtract,
    "jsondecode": _decode,
    "yamldecode": _read(yaml_value),
    "csvdecode": _read(csv_value),
    "substr": _of_texts(_part, range(3, 4)),
    "trim": _text_function(lambda text, symbols: text.strip(symbols) if text.isascii() else None, 2),
    "chomp": _text_function(lambda text: _BREAKS.sub("", text), 1),
    "strrev": _text_function(lambda text: text[::-1] if text.isascii() and "\r" not in text else None, 1),
    "base64encode": _text_function(lambda text: b64encode(text.encode()).decode(), 1),
    "tobool": _as_bool,
    "slice": _slice,
    "index": _index,
    "alltrue": _of_truths(all),
    "anytrue": _of_truths(any),
    "setintersection": _intersection,
    "coalescelist": _first_list,
    "chunklist": _groups,
    **OF_NUMBERS,
}
