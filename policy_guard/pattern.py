"""A pattern: literal text, wildcards, policy variables and unknown parts, in the order written.

The parts are no tuples: two kinds of part with the same text must not be equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*` or `?`. What it stands for is decided by the element it is used in."""

    symbol: str


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`: the value of `key` (lower case) in the same request, as text."""

    key: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that a template fills in later: some fixed text that nobody knows yet, the same for the same name."""

    name: str


Part: TypeAlias = "str | Wildcard | Variable | Unknown"

STAR = Wildcard("*")
ONE = Wildcard("?")


class Pattern(NamedTuple):
    parts: tuple[Part, ...]


_TOKEN = re.compile(
    r"""\$\{(?P<inner>[^{}]*)\} | (?P<hole>%\{[^{}]*\} | \{\{[^{}]*\}\} | <%[^%]*%>) | (?P<wild>[*?]) | (?P<open>\$\{)
    | (?P<text>[^*?$%{<]+ | .)""",
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = re.compile(r"\s*([A-Za-z0-9_.+=@-]+:(?!:)[^\s,'*?$]*[^\s,'*?$:])\s*(?:,\s*'([^']*)'\s*)?", re.DOTALL)


def read_pattern(text: str, variables: bool) -> Pattern:
    """The pattern that `text` spells; with `variables` as in Version 2012-10-17, else those are literal text.

    `${prefix:name}` is a variable, `${name}`, `${AWS::Region}`, `%{name}`, `{{name}}` and `<%= name %>` are unknown
    parts. Raises `ValueError` with a sentence for any other `${`. Source: IAM User Guide,
    reference_policies_variables.
    """
    parts: list[Part] = []
    for token in _TOKEN.finditer(text):
        part = _part(token, variables)
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return Pattern(tuple(parts))


def _part(token: re.Match[str], variables: bool) -> Part:
    if token["wild"]:
        return Wildcard(token["wild"])
    if token["hole"]:
        return Unknown(token["hole"])
    if token["inner"] is not None:
        return _braced(token["inner"], token[0], variables)
    if token["open"] and variables:
        raise ValueError('"${" is not closed by "}"')
    return token[0]


def _braced(inner: str, spelled: str, variables: bool) -> Part:
    if inner in ("*", "?", "$"):
        return inner if variables else spelled
    variable = _VARIABLE.fullmatch(inner)
    if variable:
        return Variable(variable[1].lower(), variable[2]) if variables else spelled
    if re.search(r"(?<!:):(?!:)", inner) or not inner.strip():
        if not variables:
            return spelled
        raise ValueError(
            f"\"{spelled[:60]}\" is no policy variable; write ${{prefix:name}} or ${{prefix:name, 'default'}}"
        )
    return Unknown(inner.strip())
