"""Automata: what they take is what regular expressions of the same patterns match."""

from __future__ import annotations

import random
import re

import pytest

from policy_guard.solver.strings.automaton import (
    ANY,
    ANYTHING,
    Automaton,
    Caseless,
    Glob,
    Step,
    Verbatim,
    accepts,
    glob_of,
)
from policy_guard.solver.strings.pattern import Unknown, Variable
from tests.support.formulas import TEXTS

_STEPS = [Step(frozenset("a")), Step(frozenset("b")), ANY, ANYTHING, Step(frozenset("a"), outside=True)]
_LOOPS = [Step(frozenset("b"), outside=True, loop=True), Step(frozenset("ab"), loop=True)]


def some_glob(rng: random.Random) -> Glob:
    return tuple(rng.choice([*_STEPS, *_LOOPS]) for _ in range(rng.randint(0, 4)))


def expression(glob: Glob) -> re.Pattern[str]:
    return re.compile("".join(map(_written, glob)), re.DOTALL)


def _written(step: Step) -> str:
    symbols = "".join(sorted(map(str, step.symbols)))
    one = f"[{'^' * step.outside}{symbols}]" if symbols else "."
    return one + "*" * step.loop


@pytest.mark.parametrize("seed", range(40))
def test_an_automaton_takes_what_one_of_its_globs_matches(seed: int) -> None:
    rng = random.Random(seed)
    globs = [some_glob(rng) for _ in range(rng.randint(0, 4))]
    automaton, expressions = Automaton(globs), list(map(expression, globs))
    for text in [*TEXTS, "c", "ac", "cab"]:
        assert automaton.accepts(text) is any(each.fullmatch(text) for each in expressions), (globs, text)


@pytest.mark.parametrize("seed", range(40))
def test_what_takes_all_of_a_glob_takes_each_word_of_it(seed: int) -> None:
    rng = random.Random(seed)
    automaton, other = Automaton([some_glob(rng) for _ in range(3)]), some_glob(rng)
    if automaton.accepts_all_of(other):
        assert all(automaton.accepts(text) for text in [*TEXTS, "c", "ca"] if expression(other).fullmatch(text))


def test_symbols_that_lead_elsewhere_are_told() -> None:
    automaton = Automaton([glob_of("ab"), (ANYTHING, *glob_of("b"))])
    assert automaton.telling(automaton.start) == ["a", "b"]
    assert automaton.telling(automaton.move(automaton.start, "c")) == ["b"]


_LETTERS = (Variable("k"), Unknown("u"), Verbatim("u"), Caseless(Verbatim("u")), Caseless(Variable("k")))
_LETTER_STEPS = [Step(frozenset([letter])) for letter in _LETTERS]
_SEVERAL = [
    Step(frozenset("ab")),
    Step(frozenset("bc"), outside=True),
    Step(frozenset()),
    Step(frozenset("a"), loop=True),
]


@pytest.mark.parametrize("seed", range(40))
def test_an_automaton_takes_a_step_where_each_of_its_steps_does(seed: int) -> None:
    rng = random.Random(seed)
    steps = [*_STEPS, *_LOOPS, *_LETTER_STEPS, *_SEVERAL]
    globs = [tuple(rng.choice(steps) for _ in range(rng.randint(1, 4))) for _ in range(3)]
    automaton = Automaton(globs)
    for symbol in steps:
        for place, step in enumerate(automaton.steps):
            if step is not None:
                moved = automaton.move(1 << place, symbol)
                ahead = 1 << place if step.loop else 1 << place + 1
                assert bool(moved & ahead) is accepts(step, symbol), (step, symbol)
