"""Which policies are found in a file, under which labels and at which places; a case is a folder."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.containers.recognition import looks_like_policy, looks_like_policy_text
from policy_guard.documents.format import decode, sniff
from policy_guard.documents.source import Array, Node, Object, Scalar, Source, Span, Unreadable
from policy_guard.iam.parse import parse
from tests.support.places import FIXTURES
from tests.support.repository import NARROW, WIDE, allow, document

CASES = FIXTURES / "documents"
STATEMENT = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [STATEMENT]}


def marked(source: Source, span: Span) -> str:
    line, column = source.position(span.start)
    text = source.text[slice(*span)]
    return f"{line}:{column} {ascii(text if len(text) < 40 else f'{text[:18]}...{text[-18:]}')[1:-1]}"


def leaves(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    below = node.items if isinstance(node, Array) else [part for entry in node.entries for part in entry]
    return [scalar for part in below for scalar in leaves(part)]


def outcome(source: Source) -> str:
    try:
        reading = policies(source)
    except Unreadable as error:
        return "".join(f"{marked(source, problem.span)}: {problem.message}\n" for problem in error.problems)
    lines = [f"deeper: {reading.deeper}"]
    for found in reading.policies:
        lines.append(f"policy {found.label!r} {marked(source, found.node.span)}")
        lines += [f"  {leaf.text!r} {marked(source, leaf.span)}" for leaf in leaves(found.node)]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_case(case: Path, golden: Callable[[Path, str], None]) -> None:
    (file,) = case.glob("document.*")
    data = file.read_bytes()
    found = outcome(decode(file.name, data, ""))
    golden(case / "expected.txt", found)
    assert sniff(data) or found == "deeper: 0\n"


def test_inserting_an_entry_does_not_shift_the_labels_of_the_others() -> None:
    def labels(*names: str) -> list[str]:
        entries = [{"PolicyName": name, "PolicyDocument": POLICY} for name in names]
        return [found.label for found in policies(Source("a.json", json.dumps(entries))).policies]

    assert labels("new", "one", "two")[1:] == labels("one", "two")


def test_labels_are_never_the_same() -> None:
    entry = {"Name": "a", "Policy": POLICY}
    reading = policies(Source("a.json", json.dumps([entry, entry, {"Name": "a#1", "Policy": POLICY}, entry])))
    assert len({found.label for found in reading.policies}) == 4


def test_many_policies_in_one_file() -> None:
    text = "[" + ",".join(['{"Statement":{"Effect":1}}'] * 20_000) + "]"
    assert len(policies(Source("a.json", text)).policies) == 20_000


@given(st.sampled_from(["json", "single", "double", "block", "folded"]), st.text("aß€😀\\/\"'é", max_size=8))
def test_places_in_an_embedded_text_are_exact(spelling: str, sid: str) -> None:
    inner = json.dumps({**POLICY, "Id": sid}, indent=1, ensure_ascii=False)
    lines = "\n".join(f"  {line}" for line in inner.splitlines())
    outer = {
        "json": json.dumps({"Policy": inner}),
        "single": "Policy: '" + inner.replace("'", "''").replace("\n", "\n\n    ") + "'\n",
        "double": f"Policy: {json.dumps(inner, ensure_ascii=False)}\n",
        "block": f"Policy: |2-\n{lines}\n",
        "folded": f"Policy: &a >\n{lines}\n# end\n",
    }[spelling]
    source = Source("a.json" if spelling == "json" else "a.yaml", outer)
    (found,) = policies(source).policies
    action = next(leaf for leaf in leaves(found.node) if leaf.text == "s3:GetObject")
    assert outer[slice(*action.span)].replace("\\", "") == '"s3:GetObject"'
    assert outer[found.node.span.start] == "{"
    assert outer[found.node.span.end - 1] == "}"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(POLICY)[:-1],
        '{"Statement": [',
        '{"Statement"',
        '{"\\u0053tatement": [{"\\u0045ffect"',
        '"State\\\n  ment": [{Effect: Allow}',
        "Statement:\n\t- Effect",
        'Policy: "{\\"Statement\\": [',
        "statement: [{effect: Allow}",
    ],
)
def test_a_broken_text_that_was_meant_as_a_policy(text: str) -> None:
    assert looks_like_policy_text(text)
    assert sniff(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "// a PreparedStatement {",
        "statement: {{ .Values.text }}",
        "title: Mission Statement {{ x }}",
        "{{ effect }}: {",
    ],
)
def test_a_broken_text_that_only_uses_the_words(text: str) -> None:
    assert not looks_like_policy_text(text)


KEYS = st.sampled_from(["Statement", "statement", "Effect", "Version", "Policy", "Document", "x"])
TREES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["Allow", "2012-10-17", "*", json.dumps(POLICY), "", None, 1]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=12,
)


@given(TREES)
def test_the_sniff_never_passes_over_a_policy_and_none_is_counted_twice(tree: Any) -> None:
    source = Source("a.json", json.dumps(tree))
    try:
        reading = policies(source)
    except Unreadable:
        return
    assert sniff(source.text.encode()) or not (reading.policies or reading.deeper)
    assert all(looks_like_policy(found.node) and isinstance(found.node, Object) for found in reading.policies)
    places = [found.node.span for found in reading.policies]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("blanks", [" \\u0020", " " * 250_000], ids=["blanks spelled two ways", "very long"])
def test_where_a_spelling_is_not_followed_every_value_has_the_place_of_the_whole_string(blanks: str) -> None:
    text = json.dumps({"Policy": json.dumps(POLICY)}).replace("{\\", "{" + blanks + "\\", 1)
    (found,) = policies(Source("a.json", text)).policies
    assert {text[slice(*leaf.span)] for leaf in leaves(found.node)} == {text[11:-1]}


@pytest.mark.parametrize("name", ["logs", "payroll"])
def test_an_alias_in_a_function_is_what_it_stands_for(name: str) -> None:
    text = f'Version: "2012-10-17"\nId: &p "arn:aws:s3:::{name}"\n'
    text += 'Statement:\n  - {Effect: Allow, Action: "s3:*", Resource: !Join ["", [*p, "/*"]]}\n'
    (found,) = policies(Source("a.yaml", text)).policies
    resource = parse(found).statements[0].resource
    assert resource and name in str(resource.values[0].pattern)


def labels(name: str, text: str) -> list[str]:
    return [policy.label for policy in policies(Source(name, text)).policies]


def test_where_policies_are_looked_for() -> None:
    assert labels("a.json", json.dumps(NARROW)) == [""]
    assert labels("a.json", json.dumps({"PolicyName": "x", "PolicyDocument": NARROW})) == ["PolicyDocument"]
    assert labels("a.json", json.dumps([NARROW, NARROW])) == ["[0]", "[1]"]
    named = [{"PolicyName": "one", "PolicyDocument": NARROW}, {"PolicyName": "two", "PolicyDocument": WIDE}]
    assert labels("a.json", json.dumps(named)) == ["[PolicyName=one].PolicyDocument", "[PolicyName=two].PolicyDocument"]
    assert labels("a.json", json.dumps(named[::-1])) == labels("a.json", json.dumps(named))[::-1]
    both = {"AssumeRolePolicyDocument": NARROW, "Policy": json.dumps(NARROW)}
    assert labels("a.json", json.dumps(both)) == ["AssumeRolePolicyDocument", "Policy"]
    assert len(labels("a.yaml", yaml.safe_dump_all([NARROW, WIDE]))) == 2


def test_what_only_has_the_word_is_no_policy() -> None:
    assert labels("a.yaml", "Statement: {Date: 2020-01-01}\n") == []


@given(st.integers(0, 10**6))
def test_nothing_that_holds_a_policy_is_passed_over(seed: int) -> None:
    """Any character may be spelled as an escape."""
    rng = random.Random(seed)
    text = "".join(
        f"\\u{ord(c):04x}" if c.isalpha() and rng.random() < 0.3 else c for c in json.dumps(document(allow("s3:Get")))
    )
    assert sniff(text.encode())
    assert len(policies(Source("a.json", text)).policies) == 1
