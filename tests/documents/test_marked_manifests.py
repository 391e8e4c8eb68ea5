"""Marks in manifests are hidden from YAML and shown again, at the same places."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.containers.manifests.branches import Branches, go_marks, jinja_marks
from policy_guard.documents.containers.manifests.marked import masked, unmasked
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


RESOURCE = "apiVersion: iam.aws/v1\nkind: A\npolicyArn: a\n"


def around(text: str) -> tuple[str, ...]:
    at = text.index("apiVersion")
    return Branches(text).around(Span(at, at + len(RESOURCE)), at)


@pytest.mark.parametrize(
    ("opening", "end"),
    [("{{- if .x }}", "{{- end }}"), ("# {{ range .x }}", "# {{ end }}"), ("{% if x %}", "{% endif %}")],
)
def test_a_branch_around_a_resource_decides_of_it(opening: str, end: str) -> None:
    assert around(f"{opening}\n{RESOURCE}{end}\n") != around(RESOURCE)
    assert around(f"{opening}\n{end}\n{RESOURCE}") == around(RESOURCE)


@pytest.mark.parametrize("text", ["{{/* {{ if .x }} */}}", "{{- /* a */ -}}", '{{ "{{ if .x }}" }}'])
def test_comments_and_texts_of_go_hold_no_marks(text: str) -> None:
    assert [mark.inner for mark in go_marks(text)] == ([] if "/*" in text else ['"{{ if .x }}"'])


@pytest.mark.parametrize("text", ["{# {% if x %} #}", "{% raw %}{% if x %}{% endraw %}"])
def test_comments_and_raw_stretches_of_jinja_hold_no_marks(text: str) -> None:
    assert "if x" not in [mark.inner for mark in jinja_marks(text)]


def test_what_marks_refer_to_decides_of_a_resource() -> None:
    marked = RESOURCE.replace("policyArn: a", "policyArn: {{ $a }}")
    texts = [f"# {{{{ ${name} := {value} }}}}\n{marked}" for name, value in (("a", 1), ("a", 2), ("b", 1), ("b", 2))]
    one, other, unused, unused_other = (
        Branches(text).around(Span(text.index("api"), len(text)), text.index("api")) for text in texts
    )
    assert one != other and unused == unused_other


def test_many_marks_take_time_in_proportion() -> None:
    text = "{{ if .x }}{{ $a := 1 }}# {{/*{# `\n" * 5_000 + RESOURCE
    start = time.process_time()
    around(text)
    assert time.process_time() - start < 5
