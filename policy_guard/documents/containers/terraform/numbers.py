"""Numbers of Terraform: operators and functions of known ones. Source: Terraform, "Types and Values", and zclconf/cty.

Terraform reckons with 512 bits: what does not come out even, or is longer than a few digits, is left unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from policy_guard.documents.containers.terraform.values import is_known, label_of
from policy_guard.documents.source import Array, Node, Scalar, Span

_LONGEST = 15
_MOST_ITEMS = 1_000
_COMPARISONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}
_OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction | None]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right if right else None,
    "%": lambda left, right: left - right * math.trunc(left / right) if right else None,
}


def reckoned(operator: str, left: Node | None, right: Node, span: Span) -> Node | None:
    """Return what an operator makes of one or two numbers; None if nobody knows."""
    second = number_of(right)
    first = Fraction(0) if left is None else number_of(left)
    if first is None or second is None:
        return None
    if operator in _COMPARISONS:
        return Scalar("true" if _COMPARISONS[operator](first, second) else "false", span, "boolean")
    result = _OPERATIONS[operator](first, second) if operator in _OPERATIONS else None
    return number(result, span) if result is not None else None


def number_of(node: Node) -> Fraction | None:
    """The number that a value is; None for any other, and for one that is too long."""
    if not isinstance(node, Scalar) or node.kind != "number" or not is_known(node):
        return None
    text = label_of(node)
    plain = text.removeprefix("-").replace(".", "", 1)
    return Fraction(text) if plain.isdecimal() and plain.isascii() and len(plain) <= _LONGEST else None


def number(value: Fraction, span: Span) -> Scalar | None:
    """The number as Terraform writes it; None if it does not come out even."""
    scaled, places = value, 0
    while scaled.denominator > 1 and places < _LONGEST:
        scaled, places = scaled * 10, places + 1
    if scaled.denominator > 1 or len(str(abs(scaled.numerator))) > _LONGEST:
        return None
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return Scalar(f"-{text}" if value < 0 else text, span, "number")


def whole(node: Node) -> int | None:
    """The whole number that a value is; None for any other."""
    value = number_of(node)
    return value.numerator if value is not None and value.denominator == 1 else None


def _function(reckon: Callable[..., Fraction], least: int, most: int) -> Callable[[Sequence[Node], Span], Node | None]:
    """A function of some known numbers that gives a number."""

    def run(arguments: Sequence[Node], span: Span) -> Node | None:
        values = [number_of(argument) for argument in arguments]
        known = [value for value in values if value is not None]
        return number(reckon(*known), span) if least <= len(known) == len(values) <= most else None

    return run


def _range(arguments: Sequence[Node], span: Span) -> Node | None:
    numbers = [whole(argument) for argument in arguments]
    known = [each for each in numbers if each is not None]
    if not 1 <= len(known) == len(numbers) <= 3:
        return None
    start, limit = known[:2] if len(known) > 1 else (0, known[0])
    step = known[2] if len(known) == 3 else -1 if limit < start else 1
    is_ending = bool(step) and (step > 0) == (limit > start)
    numbers_made = range(start, limit, step) if is_ending else range(0)
    if (start != limit and not is_ending) or len(numbers_made) > _MOST_ITEMS:
        return None
    return Array(tuple(Scalar(str(each), span, "number") for each in numbers_made), span)


def _sum(arguments: Sequence[Node], span: Span) -> Node | None:
    items = arguments[0].items if len(arguments) == 1 and isinstance(arguments[0], Array) else ()
    known = [value for item in items if (value := number_of(item)) is not None]
    return number(sum(known, Fraction(0)), span) if known and len(known) == len(items) else None


OF_NUMBERS: dict[str, Callable[[Sequence[Node], Span], Node | None]] = {
    "abs": _function(abs, 1, 1),
    "ceil": _function(lambda value: Fraction(math.ceil(value)), 1, 1),
    "floor": _function(lambda value: Fraction(math.floor(value)), 1, 1),
    "max": _function(lambda *values: max(values), 1, _MOST_ITEMS),
    "min": _function(lambda *values: min(values), 1, _MOST_ITEMS),
    "signum": _function(lambda value: Fraction((value > 0) - (value < 0)), 1, 1),
    "range": _range,
    "sum": _sum,
}
