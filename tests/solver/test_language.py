"""Sets of texts: what they hold, cover and have in common is what enumeration says."""

from __future__ import annotations

import random
from fnmatch import fnmatchcase

import pytest

from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import find
from policy_guard.solver.strings.pattern import read_pattern
from tests.support.formulas import PATTERNS, TEXTS, budget, some_language


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_holds_the_texts_that_it_matches(pattern: str) -> None:
    read = language([read_pattern(pattern, variables=False)])
    assert [text for text in TEXTS if text in read] == [text for text in TEXTS if fnmatchcase(text, pattern)]


@pytest.mark.parametrize("seed", range(40))
def test_what_covers_another_holds_all_its_texts(seed: int) -> None:
    rng = random.Random(seed)
    one, two = some_language(rng), some_language(rng)
    if one.covers(two):
        assert all(text in one for text in TEXTS if text in two)
    if one.is_apart_from(two):
        assert not any(text in one and text in two for text in TEXTS)


@pytest.mark.parametrize("seed", range(60))
def test_a_text_is_found_just_if_there_is_one(seed: int) -> None:
    rng = random.Random(seed)
    inside = [some_language(rng) for _ in range(rng.randint(1, 3))]
    outside = [some_language(rng) for _ in range(rng.randint(0, 2))]
    word = find(inside, outside, budget())
    if word is None:
        assert not any(
            all(text in each for each in inside) and not any(text in each for each in outside) for text in TEXTS
        )
        return
    text = "".join(map(str, word))
    assert all(text in each for each in inside)
    assert not any(text in each for each in outside)
