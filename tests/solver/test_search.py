"""The search finds a point just if there is one, and never passes over one that is not confirmed."""

from __future__ import annotations

import random

import pytest

from policy_guard.solver.formula import Formula, conjunction, member
from policy_guard.solver.search import Empty, Search, TooHard
from policy_guard.solver.simplify import Simplifier
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import read_pattern
from policy_guard.solver.theory import Point, Theory
from tests.support.formulas import World, budget, holds, some_formula, worlds

THEORY = Theory({}, lambda key: None, lambda place, glob, texts: (), ("action", "resource"))


def search(formula: Formula, confirmed: bool = True) -> Point | Empty | TooHard:
    simplifier = Simplifier()
    simple = simplifier.simplify(formula, budget())
    return Search(THEORY, simplifier).point(simple, lambda point: point if confirmed else None, budget())


@pytest.mark.parametrize("seed", range(40))
def test_there_is_a_point_just_if_the_formula_can_be_true(seed: int) -> None:
    rng = random.Random(seed)
    formula = conjunction([some_formula(rng, 2) for _ in range(3)])
    found = search(formula)
    assert not isinstance(found, TooHard)
    if isinstance(found, Empty):
        assert not any(holds(formula, world) for world in worlds())
    else:
        truth = next(iter(found.choices.values()), False)
        assert holds(formula, World(found.texts["action"], found.texts["resource"], truth))


def test_a_point_that_is_not_confirmed_is_no_proof() -> None:
    everything = member("resource", Language([glob(read_pattern("*", variables=False))]))
    assert isinstance(search(everything, confirmed=False), TooHard)
