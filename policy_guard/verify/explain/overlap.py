"""The requests common to two statements, as statements: never more, and fewer only if they cannot be spelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
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
MOST_VALUES = 64
"""Of how many values an element in common may be: nobody reads more, and each is held against all others."""
_NOWHERE = Span(0, 0)
_ALL = Value("*", Pattern((STAR,)), _NOWHERE)
_EVERYONE = Principals(False, (Principal("AWS", _ALL),), _NOWHERE)
_WITH_WILDCARDS = ("StringLike", "ArnLike", "ArnEquals")

Inclusion: TypeAlias = "Callable[[Principals, Principals], bool]"
"""Whether every caller of the first is proved to be one of the second."""


def universal_statement(kind: Kind) -> Statement:
    """A statement that applies to every request of the kind."""
    principals = None if kind in WITHOUT_PRINCIPAL else _EVERYONE
    resource = None if kind == "trust" else element((_ALL,))
    return Statement(
        index=0,
        sid=None,
        effect="Deny",
        principals=principals,
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


def overlap(first: Statement, second: Statement, is_within: Inclusion) -> Spelled | None:
    """Requests to which both statements apply; None if there are none that can be spelled."""
    conditions = _conditions(first.conditions, second.conditions)
    principals = _principals(first.principals, second.principals, is_within)
    action, spared_actions = _elements(first.action, second.action, fold=True)
    resource, spared_resources = _elements(first.resource, second.resource, fold=False)
    no_caller = principals is None and (first.principals or second.principals)
    no_resource = resource is None and (first.resource or second.resource)
    if conditions is None or action is None or no_caller or no_resource:
        return None
    intersection = replace(first, principals=principals, action=action, resource=resource, conditions=conditions)
    return Spelled((intersection,), tuple(_exceptions(intersection, spared_actions, spared_resources)))


def _exceptions(
    intersection: Statement, actions: tuple[Value, ...], resources: tuple[Value, ...]
) -> Iterator[Statement]:
    """Statements for the values of NotAction and NotResource that have something in common with the others."""
    statement = replace(
        intersection,
        principals=intersection.principals and _EVERYONE,
        action=element((_ALL,)),
        resource=intersection.resource and element((_ALL,)),
        conditions=(),
    )
    if actions:
        yield replace(statement, action=element(actions))
    if resources:
        yield replace(statement, resource=element(resources))


def _elements(first: Element | None, second: Element | None, fold: bool) -> tuple[Element | None, tuple[Value, ...]]:
    """Return an element for the texts that both match, except those matching the values beside it.

    None if there are none, or too many values for them.
    """
    if first is None or second is None:
        return first or second, ()
    if first.negated and second.negated:
        return Element(True, tuple(dict.fromkeys([*first.values, *second.values])), _NOWHERE), ()
    for one, other in ((first, second), (second, first)):
        if not one.negated and any(value.pattern == _ALL.pattern for value in one.values):
            return other, ()
    if first.negated or second.negated:
        return _element_difference(*((second, first) if first.negated else (first, second)), fold=fold)
    common_values = dict.fromkeys(
        value for a in first.values for b in second.values for value in _common_values(a, b, fold=fold)
    )
    spelled = 0 < len(common_values) <= MOST_VALUES
    return (element(_widest_values(tuple(common_values), fold)) if spelled else None), ()


def _element_difference(positive: Element, negated: Element, fold: bool) -> tuple[Element | None, tuple[Value, ...]]:
    """The values of the one element that the other does not cover, and those of the other that meet them."""
    negated_language = _language((value.pattern for value in negated.values), fold)
    values = tuple(value for value in positive.values if not negated_language.covers(_language([value.pattern], fold)))
    language = _language((value.pattern for value in values), fold)
    exceptions = tuple(
        value for value in negated.values if not _language([value.pattern], fold).is_apart_from(language)
    )
    return (element(values) if values else None), exceptions


def _widest_values(values: tuple[Value, ...], fold: bool) -> tuple[Value, ...]:
    """The values without those that lie within another."""
    widest: list[Value] = []
    for value in values:
        language = _language([value.pattern], fold)
        if not any(_language([other.pattern], fold).covers(language) for other in widest):
            widest = [other for other in widest if not language.covers(_language([other.pattern], fold))]
            widest.append(value)
    return tuple(widest)


def _common_values(first: Value, second: Value, fold: bool) -> Iterator[Value]:
    """Values for what both match."""
    languages = tuple(_language([value.pattern], fold) for value in (first, second))
    if languages[1].covers(languages[0]):
        yield first
    elif languages[0].covers(languages[1]):
        yield second
    elif not languages[0].is_apart_from(languages[1]) and not first.padded and not second.padded:
        patterns = _common_tokens(_tokens(first.pattern), _tokens(second.pattern), fold)
        yield from (Value(spelled_out(pattern), pattern, _NOWHERE) for pattern in map(_pattern, patterns))


def _language(patterns: Iterable[Pattern], fold: bool) -> Language:
    return _language_of(tuple(patterns), fold)


@lru_cache(maxsize=1_000)
def _language_of(patterns: tuple[Pattern, ...], fold: bool) -> Language:
    """The texts of the patterns; kept, as each value is held against many others."""
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


def _common_tokens(first_tokens: _Tokens, second_tokens: _Tokens, fold: bool) -> tuple[_Tokens, ...]:
    """Patterns for the texts that match both; none if there are too many of them.

    A variable or an unknown part is common to both only if it stands in both, or under a `*`.
    """
    if len(first_tokens) + len(second_tokens) > MOST_PLACES:
        return ()
    cache: dict[tuple[int, int], tuple[_Tokens, ...]] = {}

    def tails(i: int, j: int) -> tuple[_Tokens, ...]:
        if (i, j) not in cache:
            cache[i, j] = tuple(dict.fromkeys(ways(i, j)))[:MOST_PATTERNS]
        return cache[i, j]

    def ways(i: int, j: int) -> list[_Tokens]:
        if i == len(first_tokens) or j == len(second_tokens):
            return [()] if all(token == STAR for token in (*first_tokens[i:], *second_tokens[j:])) else []
        first, second = first_tokens[i], second_tokens[j]
        if first == STAR and second == STAR:
            return [_prepend(STAR, tail) for tail in (*tails(i + 1, j), *tails(i, j + 1))]
        if first == STAR:
            return [*tails(i + 1, j), *(_prepend(second, tail) for tail in tails(i, j + 1))]
        if second == STAR:
            return [*tails(i, j + 1), *(_prepend(first, tail) for tail in tails(i + 1, j))]
        token = _token(first, second, fold)
        return [_prepend(token, tail) for tail in tails(i + 1, j + 1)] if token else []

    return tails(0, 0)


def _prepend(token: Part, tail: _Tokens) -> _Tokens:
    return tail if token == STAR and tail[:1] == (STAR,) else (token, *tail)


def _token(first: Part, second: Part, fold: bool) -> Part | None:
    """Return a token for the characters that both tokens stand for."""
    if first == second or (
        fold and isinstance(first, str) and isinstance(second, str) and folded(first) == folded(second)
    ):
        return first
    for wildcard, token in ((first, second), (second, first)):
        if wildcard == ONE and isinstance(token, str):
            return token
    return None


def _principals(first: Principals | None, second: Principals | None, is_within: Inclusion) -> Principals | None:
    """Callers whom both elements name; None if there are none that can be spelled."""
    if first is None or second is None:
        return first or second
    if principals_meaning(first) == principals_meaning(second) or is_within(first, second):
        return first
    if is_within(second, first):
        return second
    entries = [*_entries_within(first, second, is_within), *_entries_within(second, first, is_within)]
    return Principals(False, tuple(dict.fromkeys(entries)), _NOWHERE) if entries else None


def _entries_within(principals: Principals, bounds: Principals, is_within: Inclusion) -> Iterator[Principal]:
    for entry in () if principals.negated else principals.entries:
        if is_within(Principals(False, (entry,), _NOWHERE), bounds):
            yield entry


def _conditions(first: tuple[Condition, ...], second: tuple[Condition, ...]) -> tuple[Condition, ...] | None:
    """Conditions for when all of both hold; None if a policy cannot hold them in one block."""
    by_operator: dict[tuple[str, str, bool, str], Condition] = {}
    for condition in (*first, *second):
        place = (condition.quantifier, condition.operator, condition.if_exists, condition.key)
        merged_condition = _condition(by_operator[place], condition) if place in by_operator else condition
        if merged_condition is None:
            return None
        by_operator[place] = merged_condition
    return tuple(by_operator.values())


def _condition(first: Condition, second: Condition) -> Condition | None:
    """One condition in place of two with the same operator on the same key; None if there is none."""
    if {value.pattern for value in first.values} == {value.pattern for value in second.values}:
        return first
    if first.quantifier == "ForAnyValue" or first.operator not in operators() or first.operator == "Null":
        return None
    if operators()[first.operator].negated:
        return first._replace(values=tuple(dict.fromkeys([*first.values, *second.values])))
    values = tuple(
        dict.fromkeys(
            value for a in first.values for b in second.values for value in _common_condition_values(a, b, first)
        )
    )
    return first._replace(values=values) if values else None


def _common_condition_values(first: Value, second: Value, condition: Condition) -> Iterator[Value]:
    """Values for what both match as values of a condition."""
    if first.pattern == second.pattern:
        yield first
    elif condition.operator in _WITH_WILDCARDS:
        yield from _common_values(first, second, fold=False)
