"""Two versions of snapshots of tests: what passes, and what fails at which line; and how they are read."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.formats import read
from policy_guard.documents.source import Array, Node, Scalar, Source, Unreadable
from tests.support.cases import cases, fails_at_its_line, passes
from tests.support.repository import Scratch

TEXTS = st.text(alphabet='ab"\\`$ {},:\n', max_size=8).filter(lambda text: not text.endswith("\\") and '",' not in text)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS.filter(lambda text: "\n" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("snapshots", "passes")])
def test_a_change_that_grants_nothing_new_passes(case: Path, tmp_path: Path) -> None:
    passes(case, tmp_path)


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in cases("snapshots", "fails")])
def test_a_change_that_grants_more_fails_at_its_line(case: Path, tmp_path: Path) -> None:
    fails_at_its_line(case, tmp_path)


def test_policies_of_snapshots_are_listed_by_the_names_of_these(tmp_path: Path) -> None:
    case = next(each for each in cases("snapshots", "fails") if each.name == "a template of Jest allows more")
    scratch = Scratch(tmp_path)
    scratch.write("a.snap", (case / "old" / "test" / "__snapshots__" / "stack.test.ts.snap").read_text())
    assert scratch.guard("list").out.splitlines()[-3:] == [
        "a.snap stack 1: Resources.FnServiceRoleB9001A96.AssumeRolePolicyDocument: trust, in a snapshot, readable",
        "a.snap stack 1: Resources.FnServiceRoleB9001A96: identity, in a snapshot, readable, "
        "unknown parts: Bucket83908E77",
        "2 policies",
    ]


def test_two_files_of_snapshots_are_compared_without_git(tmp_path: Path) -> None:
    case = next(each for each in cases("snapshots", "fails") if each.name == "a template of Jest allows more")
    old, new = (case / side / "test" / "__snapshots__" / "stack.test.ts.snap" for side in ("old", "new"))
    scratch = Scratch(tmp_path)
    assert scratch.guard("compare", str(old), str(new)).code == 1
    assert scratch.guard("compare", str(new), str(old)).code == 0


@given(VALUES)
def test_what_jest_writes_is_read_as_it_was(value: Any) -> None:
    for names_kinds in (True, False) if _is_told_apart(value) else (True,):
        text = _of_jest({"AWS::": value}, 0, names_kinds)
        assert _first("a.snap", f"// Jest Snapshot v1\n\nexports[`a`] = {_literal(text)};\n") == _texts(value)


def _is_told_apart(value: Any) -> bool:
    """Tell whether no text may be one with escapes of older versions as well as one without any."""
    if isinstance(value, dict | list):
        return all(map(_is_told_apart, [*value, *value.values()] if isinstance(value, dict) else value))
    return not isinstance(value, str) or not re.search(r'\\["\\]', value)


@given(VALUES)
def test_what_syrupy_writes_is_read_as_it_was(value: Any) -> None:
    text = _of_syrupy({"AWS::": value}, 1)
    assert _first("a.ambr", f"# name: a\n  {text}\n# ---\n") == _texts(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.snap", "exports[`" * 50_000 + "AWS::"),
        ("a.snap", "// Jest Snapshot v1\nexports[`a`] = `" + '\n"AWS::' * 50_000 + "`;"),
        ("a.snap", "// Jest Snapshot v1\nexports[`a`] = `AWS::\\" + "\\" * 100_000 + "`;"),
        ("a.snap", "//" * 100_000 + "AWS::"),
        ("a.ambr", "# name: AWS::\n" + "  {\n" * 50_000),
        ("a.ambr", "# name: AWS::\n  '''\n" + "  '\n" * 50_000),
    ],
)
def test_hostile_snapshots_are_refused_in_linear_time(name: str, text: str) -> None:
    start = time.process_time()
    with suppress(Unreadable):
        read(Source(name, text))
    assert time.process_time() - start < 3


def _first(path: str, text: str) -> Any:
    """The value in the only snapshot of a text."""
    (document,) = read(Source(path, text))
    return _plain(document)["a"]["AWS::"]


def _of_jest(value: Any, indent: int, names_kinds: bool) -> str:
    blanks = "  " * indent
    if isinstance(value, dict):
        inner = "".join(f'{blanks}  "{k}": {_of_jest(v, indent + 1, names_kinds)},\n' for k, v in value.items())
        return "Object " * names_kinds + ("{\n" + inner + blanks + "}" if value else "{}")
    if isinstance(value, list):
        inner = "".join(f"{blanks}  {_of_jest(item, indent + 1, names_kinds)},\n" for item in value)
        return "Array " * names_kinds + ("[\n" + inner + blanks + "]" if value else "[]")
    if isinstance(value, str):
        return '"' + (value.replace("\\", "\\\\").replace('"', '\\"') if names_kinds else value) + '"'
    return json.dumps(value)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    return f"`\n{escaped}\n`"


def _of_syrupy(value: Any, indent: int) -> str:
    blanks = "  " * indent
    if isinstance(value, dict):
        return (
            "dict({\n"
            + "".join(f"{blanks}  {k!r}: {_of_syrupy(v, indent + 1)},\n" for k, v in value.items())
            + blanks
            + "})"
        )
    if isinstance(value, list):
        return "list([\n" + "".join(f"{blanks}  {_of_syrupy(item, indent + 1)},\n" for item in value) + blanks + "])"
    return repr(value)


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return value if isinstance(value, str) else json.dumps(value)


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return "null" if node.kind == "null" else node.text
    if isinstance(node, Array):
        return [_plain(item) for item in node.items]
    return {entry.key.text: _plain(entry.value) for entry in node.entries}
