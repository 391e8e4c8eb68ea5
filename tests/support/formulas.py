"""Small random formulas over texts of a and b, and what they mean, text by text."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from policy_guard.solver.formula import And, Choice, Formula, Literal, Member, choice, conjunction, disjunction, member
from policy_guard.solver.formula import negation as negated
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import Budget, Language
from policy_guard.solver.strings.pattern import read_pattern

PATTERNS = ["a", "b", "*", "a*", "*b", "?", "a?", "*ab*", "??", "b*a"]
TEXTS = ["".join(letters) for length in range(5) for letters in product("ab", repeat=length)]


class World(NamedTuple):
    """What a formula can depend on."""

    action: str
    resource: str
    choice: bool


def worlds(texts: list[str] = TEXTS) -> Iterator[World]:
    return (World(*values) for values in product(texts, texts, (False, True)))


def budget() -> Budget:
    return Budget(10**7)


def some_language(rng: random.Random) -> Language:
    patterns = rng.sample(PATTERNS, rng.randint(1, 2))
    return language(read_pattern(pattern, variables=False) for pattern in patterns)


def some_formula(rng: random.Random, depth: int = 3) -> Formula:
    if depth == 0 or rng.random() < 0.2:
        name = rng.choice(["action", "resource", "choice"])
        leaf = choice("reading", name) if name == "choice" else member(name, some_language(rng))
        return leaf if rng.random() < 0.5 else negated(leaf)
    combine = rng.choice([conjunction, disjunction])
    return combine([some_formula(rng, depth - 1) for _ in range(rng.randint(1, 3))])


def holds(formula: Formula, world: World) -> bool:
    if isinstance(formula, Literal):
        return truth(formula, world) is formula.positive
    return (all if isinstance(formula, And) else any)(holds(part, world) for part in formula.parts)


def truth(literal: Literal, world: World) -> bool:
    atom = literal.atom
    if isinstance(atom, Choice):
        return world.choice
    assert isinstance(atom, Member)
    return (world.action if atom.variable == "action" else world.resource) in atom.language
