"""What is simplified means the same, for every text and choice."""

from __future__ import annotations

import random

import pytest

from policy_guard.solver.formula import FALSE, conjunction, member, negation
from policy_guard.solver.simplify import Simplifier
from policy_guard.solver.strings.language import Budget, Language, OverBudget
from tests.support.formulas import budget, holds, some_formula, worlds


@pytest.mark.parametrize("seed", range(40))
def test_a_simplified_formula_holds_in_the_same_worlds(seed: int) -> None:
    rng = random.Random(seed)
    formula = conjunction([some_formula(rng) for _ in range(3)])
    simpler = Simplifier().simplify(formula, budget())
    assert simpler.size <= formula.size
    for world in worlds(["", "a", "b", "ab", "ba", "aab"]):
        assert holds(simpler, world) is holds(formula, world)


def test_a_text_inside_and_outside_is_a_proof() -> None:
    inside, outside = member("action", Language(texts=["a"])), member("action", Language(texts=["a", "b"]))
    assert Simplifier().simplify(conjunction([inside, negation(outside)]), budget()) == FALSE


def test_without_steps_nothing_is_said() -> None:
    with pytest.raises(OverBudget):
        Simplifier().simplify(some_formula(random.Random(0)), Budget(0))
