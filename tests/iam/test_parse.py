"""Policies as they are read from documents: what is refused or doubted, and where each part stands."""

from __future__ import annotations

import json

import pytest
import yaml

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.format import decode
from policy_guard.documents.source import Source, Unreadable
from policy_guard.iam.parse import parse
from tests.support.repository import NARROW, WIDE, allow, document


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
    assert str(caught.value) == f'"{operator}" is not a condition operator{suggestion}'


@pytest.mark.parametrize("action", [" s3:GetObject", "s3: GetObject", "s3 :Get*", "s3 : *", "*: Get*"])
def test_an_action_with_blanks_can_be_read_and_is_doubted(action: str) -> None:
    (policy,) = policies(Source("a.json", json.dumps(document(allow(action)))))[0]
    (doubt,) = parse(policy).doubts
    assert doubt.message == f'"{action}" has blanks in it, which AWS may take for a part of it'


@pytest.mark.parametrize("action", ["s3:Get Object", "s 3:GetObject", "s3:\tGetObject", "s3:\u00a0GetObject", "s3: "])
def test_an_action_with_other_blanks_is_none(action: str) -> None:
    (policy,) = policies(Source("a.json", json.dumps(document(allow(action)))))[0]
    with pytest.raises(Unreadable, match="is not an action"):
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


def test_a_byte_order_mark_and_odd_line_ends_do_not_shift_places() -> None:
    text = json.dumps(NARROW, indent=2).replace("\n", "\r\n")
    source = decode("a.json", b"\xef\xbb\xbf" + text.encode(), "")
    (policy,) = (parse(each) for each in policies(source).policies)
    assert source.position(policy.statements[0].action.values[0].span.start) == (7, 9)
