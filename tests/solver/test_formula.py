"""Formulas: what the constructors make of their parts, and that negation turns the meaning round."""

from __future__ import annotations

import random

import pytest

from policy_guard.solver.formula import FALSE, TRUE, choice, conjunction, disjunction, literals, member, negation
from policy_guard.solver.strings.language import EVERYTHING, Language
from tests.support.formulas import holds, some_formula, worlds

A, B = choice("reading", "a"), choice("reading", "b")


def test_parts_that_decide_the_whole_leave_nothing_else() -> None:
    assert conjunction([A, FALSE]) == FALSE
    assert disjunction([A, TRUE]) == TRUE
    assert (conjunction([]), disjunction([])) == (TRUE, FALSE)


def test_nested_and_repeated_parts_are_one_level() -> None:
    assert conjunction([A, conjunction([B, A])]) == conjunction([A, B])
    assert disjunction([A, A]) == A


def test_no_text_and_every_text_are_no_literals() -> None:
    assert member("action", Language()) == FALSE
    assert member("action", EVERYTHING) == TRUE


def test_literals_come_with_their_repetitions() -> None:
    assert list(literals(disjunction([conjunction([A, B]), negation(A)]))) == [A, B, negation(A)]


@pytest.mark.parametrize("seed", range(20))
def test_a_negation_holds_where_the_formula_does_not(seed: int) -> None:
    formula = some_formula(random.Random(seed))
    for world in worlds(["", "a", "ab", "bb"]):
        assert holds(negation(formula), world) is not holds(formula, world)
