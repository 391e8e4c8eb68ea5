"""Access that a resource of Terraform gives by its text: other arguments are new access, an item that goes is none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy_guard.documents.containers.other_access import (
    EVERY,
    access_words,
    action_of,
    details_of,
    terraform_types,
)
from policy_guard.documents.containers.terraform.elsewhere import ABSENT, policy_with
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.values import is_known, is_null, label_of, name_of, unknown
from policy_guard.documents.hcl.syntax import Block, Body
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span
from policy_guard.records import NamedTuple

_META = ("count", "for_each", "depends_on", "provider", "lifecycle", "timeouts", "tags", "description")
# What AWS answers stands in a plan beside the arguments: it follows from them, or names what they made.
_ANSWERED = (
    *("id", "arn", "unique_id", "create_date", "created_at", "modified_at", "associated_at", "tags_all"),
    *("function_arn", "function_url", "url_id", "grant_id", "grant_token", "access_entry_arn", "association_arn"),
    *("association_id", "external_id", "revision_id", "status", "email", "joined_method", "joined_timestamp"),
    "delegation_enabled_date",
)
_EMPTY: tuple[Any, ...] = (None, [], {}, "")


class _Part(NamedTuple):
    """An argument, or an item of one, as a text, and for people. With `is_added` it grants beside the others."""

    name: str
    text: str
    label: str
    is_added: bool = False
    is_certain: bool = True
    span: Span | None = None


class _Item(NamedTuple):
    """A value of an argument: its text, the one for people, where it stands, and whether all of it is known."""

    text: str
    label: str = ""
    span: Span | None = None
    is_certain: bool = True


def deciding_arguments(type_: str) -> tuple[str, ...]:
    """Return the arguments of a type that decide what it grants by its text; nothing if all of them do."""
    return terraform_types()[type_][1] if type_ in terraform_types() else EVERY


def decides_by_text(type_: str, name: str) -> bool:
    """Tell whether an attribute of a resource in a plan decides what it grants by its text."""
    listed = deciding_arguments(type_)
    return name in {path.partition(".")[0] for path in listed} if listed else name not in (*_META, *_ANSWERED)


def written_access(evaluator: Evaluator, type_: str, address: str, body: Body) -> Node:
    """The policy for what a resource grants by its text; `ABSENT` for nothing. Raises `Need` and `Opaque`."""
    return _policy(type_, address, body.span, list(_written_parts(evaluator, type_, body)))


def planned_access(type_: str, address: str, values: Mapping[str, Any], span: Span) -> Node:
    """The policy for what a resource with these values grants by its text; `ABSENT` for nothing."""
    return _policy(type_, address, span, list(_planned_parts(type_, values)))


def _policy(type_: str, address: str, span: Span, parts: Sequence[_Part]) -> Node:
    kind, listed = terraform_types()[type_]
    details = details_of(type_)
    names = {part.name for part in parts}
    if (listed or details.needed) and not names.intersection(details.needed or names):
        return ABSENT
    plain = [(part.name, part.text) for part in parts if not part.is_added]
    receivers = [part.label for part in parts if part.name in kind.receivers and not part.is_added]
    # Where the arguments tell all, the same grants the same under another address.
    tells_all = not listed and not details.counted and all(part.is_certain for part in parts)
    where = type_ if tells_all else address
    action = action_of(kind.name)

    def allowed(at: Span, names: list[str], *deciding: object) -> Node:
        words = access_words(where, names)
        return _allowed(action, unknown(words, at, type_, where, plain, *deciding, is_list=False), at)

    # A statement for each: one with a policy variable without a value does not apply at all, whatever else it names.
    statements = [
        allowed(part.span or span, [part.label] if part.name in kind.receivers else receivers, part.name, part.text)
        for part in parts
        if part.is_added
    ]
    if (plain or not listed) and not (details.needed and set(details.needed) <= {*details.adding}):
        at = next((part.span for part in parts if part.name in details.needed and part.span), span)
        statements.insert(0, allowed(at, receivers))
    return policy_with(tuple(statements), span)


def _allowed(action: str, resource: Node, span: Span) -> Object:
    """An Allow of an action that AWS does not have, and that stands for what is granted."""
    elements = {"Effect": Scalar("Allow", span), "Action": Scalar(action, span, parts=(action,)), "Resource": resource}
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in elements.items()), span)


def _written_parts(evaluator: Evaluator, type_: str, body: Body) -> Iterator[_Part]:
    """The arguments that decide, and what else is written there."""
    listed = deciding_arguments(type_)
    for name, argument in sorted(body.arguments.items()):
        if name in listed or (not listed and name not in _META):
            value = evaluator.value(argument.value)
            items = value.items if isinstance(value, Array) else (value,)
            texts = [_Item(name_of(each), _label(each), each.span, is_known(each)) for each in items]
            whole = _Item(name_of(value), _label(value), value.span, is_known(value))
            yield from _parts(type_, name, texts if not _is_empty(value) else [], whole)
    for path in listed or sorted({_type_of(block) for block in body.blocks}.difference(_META)):
        steps = path.split(".")
        if len(steps) > 1 or path not in body.arguments:
            texts = list(_inner(evaluator, body, steps))
            whole = _Item(repr([item.text for item in texts]), is_certain=False)
            yield from _parts(type_, path, texts, whole)


def _label(value: Node) -> str:
    """The texts in a value, but for keys, as people know them."""
    if isinstance(value, Scalar):
        return label_of(value)
    values = value.items if isinstance(value, Array) else [entry.value for entry in value.entries]
    return ", ".join(map(_label, values))


def _is_empty(value: Node) -> bool:
    if isinstance(value, Scalar):
        return is_null(value) or (is_known(value) and label_of(value) == "")
    return not (value.items if isinstance(value, Array) else value.entries)


def _type_of(block: Block) -> str:
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type


def _inner(evaluator: Evaluator, body: Body, steps: Sequence[str]) -> Iterator[_Item]:
    """What stands at the end of a path through blocks; of a dynamic block around it, all."""
    name, *others = steps
    if (argument := body.value(name)) is not None:
        nodes = _nodes_at(evaluator.value(argument), others)
        yield from (_Item(name_of(node), label_of(node), node.span, is_certain=False) for node in nodes)
    for block in body.blocks:
        if _type_of(block) == name and (not others or block.type == "dynamic"):
            yield _Item(repr(evaluator.block(block)), span=block.span, is_certain=False)
        elif _type_of(block) == name:
            yield from _inner(evaluator, block.body, others)


def _nodes_at(value: Node, steps: Sequence[str]) -> Iterator[Node]:
    """The values to which steps lead through lists and mappings; what nobody knows on the way is one."""
    if isinstance(value, Array):
        for item in value.items:
            yield from _nodes_at(item, steps)
    elif isinstance(value, Scalar) or not steps:
        yield from () if is_null(value) else (value,)
    else:
        for entry in value.entries:
            if not is_known(entry.key) or label_of(entry.key) == steps[0]:
                yield from _nodes_at(entry.value, steps[1:])


def _planned_parts(type_: str, values: Mapping[str, Any]) -> Iterator[_Part]:
    listed = deciding_arguments(type_)
    for path in sorted(listed or values):
        name, *steps = path.split(".")
        value: Any = values.get(name)
        if steps:
            value = list(values_at(value, steps))
        if value not in _EMPTY:
            items = value if isinstance(value, list) else [value]
            texts = [_Item(json.dumps(each, sort_keys=True), ", ".join(_texts(each))) for each in items]
            whole = _Item(json.dumps(value, sort_keys=True), ", ".join(_texts(value)))
            yield from _parts(type_, path, texts, whole)


def values_at(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    """The values to which steps lead through lists and mappings."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, steps)
    elif isinstance(value, dict) and steps:
        yield from values_at(value.get(steps[0]), steps[1:])
    elif not steps and value is not None:
        yield value


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value, but for keys."""
    if isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def _parts(type_: str, name: str, items: Sequence[_Item], whole: _Item) -> Iterator[_Part]:
    """The parts of an argument: each item of one that adds, or all of it."""
    details = details_of(type_)
    if not items or all(item.label in details.harmless.get(name, ()) for item in items):
        return
    if name in details.adding:
        yield from (_Part(name, item.text, item.label, True, item.is_certain, item.span) for item in items)
    else:
        yield _Part(name, whole.text, whole.label, False, whole.is_certain, whole.span)
