"""Statements of templates in acceptances: texts with named unknown parts, and the choices under which they are there.

`unknown` in the file gives the full name of each `${name}` in its texts, and with it nothing else there is a
placeholder. `When` beside the elements of a statement lists what has to be so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_guard.documents.source import Array, Entry, Guard, Hole, Node, Object, Problem, Scalar, Unreadable
from policy_guard.iam.policy import MADE_UP, Condition, Value
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import HIDDEN, Pattern, Unknown, spelled_out

WHEN = "When"
_PLACE = regex(r"\$\{([^{}]*)\}")
_ELEMENTS = ("key", "values", "words")


def evaluate(statement: Node, unknown: Mapping[str, str] | None) -> Node:
    """A statement of a file as a container would give it; raises `Unreadable` for a choice that is none."""
    if not isinstance(statement, Object):
        return statement
    guards = tuple(guard for key, value in statement.entries if key.text == WHEN for guard in _guards(value))
    entries = (Entry(key, _fill_holes(value, unknown)) for key, value in statement.entries if key.text != WHEN)
    return statement._replace(entries=tuple(entries), guards=guards)


def _fill_holes(node: Node, unknown: Mapping[str, str] | None) -> Node:
    if unknown is None:
        return node
    if isinstance(node, Array):
        return node._replace(items=tuple(_fill_holes(item, unknown) for item in node.items))
    if isinstance(node, Object):
        return node._replace(entries=tuple(Entry(key, _fill_holes(value, unknown)) for key, value in node.entries))
    parts: list[str | Hole] = []
    position = 0
    for place in _PLACE.finditer(node.text):
        if place[1] in unknown:
            parts += (node.text[position : place.start()], Hole(unknown[place[1]]))
            position = place.end()
    return node._replace(parts=tuple(part for part in (*parts, node.text[position:]) if part != ""))


def _guards(node: Node) -> Iterator[Guard]:
    for item in node.items if isinstance(node, Array) else (node,):
        elements = {key.text: value for key, value in item.entries} if isinstance(item, Object) else {}
        texts = [value.text for value in elements.values() if isinstance(value, Scalar)]
        values = next((value for value in elements.values() if isinstance(value, Array)), None)
        negated = "not" in elements
        choice = elements.get("not" if negated else "is")
        if len(elements) != 3 or len(texts) != 2 or values is None or choice is not values:
            raise Unreadable(Problem(f'a choice under "{WHEN}" has key, words, and a list under is or not', item.span))
        if not all(isinstance(value, Scalar) for value in values.items) or not {"key", "words"} <= elements.keys():
            raise Unreadable(Problem(f'a choice under "{WHEN}" has key, words, and a list under is or not', item.span))
        key, words = (element.text for name in ("key", "words") if isinstance(element := elements[name], Scalar))
        yield Guard(key, tuple(value.text for value in values.items if isinstance(value, Scalar)), negated, words)


def choices(conditions: tuple[Condition, ...]) -> list[dict[str, Any]]:
    """The conditions that stand for choices, as they are written under `When`."""
    return [
        {
            "key": condition.key.removeprefix(MADE_UP),
            "not" if condition.operator == "StringNotEquals" else "is": [value.text for value in condition.values],
            "words": condition.written_key,
        }
        for condition in conditions
        if condition.key.startswith(MADE_UP)
    ]


class Names:
    """The names of unknown parts in a file, each with what it is written as."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}

    def text(self, value: Value) -> str:
        """A value as it is written in a file with these names."""
        parts = (
            Unknown(self._unique_name(part.name)) if isinstance(part, Unknown) else part for part in value.pattern.parts
        )
        return spelled_out(Pattern(tuple(parts)))

    def _unique_name(self, name: str) -> str:
        base = re.sub(r"[{}$]", "", name.partition(HIDDEN)[0]).removeprefix("!Ref ")
        unique_name, number = base, 1
        while self.written.setdefault(unique_name, name) != name:
            number += 1
            unique_name = f"{base} {number}"
        return unique_name
