"""Models make their formula true, and there is none only if no truth values do."""

from __future__ import annotations

import random
from itertools import product

import pytest

from policy_guard.solver.formula import And, Atom, Formula, Literal, choice, conjunction, literals, negation
from policy_guard.solver.sat import Solver
from policy_guard.solver.strings.language import Budget, OverBudget
from tests.support.formulas import budget, some_formula

A, B = choice("reading", "a"), choice("reading", "b")


def true_in(formula: Formula, model: dict[Atom, bool]) -> bool:
    if isinstance(formula, Literal):
        return model[formula.atom] is formula.positive
    return (all if isinstance(formula, And) else any)(true_in(part, model) for part in formula.parts)


@pytest.mark.parametrize("seed", range(30))
def test_there_is_a_model_just_if_some_truth_values_are_one(seed: int) -> None:
    rng = random.Random(seed)
    formula = conjunction([some_formula(rng, 2) for _ in range(3)])
    model = Solver(formula, budget()).model()
    if model is not None:
        assert true_in(formula, model)
        return
    atoms = list(dict.fromkeys(literal.atom for literal in literals(formula)))
    values = (dict(zip(atoms, truths, strict=True)) for truths in product((False, True), repeat=len(atoms)))
    assert not any(true_in(formula, truths) for truths in values)


def test_what_was_learned_rules_models_out() -> None:
    solver = Solver(conjunction([A]), budget())
    assert solver.model() is not None
    assert isinstance(A, Literal)
    solver.learn([A])
    assert solver.model() is None


def test_a_contradiction_has_no_model() -> None:
    assert Solver(conjunction([A, B, negation(A)]), budget()).model() is None


def test_without_steps_nothing_is_said() -> None:
    with pytest.raises(OverBudget):
        Solver(conjunction([A, B]), Budget(0))
