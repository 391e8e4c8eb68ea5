"""Reads files in HCL: arguments and blocks."""

from __future__ import annotations

from policy_guard.documents.hcl.cursor import Cursor
from policy_guard.documents.hcl.expressions import expression, template
from policy_guard.documents.hcl.syntax import Argument, Block, Body, Expression, Template, Text
from policy_guard.documents.hcl.templates import template_of
from policy_guard.documents.source import Span


def read_file(text: str) -> Body:
    """The tree of a file. Raises `Unreadable` for what Terraform's own parser refuses, and for what is too deep."""
    cursor = Cursor(text)
    cursor.skip_byte_order_mark()
    return _body(cursor, closed=False)


def read_template(text: str) -> Template:
    """The tree of a template file. Raises `Unreadable`."""
    return template_of(text, expression)


def read_expression(text: str) -> Expression:
    """The tree of an expression alone. Raises `Unreadable`."""
    cursor = Cursor(text)
    value = expression(cursor)
    cursor.skip_lines()
    if cursor.at < len(text):
        cursor.fail("the expression has ended before this")
    return value


def _body(cursor: Cursor, closed: bool) -> Body:
    start = cursor.at
    arguments: dict[str, Argument] = {}
    blocks: list[Block] = []
    cursor.deeper()
    while True:
        cursor.skip_lines()
        if cursor.at >= len(cursor.text) and not closed:
            break
        if closed and cursor.sees("}"):
            cursor.at += 1
            break
        _entry(cursor, arguments, blocks)
    cursor.higher()
    return Body(arguments, tuple(blocks), Span(start, cursor.at))


def _entry(cursor: Cursor, arguments: dict[str, Argument], blocks: list[Block]) -> None:
    start = cursor.at
    name = cursor.name()
    if not name:
        cursor.fail("an argument, a block or } is expected here")
    cursor.skip()
    if not cursor.sees("=") or cursor.sees("=="):
        blocks.append(_block(cursor, name, start))
        return
    if name in arguments:
        cursor.fail(f"{name} is written twice; keep one", start)
    arguments[name] = _argument(cursor, name, start)
    if not cursor.ends_line():
        cursor.fail("a line break is expected after the argument")


def _argument(cursor: Cursor, name: str, start: int) -> Argument:
    cursor.at += 1
    value = expression(cursor)
    return Argument(name, value, Span(start, cursor.at))


def _block(cursor: Cursor, type_: str, start: int) -> Block:
    labels: list[str] = []
    head = cursor.at
    while not cursor.takes("{"):
        labels.append(_label(cursor))
        head = cursor.at
    if cursor.takes("}"):
        body = Body({}, (), Span(cursor.at - 1, cursor.at))
    elif cursor.in_line():
        body = _one_line(cursor)
    else:
        body = _body(cursor, closed=True)
    span = Span(start, cursor.at)
    if not cursor.ends_line():
        cursor.fail("a line break is expected after the block")
    return Block(type=type_, labels=tuple(labels), body=body, span=span, head=Span(start, head))


def _label(cursor: Cursor) -> str:
    start = cursor.at
    if not cursor.sees('"'):
        name = cursor.name()
        if not name:
            cursor.fail("a label or { is expected here")
        return name
    label = template(cursor)
    if not all(isinstance(part, Text) for part in label.parts):
        cursor.fail("a label is a plain text", start)
    return "".join(part.value for part in label.parts if isinstance(part, Text))


def _one_line(cursor: Cursor) -> Body:
    """A block in one line, which has one argument and nothing else."""
    start = cursor.at
    name = cursor.name()
    cursor.skip()
    if not name or not cursor.sees("=") or cursor.sees("=="):
        cursor.fail("a block in one line has one argument; break the line after {")
    argument = _argument(cursor, name, start)
    cursor.needs("}")
    return Body({name: argument}, (), Span(start, cursor.at))
