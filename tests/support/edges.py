"""Requests aimed at the edges of the patterns in some policies: just inside, just outside, and where two meet."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from policy_guard.iam import catalog
from policy_guard.iam.meaning.interpretations import READINGS
from policy_guard.iam.policy import Caller, Policy, Request, Statement
from policy_guard.solver.strings.pattern import Pattern, Unknown, Variable, Wildcard

_FILLINGS = ("", "x", "a", ":", "a:b", "a/b", "*", "?", "Z")
_TEXTS = ("", "x", "true", "false", "*", "1")
_ACCOUNT = "111122223333"


class Places(NamedTuple):
    """Texts worth trying for each part of a request."""

    actions: list[str]
    resources: list[str]
    values: dict[str, list[str]]
    callers: list[Caller]
    unknowns: dict[str, list[str]]


def requests(policies: Iterable[Policy], count: int, seed: int) -> Iterator[Request]:
    """So many requests, the same for the same seed."""
    rng = random.Random(seed)
    statements = [statement for policy in policies for statement in policy.statements]
    places = _places(statements, rng)
    sets = {condition.key for statement in statements for condition in statement.conditions if condition.quantifier}
    for _ in range(count):
        context = {
            key: _some(values, _several(key, sets), rng) for key, values in places.values.items() if rng.random() < 0.75
        }
        yield Request(
            rng.choice(places.callers),
            rng.choice(places.actions),
            rng.choice(places.resources),
            {key: texts for key, texts in context.items() if texts},
            {name: rng.choice(texts) for name, texts in places.unknowns.items()},
            {name: rng.random() < 0.5 for name in READINGS},
        )


def _several(key: str, sets: set[str]) -> bool:
    """Whether requests may hold several values of the key; a key that AWS does not list only under a set operator."""
    known = catalog.key_type(key)
    return known.multivalued if known else key in sets


def _some(values: list[str], several: bool, rng: random.Random) -> tuple[str, ...]:
    most = rng.choice((1, 1, 1, 2 if several else 1))
    return tuple(dict.fromkeys(rng.choice(values) for _ in range(most)))


def _places(statements: list[Statement], rng: random.Random) -> Places:
    actions, resources = ["s3:GetObject", "iam:X"], ["arn:aws:s3:::x"]
    values: dict[str, list[str]] = {}
    callers = [Caller("Anonymous"), Caller("AWS", f"arn:aws:iam::{_ACCOUNT}:user/x"), Caller("Service", "x")]
    unknowns: dict[str, list[str]] = {}
    for statement in statements:
        for value in statement.action.values:
            actions += (text for text in _near(value.pattern, rng) if _is_action(text))
        for value in statement.resource.values if statement.resource else ():
            resources += _near(value.pattern, rng)
        for condition in statement.conditions:
            given = values.setdefault(condition.key, [])
            for value in condition.values:
                given += [
                    each for text in _near(value.pattern, rng) for each in (text, *_beside(condition.operator, text))
                ]
            given += _TEXTS
        for entry in statement.principals.entries if statement.principals else ():
            callers += _callers(entry.type, entry.value.text)
        for part in (part for pattern in _patterns(statement) for part in pattern.parts):
            if isinstance(part, Variable):
                values.setdefault(part.key, []).extend(["x", "a", "*"])
            elif isinstance(part, Unknown):
                unknowns.setdefault(part.name, ["x", "", "*", "?", "a"])
    return Places(actions, [r for r in resources if r], values, callers, unknowns)


def _is_action(text: str) -> bool:
    service, colon, name = text.partition(":")
    return bool(service and colon and name)


def _patterns(statement: Statement) -> Iterator[Pattern]:
    elements = (statement.action, statement.resource)
    yield from (value.pattern for element in elements if element for value in element.values)
    yield from (value.pattern for condition in statement.conditions for value in condition.values)


def _near(pattern: Pattern, rng: random.Random) -> Iterator[str]:
    """Texts of the pattern with several things in place of what is open in it, and texts a character off."""
    for filling in (*_FILLINGS[:3], *rng.sample(_FILLINGS, 3)):
        text = "".join(
            part if isinstance(part, str) else filling[:1] if part == Wildcard("?") else filling
            for part in pattern.parts
        )
        yield text
    yield text + "x"
    yield text[:-1]
    yield text.swapcase()


def _beside(operator: str, text: str) -> Iterator[str]:
    """Values right beside this one, for operators that compare in an order."""
    if operator.startswith("Numeric") and text.lstrip("-").isdigit():
        yield from (str(int(text) + step) for step in (-1, 1))
        yield f"{text}.5"
    if operator.startswith("Date") and text.endswith("Z"):
        yield f"{text[:-1]}.5Z"
        yield f"{text[:3]}9{text[4:]}"
    if "Ip" in operator and "." in text:
        head = text.partition("/")[0].rpartition(".")[0]
        yield from (f"{head}.{last}" for last in (0, 7, 255))


def _callers(type_: str, text: str) -> Iterator[Caller]:
    if type_ not in ("AWS", "*"):
        yield Caller(type_, text)
        return
    account = next((part for part in text.split(":") if part.isdigit() and len(part) == 12), _ACCOUNT)
    role = f"arn:aws:iam::{account}:role/x"
    yield from (Caller("AWS", f"arn:aws:iam::{account}:user/x"), Caller("AWS", role), Caller("AWS", role, "s"))
    if ":role/" in text or ":user/" in text:
        yield Caller("AWS", text.replace("*", "x"))
    if ":role/" in text:
        yield Caller("AWS", text.replace("*", "x"), "s")
