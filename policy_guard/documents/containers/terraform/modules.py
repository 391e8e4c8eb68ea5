"""Modules of the repository as others speak of them: what their outputs come to, object by object.

Source: Terraform, "Module Blocks" and "References to Named Values".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.attributes import attribute
from policy_guard.documents.containers.terraform.deciding import all_deciding
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.instances import keys_of
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.containers.terraform.values import label_of, place_at, unknown
from policy_guard.documents.hcl.syntax import Attribute, Expression, Index, Variable
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span

_OUTPUT = "output."


def module_reference(evaluator: Evaluator, steps: Sequence[Attribute | Index], span: Span) -> Node:
    """Return what a reference to a module comes to, `steps` being what follows the word. Raises `Need` and `Opaque`."""
    first, *rest = steps
    assert isinstance(first, Attribute)
    label = first.name
    if evaluator.scope.module_scope(label) is None:
        return attribute(evaluator, f"module.{label}", rest, span)
    if rest and isinstance(rest[0], Attribute):
        return _output(evaluator, label, None, rest, span)
    if len(rest) > 1 and isinstance(rest[0], Index) and isinstance(rest[1], Attribute):
        key = evaluator.value(rest[0].key)
        return _output(evaluator, label, key, rest[1:], span)
    return evaluator.follow(_objects(evaluator, label, span), rest, span)


def module_scopes(scope: Scope, label: str) -> tuple[Scope, ...] | None:
    """The scopes of a module, one for each of its objects as far as these are known; None if it cannot be looked into.

    Where nobody knows them, one stands for all.
    """
    generic_scope = scope.module_scope(label)
    if generic_scope is None or generic_scope.call is None:
        return None
    evaluator = Evaluator(scope, generic_scope.call.source, {})
    try:
        keys = keys_of(evaluator, generic_scope.call)
        scopes = [_instance(evaluator, label, key, generic_scope.call.span) for key in keys or ()]
    except (Need, Opaque, Impossible):
        return (generic_scope,)
    known_scopes = tuple(each for each in scopes if each is not None)
    return known_scopes if keys is not None and len(known_scopes) == len(keys) else (generic_scope,)


def _instance(evaluator: Evaluator, label: str, key: Node | None, span: Span) -> Scope | None:
    """The scope of one object of a module; without a key of any."""
    scope = evaluator.scope
    generic_scope = scope.module_scope(label)
    if key is None or generic_scope is None or generic_scope.call is None:
        return generic_scope
    call = generic_scope.call
    outside = evaluator.outside(f"module.{label}", call, span)
    if call.body.value("count") is not None and label_of(key) == "0" and keys_of(outside, call) is None:
        return generic_scope
    return scope.module_scope(label, key, outside.instance(call.body, key).names)


def _output(evaluator: Evaluator, label: str, key: Node | None, steps: Sequence[Attribute | Index], span: Span) -> Node:
    """The output of a module that the first step names, or the part of it that the others lead to."""
    name = steps[0].name if isinstance(steps[0], Attribute) else ""
    scope = _instance(evaluator, label, key, span)
    definition = scope.folder.definitions.get(f"{_OUTPUT}{name}") if scope is not None else None
    value = definition.body.value("value") if definition else None
    if scope is None or definition is None or value is None:
        raise Opaque(f"module.{label} has no output {name[:60]}, as far as it is read", span)
    address = f"{_OUTPUT}{name}"
    inner = evaluator.in_scope(scope, definition.source, address)
    if (scope.name, address) in evaluator.active:
        scope.memory.forgo()
        raise Opaque(f"{address} depends on itself", span)
    expression, rest = _extended(value, steps[1:])
    words = tuple(step.name for step in steps[: len(steps) - len(rest)] if isinstance(step, Attribute))
    output = inner.remembered((_OUTPUT, words), lambda: inner.value(expression))
    return place_at(evaluator.follow(output, rest, span), span, f"{evaluator.scope.name}module.{label}.{name}")


def _extended(value: Expression, steps: Sequence[Attribute | Index]) -> tuple[Expression, Sequence[Attribute | Index]]:
    """A reference with the attributes that follow behind it, and the steps left: not all of a resource decides them."""
    if not isinstance(value, Variable | Attribute | Index):
        return value, steps
    while steps and isinstance(steps[0], Attribute):
        value, steps = Attribute(value, steps[0].name, value.span), steps[1:]
    return value, steps


def _objects(evaluator: Evaluator, label: str, span: Span) -> Node:
    """The outputs of a module; of one with several objects those of each, as a list or a mapping."""
    scope = evaluator.scope.module_scope(label)
    assert scope is not None and scope.call is not None
    body = scope.call.body
    if body.value("count") is None and body.value("for_each") is None:
        return _outputs(evaluator, label, None, scope, span)
    keys = keys_of(evaluator.outside(f"module.{label}", scope.call, span), scope.call)
    if keys is None:
        return unknown(f"{evaluator.scope.name}module.{label}", span, _texts(evaluator.scope, label, span))
    objects = [_outputs(evaluator, label, key, scope, span) for key in keys]
    if body.value("count") is not None:
        return Array(tuple(objects), span)
    return Object(tuple(Entry(Scalar(label_of(k), span), v) for k, v in zip(keys, objects, strict=True)), span)


def _outputs(evaluator: Evaluator, label: str, key: Node | None, scope: Scope, span: Span) -> Node:
    return Object(tuple(_entries(evaluator, label, key, scope, span)), span)


def _entries(evaluator: Evaluator, label: str, key: Node | None, scope: Scope, span: Span) -> Iterator[Entry]:
    for address in scope.folder.definitions:
        if not address.startswith(_OUTPUT):
            continue
        name = address.removeprefix(_OUTPUT)
        try:
            value = _output(evaluator, label, key, (Attribute(Variable("module", span), name, span),), span)
        except (Need, Opaque):
            # One that nobody may ask for: what decides it is part of its name.
            place = f"[{label_of(key)}]" if key is not None else ""
            words = f"{evaluator.scope.name}module.{label}{place}.{name}"
            value = unknown(words, span, _texts(evaluator.scope, label, span))
        yield Entry(Scalar(name, span), value)


def _texts(scope: Scope, label: str, span: Span) -> list[object]:
    """Return all that decides what a module gives back."""
    return all_deciding(scope, Attribute(Variable("module", span), label, span))
