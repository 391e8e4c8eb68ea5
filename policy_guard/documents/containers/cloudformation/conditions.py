"""The truths that conditions come to, as far as the template decides them.

Source: AWS CloudFormation Template Reference, intrinsic-function-reference-conditions.
"""

from __future__ import annotations

from policy_guard.documents.containers.choices import Atom, free
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


def boolean(evaluator: Evaluating, node: Node) -> bool:
    """The truth that a condition comes to."""
    function_call = call(node)
    if function_call is None:
        if isinstance(node, Object) and len(node.entries) == 1 and node.entries[0].key.text == "Condition":
            return evaluator.condition(node.entries[0].value)
        if isinstance(node, Scalar) and node.text.lower() in ("true", "false"):
            return node.text.lower() == "true"
        return evaluator.truth(_free_truth(evaluator, node))
    name, argument = function_call
    items = argument.items if isinstance(argument, Array) else ()
    if name == "Condition":
        return evaluator.condition(argument)
    if name == "Fn::Not" and len(items) == 1:
        return not boolean(evaluator, items[0])
    if name == "Fn::And" and items:
        return all(boolean(evaluator, item) for item in items)
    if name == "Fn::Or" and items:
        return any(boolean(evaluator, item) for item in items)
    if name == "Fn::Equals" and len(items) == 2:
        return _equal(evaluator, evaluator.value(items[0]), evaluator.value(items[1]), node)
    return evaluator.truth(_free_truth(evaluator, node))


def _free_truth(evaluator: Evaluating, node: Node) -> Atom:
    return free(f"{_source_text(evaluator, node)} holds", canonical(resolve(evaluator, node)))


def _source_text(evaluator: Evaluating, node: Node) -> str:
    text = " ".join(evaluator.template.source.text[slice(*node.span)].split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _equal(evaluator: Evaluating, left: Value, right: Value, node: Node) -> bool:
    if not (isinstance(left, Scalar) and isinstance(right, Scalar)):
        return evaluator.truth(free(f"{_source_text(evaluator, node)} holds", repr((key_of(left), key_of(right)))))
    first, second = parts_of(left), parts_of(right)
    if any(side.disputed or side.kind == "null" for side in (left, right)):
        label = f"{_source_text(evaluator, node)} holds"
        return evaluator.truth(free(label, repr([(parts_of(side), side.disputed) for side in (left, right)])))
    if first == second:
        return True
    if is_plain(first) and is_plain(second):
        return False
    for open_parts, plain_parts in ((first, second), (second, first)):
        if is_plain(plain_parts) and sum(isinstance(part, Hole) for part in open_parts) == 1:
            return _is_around(evaluator, open_parts, "".join(map(str, plain_parts)))
    return evaluator.truth(free(f"{spelling(first)} is {spelling(second)}", repr(sorted(map(repr, (first, second))))))


def _is_around(evaluator: Evaluating, parts: Parts, text: str) -> bool:
    """Tell whether a text with one hole in it is this one: then the hole is what stands between its ends."""
    at = next(number for number, part in enumerate(parts) if isinstance(part, Hole))
    start, end = ("".join(map(str, side)) for side in (parts[:at], parts[at + 1 :]))
    if len(text) < len(start) + len(end) or not (text.startswith(start) and text.endswith(end)):
        return False
    unknown = parts[at]
    assert isinstance(unknown, Hole)
    return evaluator.is_text(unknown, text[len(start) : len(text) - len(end)])
