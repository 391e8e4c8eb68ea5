"""YAML with parts that a template engine fills in: read with them as they are, if they stand only in values.

The engines: Go's text/template (Helm), Jinja and ERB, and builds that replace `%NAME%`, as those of AWS Solutions do.
What they leave out, repeat or include is no value.
"""

from __future__ import annotations

import re

from policy_guard.documents.printable import printable
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Span, Unreadable
from policy_guard.regex import regex

NO_FILE_YET = 'leave the file out with "exclude", or name this line under "ignore-unreadable"'
# Every run ends at the next opening character, so that the time is linear in the text.
_MARKER = regex(r"\{\{[^{}]*\}\}|\{%[^{}%]*%\}|\{#[^{}#]*#\}|<%[^<>%]*%>|%\{[^{}]*\}|%%?[A-Z][A-Z0-9_]{2,60}%%?")
_OPENING = regex(r"\{\{|\{%|\{#|<%|%\{|%%?[A-Z][A-Z0-9_]{2,60}%")
# Of Go's functions those that give more than one line or a part of YAML, and every statement.
_STRUCTURE = regex(
    r"""\{\{\s*(?:[-~#/^>!*]|(?:if|else|end|range|with|define|block|template|break|continue)\b|(?:\$\w*\s*|\w+\s*)?:?=[^=])
    | \{\{.*\b(?:n?indent|to[A-Z]\w+|include|tpl|to_?json|to_?yaml|to_nice_\w+|from_?yaml|from_?json|lookup)\b
    | .*[-~](?:\}\}|%>) | \{%|\{\#|<%(?!=)|%\{""",
    re.VERBOSE | re.DOTALL,
)
# Private characters, which no policy has: one for the beginning, sixteen for a number, one to fill the marker up.
_FIRST, _DIGITS, _FILL = "\ue000", "".join(map(chr, range(0xE010, 0xE020))), "\ue001"
_MASKED = regex(f"{_FIRST}([{_DIGITS}]{{4}}){_FILL}*")
_LONGEST = 60
_MOST_MARKERS = 16**4 - 1
_PRIVATE = regex("[\ue000-\ue01f]")


def is_template(text: str) -> bool:
    """Tell whether there are marks of a template engine in a text."""
    return _OPENING.search(text) is not None


def masked(text: str) -> tuple[str, tuple[str, ...]] | None:
    """The text with every part of a template as a word of the same length, and those parts; None if one is no value."""
    markers: list[str] = []
    if _PRIVATE.search(text):
        return None

    def word(match: re.Match[str]) -> str:
        number = "".join(_DIGITS[len(markers) >> shift & 15] for shift in (12, 8, 4, 0))
        markers.append(match[0])
        return f"{_FIRST}{number}".ljust(len(match[0]), _FILL)

    masked_text = _MARKER.sub(word, text)
    if len(markers) > _MOST_MARKERS or any(len(marker) < 5 or "\n" in marker for marker in markers):
        return None
    return (masked_text, tuple(markers)) if structure(text) is None else None


def structure(text: str) -> Span | None:
    """The first part of a template that may be more than a value: a statement, a whole line, or what takes breaks."""
    last = 0
    for match in _MARKER.finditer(text):
        start = text.rfind("\n", last, match.start()) + 1
        alone = (start > 0 or last == 0) and not text[start : match.start()].strip()
        if alone or _STRUCTURE.match(match[0]):
            return Span(*match.span())
        last = match.end()
    return None


def refusal(text: str, error: Unreadable) -> Unreadable:
    """Says what keeps the text from being YAML: the first part of the template that is no value, else the `error`."""
    at = structure(text)
    if at is None:
        return Unreadable(*(Problem(f"{p.message}; {NO_FILE_YET}", p.span) for p in error.problems))
    fragment = printable(text[at.start : min(at.end, at.start + _LONGEST)])
    words = "decides what stands here once the template is filled in, so this is not YAML yet"
    return Unreadable(Problem(f'"{fragment}" {words}; {NO_FILE_YET}', at))


def unmasked(node: Node, markers: tuple[str, ...]) -> Node:
    """The tree with the parts of the template as they are written; raises Unreadable if one stands in a key."""
    match node:
        case Scalar():
            return _unmask(node, markers)
        case Array():
            return node._replace(items=tuple(unmasked(item, markers) for item in node.items))
        case Object():
            return node._replace(entries=tuple(_entry(entry, markers) for entry in node.entries))


def _entry(entry: Entry, markers: tuple[str, ...]) -> Entry:
    return Entry(_unmask(entry.key, markers), unmasked(entry.value, markers))


def _unmask(scalar: Scalar, markers: tuple[str, ...]) -> Scalar:
    if _FIRST not in scalar.text:
        return scalar
    return scalar._replace(text=_MASKED.sub(lambda match: markers[_number(match[1])], scalar.text))


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 16 + _DIGITS.index(digit)
    return number
