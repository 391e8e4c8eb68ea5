"""The tree of a file in HCL: every node has the span of its text.

Data classes, since a type checker takes minutes over unions of tuples that hold each other.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TypeAlias

from policy_guard.documents.source import Source, Span


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, true, false or null. `kind` is that of a scalar, and `text` is as written."""

    kind: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text in a template, escapes decoded."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A value in a template: `${...}`. The tildes take blanks beside it away."""

    value: Expression
    span: Span
    trims: tuple[bool, bool] = (False, False)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The directive `%{ if }` of a template."""

    condition: Expression
    if_true: tuple[Part, ...]
    if_false: tuple[Part, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Repeated:
    """The directive `%{ for }` of a template."""

    names: tuple[str | None, str]
    collection: Expression
    body: tuple[Part, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Template:
    """A quoted string, a heredoc or a template file."""

    parts: tuple[Part, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class List:
    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Mapping:
    items: tuple[tuple[Expression, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class For:
    """A for expression; with a `key` it gives a mapping. With `grouped` values of one key are a list."""

    names: tuple[str | None, str]
    collection: Expression
    key: Expression | None
    value: Expression
    condition: Expression | None
    grouped: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function; with `spread` the last argument is a list of arguments."""

    name: str
    arguments: tuple[Expression, ...]
    spread: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    condition: Expression
    if_true: Expression
    if_false: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator between two values, or before one: then `left` is None."""

    operator: str
    left: Expression | None
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A name at the beginning of a reference."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Attribute:
    """A part of a value by its name: `value.name`."""

    value: Expression
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """A part of a value by its key: `value[key]`."""

    value: Expression
    key: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Item:
    """What stands for each item inside a splat."""

    span: Span


@dataclass(frozen=True, slots=True)
class Splat:
    """The `element` of all items of a value: `value[*].name`."""

    value: Expression
    element: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A value that stands in another file, where its own spans lead; `span` is the place that it has in this one."""

    value: Expression
    source: Source
    span: Span


Part: TypeAlias = "Text | Interpolation | Chosen | Repeated"
Expression: TypeAlias = (
    "Literal | Template | List | Mapping | For | Call | Conditional | Operation | Variable | Attribute | Index"
    " | Item | Splat | OtherFile"
)


@dataclass(frozen=True, slots=True)
class Argument:
    """A name with its value."""

    name: str
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """A block; `head` is the span of its type and labels."""

    type: str
    labels: tuple[str, ...]
    body: Body
    span: Span
    head: Span


@dataclass(frozen=True, slots=True)
class Body:
    """What stands in a block or file."""

    arguments: dict[str, Argument]
    blocks: tuple[Block, ...]
    span: Span

    def value(self, name: str) -> Expression | None:
        """The value of the argument of this name."""
        argument = self.arguments.get(name)
        return argument.value if argument else None

    def of_type(self, name: str) -> tuple[Block, ...]:
        """The blocks of a type."""
        return tuple(block for block in self.blocks if block.type == name)


_FIELDS: dict[type, tuple[str, ...]] = {}
"""The fields of each type, since asking the type takes longer than all else."""


def parts_of(node: object) -> tuple[object, ...]:
    """Return what a node of the tree is made of; nothing for what is no node."""
    type_ = type(node)
    if type_ not in _FIELDS:
        _FIELDS[type_] = tuple(field.name for field in fields(type_)) if is_dataclass(type_) else ()
    return tuple([getattr(node, name) for name in _FIELDS[type_]])
