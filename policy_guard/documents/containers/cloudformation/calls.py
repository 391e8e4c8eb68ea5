"""Calls of intrinsic functions, in their long and short form, and what nodes say without their places."""

from __future__ import annotations

import re
from collections.abc import Hashable

from policy_guard.documents.source import Array, Node, Object, Scalar
from policy_guard.records import NamedTuple

LOOP = "Fn::ForEach::"
TRANSFORM = "Fn::Transform"
NO_VALUE = "AWS::NoValue"
_WORD = re.compile(r"[A-Za-z0-9]+")
_OTHER_WORD = re.compile(r"[^\s${}.,:'\"\[\]()]+")
_NAMING = ("Ref", "Fn::GetAtt", "Fn::FindInMap")


class Call(NamedTuple):
    """A call: `name` is `Ref`, `Condition` or begins with `Fn::`."""

    name: str
    argument: Node


def call(node: Node) -> Call | None:
    """The function that a node calls: `{"Fn::Sub": "x"}` and `!Sub x` are one; None for a plain value."""
    if node.tag is not None:
        name = node.tag.removeprefix("!")
        return Call(name if name in ("Ref", "Condition") else f"Fn::{name}", _attribute(name, node._replace(tag=None)))
    if isinstance(node, Object) and len(node.entries) == 1:
        key, value = node.entries[0]
        if key.parts is not None:
            return None
        if key.text == "Ref" or (key.text.startswith("Fn::") and not key.text.startswith(LOOP)):
            return Call(key.text, _attribute(key.text.removeprefix("Fn::"), value))
    return None


def _attribute(name: str, argument: Node) -> Node:
    """The argument of `!GetAtt X.Arn` as the list that it is short for."""
    if name != "GetAtt" or not isinstance(argument, Scalar) or argument.tag is not None:
        return argument
    head, _, tail = argument.text.partition(".")
    return Array((argument._replace(text=head), argument._replace(text=tail)), argument.span)


def computes_names(node: Node) -> bool:
    """Tell whether a function in a node gets the name of something from another function."""
    stack = [node]
    while stack:
        node = stack.pop()
        if (function_call := call(node)) is not None:
            if function_call.name in _NAMING and _is_computed(function_call.argument):
                return True
            node = function_call.argument
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            stack += (entry.value for entry in node.entries)
    return False


def _is_computed(argument: Node) -> bool:
    first = argument.items[0] if isinstance(argument, Array) and argument.items and not argument.tag else argument
    return call(first) is not None


def shape(node: Node) -> Hashable:
    """Equal for two nodes only if they say the same: places, order of keys and the form of calls do not count."""
    if function_call := call(node):
        return function_call.name, shape(function_call.argument)
    if isinstance(node, Scalar):
        return "" if node.kind == "string" else node.kind, node.text, node.parts, node.disputed
    if isinstance(node, Array):
        return tuple(map(shape, node.items))
    entries = [((key.text, key.tag, key.disputed), shape(value)) for key, value in node.entries]
    if len({key for key, _ in entries}) == len(entries):
        return frozenset(entries)
    return "twice", tuple(entries)


def words_of(node: Node) -> set[str]:
    """The words in all texts of a node."""
    words: set[str] = set()
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            words.update(_WORD.findall(node.text))
            words.update(_OTHER_WORD.findall(node.text) if not node.text.isalnum() else ())
        elif isinstance(node, Array):
            stack += node.items
        else:
            stack += (part for entry in node.entries for part in entry)
    return words


def canonical(node: Node) -> str:
    """The shape of a node as a text."""
    return repr(_order(shape(node)))


def _order(value: Hashable) -> object:
    if isinstance(value, frozenset):
        return ("mapping", *sorted(map(_order, value), key=repr))
    return tuple(map(_order, value)) if isinstance(value, tuple) else value
