"""Models make their formula true, and there is none only if no truth values do."""

from __future__ import annotations

import random
from itertools import product

import pytest

from policy_guard.solver import sat
from policy_guard.solver.formula import And, Atom, Choice, Formula, Literal, conjunction, literals, negation
from policy_guard.solver.sat import Solver
from policy_guard.solver.strings.language import Budget, OverBudget
from tests.support.formulas import budget, some_formula

A, B = (Literal(Choice("reading", name), True) for name in "ab")


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
    solver.learn([A])
    assert solver.model() is None


def test_what_is_added_rules_models_out() -> None:
    solver = Solver(conjunction([A]), budget())
    assert solver.model() is not None
    solver.add(negation(A))
    assert solver.model() is None


def test_a_contradiction_has_no_model() -> None:
    assert Solver(conjunction([A, B, negation(A)]), budget()).model() is None


def test_without_steps_nothing_is_said() -> None:
    with pytest.raises(OverBudget):
        Solver(conjunction([A, B]), Budget(0))


def conversation(seed: int) -> list[object]:
    """What a solver says of a random formula and what it learns in turn, and the steps that are left each time."""
    rng, steps = random.Random(seed), budget()
    formula = conjunction([some_formula(rng, 2) for _ in range(3)])
    solver, said = Solver(formula, steps), []
    for _ in range(4):
        model = solver.model()
        said.append((model, steps.remainder))
        if model is None:
            break
        solver.learn(
            literal if literal.positive == model[literal.atom] else negation(literal) for literal in literals(formula)
        )
    return said


@pytest.mark.parametrize("seed", range(20))
def test_an_answer_from_memory_is_that_of_the_solver(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sat, "_ANSWERS", answers := {})
    said = conversation(seed)
    assert conversation(seed) == said
    for _ in range(len(answers)):
        answers.popitem()
        assert conversation(seed) == said


def test_formulas_of_another_shape_are_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sat, "_ANSWERS", {})
    assert Solver(conjunction([A, B]), budget()).model() == {A.atom: True, B.atom: True}
    assert Solver(conjunction([B, A]), budget()).model() == {A.atom: True, B.atom: True}
    assert Solver(conjunction([negation(A), B]), budget()).model() == {A.atom: False, B.atom: True}
    assert Solver(conjunction([A, B, negation(A)]), budget()).model() is None
    assert Solver(conjunction([A, B, negation(B)]), budget()).model() is None


def test_an_answer_from_memory_takes_the_steps_of_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sat, "_ANSWERS", {b"": None})
    formula = conjunction([A, B])
    Solver(formula, budget()).model()
    for memory in (dict(sat._ANSWERS), {}):
        monkeypatch.setattr(sat, "_ANSWERS", memory)
        with pytest.raises(OverBudget):
            Solver(formula, Budget(sat.STEPS_A_TERM * formula.size + 1)).model()
