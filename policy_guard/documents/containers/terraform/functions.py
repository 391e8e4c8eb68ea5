"""What functions of Terraform come to, as far as policies need them; all others are values that nobody knows.

Source: Terraform's documentation, language/functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from policy_guard.documents.containers.choices import free
from policy_guard.documents.containers.opaque import Missing, Opaque
from policy_guard.documents.containers.terraform.conversions import json_text, of_one_type
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.file_functions import file_value
from policy_guard.documents.containers.terraform.known import KNOWN
from policy_guard.documents.containers.terraform.numbers import number_of, whole
from policy_guard.documents.containers.terraform.values import (
    JSON,
    SET,
    SORTED_SET,
    is_known,
    is_null,
    label_of,
    name_of,
    pairs_of,
    parts,
    single,
    surely_differ,
    text_of,
    without_sets,
)
from policy_guard.documents.containers.terraform.written import made_of
from policy_guard.documents.hcl.syntax import Call, Expression, List
from policy_guard.documents.hcl.syntax import Mapping as MappingNode
from policy_guard.documents.source import (
    Array,
    Entry,
    Hole,
    Node,
    Object,
    Scalar,
    Span,
)

_VERB = re.compile(r"(%%|%[svd])")


def call_value(evaluator: Evaluator, node: Call) -> Node:
    """Return what a call comes to. Raises `Need` and `Opaque`."""
    if node.name == "coalesce" and (document := _first_document(evaluator, node)) is not None:
        return document
    function = LISTS.get(node.name) or KNOWN.get(node.name)
    if function is not None:
        return _applied(evaluator, node, function)
    if node.name in ("try", "can") and node.arguments and not node.spread:
        return _tried(evaluator, node)
    if node.name == "jsonencode" and len(node.arguments) == 1:
        value = without_sets(_written(evaluator, node.arguments[0]))
        return made_of(_encode(value, node.span), (value,)) if isinstance(value, Scalar) else value._replace(tag=JSON)
    return file_value(evaluator, node)


def _applied(evaluator: Evaluator, node: Call, function: Callable[[Sequence[Node], Span], Node | None]) -> Node:
    """Return what a function makes of its arguments; of a set of unknown order, only what is again one is known."""
    arguments = [evaluator.value(argument) for argument in node.arguments]
    if node.spread:
        *arguments, last = arguments
        if not isinstance(last, Array) or pairs_of(last) is None or last.tag == SET:
            return evaluator.opaque(node)
        arguments += last.items
    has_set = any(isinstance(argument, Array) and argument.tag == SET for argument in arguments)
    result = function(arguments, node.span) if not has_set or node.name in _OF_SETS else None
    if has_set and isinstance(result, Array):
        result = result._replace(tag=SET)
    return evaluator.opaque(node) if result is None else made_of(result, arguments)


def _written(evaluator: Evaluator, node: Expression) -> Node:
    """The value of what is given on as JSON: the names in its mappings need not be known, as long as they differ."""
    if isinstance(node, List):
        return Array(tuple(_written(evaluator, item) for item in node.items), node.span)
    if not isinstance(node, MappingNode):
        return evaluator.value(node)
    evaluator.spend(node.span)
    entries: list[Entry] = []
    for key, value in node.items:
        name = single(evaluator.value(key))
        if not isinstance(name, Scalar) or not all(surely_differ(parts(name), parts(other)) for other, _ in entries):
            return evaluator.value(node)
        entries.append(Entry(name._replace(parts=None) if is_known(name) else name, _written(evaluator, value)))
    return Object(tuple(entries), node.span)


def _tried(evaluator: Evaluator, node: Call) -> Node:
    """The first value that is there, if it is known; else it may be what cannot be worked out, or any of the others."""
    for argument in node.arguments:
        try:
            value = evaluator.value(argument)
        except Missing:
            if node.name == "can":
                return Scalar("false", node.span, "boolean")
            continue
        except Opaque:
            break
        if not is_known(value):
            break
        return value if node.name == "try" else Scalar("true", node.span, "boolean")
    return evaluator.opaque(node)


def _first_document(evaluator: Evaluator, node: Call) -> Node | None:
    """The first argument that is neither null nor empty, if a policy is among them. Raises `Need` and `Opaque`."""
    values = [] if node.spread else [evaluator.value(argument) for argument in node.arguments]
    if not any(isinstance(value, Object) and value.tag == JSON for value in values):
        return None
    for value in values:
        if not isinstance(value, Scalar):
            return value
        if is_known(value):
            if not is_null(value) and label_of(value):
                return value
        elif evaluator.truth(free(f"{label_of(value)} is not empty", f"terraform not empty {name_of(single(value))}")):
            return value
    raise Opaque("none of these is there, which Terraform refuses", node.span)


def _encode(value: Scalar, span: Span) -> Node:
    """The JSON text of a text, number or truth value; what nobody knows may be a whole policy."""
    if not is_known(value):
        return value._replace(tag=JSON)
    if value.kind != "string":
        written = "null" if is_null(value) else label_of(value)
        return Scalar(written, span, parts=(written,))
    text = f'"{json_text(label_of(value))}"'
    return Scalar(text, span, parts=(text,))


def _items(node: Node) -> tuple[Node, ...]:
    """The items of a list, of which one that nobody knows is an item."""
    if isinstance(node, Array):
        return node.items
    if isinstance(node, Scalar) and not is_known(node) and len(parts(node)) == 1:
        return (node,)
    raise Opaque("a list is expected here", node.span)


def _concat(arguments: Sequence[Node], span: Span) -> Node | None:
    return Array(tuple(item for argument in arguments for item in _items(argument)), span)


def _flatten(arguments: Sequence[Node], span: Span) -> Node | None:
    items: list[Node] = []
    stack = list(reversed(arguments))
    tag: str | None = None
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            stack += reversed(node.items)
            tag = SET if node.tag == SET else tag
        else:
            items.append(node)
    return Array(tuple(items), span, tag)


def _distinct(arguments: Sequence[Node], span: Span) -> Node | None:
    """Texts that nobody knows may be equal: then nobody knows how many there are, and in which order."""
    items = [item for argument in arguments for item in _items(argument)]
    if not all(map(is_known, items)):
        return None
    return Array(tuple({name_of(item): item for item in items}.values()), span)


def _sorted(arguments: Sequence[Node], span: Span) -> Node | None:
    """The set of texts in the order of their characters, or of numbers in theirs."""
    if not all(isinstance(argument, Array) for argument in arguments):
        return None
    items = [item for argument in arguments if isinstance(argument, Array) for item in argument.items]
    alike = of_one_type(items) if all(isinstance(item, Scalar) and is_known(item) for item in items) else None
    if alike is None:
        return None
    distinct_items = {name_of(item): item for item in alike}.values()
    numbers = [(number_of(item), item) for item in distinct_items]
    if any(number is not None for number, _ in numbers):
        return Array(tuple(item for _, item in sorted(numbers, key=_number_first)), span, SORTED_SET)
    return Array(tuple(sorted(distinct_items, key=label_of)), span, SORTED_SET)


def _number_first(pair: tuple[Fraction | None, Node]) -> tuple[Fraction, str]:
    return pair[0] or Fraction(0), label_of(pair[1])


def _set(arguments: Sequence[Node], span: Span) -> Node | None:
    """The set of some texts; of those that nobody knows, two may be one."""
    items = arguments[0].items if len(arguments) == 1 and isinstance(arguments[0], Array) else ()
    if all(map(is_known, items)) or not all(map(_is_one_text, items)):
        return _sorted(arguments, span)
    by_name = {name_of(item): item for item in items}
    return Array(tuple(by_name[name] for name in sorted(by_name)), span, SET)


def _is_one_text(item: Node) -> bool:
    return (
        isinstance(item, Scalar)
        and item.kind == "string"
        and not any(isinstance(part, Hole) and part.several for part in parts(item))
    )


def _sort(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 1 or not isinstance(arguments[0], Array) or not is_known(arguments[0]):
        return None
    return Array(tuple(sorted(map(single, arguments[0].items), key=label_of)), span)


def _compact(arguments: Sequence[Node], span: Span) -> Node | None:
    """A text that nobody knows may be empty, and then it is left out."""
    items = _items(arguments[0]) if arguments else ()
    if not all(map(is_known, items)):
        return None
    return Array(tuple(single(item) for item in items if not is_null(item) and label_of(item)), span)


def _as_it_is(arguments: Sequence[Node], span: Span) -> Node | None:
    return arguments[0] if len(arguments) == 1 else None


def _as_list(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 1 or not isinstance(arguments[0], Array):
        return arguments[0] if len(arguments) == 1 else None
    items = of_one_type(arguments[0].items)
    tag = SET if arguments[0].tag == SET else None
    return Array(items, span, tag) if items is not None else None


def _as_map(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 1 or not isinstance(arguments[0], Object):
        return arguments[0] if len(arguments) == 1 else None
    entries = arguments[0].entries
    values = of_one_type([entry.value for entry in entries])
    if values is None:
        return None
    return Object(tuple(Entry(entry.key, value) for entry, value in zip(entries, values, strict=True)), span)


def _as_text(arguments: Sequence[Node], span: Span) -> Node | None:
    return single(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], Scalar) else None


def _merge(arguments: Sequence[Node], span: Span) -> Node | None:
    if not all(isinstance(argument, Object) for argument in arguments):
        return None
    entries = [entry for argument in arguments if isinstance(argument, Object) for entry in argument.entries]
    return Object(tuple({entry.key.text: entry for entry in entries}.values()), span)


def _keys(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 1 or not isinstance(arguments[0], Object):
        return None
    entries = sorted(arguments[0].entries, key=_name)
    return Array(tuple(entry.key for entry in entries), span)


def _values(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 1 or not isinstance(arguments[0], Object):
        return None
    return Array(tuple(entry.value for entry in sorted(arguments[0].entries, key=_name)), span)


def _name(entry: Entry) -> str:
    return entry.key.text


def _length(arguments: Sequence[Node], span: Span) -> Node | None:
    pairs = pairs_of(arguments[0]) if len(arguments) == 1 else None
    return Scalar(str(len(pairs)), span, "number") if pairs is not None else None


def _join(arguments: Sequence[Node], span: Span) -> Node | None:
    if len(arguments) != 2 or pairs_of(arguments[1]) is None or not isinstance(arguments[1], Array):
        return None
    if len(arguments[1].items) == 1 and isinstance(arguments[1].items[0], Object):
        return arguments[1].items[0]
    text_parts: list[str | Hole] = []
    for number, item in enumerate(arguments[1].items):
        text_parts += (*(parts(single(arguments[0])) if number else ()), *parts(single(item)))
    return text_of(tuple(text_parts), span)


def _format(arguments: Sequence[Node], span: Span) -> Node | None:
    """The text with values at `%s`, `%v` and `%d` filled in; other ways to write a value are left unknown."""
    if not arguments or not isinstance(arguments[0], Scalar) or not is_known(arguments[0]):
        return None
    values = list(arguments[1:])
    text_parts: list[str | Hole] = []
    for piece in _VERB.split(arguments[0].text):
        if piece == "%%":
            text_parts.append("%")
        elif piece not in ("%s", "%v", "%d"):
            if "%" in piece:
                return None
            text_parts.append(piece)
        elif not values or not _is_written_so(piece, values[0]):
            return None
        else:
            text_parts += parts(single(values.pop(0)))
    return text_of(tuple(text_parts), span) if not values else None


def _is_written_so(verb: str, value: Node) -> bool:
    if verb == "%d":
        return whole(value) is not None
    return isinstance(value, Scalar) and not is_null(value)


def _format_list(arguments: Sequence[Node], span: Span) -> Node | None:
    """The texts for each item; lists that do not stand beside each other are of one length."""
    lists = [argument for argument in arguments[1:] if isinstance(argument, Array)]
    lengths = {len(items) for argument in lists if (items := pairs_of(argument)) is not None}
    if len(lengths) != 1 or any(pairs_of(each) is None or each.tag == SET for each in lists):
        return None
    texts: list[Node] = []
    for number in range(lengths.pop()):
        row = [each.items[number] if isinstance(each, Array) else each for each in arguments]
        text = _format(row, span)
        if text is None:
            return None
        texts.append(text)
    return Array(tuple(texts), span)


_OF_SETS = ("concat", "flatten", "toset", "tolist", "sensitive", "nonsensitive")

LISTS: dict[str, Callable[[Sequence[Node], Span], Node | None]] = {
    "concat": _concat,
    "setunion": _sorted,
    "distinct": _distinct,
    "toset": _set,
    "flatten": _flatten,
    "compact": _compact,
    "tolist": _as_list,
    "tomap": _as_map,
    "sort": _sort,
    "tostring": _as_text,
    "sensitive": _as_it_is,
    "nonsensitive": _as_it_is,
    "merge": _merge,
    "keys": _keys,
    "values": _values,
    "length": _length,
    "join": _join,
    "format": _format,
    "formatlist": _format_list,
}
