"""Spans around a place: the innermost first, whatever lies beside them."""

from __future__ import annotations

import pytest

from policy_guard.documents.nesting import Nesting
from policy_guard.documents.source import Span

SPANS = (Span(0, 100), Span(10, 20), Span(12, 15), Span(20, 30), Span(40, 41), Span(10, 20))


@pytest.mark.parametrize(
    ("at", "around"),
    [
        (0, [Span(0, 100)]),
        (13, [Span(12, 15), Span(10, 20), Span(0, 100)]),
        (19, [Span(10, 20), Span(0, 100)]),
        (20, [Span(20, 30), Span(0, 100)]),
        (41, [Span(0, 100)]),
        (100, []),
    ],
)
def test_the_spans_around_a_place(at: int, around: list[Span]) -> None:
    assert list(Nesting(SPANS).around(at)) == around


def test_without_spans_nothing_lies_around() -> None:
    assert list(Nesting(()).around(3)) == []
