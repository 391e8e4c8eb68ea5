"""The tree of a file in HCL: every node has the span of its text."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from policy_guard.documents.source import Span


class Literal(NamedTuple):
    """A number, true, false or null. `kind` is that of a scalar, and `text` is as written."""

    kind: str
    text: str
    span: Span


class Text(NamedTuple):
    """Literal text in a template, escapes decoded."""

    value: str
    span: Span


class Interpolation(NamedTuple):
    """A value in a template: `${...}`. The tildes take blanks beside it away."""

    value: Expression
    span: Span
    trims: tuple[bool, bool] = (False, False)


class Chosen(NamedTuple):
    """The directive `%{ if }` of a template."""

    condition: Expression
    then: tuple[Part, ...]
    otherwise: tuple[Part, ...]
    span: Span


class Repeated(NamedTuple):
    """The directive `%{ for }` of a template."""

    names: tuple[str | None, str]
    collection: Expression
    body: tuple[Part, ...]
    span: Span


class Template(NamedTuple):
    """A quoted string, a heredoc or a template file."""

    parts: tuple[Part, ...]
    span: Span


class List(NamedTuple):
    items: tuple[Expression, ...]
    span: Span


class Mapping(NamedTuple):
    items: tuple[tuple[Expression, Expression], ...]
    span: Span


class For(NamedTuple):
    """A for expression; with a `key` it gives a mapping. With `grouped` values of one key are a list."""

    names: tuple[str | None, str]
    collection: Expression
    key: Expression | None
    value: Expression
    condition: Expression | None
    grouped: bool
    span: Span


class Call(NamedTuple):
    """A call of a function; with `spread` the last argument is a list of arguments."""

    name: str
    arguments: tuple[Expression, ...]
    spread: bool
    span: Span


class Conditional(NamedTuple):
    condition: Expression
    then: Expression
    otherwise: Expression
    span: Span


class Operation(NamedTuple):
    """An operator between two values, or before one: then `left` is None."""

    operator: str
    left: Expression | None
    right: Expression
    span: Span


class Variable(NamedTuple):
    """A name at the beginning of a reference."""

    name: str
    span: Span


class Attribute(NamedTuple):
    """A part of a value by its name: `value.name`."""

    value: Expression
    name: str
    span: Span


class Index(NamedTuple):
    """A part of a value by its key: `value[key]`."""

    value: Expression
    key: Expression
    span: Span


class Item(NamedTuple):
    """What stands for each item inside a splat."""

    span: Span


class Splat(NamedTuple):
    """The `each` of all items of a value: `value[*].name`."""

    value: Expression
    each: Expression
    span: Span


Part: TypeAlias = "Text | Interpolation | Chosen | Repeated"
Expression: TypeAlias = (
    "Literal | Template | List | Mapping | For | Call | Conditional | Operation | Variable | Attribute | Index"
    " | Item | Splat"
)


class Argument(NamedTuple):
    """A name with its value."""

    name: str
    value: Expression
    span: Span


class Block(NamedTuple):
    """A block; `head` is the span of its type and labels."""

    type: str
    labels: tuple[str, ...]
    body: Body
    span: Span
    head: Span


class Body(NamedTuple):
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
