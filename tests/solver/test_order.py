"""What the solver is told of numbers excludes no text, and is all that it has to know of one text."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard.solver.formula import Formula, Literal, Member, conjunction, disjunction, literals, member, negation
from policy_guard.solver.order import facts_of_order
from policy_guard.solver.sat import Solver
from policy_guard.solver.strings import spans
from policy_guard.solver.strings.automaton import ANYTHING, glob_of
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.number_ranges import equal, numbers_above, numbers_below
from policy_guard.solver.strings.spans import Line, Span
from tests.support.examples import examples
from tests.support.formulas import World, budget, holds

PLAIN = Line("number", str)
SPARED = Language([(*glob_of("#x"), ANYTHING)])
MARKED = Language([*SPARED, *((*glob_of("#"), *glob) for glob in numbers_below(Decimal(100)))])
BEHIND_A_MARK = Line("marked", lambda value: f"#{value}", frozenset([MARKED]), frozenset([SPARED]))
VALUES = [f"{half / 2:g}" for half in range(-3, 10)]
TEXTS = [*VALUES, *(f"#{value}" for value in VALUES), "", "x", "#", "#x"]
WAYS = ((numbers_below, spans.below), (equal, spans.at), (numbers_above, spans.above))


def _language(rng: random.Random, line: Line) -> Language:
    """The texts that compare in one or two ways with a number; behind a mark, other texts too."""
    limit = Decimal(rng.randrange(4))
    ways = rng.sample(WAYS, rng.choice([1, 1, 2]))
    globs = chain.from_iterable(way(limit) for way, _ in ways)
    if line is BEHIND_A_MARK:
        globs = chain(((*glob_of("#"), *glob) for glob in globs), [glob_of("#x")] * rng.randrange(2))
    return Language(globs, span=Span(line, tuple(stretch(limit) for _, stretch in ways)))


def _formula(rng: random.Random) -> Formula:
    line = rng.choice([PLAIN, BEHIND_A_MARK])
    parts = [member("action", _language(rng, line)) for _ in range(9)]
    clauses = [disjunction(rng.choice([part, negation(part)]) for part in rng.sample(parts, 2)) for _ in range(6)]
    usual = [] if line is PLAIN else [member("action", MARKED), negation(member("action", SPARED))]
    return conjunction([*usual, *rng.sample(parts, 1), *clauses])


def _of_text(formula: Formula, text: str) -> Formula:
    """Which literals of the formula, and of what the lines need, are true of the text."""
    languages = {literal.atom.language for literal in literals(formula) if isinstance(literal.atom, Member)}
    atoms = (member("action", language) for language in {*languages, MARKED, SPARED})
    return conjunction(
        atom
        if isinstance(atom, Literal) and isinstance(atom.atom, Member) and text in atom.atom.language
        else negation(atom)
        for atom in atoms
    )


@given(st.integers(0, 2**32))
@settings(max_examples=examples(4), deadline=None)
def test_a_text_makes_the_formula_true_just_if_the_solver_thinks_so(seed: int) -> None:
    formula = _formula(random.Random(seed))
    facts = list(facts_of_order(formula))
    for text in TEXTS:
        assert Solver(conjunction([*facts, _of_text(formula, text)]), budget()).model() is not None, text
    expected = any(holds(formula, World(text, "", choice=True)) for text in TEXTS)
    assert (Solver(conjunction([*facts, formula]), budget()).model() is not None) is expected
