"""Policies that a container has evaluated: texts with holes, and statements that are there only under guards."""

from __future__ import annotations

from typing import Any

import pytest

from policy_guard import api
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.source import Array, Entry, Guard, Hole, Node, Object, Scalar, Source, Span, Unreadable
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy
from policy_guard.verify.check import Question
from policy_guard.verify.checks.no_new_access import CHECK as NO_NEW_ACCESS

_HERE = Span(0, 1)
PROD = Guard("B", ("prod",), False, "B is prod")
DEV = Guard("B", ("dev",), False, "B is dev")
NO_PROD = Guard("B", ("prod",), True, "B is not prod")


def _node(value: Any) -> Node:
    """The tree of a value, in which a tuple is a text with its parts."""
    if isinstance(value, dict):
        return Object(tuple(Entry(_node(key), _node(part)) for key, part in value.items()), _HERE)  # type: ignore[arg-type]
    if isinstance(value, list):
        return Array(tuple(map(_node, value)), _HERE)
    parts = value if isinstance(value, tuple) else (value,)
    return Scalar("".join(p if isinstance(p, str) else "${?}" for p in parts), _HERE, parts=parts)


def _statement(action: str, resource: Any, *guards: Guard, **more: Any) -> Node:
    node = _node({"Effect": "Allow", "Action": action, "Resource": resource, **more})
    assert isinstance(node, Object)
    return node._replace(guards=guards)


def _policy(*statements: Node) -> Policy:
    version = Entry(Scalar("Version", _HERE), Scalar("2012-10-17", _HERE))
    whole = Object((version, Entry(Scalar("Statement", _HERE), Array(statements, _HERE))), _HERE)
    return parse(PolicyDocument("", whole, Source("t.yaml", "x"), kind="identity"))


def _passes(old: Policy, new: Policy) -> bool:
    question = Question(kind="identity", new=new, old=old, critical=(), access=Access([new, old]))
    return api.Result(NO_NEW_ACCESS, question).result == "PASS"


BUCKET = Hole("Bucket")


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        ((BUCKET, "/*"), (BUCKET, "/in/*"), True),
        ((BUCKET, "/*"), (Hole("Other"), "/*"), False),
        ("arn:aws:s3:::${Bucket}/*", ("arn:aws:s3:::", BUCKET, "/*"), False),
        ("arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::${aws:username}/a", True),
        ("arn:aws:s3:::{{x}}/*", "arn:aws:s3:::<y>/*", False),
        ("*", ("arn:aws:s3:::", BUCKET), True),
    ],
)
def test_a_hole_is_one_text_by_its_name_and_no_text_is_a_hole(old: Any, new: Any, passes: bool) -> None:
    assert _passes(_policy(_statement("s3:GetObject", old)), _policy(_statement("s3:GetObject", new))) is passes


def test_a_list_that_nobody_knows_is_another_text_in_every_element() -> None:
    many = Hole("Names", several=True)
    read = _policy(_statement("s3:GetObject", "*", Condition={"StringEquals": {"aws:username": [(many,)]}}))
    (condition,) = read.statements[0].conditions
    assert [part.name for part in condition.values[0].pattern.parts] == ["Names in aws:username"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        ([()], [(PROD,)], True),
        ([(PROD,)], [()], False),
        ([(PROD,), (NO_PROD,)], [()], True),
        ([(PROD,)], [(DEV,)], False),
        ([(NO_PROD,)], [(DEV,)], True),
    ],
)
def test_guards_exclude_each_other_as_the_texts_do_that_they_ask_for(old: Any, new: Any, passes: bool) -> None:
    old, new = (_policy(*(_statement("s3:GetObject", "*", *guards) for guards in side)) for side in (old, new))
    assert _passes(old, new) is passes


def test_no_author_can_write_the_key_of_a_guard() -> None:
    with pytest.raises(Unreadable, match="leave the control character out"):
        _policy(_statement("s3:GetObject", "*", Condition={"StringEquals": {"\0B": "prod"}}))


def test_a_variable_cannot_be_put_together_around_a_hole() -> None:
    with pytest.raises(Unreadable, match="is not closed"):
        _policy(_statement("s3:GetObject", ("arn:aws:s3:::${aws:", BUCKET, "}")))


def test_statements_that_exclude_each_other_may_have_one_sid() -> None:
    read = _policy(_statement("s3:GetObject", "*", PROD, Sid="a"), _statement("s3:PutObject", "*", NO_PROD, Sid="a"))
    assert [statement.conditions[0].written_key for statement in read.statements] == ["B is prod", "B is not prod"]
