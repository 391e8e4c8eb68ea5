"""From text to positioned trees, and the policies found in them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.format import decode, sniff
from policy_guard.documents.formats import read
from policy_guard.documents.source import Array, Node, Object, Scalar, Source, Unreadable
from policy_guard.iam.parse import parse
from tests.support.repository import NARROW, WIDE, Scratch, allow, document

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.booleans() | st.integers(-99, 99) | st.none(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=12,
)
PLAIN_TEXTS = st.text("abc XYZ:-#'\"\n\t{}[],&*!|>%@`é", max_size=8)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    PLAIN_TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(PLAIN_TEXTS, below, max_size=3),
    max_leaves=10,
)


def plain(node: Node) -> Any:
    if isinstance(node, Object):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, Array):
        return [plain(item) for item in node.items]
    spelled = {"number": json.loads, "boolean": lambda text: text.lower() == "true", "null": lambda _: None}
    return spelled.get(node.kind, str)(node.text)


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    below = node.items if isinstance(node, Array) else [part for entry in node.entries for part in entry]
    return [scalar for part in below for scalar in scalars(part)]


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_is_read_as_the_library_reads_it(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    (node,) = read(Source("a.json", text))
    assert plain(node) == value
    for scalar in scalars(node):
        assert plain(scalar) == json.loads(text[slice(*scalar.span)])


@given(PLAIN, st.booleans())
def test_yaml_is_read_as_the_library_reads_it(value: Any, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    (node,) = read(Source("a.yaml", text))
    assert plain(node) == yaml.safe_load(text)


@given(st.text(max_size=60) | st.text('{}[]",:\\ tru0.e-', max_size=30))
def test_no_text_is_more_than_unreadable(text: str) -> None:
    for name in ("a.json", "a.yaml"):
        try:
            assert all(
                0 <= s.span.start <= s.span.end <= len(text) for node in read(Source(name, text)) for s in scalars(node)
            )
        except Unreadable as error:
            assert all(problem.span.start <= len(text) for problem in error.problems)


@pytest.mark.parametrize(
    "text", ["{'a': 1}", '{"a": 1,}', "[1] 2", '{"a": NaN}', "// x\n{}", '{"a": "\t"}', '{"a" 1}', ""]
)
def test_json_is_no_more_lenient_than_aws(text: str) -> None:
    with pytest.raises(Unreadable):
        read(Source("a.json", text))


def found(name: str, text: str) -> list[str]:
    return [each.label for each in policies(Source(name, text)).policies]


def test_where_policies_are_looked_for() -> None:
    assert found("a.json", json.dumps(NARROW)) == [""]
    assert found("a.json", json.dumps({"PolicyName": "x", "PolicyDocument": NARROW})) == ["PolicyDocument"]
    assert found("a.json", json.dumps([NARROW, NARROW])) == ["[0]", "[1]"]
    named = [{"PolicyName": "one", "PolicyDocument": NARROW}, {"PolicyName": "two", "PolicyDocument": WIDE}]
    assert found("a.json", json.dumps(named)) == ["[PolicyName=one].PolicyDocument", "[PolicyName=two].PolicyDocument"]
    assert found("a.json", json.dumps(named[::-1])) == found("a.json", json.dumps(named))[::-1]
    both = {"AssumeRolePolicyDocument": NARROW, "Policy": json.dumps(NARROW)}
    assert found("a.json", json.dumps(both)) == ["AssumeRolePolicyDocument", "Policy"]
    assert len(found("a.yaml", yaml.safe_dump_all([NARROW, WIDE]))) == 2


def test_deeper_policies_are_counted() -> None:
    template = {
        "Resources": {"A": {"Properties": {"PolicyDocument": NARROW}}, "B": {"PolicyDocument": json.dumps(WIDE)}}
    }
    reading = policies(Source("a.json", json.dumps(template)))
    assert (reading.policies, reading.deeper) == ((), 2)


def test_what_only_has_the_word_is_no_policy() -> None:
    assert found("a.json", '{"Statement": "of account", "Balance": 3}') == []
    assert found("a.yaml", "Statement: {Date: 2020-01-01}\n") == []


@pytest.mark.parametrize(
    ("operator", "meant"),
    [
        ("StringEqual", "StringEquals"),
        ("StringEqualIfExists", "StringEqualsIfExists"),
        ("StringEqualsIfExist", "StringEqualsIfExists"),
        ("ForAnyValues:StringEquals", "ForAnyValue:StringEquals"),
        ("forAllValue:StringLikes", "ForAllValues:StringLike"),
        ("ForAnyValueStringEquals", "ForAnyValue:StringEquals"),
        ("ForAnyValue:StringEqualsIfExist", "ForAnyValue:StringEqualsIfExists"),
        ("x:StringEquals", None),
        ("ForAnyValue:x", None),
        ("x", None),
    ],
)
def test_what_is_suggested_for_an_operator_keeps_its_quantifier(operator: str, meant: str | None) -> None:
    (policy,) = policies(Source("a.json", json.dumps(document(allow("*") | {"Condition": {operator: {"a:b": "c"}}}))))[
        0
    ]
    with pytest.raises(Unreadable) as caught:
        parse(policy)
    suggestion = f'; did you mean "{meant}"?' if meant else ""
    assert str(caught.value) == f'"{operator}" is no condition operator{suggestion}'


@pytest.mark.parametrize("action", [" s3:GetObject", "s3: GetObject", "s3 :Get*", "s3 : *", "*: Get*"])
def test_an_action_with_blanks_can_be_read_and_is_doubted(action: str) -> None:
    (policy,) = policies(Source("a.json", json.dumps(document(allow(action)))))[0]
    (doubt,) = parse(policy).doubts
    assert doubt.message == f'"{action}" has blanks in it, which AWS may take for a part of it'


@pytest.mark.parametrize("action", ["s3:Get Object", "s 3:GetObject", "s3:\tGetObject", "s3:\u00a0GetObject", "s3: "])
def test_an_action_with_other_blanks_is_none(action: str) -> None:
    (policy,) = policies(Source("a.json", json.dumps(document(allow(action)))))[0]
    with pytest.raises(Unreadable, match="is no action"):
        parse(policy)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("StringEquals: {'aws:PrincipalAccount': 089912345678}", ["089912345678"]),
        ("StringEquals: {'aws:PrincipalAccount': [111122223333, '1e3', tRue, True]}", []),
        ("StringEquals: {'aws:PrincipalTag/on': [yes, 1e3]}", ["yes", "1e3"]),
        ("DateLessThan: {'aws:CurrentTime': 2024-01-01}", ["2024-01-01"]),
        ("StringEquals: {1:30: a}", ["1:30"]),
        ("Null: {'aws:TokenIssueTime': true}", []),
        ("StringEquals: &a {'aws:PrincipalTag/on': n}, StringLike: *a", ["n"]),
    ],
)
def test_a_policy_with_a_scalar_that_readers_differ_on_is_refused(condition: str, said: list[str]) -> None:
    statement = f"{{Effect: Deny, Action: '*', Resource: '*', Condition: {{{condition}}}}}"
    (policy,) = policies(Source("a.yaml", f"Version: 2012-10-17\nStatement: {statement}\n")).policies
    try:
        parse(policy)
        problems = []
    except Unreadable as error:
        problems = [problem.message for problem in error.problems]
    assert [problem.split('"')[1] for problem in problems] == said
    assert all(problem.endswith("put it in quotation marks") for problem in problems)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", json.dumps({"Policy": json.dumps(WIDE, indent=1)})),
        ("a.json", json.dumps({"Policy": json.dumps(WIDE).replace("s3:Delete", "s3:\\u0044elete")})),
        ("a.yaml", yaml.safe_dump({"Policy": json.dumps(WIDE)}, width=10_000)),
        ("a.yaml", "Policy: |\n" + "".join(f"  {line}\n" for line in json.dumps(WIDE, indent=2).splitlines())),
    ],
    ids=["in a JSON text", "with escapes", "in a YAML text", "in a YAML block"],
)
def test_places_inside_a_policy_that_is_a_text(name: str, text: str) -> None:
    (policy,) = (parse(each) for each in policies(Source(name, text)).policies)
    action = policy.statements[0].action.values[1]
    assert action.text == "s3:DeleteObject"
    assert text[slice(*action.span)].strip('\\"').endswith("eleteObject")


def test_merge_keys_and_aliases() -> None:
    text = "x: &x {Effect: Allow, Resource: '*'}\nPolicy:\n  Statement:\n  - {<<: *x, Action: s3:Get*}\n"
    (policy,) = (parse(each) for each in policies(Source("a.yaml", text)).policies)
    assert (policy.statements[0].effect, policy.statements[0].action.values[0].text) == ("Allow", "s3:Get*")


@pytest.mark.parametrize("marks", [b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff"])
def test_other_encodings_are_refused_and_never_passed_over(marks: bytes) -> None:
    assert sniff(marks + b"{}")
    with pytest.raises(Unreadable):
        decode("a.json", marks + b"{}", "")


def test_a_byte_order_mark_and_odd_line_ends_do_not_shift_places() -> None:
    text = json.dumps(NARROW, indent=2).replace("\n", "\r\n")
    source = decode("a.json", b"\xef\xbb\xbf" + text.encode(), "")
    (policy,) = (parse(each) for each in policies(source).policies)
    assert source.position(policy.statements[0].action.values[0].span.start) == (7, 9)


@given(st.integers(0, 10**6))
def test_nothing_that_holds_a_policy_is_passed_over(seed: int) -> None:
    """Any character may be spelled as an escape."""
    rng = random.Random(seed)
    text = "".join(
        f"\\u{ord(c):04x}" if c.isalpha() and rng.random() < 0.3 else c for c in json.dumps(document(allow("s3:Get")))
    )
    assert sniff(text.encode())
    assert len(policies(Source("a.json", text)).policies) == 1


PLAIN_NAMES = [
    ("recommended-inline-policy", json.dumps(WIDE), "read"),
    ("iam.tpl", json.dumps(WIDE), "read"),
    ("worker.policy", json.dumps(WIDE), "read"),
    ("policy", yaml.safe_dump(WIDE), "read"),
    ("policy", json.dumps(WIDE)[:-1], "refused"),
    ("policy.tpl", json.dumps(WIDE).replace('"*"', "${jsonencode(all)}"), "refused"),
    ("policy", json.dumps(WIDE).encode("utf-16"), "refused"),
    ("policy.jsonc", "// c\n" + json.dumps(WIDE), "refused"),
    ("run", "#!/bin/sh\ncat > p.json <<E\n" + json.dumps(WIDE) + "\nE\n", "passed over"),
    ("_helpers.tpl", '{{- define "x" }}\n' + json.dumps(WIDE) + "\n{{- end }}", "passed over"),
    ("README", "Policy\n  {" + json.dumps(WIDE) + " and more: text: here", "passed over"),
    ("config", "[default]\nStatement: Effect\n", "passed over"),
    ("program", b"\0\1" + json.dumps(WIDE).encode(), "passed over"),
    ("Makefile", 'all:\n\techo "Statement: Effect"\n', "passed over"),
]


@pytest.mark.parametrize(("name", "content", "expected"), PLAIN_NAMES, ids=[f"{c[0]} {c[2]}" for c in PLAIN_NAMES])
def test_a_file_without_a_telling_suffix_is_told_by_its_content(
    name: str, content: str | bytes, expected: str, tmp_path: Path
) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.commit()
    (scratch.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = scratch.guard("check", "--format", "json")
    outcomes = {f["outcome"] for f in json.loads(answer.out)["findings"] if f["path"] == name}
    assert ("unreadable" in outcomes) == (expected == "refused")
    assert ("violated" in outcomes) == (expected == "read")


def test_a_policy_without_suffix_that_is_broken_is_missed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.commit(policy=yaml.safe_dump(WIDE))
    scratch.write("policy", "\t" + yaml.safe_dump(WIDE))
    assert ("readable", "unreadable", "policy") in scratch.findings()
