"""Reads what has a value in HCL: operators, references, calls, lists, mappings."""

from __future__ import annotations

import re

from policy_guard.documents.hcl.cursor import Cursor
from policy_guard.documents.hcl.syntax import (
    Attribute,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    Item,
    List,
    Literal,
    Mapping,
    Operation,
    Splat,
    Template,
    Text,
    Variable,
)
from policy_guard.documents.hcl.templates import for_head, heredoc, is_heredoc, quoted
from policy_guard.documents.source import Span

# All that goes into one number for Terraform's scanner, and what is one. Source: hashicorp/hcl, scan_tokens.rl.
_DIGITS = re.compile(r"[0-9](?:\.*(?:[0-9]|[eE][+-]?[0-9]))*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?0*[0-9]{1,9})?")
_LEGACY_INDEX = re.compile(r"[0-9]+(?:[eE][+-]?0*[0-9]{1,9})?")
_OPERATOR = re.compile(r"==|!=|<=|>=|&&|\|\||[<>+*%-]|/(?![/*])")
_KEY = re.compile(r"([^\W\d](?:\w|-)*)(?=[ \t]*(?:/\*(?:[^*]|\*(?!/))*\*/[ \t]*)*(?:=(?!=)|:(?!:)))")
_LEVELS = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}


def expression(cursor: Cursor) -> Expression:
    """The expression that begins here."""
    cursor.deeper()
    value = _binary(cursor, 1)
    if cursor.takes("?"):
        if_true = expression(cursor)
        cursor.needs(":")
        if_false = expression(cursor)
        span = Span(value.span.start, if_false.span.end)
        value = cursor.build(Conditional(value, if_true, if_false, span), value, if_true, if_false)
    cursor.higher()
    return value


def template(cursor: Cursor) -> Template:
    """The quoted string that begins here."""
    return quoted(cursor, expression)


def _binary(cursor: Cursor, level: int) -> Expression:
    left = _unary(cursor)
    while True:
        cursor.skip()
        match = _OPERATOR.match(cursor.text, cursor.at)
        if match is None or _LEVELS[match[0]] < level:
            return left
        cursor.at = match.end()
        right = _binary(cursor, _LEVELS[match[0]] + 1)
        span = Span(left.span.start, right.span.end)
        left = cursor.build(Operation(match[0], left, right, span), left, right)


def _unary(cursor: Cursor) -> Expression:
    cursor.skip()
    start = cursor.at
    if not cursor.sees("-") and (not cursor.sees("!") or cursor.sees("!=")):
        return _traversal(cursor, _term(cursor))
    operator = cursor.text[start]
    cursor.at += 1
    cursor.deeper()
    value = _unary(cursor)
    cursor.higher()
    return cursor.build(Operation(operator, None, value, Span(start, value.span.end)), value)


# --- references


def _traversal(cursor: Cursor, value: Expression) -> Expression:
    """The value with all that follows it in dots and brackets."""
    while True:
        cursor.skip()
        if cursor.sees("[") or (cursor.sees(".") and not cursor.sees("...")):
            step = _in_brackets if cursor.sees("[") else _after_dot
            cursor.at += 1
            value = step(cursor, value)
        else:
            return value


def _after_dot(cursor: Cursor, value: Expression) -> Expression:
    cursor.skip()
    start = value.span.start
    if cursor.sees("*"):
        cursor.at += 1
        return _splat_of_names(cursor, value)
    if name := cursor.name():
        return cursor.build(Attribute(value, name, Span(start, cursor.at)), value)
    at = cursor.at
    digits = _number(cursor, _LEGACY_INDEX)
    if not digits:
        cursor.fail("a name is expected after the dot")
    key = Literal("number", digits, Span(at, cursor.at))
    return cursor.build(Index(value, key, Span(start, cursor.at)), value)


def _splat_of_names(cursor: Cursor, value: Expression) -> Expression:
    """A splat of the older kind, which goes on with names and numbers alone."""
    element: Expression = Item(Span(cursor.at - 1, cursor.at))
    start = element.span.start
    while _takes_dot(cursor):
        cursor.skip()
        at = cursor.at
        if name := cursor.name():
            element = cursor.build(Attribute(element, name, Span(start, cursor.at)), element)
        elif digits := _number(cursor, _LEGACY_INDEX):
            key = Literal("number", digits, Span(at, cursor.at))
            element = cursor.build(Index(element, key, Span(start, cursor.at)), element)
        else:
            cursor.fail("a name is expected after the dot")
    return cursor.build(Splat(value, element, Span(value.span.start, cursor.at)), value, element)


def _takes_dot(cursor: Cursor) -> bool:
    """Tell whether a dot stands here or after blanks; goes past it."""
    end = cursor.at
    cursor.skip()
    if cursor.sees(".") and not cursor.sees("..."):
        cursor.at += 1
        return True
    cursor.at = end
    return False


def _in_brackets(cursor: Cursor, value: Expression) -> Expression:
    lines, cursor.lines = cursor.lines, False
    cursor.skip()
    if cursor.sees("*"):
        cursor.at += 1
        cursor.needs("]")
        cursor.lines = lines
        cursor.deeper()
        element = _traversal(cursor, Item(Span(cursor.at - 1, cursor.at)))
        cursor.higher()
        return cursor.build(Splat(value, element, Span(value.span.start, cursor.at)), value, element)
    key = expression(cursor)
    cursor.needs("]")
    cursor.lines = lines
    return cursor.build(Index(value, key, Span(value.span.start, cursor.at)), value, key)


