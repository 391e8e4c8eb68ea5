"""Small random patterns with variables over texts of a and b, and all the ways to fill them in."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from policy_guard.solver.strings.automaton import Letter
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import Part, Pattern, Variable, Wildcard
from policy_guard.solver.strings.placeholders import substituted, with_readings

X, Y = Variable("test:x"), Variable("test:y")
VALUES = ["".join(letters) for length in range(3) for letters in product("ab", repeat=length)]
_PARTS: list[Part] = ["a", "b", X, Y, X, Wildcard("*"), Wildcard("?")]


def some_pattern(rng: random.Random) -> Pattern:
    """A pattern with a letter or wildcard, each variable once or more."""
    return Pattern(tuple(rng.choice(_PARTS) for _ in range(rng.randint(1, 4))))


def with_variables(rng: random.Random, *, fold: bool = False) -> Language:
    return language([some_pattern(rng) for _ in range(rng.randint(1, 2))], fold=fold)


def fillings(values: Iterable[str] = VALUES) -> Iterator[Mapping[Letter, str]]:
    """Texts for both variables, in every reading of them."""
    texts = list(values)
    return (with_readings({X: one, Y: other}) for one, other in product(texts, texts))


def holds(filling: Mapping[Letter, str], text: str, inside: Iterable[Language], outside: Iterable[Language]) -> bool:
    """Whether the text lies in all of the languages inside and in none of those outside, once filled in."""
    within = all(text in substituted(language, filling) for language in inside)
    return within and not any(text in substituted(language, filling) for language in outside)
