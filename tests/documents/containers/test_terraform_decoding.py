"""What `yamldecode` and `csvdecode` make of a text, and of which texts nobody is sure."""

from __future__ import annotations

import json

import pytest

from policy_guard.documents.containers.terraform.decoding import csv_value, yaml_value
from policy_guard.documents.source import Array, Node, Object


def plain(node: Node | None) -> object:
    if isinstance(node, Array):
        return [plain(item) for item in node.items]
    if isinstance(node, Object):
        return {key.text: plain(value) for key, value in node.entries}
    return None if node is None else node.text if node.kind == "string" else (node.kind, node.text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: b", "b"),
        ("a: 'yes'", "yes"),
        ('a: "012"', "012"),
        ("a: True", ("boolean", "true")),
        ("a: ~", ("null", "")),
        ("a:", ("null", "")),
        ("a: 12", ("number", "12")),
        ("a: -0.5", ("number", "-0.5")),
        ("a: !!str 12", "12"),
        ("a: 2012-10-17", "2012-10-17T00:00:00Z"),
        ("a: '2012-10-17'", "2012-10-17"),
        ("a: 10.0.0.0/8", "10.0.0.0/8"),
        ("a: |\n  b\n  c\n", "b\nc\n"),
        ("a: [*x]\n", None),
        ("x: &x [b]\na: *x", ["b"]),
    ],
)
def test_yaml_that_all_versions_of_terraform_read_alike(text: str, value: object) -> None:
    document = yaml_value(text)
    assert (plain(document.get("a")) if isinstance(document, Object) else None) == value


@pytest.mark.parametrize(
    "value",
    [
        *(
            "yes",
            "off",
            "N",
            "012",
            "0x1f",
            "1_000",
            "1e3",
            "1.0",
            "+1",
            ".inf",
            ".nan",
            "12:30",
            "2012-1-4",
            "2012-13-01",
        ),
        *("!!int 5", "!own 5", "{<<: {b: c}}", "{a: 1, a: 2}", "{yes: 1}", "{~: 1}", "{[a]: 1}", "*b", "[", "a\n--- b"),
        *("[" * 60 + "]" * 60, "b\u2028c"),
    ],
)
def test_yaml_that_nobody_is_sure_of(value: str) -> None:
    assert yaml_value(f"a: {value}") is None


@pytest.mark.parametrize("text", ["", "%YAML 1.1\n---\na: b"])
def test_texts_that_are_no_document(text: str) -> None:
    assert yaml_value(text) is None


def test_aliases_are_counted_and_not_followed_for_ever() -> None:
    lines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert yaml_value("\n".join(["a0: &a0 [x]", *lines])) is None
    assert yaml_value("a: &a [*a]") is None


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        ('a,b\r\n"1, ""x""",\r\n\r\n3,4', [{"a": '1, "x"', "b": ""}, {"a": "3", "b": "4"}]),
        ('a\n"x\ny"\n', [{"a": "x\ny"}]),
        ("a,b\n", []),
        ("a,a\n1,2\n", None),
        ("a,b\n1\n", None),
        ('a\nx"y\n', None),
        ('a\n"x\n', None),
        ('a\n"x"y\n', None),
        ("a\rb\n", None),
        ("", None),
    ],
)
def test_csv(text: str, rows: object) -> None:
    assert json.dumps(plain(csv_value(text))) == json.dumps(rows)
