"""Blocks with the objects of a resource as their `for_each`: they have its keys, and each value is its object.

Source: Terraform, "The for_each Meta-Argument", "Chaining for_each Between Resources".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any

from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.hcl.syntax import Attribute, Block, Expression, For, Index, OtherFile, Repeated, Variable
from policy_guard.documents.source import Span, Spot

_FOR_EACH = "for_each"
_LOOP = "each"
_MOST_LINKS = 5
"""Resources in a chain, each of which has the objects of the next."""


class _Hidden(Exception):
    """Raised where `each` may be another name than that of the object."""


def unchained(definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """Return the resources among these that have another resource's objects, as ones with the keys of that."""
    results: dict[str, Definition] = {}
    for address, definition in definitions.items():
        target = _target(definition, definitions)
        keys = _keys(target, definitions) if target is not None else None
        if target is None or keys is None or definition.block is None:
            continue
        try:
            block = _with_objects(definition.block, target)
        except _Hidden:
            continue
        expression, spots = keys
        argument = block.body.arguments[_FOR_EACH]
        arguments = {
            **block.body.arguments,
            _FOR_EACH: replace(argument, value=replace(expression, span=argument.span)),
        }
        block = replace(block, body=replace(block.body, arguments=arguments))
        results[address] = definition._replace(block=block, others=(*definition.others, *spots))
    return results


def _target(definition: Definition, definitions: Mapping[str, Definition]) -> Attribute | None:
    """The reference to a resource with `for_each` that is the `for_each` of another one."""
    value = definition.body.value(_FOR_EACH)
    if definition.block is None or definition.block.type != "resource":
        return None
    if not isinstance(value, Attribute) or not isinstance(value.value, Variable):
        return None
    target = definitions.get(_address(value))
    is_resource = target is not None and target.block is not None and target.block.type == "resource"
    return value if is_resource and target and target.body.value(_FOR_EACH) is not None else None


def _address(reference: Attribute) -> str:
    return f"{reference.value.name}.{reference.name}" if isinstance(reference.value, Variable) else ""


def _keys(target: Attribute, definitions: Mapping[str, Definition]) -> tuple[OtherFile, tuple[Spot, ...]] | None:
    """The collection at the end of a chain, and where the collections on the way are written."""
    spots: list[Spot] = []
    for _ in range(_MOST_LINKS):
        definition = definitions[_address(target)]
        value = definition.body.value(_FOR_EACH)
        if value is None:
            return None
        written = value if isinstance(value, OtherFile) else OtherFile(value, definition.source, value.span)
        spots.append(Spot(written.source, written.value.span))
        further = _target(definition, definitions)
        if further is None:
            return written, tuple(spots)
        target = further
    return None


def _with_objects(block: Block, target: Attribute) -> Block:
    """The block with the object of its key in place of each value."""
    body = block.body
    arguments = {name: each if name == _FOR_EACH else _rewritten(each, target) for name, each in body.arguments.items()}
    return replace(block, body=replace(body, arguments=arguments, blocks=_rewritten(body.blocks, target)))


def _rewritten(node: Any, target: Attribute) -> Any:
    """A part of a block with the object in place of each value. Raises `_Hidden`."""
    if isinstance(node, Attribute) and isinstance(node.value, Variable) and node.value.name == _LOOP:
        if node.name not in ("key", "value"):
            raise _Hidden
        return node if node.name == "key" else _object(target, node.span)
    if isinstance(node, Variable) and node.name == _LOOP:
        raise _Hidden
    if isinstance(node, For | Repeated) and _LOOP in node.names:
        raise _Hidden
    if isinstance(node, Block) and node.type == "dynamic" and _LOOP in node.labels:
        raise _Hidden
    if isinstance(node, dict):
        return {name: _rewritten(each, target) for name, each in node.items()}
    if isinstance(node, tuple) and not isinstance(node, Span):
        return tuple(_rewritten(each, target) for each in node)
    if isinstance(node, OtherFile):
        return replace(node, value=_rewritten(node.value, target))
    if not is_dataclass(node) or isinstance(node, type):
        return node
    names = node.__dataclass_fields__
    return replace(node, **{name: _rewritten(getattr(node, name), target) for name in names})


def _object(target: Attribute, span: Span) -> Expression:
    key = Attribute(Variable(_LOOP, span), "key", span)
    return Index(Attribute(target.value, target.name, span), key, span)
