"""Intersections: read symbol by symbol, they end in an accepting state just for the texts of all sets but the last."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard.solver.strings.automaton import Word
from policy_guard.solver.strings.glob import glob, language
from policy_guard.solver.strings.intersection import Intersection, Walk
from policy_guard.solver.strings.pattern import read_pattern
from tests.support.examples import examples
from tests.support.formulas import TEXTS, some_language


def end_of(walk: Walk) -> Word | None:
    while True:
        try:
            next(walk)
        except StopIteration as end:
            word: Word | None = end.value
            return word


@pytest.mark.parametrize("seed", range(40))
def test_a_text_is_accepted_just_if_it_lies_inside_and_not_outside(seed: int) -> None:
    rng = random.Random(seed)
    inside = [some_language(rng) for _ in range(rng.randint(0, 3))]
    outside = [some_language(rng) for _ in range(rng.randint(0, 2))]
    shared = Intersection([tuple(language) for language in inside], [glob for each in outside for glob in each])
    for text in TEXTS:
        state: int | None = shared.start
        for character in text:
            state = shared.after(state, character) if state is not None else None
        expected = all(text in each for each in inside) and not any(text in each for each in outside)
        assert (state is not None and shared.accepts(state)) is expected, text


@given(st.integers(0, 2**32))
@settings(max_examples=examples(40))
def test_both_walks_end_at_a_word_just_if_there_is_one(seed: int) -> None:
    rng = random.Random(seed)
    inside = [some_language(rng) for _ in range(rng.randint(0, 3))]
    outside = [some_language(rng) for _ in range(rng.randint(0, 2))]
    words = Intersection([tuple(language) for language in inside], [glob for each in outside for glob in each])
    shortest, some = end_of(words.shortest()), end_of(words.some())
    assert (shortest is None) is (some is None)
    texts = [
        text for text in TEXTS if all(text in each for each in inside) and not any(text in each for each in outside)
    ]
    assert not texts or shortest is not None
    for word in (word for word in (shortest, some) if word is not None):
        text = "".join(map(str, word))
        assert all(text in each for each in inside)
        assert not any(text in each for each in outside)


def test_a_run_of_question_marks_is_counted_where_it_is_guessed() -> None:
    inside = [tuple(language([read_pattern("*a" + "?" * 25 + "*b", variables=False)]))]
    outside = [glob(read_pattern("*a" + "?" * number, variables=False)) for number in range(60)]
    assert sum(Intersection(inside, outside).some()) < 20_000