# --- terms


def _term(cursor: Cursor) -> Expression:
    start = cursor.at
    if cursor.sees('"'):
        return template(cursor)
    if cursor.peek_name():
        return _name_or_call(cursor)
    if is_heredoc(cursor):
        return heredoc(cursor, expression)
    if number := _number(cursor, _NUMBER):
        return Literal("number", number, Span(start, cursor.at))
    sign = cursor.text[start : start + 1]
    if sign not in ("[", "{", "("):
        cursor.fail("a value is expected here")
    cursor.at += 1
    lines, cursor.lines = cursor.lines, False
    value = {"[": _list, "{": _mapping, "(": _parenthesis}[sign](cursor, start)
    cursor.lines = lines
    return value


def _number(cursor: Cursor, pattern: re.Pattern[str]) -> str:
    """The number of a form that stands right here; empty if there is none. Raises `Unreadable` for another form."""
    start = cursor.at
    digits = cursor.match(_DIGITS)
    if digits and not pattern.fullmatch(digits[0]):
        cursor.fail("a number of another form is expected here; write each index in brackets", start)
    return digits[0] if digits else ""


def _name_or_call(cursor: Cursor) -> Expression:
    start = cursor.at
    name = cursor.name()
    end = cursor.at
    while cursor.takes("::"):
        cursor.skip()
        part = cursor.name()
        if not part:
            cursor.fail("a name is expected after ::")
        name, end = f"{name}::{part}", cursor.at
    if cursor.sees("("):
        return _call(cursor, name, start)
    if "::" in name:
        cursor.fail('"(" is expected after the name of a function')
    cursor.at = end
    span = Span(start, end)
    if name in ("true", "false"):
        return Literal("boolean", name, span)
    return Literal("null", name, span) if name == "null" else Variable(name, span)


def _call(cursor: Cursor, name: str, start: int) -> Expression:
    cursor.at += 1
    lines, cursor.lines = cursor.lines, False
    arguments: list[Expression] = []
    spread = False
    while not cursor.takes(")"):
        arguments.append(expression(cursor))
        spread = cursor.takes("...")
        if spread or not cursor.takes(","):
            cursor.needs(")")
            break
    cursor.lines = lines
    # Terraform, "Built-in Functions": each is there under this namespace, too.
    name = name.removeprefix("core::")
    return cursor.build(Call(name, tuple(arguments), spread, Span(start, cursor.at)), *arguments)


def _parenthesis(cursor: Cursor, start: int) -> Expression:
    value = expression(cursor)
    cursor.needs(")")
    return value


def _list(cursor: Cursor, start: int) -> Expression:
    if _begins_for(cursor):
        return _for(cursor, start, "]")
    items: list[Expression] = []
    while not cursor.takes("]"):
        items.append(expression(cursor))
        if not cursor.takes(","):
            cursor.needs("]")
            break
    return cursor.build(List(tuple(items), Span(start, cursor.at)), *items)


def _begins_for(cursor: Cursor) -> bool:
    cursor.skip()
    return cursor.peek_name() == "for"


def _for(cursor: Cursor, start: int, end: str) -> Expression:
    cursor.name()
    names, collection = for_head(cursor, expression)
    cursor.needs(":")
    value = expression(cursor)
    key: Expression | None = None
    grouped = False
    if end == "}":
        cursor.needs("=>")
        key, value = value, expression(cursor)
        grouped = cursor.takes("...")
    condition: Expression | None = None
    cursor.skip()
    if cursor.peek_name() == "if":
        cursor.name()
        condition = expression(cursor)
    cursor.needs(end)
    span = Span(start, cursor.at)
    for_expression = For(
        names=names, collection=collection, key=key, value=value, condition=condition, grouped=grouped, span=span
    )
    return cursor.build(for_expression, *(part for part in (collection, key, value, condition) if part is not None))


def _mapping(cursor: Cursor, start: int) -> Expression:
    if _begins_for(cursor):
        return _for(cursor, start, "}")
    items: list[tuple[Expression, Expression]] = []
    while True:
        cursor.lines = False
        if cursor.takes("}"):
            break
        key = _key(cursor)
        cursor.skip()
        if cursor.sees("==") or not (cursor.sees("=") or cursor.sees(":")):
            cursor.fail('"=" is expected after a key')
        cursor.at += 1
        items.append((key, expression(cursor)))
        if cursor.takes("}"):
            break
        if not cursor.takes(",") and not cursor.ends_line():
            cursor.fail("a comma, a line break or } is expected here")
    mapping = Mapping(tuple(items), Span(start, cursor.at))
    return cursor.build(mapping, *(part for item in items for part in item))


def _key(cursor: Cursor) -> Expression:
    """The key of an entry: a name stands for itself."""
    match = cursor.match(_KEY)
    cursor.lines = True
    if match is None:
        return _binary(cursor, 1)
    span = Span(match.start(1), match.end(1))
    return Template((Text(match[1], span),), span)
