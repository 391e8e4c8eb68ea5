"""The truths that conditions come to, as far as the template decides them.

Source: AWS CloudFormation Template Reference, intrinsic-function-reference-conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from policy_guard.documents.containers.choices import Atom, Impossible, free
from policy_guard.documents.containers.cloudformation.calls import call, canonical
from policy_guard.documents.containers.cloudformation.parts import (
    Evaluating,
    Value,
    is_plain,
    key_of,
    parts_of,
    resolve,
)
from policy_guard.documents.containers.holes import Parts, spelling
from policy_guard.documents.source import Array, Hole, Node, Object, Scalar

Symbol: TypeAlias = "bool | tuple[object, ...]"
"""A truth, or what decides it: equal for two conditions only if one holds where the other does."""


def boolean(evaluator: Evaluating, node: Node) -> bool:
    """The truth that a condition comes to."""
    name, operands = _operation(node)
    if name == "Condition":
        return evaluator.condition(operands[0])
    if name == "Fn::Not":
        return not boolean(evaluator, operands[0])
    if name == "Fn::And":
        return all(boolean(evaluator, operand) for operand in operands)
    if name == "Fn::Or":
        return any(boolean(evaluator, operand) for operand in operands)
    truth = _comparison(evaluator, node)
    return truth if isinstance(truth, bool) else evaluator.truth(truth)


def symbol(evaluator: Evaluating, node: Node) -> Symbol:
    """The truth of a condition as far as it is decided; otherwise its symbol."""
    name, operands = _operation(node)
    if name == "Condition":
        return evaluator.symbol(operands[0])
    if name == "Fn::Not":
        operand = symbol(evaluator, operands[0])
        return not operand if isinstance(operand, bool) else ("not", operand)
    if name in ("Fn::And", "Fn::Or"):
        return _series(evaluator, name, operands)
    truth = _comparison(evaluator, node)
    return truth if isinstance(truth, bool) else evaluator.truth_symbol(truth)


def _series(evaluator: Evaluating, name: str, operands: Sequence[Node]) -> Symbol:
    """The symbol of `Fn::And` or `Fn::Or`, whose operands are asked for until one decides."""
    decisive = name == "Fn::Or"
    symbols: list[Symbol] = []
    for operand in operands:
        try:
            operand_symbol = symbol(evaluator, operand)
        except Impossible:
            if not symbols:
                raise
            # Whether it is asked for at all depends on those before it.
            operand_symbol = ("impossible",)
        if operand_symbol is decisive:
            return (name, *symbols, decisive) if symbols else decisive
        if not isinstance(operand_symbol, bool):
            symbols.append(operand_symbol)
    return (name, *symbols) if symbols else not decisive


def _operation(node: Node) -> tuple[str, tuple[Node, ...]]:
    """The operator of a condition and its operands; nothing for what is compared or known by its text."""
    function_call = call(node)
    if function_call is None:
        is_named = isinstance(node, Object) and [entry.key.text for entry in node.entries] == ["Condition"]
        return ("Condition", (node.entries[0].value,)) if is_named else ("", ())  # type: ignore[union-attr]
    name, argument = function_call
    items = argument.items if isinstance(argument, Array) else ()
    if name == "Condition":
        return name, (argument,)
    if (name == "Fn::Not" and len(items) == 1) or (name in ("Fn::And", "Fn::Or") and items):
        return name, items
    return "", ()


def _comparison(evaluator: Evaluating, node: Node) -> bool | Atom:
    """The truth of what is no operation on truths, or the one that nobody knows."""
    function_call = call(node)
    if function_call is None and isinstance(node, Scalar) and node.text.lower() in ("true", "false"):
        return node.text.lower() == "true"
    if function_call is not None and function_call.name == "Fn::Equals":
        items = function_call.argument.items if isinstance(function_call.argument, Array) else ()
        if len(items) == 2:
            return _equal(evaluator, evaluator.value(items[0]), evaluator.value(items[1]), node)
    return free(f"{_source_text(evaluator, node)} holds", canonical(resolve(evaluator, node)))


def _source_text(evaluator: Evaluating, node: Node) -> str:
    text = " ".join(evaluator.template.source.text[slice(*node.span)].split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _equal(evaluator: Evaluating, left: Value, right: Value, node: Node) -> bool | Atom:
    if not (isinstance(left, Scalar) and isinstance(right, Scalar)):
        return free(f"{_source_text(evaluator, node)} holds", repr((key_of(left), key_of(right))))
    first, second = parts_of(left), parts_of(right)
    if any(side.disputed or side.kind == "null" for side in (left, right)):
        label = f"{_source_text(evaluator, node)} holds"
        return free(label, repr([(parts_of(side), side.disputed) for side in (left, right)]))
    if first == second:
        return True
    if is_plain(first) and is_plain(second):
        return False
    for open_parts, plain_parts in ((first, second), (second, first)):
        if is_plain(plain_parts) and sum(isinstance(part, Hole) for part in open_parts) == 1:
            return _is_around(evaluator, open_parts, "".join(map(str, plain_parts)))
    return free(f"{spelling(first)} is {spelling(second)}", repr(sorted(map(repr, (first, second)))))


def _is_around(evaluator: Evaluating, parts: Parts, text: str) -> bool | Atom:
    """Tell whether a text with one hole in it is this one: then the hole is what stands between its ends."""
    at = next(number for number, part in enumerate(parts) if isinstance(part, Hole))
    start, end = ("".join(map(str, side)) for side in (parts[:at], parts[at + 1 :]))
    if len(text) < len(start) + len(end) or not (text.startswith(start) and text.endswith(end)):
        return False
    unknown = parts[at]
    assert isinstance(unknown, Hole)
    return evaluator.text_truth(unknown, text[len(start) : len(text) - len(end)])
