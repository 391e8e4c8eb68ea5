"""Numbers as sets of texts: each text is above, equal or below just as its number is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.number_ranges import equal, numbers_above, numbers_below

SPELLED = ["0", "-0", "+0.0", "5", "05", "5.0", "+5", "4.99", "5.01", "10", "50", "-5", "-5.1", "-4.9", "0.5", "-0.05"]


@pytest.mark.parametrize("value", ["0", "5", "-5", "0.5", "10", "-0.05", "4.99"])
def test_a_number_lies_where_it_compares(value: str) -> None:
    number = Decimal(value)
    for text in SPELLED:
        placed = [text in Language(globs(number)) for globs in (numbers_above, equal, numbers_below)]
        assert placed == [Decimal(text) > number, Decimal(text) == number, Decimal(text) < number], text


@pytest.mark.parametrize("text", ["", "x", "5.", "--5", "5x", " 5"])
def test_what_is_no_number_lies_nowhere(text: str) -> None:
    number = Decimal(5)
    assert not any(text in Language(globs(number)) for globs in (numbers_above, equal, numbers_below))
