"""Intrinsic functions over texts, lists and mappings: what they come to, or the one text that their arguments decide.

Source: AWS CloudFormation Template Reference, intrinsic-function-reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from policy_guard.documents.containers.choices import Impossible, free
from policy_guard.documents.containers.cloudformation.calls import NO_VALUE, TRANSFORM, call, canonical, shape
from policy_guard.documents.containers.cloudformation.imports import matching
from policy_guard.documents.containers.cloudformation.parts import (
    Evaluating,
    NoValue,
    Value,
    is_plain,
    is_several,
    key_of,
    literal,
    parts_of,
    refuse_disputed,
    text_of,
    with_marks,
)
from policy_guard.documents.containers.cloudformation.template import type_of
from policy_guard.documents.containers.holes import Parts, hole, joined, spelling, visible
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.source import Array, Hole, Node, Object, Scalar, Span

_MOST_KEYS = 32
_LONGEST = 100_000
_LONGEST_LABEL = 60
_PRINCIPALS = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")


def _if(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    condition, if_true, if_false = evaluator.items(argument, 3, 3)
    truth = evaluator.symbol(condition) if evaluator.for_names else evaluator.condition(condition)
    if isinstance(truth, bool):
        return evaluator.value(if_true if truth else if_false)
    values = [_value_if_possible(evaluator, node) for node in (if_true, if_false)]
    names = [_name(value) for value in values]
    value, other_value = values
    if names[0] == names[1]:
        if value is None:
            raise Impossible
        return value
    is_list = not (isinstance(value, Scalar) and isinstance(other_value, Scalar))
    label = " or ".join(spelling(parts_of(side)) for side in values if isinstance(side, Scalar))
    label = "one of several values" if is_list or len(label) > _LONGEST_LABEL else label
    return text_of((hole(label, "if", truth, *names)._replace(several=is_list),), span)


def _name(value: Value | None) -> tuple[str, str]:
    """Return what a side of `Fn::If` is known by."""
    if value is None or isinstance(value, NoValue):
        return ("nothing", "no stack" if value is None else NO_VALUE)
    return ("value", canonical(value))


def _value_if_possible(evaluator: Evaluating, node: Node) -> Value | None:
    """The value of a side of `Fn::If`; None if there is no stack with it."""
    try:
        return evaluator.value(node)
    except Impossible:
        return None


def _join(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    first, second = evaluator.items(argument, 2, 2)
    delimiter, sequence = evaluator.text(first), evaluator.value(second)
    separator = parts_of(delimiter)
    items = sequence.items if isinstance(sequence, Array) else (sequence,)
    parts: list[str | Hole] = []
    see: list[Span] = []
    for number, item in enumerate(items):
        if not isinstance(item, Scalar):
            raise Opaque("Fn::Join takes strings, and this is a list or a mapping", span)
        refuse_disputed(item)
        parts += separator if number else ()
        parts += (_joined_item(evaluator, part, separator) for part in parts_of(item))
        see += item.see
    _refuse_long_text(evaluator, parts, span)
    return text_of(with_marks(tuple(parts)), span, tuple(see))


def _refuse_long_text(evaluator: Evaluating, parts: Iterable[str | Hole], span: Span) -> None:
    if sum(len(part) for part in parts if isinstance(part, str)) > _LONGEST:
        raise Opaque("the text here is too long", span)


def _joined_item(evaluator: Evaluating, part: str | Hole, separator: Parts) -> str | Hole:
    """A list that nobody knows, joined, is one text."""
    if isinstance(part, Hole) and part.several:
        return hole(f"Join of {visible(part)}", separator, part.name)
    return part


def _split(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    first, second = evaluator.items(argument, 2, 2)
    delimiter = evaluator.text(first)
    if not is_plain(parts_of(delimiter)) or not delimiter.text:
        return text_of((hole("Split", key_of(delimiter), canonical(second))._replace(several=True),), span)
    rejoined_items = _rejoined_items(evaluator, second, delimiter.text)
    if rejoined_items is not None:
        return Array(tuple(rejoined_items), span)
    value = evaluator.text(second)
    refuse_disputed(value)
    parts = parts_of(value)
    if is_plain(parts) or (delimiter.text in (":", "/") and _is_of_principal(evaluator, second)):
        pieces = _pieces(parts, delimiter.text)
        return Array(tuple(text_of(piece, span, value.see) for piece in pieces), span)
    return text_of(
        (hole(f"Split of {spelling(parts)}", delimiter.text, parts)._replace(several=True),), span, value.see
    )


def _pieces(parts: Parts, delimiter: str) -> list[Parts]:
    """The pieces between the delimiters in a text, if none of them is in what nobody knows."""
    pieces: list[list[str | Hole]] = [[]]
    for part in parts:
        first, *others = part.split(delimiter) if isinstance(part, str) else (part,)
        pieces[-1].append(first)
        pieces += ([other] for other in others)
    return [joined(piece) for piece in pieces]


def _is_of_principal(evaluator: Evaluating, node: Node) -> bool:
    """Tell whether a text is the ARN of a principal of the template, or a piece of it.

    Nothing in such an ARN that nobody knows has a colon or a slash: partitions, accounts, names, if the path is written
    out. Source: AWS IAM User Guide, "IAM identifiers".
    """
    while (function_call := call(node)) is not None:
        items = function_call.argument.items if isinstance(function_call.argument, Array) else ()
        if len(items) != 2:
            return False
        if function_call.name == "Fn::GetAtt":
            return _is_arn_of_principal(evaluator, node, items[0])
        if function_call.name not in ("Fn::Select", "Fn::Split"):
            return False
        node = items[1]
    return False


def _is_arn_of_principal(evaluator: Evaluating, node: Node, name: Node) -> bool:
    resource = evaluator.template.resources.get(name.text) if isinstance(name, Scalar) else None
    properties = resource.get("Properties") if resource is not None else None
    if not isinstance(properties, Object) or any(":" in entry.key.text for entry in properties.entries):
        return False
    path = properties.get("Path")
    if type_of(resource) not in _PRINCIPALS or not (path is None or (isinstance(path, Scalar) and path.tag is None)):
        return False
    first = parts_of(evaluator.text(node))[0]
    return isinstance(first, str) and first.startswith("arn:")


def _rejoined_items(evaluator: Evaluating, node: Node, delimiter: str) -> list[Scalar] | None:
    """The items of a list that is joined and split again, as people add to a list; None for anything else."""
    function_call = call(node)
    if function_call is None or function_call.name != "Fn::Join":
        return None
    first, sequence = evaluator.items(function_call.argument, 2, 2)
    scalar = evaluator.text(first)
    if parts_of(scalar) != (delimiter,):
        return None
    if call(sequence):
        value = evaluator.value(sequence)
        items: tuple[Node, ...] = value.items if isinstance(value, Array) else ()
        if isinstance(value, Scalar):
            items = (value,)
    else:
        items = sequence.items if isinstance(sequence, Array) else ()
    scalars: list[Scalar] = []
    for item in items:
        inner_items = _rejoined_items(evaluator, item, delimiter)
        scalars += inner_items if inner_items is not None else _split_item(evaluator, item, delimiter)
    return scalars


def _split_item(evaluator: Evaluating, item: Node, delimiter: str) -> list[Scalar]:
    value = evaluator.value(item)
    if isinstance(value, NoValue):
        return []
    if not isinstance(value, Scalar):
        raise Opaque("Fn::Join takes strings, and this is a list or a mapping", item.span)
    refuse_disputed(value)
    parts = parts_of(value)
    if is_plain(parts):
        return [text_of((piece,), value.span) for piece in "".join(map(str, parts)).split(delimiter)]
    if len(parts) == 1 and isinstance(parts[0], Hole) and parts[0].several:
        return [value]
    # A text that may hold the delimiter is one or several.
    return [text_of((hole(f"Split of {spelling(parts)}", delimiter, parts)._replace(several=True),), value.span)]


def _select(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    first, second = evaluator.items(argument, 2, 2)
    number, sequence = evaluator.text(first), evaluator.value(second)
    items = sequence.items if isinstance(sequence, Array) else ()
    index = number.text.strip()
    exact = isinstance(sequence, Array) and index.isdigit() and is_plain(parts_of(number))
    if exact and not any(map(is_several, items[: int(index) + 1] if len(index) < 6 else items)):
        if len(index) > 5 or int(index) >= len(items):
            raise Impossible
        return items[int(index)]
    return text_of((hole(f"Select {spelling(parts_of(number))}", key_of(number), key_of(sequence)),), span)


def _find_in_map(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    items = evaluator.items(argument, 3, 4)
    names = [evaluator.text(item) for item in items[:3]]
    default = items[3].get("DefaultValue") if len(items) > 3 and isinstance(items[3], Object) else None
    label = f"FindInMap {' '.join(spelling(parts_of(name)) for name in names)}"
    table = evaluator.template.mappings.get(names[0].text) if is_plain(parts_of(names[0])) else None
    # What stands for a key that the mapping lacks: part of what an unknown key may give.
    default_key = "" if default is None else key_of(evaluator.value(default))
    if not isinstance(table, Object) or _is_unclear(table):
        table_key = canonical(table) if table is not None else evaluator.written("Mappings")
        return text_of((hole(label, "not defined", table_key, *map(key_of, names), default_key),), span)
    choosing = evaluator.differs(names[0].text) or default is not None
    try:
        return _leaf(evaluator, table, names[1:], label, span, choosing, default_key)
    except Impossible:
        if default is None:
            raise
        return evaluator.value(default)


def _is_unclear(table: Object) -> bool:
    """Tell whether some of a mapping stands elsewhere, or readers differ in what its keys are."""
    children = (entry.value for entry in table.entries)
    levels = (table, *(child for child in children if isinstance(child, Object)))
    return any(entry.key.text == TRANSFORM or entry.key.disputed for level in levels for entry in level.entries)


def _leaf(
    evaluator: Evaluating,
    table: Object,
    names: list[Scalar],
    label: str,
    span: Span,
    choosing: bool,
    default_key: object,
) -> Value:
    """Return what a mapping gives for its keys: exactly, or one text that all that it may give decides."""
    nodes: list[Node] = [table]
    for name in names:
        nodes = [value for each in nodes for value in _values(each, parts_of(name))]
    if not nodes:
        raise Impossible
    if choosing and len(nodes) <= _MOST_KEYS:
        node: Node = table
        for name in names:
            node = _choose(evaluator, node, parts_of(name)) if isinstance(node, Object) else node
        return _respan(node, span)
    if len(set(map(shape, nodes))) == 1 and (not default_key or all(is_plain(parts_of(name)) for name in names)):
        return _respan(nodes[0], span)
    keys = [key_of(name) for name in names]
    is_list = any(isinstance(each, Array) for each in nodes)
    part = hole(label, *keys, _reachable(table, names), default_key)
    return text_of((part._replace(several=is_list),), span, (table.span,))


def _choose(evaluator: Evaluating, node: Object, parts: Parts) -> Node:
    for key, value in node.entries:
        if parts == (key.text,):
            return value
        if len(parts) == 1 and isinstance(parts[0], Hole):
            if evaluator.truth(evaluator.text_truth(parts[0], key.text)):
                return value
        elif not is_plain(parts) and evaluator.truth(free(f"{spelling(parts)} is {key.text}", repr((parts, key.text)))):
            return value
    raise Impossible


def _import(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    value = evaluator.value(argument)
    label = spelling(parts_of(value)) if isinstance(value, Scalar) else "?"
    name = parts_of(value) if isinstance(value, Scalar) else None
    exports = matching(evaluator.template.exports, name)
    if len(exports) == 1 and exports[0].text is not None and name == exports[0].name and is_plain(exports[0].name):
        return text_of((exports[0].text,), span)
    digests = sorted({export.digest for export in exports})
    return text_of((hole(f"ImportValue {label}", key_of(value), *digests),), span)


def _length(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    value = evaluator.value(argument)
    if isinstance(value, Array) and not any(map(is_several, value.items)):
        return text_of((str(len(value.items)),), span)
    return text_of((hole("Length", key_of(value)),), span)


def _base64(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    return text_of((hole("Base64", key_of(evaluator.value(argument))),), span)


def _json(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    return text_of((hole("ToJsonString", key_of(evaluator.value(argument))),), span)


def _zones(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    return text_of((hole("GetAZs", key_of(evaluator.value(argument)))._replace(several=True),), span)


def _cidr(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    return text_of((hole("Cidr", key_of(evaluator.value(argument)))._replace(several=True),), span)


def _truth(evaluator: Evaluating, argument: Node, span: Span) -> Value:
    raise Opaque("a truth value of a condition stands here, and a text is expected", span)


def _values(node: Node, parts: Parts) -> list[Node]:
    """The values that a level of a mapping may give for a key."""
    if not isinstance(node, Object):
        return []
    if is_plain(parts):
        value = node.get("".join(map(str, parts)))
        return [value] if value is not None else []
    return [entry.value for entry in node.entries]


def _reachable(node: Node, names: list[Scalar]) -> object:
    """The part of a mapping that decides what it gives for these names."""
    if not names or not isinstance(node, Object):
        return canonical(node)
    parts = parts_of(names[0])
    if is_plain(parts):
        return [_reachable(value, names[1:]) for value in _values(node, parts)]
    return sorted((entry.key.text, repr(_reachable(entry.value, names[1:]))) for entry in node.entries)


def _respan(node: Node, span: Span) -> Value:
    """A value of a mapping at the place where it is asked for."""
    if isinstance(node, Scalar):
        return text_of(parts_of(literal(node)), span, (node.span,))._replace(disputed=node.disputed)
    if isinstance(node, Array):
        items = (
            text_of(parts_of(literal(item)), span, (item.span,))._replace(disputed=item.disputed)
            for item in node.items
            if isinstance(item, Scalar)
        )
        return Array(tuple(items), span)
    raise Opaque("a mapping stands where Fn::FindInMap gives a text or a list", node.span)


FUNCTIONS: dict[str, Callable[[Evaluating, Node, Span], Value]] = {
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::FindInMap": _find_in_map,
    "Fn::ImportValue": _import,
    "Fn::Length": _length,
    "Fn::Base64": _base64,
    "Fn::ToJsonString": _json,
    "Fn::GetAZs": _zones,
    "Fn::Cidr": _cidr,
    "Fn::Equals": _truth,
    "Fn::And": _truth,
    "Fn::Or": _truth,
    "Fn::Not": _truth,
}
"""The functions that ask nothing of the names in a template, each with what gives its value."""
