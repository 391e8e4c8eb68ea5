"""Products: a text that exists for some filling of the letters is always found as a word."""

from __future__ import annotations

import random

import pytest

from policy_guard.solver.strings.automaton import Letter
from policy_guard.solver.strings.segments import Constraint, Product, Segment
from tests.support.formulas import TEXTS, budget, some_language
from tests.support.variables import VALUES, X, Y, fillings, holds, with_variables


@pytest.mark.parametrize("fold", [False, True], ids=["in one case", "in either case"])
@pytest.mark.parametrize("seed", range(60))
def test_no_word_is_found_only_if_there_is_no_text(seed: int, fold: bool) -> None:
    rng = random.Random(seed)
    base = with_variables(rng, fold=fold)
    inside = [some_language(rng) for _ in range(rng.randint(0, 2))]
    outside = [with_variables(rng, fold=fold) for _ in range(rng.randint(0, 2))]
    product = Product(base, inside, outside, {}, budget())
    found = product.word({})
    exists = any(holds(filling, text, [base, *inside], outside) for filling in fillings() for text in TEXTS)
    assert found is not None or not exists


@pytest.mark.parametrize("seed", range(40))
def test_a_word_spells_texts_of_their_own_languages(seed: int) -> None:
    rng = random.Random(seed)
    base, own = with_variables(rng), some_language(rng)
    letters: dict[Letter, Constraint] = {X: Constraint((own,)), Y: Constraint((), (own,))}
    word = Product(base, [some_language(rng)], [], letters, budget()).word({})
    for part in word or ():
        if isinstance(part, Segment):
            assert (part.text in own) is (part.letter == X)


@pytest.mark.parametrize("seed", range(40))
def test_with_all_letters_fixed_a_word_is_found_just_if_there_is_a_text(seed: int) -> None:
    rng = random.Random(seed)
    base, inside = with_variables(rng), [some_language(rng)]
    outside = [some_language(rng)]
    product = Product(base, inside, outside, {}, budget())
    fixed: dict[Letter, str] = {X: rng.choice(VALUES), Y: rng.choice(VALUES)}
    word = product.word(fixed)
    if word is None:
        assert not any(holds(fixed, text, [base, *inside], outside) for text in TEXTS)
    else:
        assert holds(fixed, "".join(part.text if isinstance(part, Segment) else part for part in word), [base], outside)
