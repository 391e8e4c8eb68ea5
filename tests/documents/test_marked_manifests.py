"""Marks in manifests are hidden from YAML and shown again, at the same places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.containers.manifests.marked import marks, masked, unmasked
from policy_guard.documents.source import Scalar, Source, Span

INNER = st.text(alphabet=st.characters(codec="latin-1", exclude_characters="{}%#\r\n"), max_size=20)


@given(INNER, INNER)
def test_a_mark_is_shown_as_it_is_written(one: str, two: str) -> None:
    text = f"a: {{{{{one}}}}} b {{%{two}%}}\n"
    hidden = masked(Source("a.yaml", text))
    assert hidden is not None
    assert (len(hidden.text), "{" in hidden.text) == (len(text), False)
    assert unmasked(Scalar(hidden.text, Span(0, len(text)))) == Scalar(text, Span(0, len(text)))


def test_lines_of_marks_alone_are_blank_for_yaml() -> None:
    hidden = masked(Source("a.yaml", "{{- if .x }}\na: 1\n  {{ end }}\n"))
    assert hidden is not None and hidden.text.split() == ["a:", "1"]


def test_a_mark_is_known_by_where_it_stands() -> None:
    before = marks(Source("a.yaml", "{{ if .x }}\npolicyArn: a\n{{ end }}\n"))
    value = marks(Source("a.yaml", "{{ if .x }}\npolicyArn: b\n{{ end }}\n"))
    moved = marks(Source("a.yaml", "{{ if .x }}\n{{ end }}\npolicyArn: a\n"))
    assert [mark.text for mark in before] == [mark.text for mark in value] != [mark.text for mark in moved]
