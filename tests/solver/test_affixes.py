"""What texts of a pattern surely begin and end with."""

from __future__ import annotations

from itertools import product

import pytest

from policy_guard.solver.strings.affixes import edges_of, literal_prefix, plain_text, surely_apart
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import read_pattern
from tests.support.formulas import PATTERNS, TEXTS


@pytest.mark.parametrize(
    ("pattern", "prefix", "edges", "plain"),
    [
        ("ab", "ab", ("ab", "ab"), "ab"),
        ("ab*ba", "ab", ("ab", "ba"), None),
        ("*", "", ("", ""), None),
        ("a?", "a", ("a", ""), None),
        ("", "", ("", ""), ""),
    ],
)
def test_edges(pattern: str, prefix: str, edges: tuple[str, str], plain: str | None) -> None:
    read = glob(read_pattern(pattern, variables=False))
    assert (literal_prefix(read), edges_of(read), plain_text(read)) == (prefix, edges, plain)


def test_patterns_whose_edges_differ_have_no_text_in_common() -> None:
    for pair in product(PATTERNS, repeat=2):
        one, two = (glob(read_pattern(pattern, variables=False)) for pattern in pair)
        if surely_apart(edges_of(one), edges_of(two)):
            assert not any(text in Language([one]) and text in Language([two]) for text in TEXTS), pair
