"""The theory of texts: it finds a point for literals over texts and variables, or there is none."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import product

import pytest

from policy_guard.solver.formula import Literal, Member, member, negation, present
from policy_guard.solver.strings.automaton import Letter
from policy_guard.solver.strings.language import Slot
from policy_guard.solver.strings.placeholders import substituted, with_readings
from policy_guard.solver.theory import Impossible, Point, Theory
from tests.support.formulas import TEXTS, budget, some_language
from tests.support.variables import VALUES, X, Y, with_variables

SLOTS = {X: Slot(X.key, 0), Y: Slot(Y.key, 0)}
THEORY = Theory({}, lambda key: None, lambda place, glob, texts: (), ("resource",))


def some_literals(rng: random.Random) -> list[Literal]:
    """Both variables have values; some literals are about those alone, others about patterns with them."""
    formulas = [present(slot) for slot in SLOTS.values()]
    for _ in range(rng.randint(1, 4)):
        place = rng.choice(["resource", "resource", *SLOTS.values()])
        language = with_variables(rng, fold=rng.random() < 0.2) if place == "resource" else some_language(rng)
        formula = member(place, language)
        formulas.append(formula if rng.random() < 0.6 else negation(formula))
    return [formula for formula in formulas if isinstance(formula, Literal)]


def worlds() -> Iterator[tuple[Mapping[Letter, str], dict[object, str]]]:
    for one, other, text in product(VALUES, VALUES, TEXTS):
        yield with_readings({X: one, Y: other}), {SLOTS[X]: one, SLOTS[Y]: other, "resource": text}


def true(literal: Literal, filling: Mapping[Letter, str], texts: Mapping[object, str]) -> bool:
    if not isinstance(literal.atom, Member):
        return literal.positive
    return (texts[literal.atom.variable] in substituted(literal.atom.language, filling)) is literal.positive


@pytest.mark.parametrize("seed", range(80))
def test_a_point_makes_all_literals_true_and_none_is_missed(seed: int) -> None:
    literals = some_literals(random.Random(seed))
    answer = THEORY.point(literals, budget())
    if isinstance(answer, Point):
        filling = with_readings({variable: answer.texts[slot] for variable, slot in SLOTS.items()})
        assert all(true(literal, filling, {**answer.texts}) for literal in literals)
    if isinstance(answer, Impossible):
        assert set(answer.literals) <= set(literals)
        assert not any(all(true(one, *world) for one in answer.literals) for world in worlds()), answer
