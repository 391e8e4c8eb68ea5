"""Intersections: read symbol by symbol, they end in an accepting state just for the texts of all sets but the last."""

from __future__ import annotations

import random

import pytest

from policy_guard.solver.strings.intersection import Intersection
from tests.support.formulas import TEXTS, some_language


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
