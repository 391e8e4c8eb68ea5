"""A pattern: literal text, wildcards, policy variables and unknown parts, in the order written."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Wildcard(NamedTuple):
    """`*` or `?`. What it stands for is decided by the element it is used in."""

    symbol: str


class Variable(NamedTuple):
    """`${key}` or `${key, 'default'}`: the value of `key` (lower case) in the same request, as text."""

    key: str
    default: str | None = None


class Unknown(NamedTuple):
    """A part that a template fills in later: some fixed text that nobody knows yet, the same for the same name."""

    name: str


Part: TypeAlias = "str | Wildcard | Variable | Unknown"

STAR = Wildcard("*")
ONE = Wildcard("?")


class Pattern(NamedTuple):
    parts: tuple[Part, ...]
