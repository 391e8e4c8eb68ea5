"""Texts with holes in templates: their names, what stands in marks of engines, and values that are none."""

from __future__ import annotations

import re
from typing import Protocol, TypeAlias

from policy_guard.documents.containers.choices import Atom
from policy_guard.documents.containers.cloudformation.calls import NO_VALUE, canonical
from policy_guard.documents.containers.cloudformation.template import Template
from policy_guard.documents.containers.holes import Parts, at_holes, hole, joined, spelling
from policy_guard.documents.containers.opaque import Opaque, digest
from policy_guard.documents.printable import quoted
from policy_guard.documents.source import Hole, Node, Scalar, Span
from policy_guard.solver.strings.pattern import HIDDEN

_MARK = re.compile(r"\{\{[^{}]*\}\}")


class NoValue:
    """The meaning of `AWS::NoValue`: the entry or item that holds it is not there."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoValue)

    def __hash__(self) -> int:
        return 0


NOTHING = NoValue()
Value: TypeAlias = "Node | NoValue"


def name_of(parts: Parts) -> str:
    """Return what a text is known by: the same for two texts only if they are one."""
    text = spelling(parts)
    return text if is_plain(parts) else f"{text}{HIDDEN}{digest(parts)}"


def text_of(parts: Parts, span: Span, see: tuple[Span, ...] = ()) -> Scalar:
    """The scalar of a text with these parts."""
    return Scalar(text=spelling(parts), span=span, parts=joined(parts), see=see)


def literal(scalar: Scalar) -> Scalar:
    """A scalar that no function fills in: dynamic references and marks of template engines in it are holes."""
    if scalar.parts is not None or scalar.kind == "null":
        return scalar
    # CloudFormation makes JSON of a template, in which a truth has one spelling.
    text = scalar.text.lower() if scalar.kind == "boolean" else scalar.text
    return scalar._replace(parts=with_marks((text,)), tag=None)


def refuse_disputed(scalar: Scalar) -> None:
    """Raises `Opaque` for a text of which readers take different values, before it becomes part of another."""
    if scalar.disputed:
        raise Opaque(f"{quoted(scalar.text)} {scalar.disputed}", scalar.span)


def with_marks(parts: Parts) -> Parts:
    """The parts with each `{{...}}` as one hole, whatever is filled in between its brackets."""
    all_parts = joined(parts)
    if not any(isinstance(part, str) and "{{" in part for part in all_parts):
        return all_parts
    # One character for each hole, so that a mark around some of them is found.
    holes = [part for part in all_parts if isinstance(part, Hole)]
    text = "".join(part.replace("\ue000", "\ue001") if isinstance(part, str) else "\ue000" for part in all_parts)
    if "\ue001" in text:
        return all_parts
    marked_parts: list[str | Hole] = []
    position, hole_index = 0, 0
    for mark in _MARK.finditer(text):
        count = text.count("\ue000", position, mark.start())
        marked_parts += at_holes(text[position : mark.start()], holes[hole_index : hole_index + count])
        hole_index += count
        hole_count = text.count("\ue000", *mark.span())
        mark_parts = tuple(at_holes(mark[0], holes[hole_index : hole_index + hole_count]))
        hole_index += hole_count
        marked_parts.append(hole(spelling(mark_parts), mark_parts) if hole_count else Hole(mark[0]))
        position = mark.end()
    return joined([*marked_parts, *at_holes(text[position:], holes[hole_index:])])


def parts_of(value: Value) -> Parts:
    """The parts of a text."""
    assert isinstance(value, Scalar)
    return value.parts if value.parts is not None else joined((value.text,))


def is_plain(parts: Parts) -> bool:
    """Tell whether a text has no hole."""
    return not any(isinstance(part, Hole) for part in parts)


def is_several(node: Node) -> bool:
    """Tell whether a node may be a list of texts that nobody knows."""
    return isinstance(node, Scalar) and any(isinstance(part, Hole) and part.several for part in parts_of(node))


def key_of(value: Value) -> object:
    """Equal for two values only if they are one."""
    if isinstance(value, NoValue):
        return NO_VALUE
    return parts_of(value) if isinstance(value, Scalar) else canonical(value)


class Evaluating(Protocol):
    """The questions that functions and conditions ask of an evaluator."""

    @property
    def template(self) -> Template: ...

    def value(self, node: Node) -> Value: ...

    def text(self, node: Node) -> Scalar: ...

    def items(self, argument: Node, minimum: int, maximum: int) -> tuple[Node, ...]: ...

    @property
    def for_names(self) -> bool: ...

    def condition(self, name: Node) -> bool: ...

    def symbol(self, name: Node) -> bool | tuple[object, ...]: ...

    def truth(self, atom: Atom) -> bool: ...

    def truth_symbol(self, atom: Atom) -> bool | tuple[object, ...]: ...

    def text_truth(self, unknown: Hole, text: str) -> Atom: ...

    def differs(self, mapping: str) -> bool: ...

    def written(self, *sections: str) -> str: ...


def resolve(evaluator: Evaluating, node: Node) -> Node:
    """The node as far as it can be told, for the name of what it decides."""
    try:
        value = evaluator.value(node)
    except Opaque:
        # The names in it may mean another thing on the other side.
        meanings = evaluator.written("Parameters", "Mappings", "Conditions", "Resources")
        return text_of((hole("what cannot be told", canonical(node), meanings),), node.span)
    return node if isinstance(value, NoValue) else value
