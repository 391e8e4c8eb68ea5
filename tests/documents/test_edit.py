"""Lists rewritten where they stand: the usual readers of the format read what was meant, and nothing else changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.edit import Edit, Layout, applied, as_list, rewritten
from policy_guard.documents.formats import read
from policy_guard.documents.source import Array, Node, Object, Source, Span

WORDS = st.sampled_from(["s3:GetObject", "s3:Put*", "ec2:*", "a-b:C", "*"])


@st.composite
def layouts(draw: st.DrawFn) -> tuple[str, str]:
    """A file with a list under "list", as JSON or YAML in one of many hands, and its path."""
    items = draw(st.lists(WORDS, min_size=1, max_size=6))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    style = draw(st.sampled_from(["json", "flow", "block"]))
    if style == "block":
        indent = draw(st.sampled_from(["", "  ", "    "]))
        lines = ["# first", "list:"]
        for item in items:
            quoted = draw(st.sampled_from([f'"{item}"', f"'{item}'", *([item] if item != "*" else [])]))
            lines += draw(st.sampled_from([[], ["  # above"], [""]]))
            lines.append(f"{indent}- {quoted}{draw(st.sampled_from(['', '  # why', ' ']))}")
        return newline.join([*lines, *draw(st.sampled_from([["after: 1", ""], ["after: 1"]]))]), "a.yaml"
    gaps = [draw(st.sampled_from(["", " ", newline, f"{newline}\t", f"{newline}    "])) for _ in range(len(items) + 1)]
    if style == "flow":
        gaps = [gap.replace("\t", "  ") or " " for gap in gaps]
    inside = ",".join(f'{gap}"{item}"' for gap, item in zip(gaps, items, strict=False))
    if style == "json":
        return f'{{"list": [{inside}{gaps[-1]}],{newline}"after": 1}}', "a.json"
    return f"after: 1{newline}list: [{inside}{gaps[-1]} ]{newline}", "a.yaml"


def value(node: Node, key: str) -> Node:
    assert isinstance(node, Object)
    found = node.get(key)
    assert found is not None
    return found


def plain(path: str, text: str) -> Any:
    return json.loads(text) if path.endswith(".json") else yaml.safe_load(text)


@given(layouts(), st.data())
def test_the_list_becomes_what_was_meant(layout: tuple[str, str], data: st.DataObject) -> None:
    text, path = layout
    node = value(read(Source(path, text))[0], "list")
    assert isinstance(node, Array)
    old = [item.text for item in node.items]  # type: ignore[union-attr]
    count = len(node.items)
    choice = st.one_of(st.none(), st.lists(WORDS, max_size=3))
    news = data.draw(st.lists(choice, min_size=count, max_size=count).filter(lambda news: any(n != [] for n in news)))
    done = applied(text, rewritten(text, [item.span for item in node.items], news))
    wanted = [word for word, new in zip(old, news, strict=True) for word in ([word] if new is None else new)]
    assert plain(path, done) == {"list": wanted, "after": 1}
    assert done.count("\r\n") == done.count("\n") if "\r\n" in text else "\r" not in done
    kept = [line for line in text.splitlines() if line.strip().startswith("#") or "after" in line]
    assert all(line in done for line in kept)
    if all(new is None for new in news):
        assert done == text


@given(layouts())
def test_a_list_left_alone_is_the_same_to_the_byte(layout: tuple[str, str]) -> None:
    text, path = layout
    node = value(read(Source(path, text))[0], "list")
    assert isinstance(node, Array)
    assert applied(text, rewritten(text, [item.span for item in node.items], [None] * len(node.items))) == text


STRINGS = {
    "a.json": '{\n  "one": {\n    "key": "s3:*",\n    "after": 1\n  }\n}\n',
    "b.json": '{"one": {"key": "s3:*", "after": 1}}',
    "c.json": '{\n\t"one": {\n\t\t"key" :\t"s3:*",\n\t\t"after": 1\n\t}\n}',
    "a.yaml": "one:\n  key: s3:*  # a comment\n  after: 1\n",
    "b.yaml": "one:\n  after: 1\n  'key': 's3:*'",
    "c.yaml": 'one: {key: "s3:*", after: 1}\n',
    "d.yaml": "list:\n- a\none:\n  key: s3:*\n  after: 1\n",
    "e.yaml": "one:\r\n  key: s3:*\r\n  after: 1\r\n",
}


@pytest.mark.parametrize("path", STRINGS)
@pytest.mark.parametrize("strings", [["s3:Get*"], ["s3:Get*", "s3:PutObject"]])
def test_one_string_becomes_a_list(path: str, strings: list[str]) -> None:
    text = STRINGS[path]
    mapping = value(read(Source(path, text))[0], "one")
    item = value(mapping, "key")
    done = applied(text, as_list(text, mapping.span, item.span, strings, 0 if path == "d.yaml" else 2))
    assert plain(path, done)["one"] == {"key": strings if len(strings) > 1 else strings[0], "after": 1}
    assert ("# a comment" in done) == ("# a comment" in text)
    assert done.count("\n") - text.count("\n") in (0, 2, 3)


def test_a_layout_that_is_not_known_is_left() -> None:
    nested = "list:\n- - a\n  - b\n"
    outer = value(read(Source("a.yaml", nested))[0], "list")
    assert isinstance(outer, Array)
    with pytest.raises(Layout):
        applied(nested, rewritten(nested, [each.span for each in outer.items[0].items], [["x"], None]))  # type: ignore[union-attr]
    block = "list:\n- a\n- |\n  b\n"
    items = value(read(Source("a.yaml", block))[0], "list")
    assert isinstance(items, Array)
    with pytest.raises(Layout):
        applied(block, rewritten(block, [each.span for each in items.items], [None, ["y"]]))


def test_edits_that_overlap_are_refused() -> None:
    with pytest.raises(Layout):
        applied("abcdef", [Edit(Span(0, 3), "x"), Edit(Span(2, 4), "y")])
    assert applied("abcdef", [Edit(Span(3, 4), "y"), Edit(Span(0, 3), "x"), Edit(Span(0, 3), "x")]) == "xyef"
