"""The twins agree on random policies and requests, proofs hold on random requests, and witnesses replay."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard import check_no_lost_deny, check_no_new_access, evaluate
from policy_guard.policy import Caller, Request
from tests.policies import access_allows, policy

ACTIONS = ["s3:GetObject", "s3:Get*", "s3:*", "*", "s3:?etObject", "ec2:RunInstances", "s*:PutObject"]
RESOURCES = [
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::?",
    "arn:aws:s3:::${aws:username}",
    "arn:aws:s3:::${h}*",
]
VALUES = ["a", "A", "a*", "b", "", "?", "true", "${aws:username}", "${h}"]
KEYS = ["aws:username", "custom:one", "aws:TagKeys"]
STRINGS = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"]
ROLE = "arn:aws:iam::111122223333:role/r"
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "111122223333"},
    {"AWS": ROLE},
    {"AWS": ["111122223333", "arn:aws:sts::111122223333:assumed-role/r/s"]},
    {"Service": "ec2.amazonaws.com"},
]
CALLERS = [
    Caller("Anonymous"),
    Caller("AWS", ROLE),
    Caller("AWS", ROLE, "s"),
    Caller("AWS", ROLE, "t"),
    Caller("AWS", "arn:aws:iam::111122223333:user/u"),
    Caller("AWS", "arn:aws:iam::444455556666:user/u"),
    Caller("Service", "ec2.amazonaws.com"),
]


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True)):
        several = key == "aws:TagKeys"
        operator = draw(st.sampled_from([*STRINGS, "Bool", "Null"]))
        if operator == "Null":
            block.setdefault("Null", {})[key] = draw(st.sampled_from(["true", "false"]))
            continue
        name = (draw(st.sampled_from(["ForAllValues:", "ForAnyValue:"])) if several else "") + operator
        values = draw(some(["true", "false"] if operator == "Bool" else VALUES))
        block.setdefault(name + draw(st.sampled_from(["", "IfExists"])), {})[key] = values
    return block


@st.composite
def statements(draw: st.DrawFn, principal: bool) -> dict[str, Any]:
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    made: dict[str, Any] = {"Effect": effect}
    made[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(some(ACTIONS))
    made[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(some(RESOURCES))
    if principal:
        name = draw(st.sampled_from(["Principal", "NotPrincipal"])) if effect == "Deny" else "Principal"
        made[name] = draw(st.sampled_from(PRINCIPALS))
    if block := draw(conditions()):
        made["Condition"] = block
    return made


def documents(principal: bool) -> st.SearchStrategy[dict[str, Any]]:
    lists = st.lists(statements(principal), min_size=1, max_size=3)
    return st.builds(lambda each: {"Version": "2012-10-17", "Statement": each}, lists)


def texts(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=1).map(tuple)


requests = st.builds(
    Request,
    st.sampled_from(CALLERS),
    st.sampled_from(["s3:GetObject", "s3:getobject", "s3:PutObject", "s3:X", "ec2:RunInstances", "sx:PutObject"]),
    st.sampled_from(
        [
            "arn:aws:s3:::a",
            "arn:aws:s3:::ab",
            "arn:aws:s3:::a/x",
            "arn:aws:s3:::b",
            "arn:aws:s3:::",
            "x",
            "arn:aws:s3:::A",
        ]
    ),
    st.fixed_dictionaries(
        {
            "aws:username": texts(["a", "A", "b", "", "a*", "true", "ab"]),
            "custom:one": texts(["a", "b", "ab", "true", "false", "?"]),
            "aws:tagkeys": st.lists(st.sampled_from(["a", "A", "b", "true"]), max_size=2, unique=True).map(tuple),
        }
    ),
    st.fixed_dictionaries({"h": st.sampled_from(["", "a", "*", "?", "b"])}),
    st.dictionaries(
        st.sampled_from(["partial-chain-exempt", "any-value-if-exists", "unresolved-drops-statement"]), st.booleans()
    ),
)


@given(st.booleans().flatmap(documents), requests)
@settings(max_examples=600)
def test_both_twins_give_the_same_decision(document: dict[str, Any], asked: Request) -> None:
    read = policy(document)
    assert evaluate.allows(read, read.kind, asked) == access_allows(read, asked)


@given(
    st.booleans().flatmap(lambda kind: st.tuples(documents(kind), documents(kind))),
    st.lists(requests, min_size=30, max_size=30),
)
@settings(max_examples=150)
def test_no_request_contradicts_a_proof(pair: tuple[dict[str, Any], dict[str, Any]], asked: list[Request]) -> None:
    new, old = map(policy, pair)
    if check_no_new_access(*pair).result == "PASS":
        assert not any(evaluate.allows(new, new.kind, r) and not evaluate.allows(old, old.kind, r) for r in asked)
    if check_no_lost_deny(*pair).result == "PASS":
        assert not any(evaluate.denied(old, r) and not evaluate.denied(new, r) for r in asked)


@given(st.booleans().flatmap(documents))
@settings(max_examples=100)
def test_every_policy_passes_against_itself(document: dict[str, Any]) -> None:
    assert check_no_new_access(document, document).result == "PASS"
    assert check_no_lost_deny(document, document).result == "PASS"


@given(st.booleans().flatmap(lambda kind: st.tuples(documents(kind), documents(kind))))
@settings(max_examples=150)
def test_a_random_pair_is_decided(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    result = check_no_new_access(*pair)
    assert result.result in ("PASS", "FAIL") or "too hard" in result.message
