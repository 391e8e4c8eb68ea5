"""The requests common to two statements, as statements: never more, and fewer only if they cannot be spelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from policy_guard.documents.containers import VERSIONS
from policy_guard.documents.source import Source, Span
from policy_guard.iam.meaning.operators import operators
from policy_guard.iam.policy import (
    WITHOUT_PRINCIPAL,
    Condition,
    Element,
    Kind,
    Principal,
    Principals,
    Statement,
    Value,
    principals_meaning,
)
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import ONE, STAR, Part, Pattern, folded, spelled_out
from policy_guard.verify.finding import Spelled

MOST_PLACES = 300
"""Characters of two patterns together for which what both match is spelled."""
MOST_PATTERNS = 8
_NOWHERE = Span(0, 0)
_ALL = Value("*", Pattern((STAR,)), _NOWHERE)
_EVERYONE = Principals(False, (Principal("AWS", _ALL),), _NOWHERE)
_WITH_WILDCARDS = ("StringLike", "ArnLike", "ArnEquals")

Within: TypeAlias = "Callable[[Principals, Principals], bool]"
"""Whether every caller of the first is proved to be one of the second."""


def everything(kind: Kind) -> Statement:
    """A statement that applies to every request of the kind."""
    who = None if kind in WITHOUT_PRINCIPAL else _EVERYONE
    resource = None if kind == "trust" else element((_ALL,))
    return Statement(
        index=0,
        sid=None,
        effect="Deny",
        principals=who,
        action=element((_ALL,)),
        resource=resource,
        conditions=(),
        version=VERSIONS[0],
        span=_NOWHERE,
        source=Source("", ""),
    )


def element(values: tuple[Value, ...]) -> Element:
    """An element of these values, which stands nowhere."""
    return Element(False, values, _NOWHERE)


def overlap(one: Statement, two: Statement, within: Within) -> Spelled | None:
    """Requests to which both statements apply; None if there are none that can be spelled."""
    conditions = _conditions(one.conditions, two.conditions)
    principals = _principals(one.principals, two.principals, within)
    action, spared_actions = _elements(one.action, two.action, fold=True)
    resource, spared_resources = _elements(one.resource, two.resource, fold=False)
    nobody = principals is None and (one.principals or two.principals)
    nothing = resource is None and (one.resource or two.resource)
    if conditions is None or action is None or nobody or nothing:
        return None
    both = replace(one, principals=principals, action=action, resource=resource, conditions=conditions)
    return Spelled((both,), tuple(_spared(both, spared_actions, spared_resources)))


def _spared(both: Statement, actions: tuple[Value, ...], resources: tuple[Value, ...]) -> Iterator[Statement]:
    """Statements for the values of NotAction and NotResource that have something in common with the others."""
    statement = replace(
        both,
        principals=both.principals and _EVERYONE,
        action=element((_ALL,)),
        resource=both.resource and element((_ALL,)),
        conditions=(),
    )
    if actions:
        yield replace(statement, action=element(actions))
    if resources:
        yield replace(statement, resource=element(resources))


def _elements(one: Element | None, two: Element | None, fold: bool) -> tuple[Element | None, tuple[Value, ...]]:
    """Return an element for the texts that both match, except those matching the values beside it; None if empty."""
    if one is None or two is None:
        return one or two, ()
    if one.negated and two.negated:
        return Element(True, tuple(dict.fromkeys([*one.values, *two.values])), _NOWHERE), ()
    if one.negated or two.negated:
        return _but(*((two, one) if one.negated else (one, two)), fold=fold)
    common = dict.fromkeys(value for a in one.values for b in two.values for value in _common(a, b, fold=fold))
    return (element(_widest(tuple(common), fold)) if common else None), ()


def _but(given: Element, negated: Element, fold: bool) -> tuple[Element | None, tuple[Value, ...]]:
    """The values of the one element that the other does not cover, and those of the other that meet them."""
    spared = _language((value.pattern for value in negated.values), fold)
    values = tuple(value for value in given.values if not spared.covers(_language([value.pattern], fold)))
    rest = _language((value.pattern for value in values), fold)
    meeting = tuple(value for value in negated.values if not _language([value.pattern], fold).apart(rest))
    return (element(values) if values else None), meeting


def _widest(values: tuple[Value, ...], fold: bool) -> tuple[Value, ...]:
    """The values without those that lie within another."""
    kept: list[Value] = []
    for value in values:
        own = _language([value.pattern], fold)
        if not any(_language([other.pattern], fold).covers(own) for other in kept):
            kept = [other for other in kept if not own.covers(_language([other.pattern], fold))]
            kept.append(value)
    return tuple(kept)


def _common(one: Value, two: Value, fold: bool) -> Iterator[Value]:
    """Values for what both match."""
    languages = tuple(_language([value.pattern], fold) for value in (one, two))
    if languages[1].covers(languages[0]):
        yield one
    elif languages[0].covers(languages[1]):
        yield two
    elif not languages[0].apart(languages[1]) and not one.padded and not two.padded:
        found = _both(_tokens(one.pattern), _tokens(two.pattern), fold)
        yield from (Value(spelled_out(pattern), pattern, _NOWHERE) for pattern in map(_pattern, found))


def _language(patterns: Iterable[Pattern], fold: bool) -> Language:
    return Language(glob(pattern, fold=fold) for pattern in patterns)


_Tokens: TypeAlias = "tuple[Part, ...]"


def _tokens(pattern: Pattern) -> _Tokens:
    """The parts of the pattern, its text character by character."""
    return tuple(token for part in pattern.parts for token in (part if isinstance(part, str) else (part,)))


def _pattern(tokens: _Tokens) -> Pattern:
    parts: list[Part] = []
    for token in tokens:
        if isinstance(token, str) and parts and isinstance(parts[-1], str):
            parts[-1] += token
        else:
            parts.append(token)
    return Pattern(tuple(parts))


def _both(one: _Tokens, two: _Tokens, fold: bool) -> tuple[_Tokens, ...]:
    """Patterns for the texts that match both; none if there are too many of them.

    A variable or an unknown part is common to both only if it stands in both, or under a `*`.
    """
    if len(one) + len(two) > MOST_PLACES:
        return ()
    known: dict[tuple[int, int], tuple[_Tokens, ...]] = {}

    def rest(i: int, j: int) -> tuple[_Tokens, ...]:
        if (i, j) not in known:
            known[i, j] = tuple(dict.fromkeys(ways(i, j)))[:MOST_PATTERNS]
        return known[i, j]

    def ways(i: int, j: int) -> list[_Tokens]:
        if i == len(one) or j == len(two):
            return [()] if all(token == STAR for token in (*one[i:], *two[j:])) else []
        first, second = one[i], two[j]
        if first == STAR and second == STAR:
            return [_after(STAR, tail) for tail in (*rest(i + 1, j), *rest(i, j + 1))]
        if first == STAR:
            return [*rest(i + 1, j), *(_after(second, tail) for tail in rest(i, j + 1))]
        if second == STAR:
            return [*rest(i, j + 1), *(_after(first, tail) for tail in rest(i + 1, j))]
        token = _token(first, second, fold)
        return [_after(token, tail) for tail in rest(i + 1, j + 1)] if token else []

    return rest(0, 0)


def _after(token: Part, tail: _Tokens) -> _Tokens:
    return tail if token == STAR and tail[:1] == (STAR,) else (token, *tail)


def _token(one: Part, two: Part, fold: bool) -> Part | None:
    """Return a token for the characters that both tokens stand for."""
    if one == two or (fold and isinstance(one, str) and isinstance(two, str) and folded(one) == folded(two)):
        return one
    for wild, other in ((one, two), (two, one)):
        if wild == ONE and isinstance(other, str):
            return other
    return None


def _principals(one: Principals | None, two: Principals | None, within: Within) -> Principals | None:
    """Callers whom both elements name; None if there are none that can be spelled."""
    if one is None or two is None:
        return one or two
    if principals_meaning(one) == principals_meaning(two) or within(one, two):
        return one
    if within(two, one):
        return two
    entries = [*_entries_within(one, two, within), *_entries_within(two, one, within)]
    return Principals(False, tuple(dict.fromkeys(entries)), _NOWHERE) if entries else None


def _entries_within(given: Principals, other: Principals, within: Within) -> Iterator[Principal]:
    for entry in () if given.negated else given.entries:
        if within(Principals(False, (entry,), _NOWHERE), other):
            yield entry


def _conditions(one: tuple[Condition, ...], two: tuple[Condition, ...]) -> tuple[Condition, ...] | None:
    """Conditions for when all of both hold; None if a policy cannot hold them in one block."""
    joined: dict[tuple[str, str, bool, str], Condition] = {}
    for condition in (*one, *two):
        place = (condition.quantifier, condition.operator, condition.if_exists, condition.key)
        both = _condition(joined[place], condition) if place in joined else condition
        if both is None:
            return None
        joined[place] = both
    return tuple(joined.values())


def _condition(one: Condition, two: Condition) -> Condition | None:
    """One condition in place of two with the same operator on the same key; None if there is none."""
    if {value.pattern for value in one.values} == {value.pattern for value in two.values}:
        return one
    if one.quantifier == "ForAnyValue" or one.operator not in operators() or one.operator == "Null":
        return None
    if operators()[one.operator].negated:
        return one._replace(values=tuple(dict.fromkeys([*one.values, *two.values])))
    values = tuple(dict.fromkeys(value for a in one.values for b in two.values for value in _matching(a, b, one)))
    return one._replace(values=values) if values else None


def _matching(one: Value, two: Value, condition: Condition) -> Iterator[Value]:
    """Values for what both match as values of a condition."""
    if one.pattern == two.pattern:
        yield one
    elif condition.operator in _WITH_WILDCARDS:
        yield from _common(one, two, fold=False)
