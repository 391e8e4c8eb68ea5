"""Condition keys whose values follow from who asks: both twins, proofs, and what a critical list can say of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard import check_no_lost_deny, check_no_new_access
from policy_guard.iam.meaning import concrete
from policy_guard.iam.policy import Caller, Request
from policy_guard.iam.principal import ACCOUNT_KEY, ARN_KEY
from tests.support.examples import examples
from tests.support.language import Pools, requests_of, single
from tests.support.policies import access_allows, policy
from tests.support.repository import Scratch

ID = "111122223333"
ROOT, USER, ROLE = (f"arn:aws:iam::{ID}:{name}" for name in ("root", "user/a/u", "role/r"))
FEDERATED = f"arn:aws:sts::{ID}:federated-user/f"
CALLERS = [
    Caller("Anonymous"),
    Caller("AWS", ROOT),
    Caller("AWS", USER),
    Caller("AWS", ROLE, "s"),
    Caller("AWS", ROLE),
    Caller("AWS", f"arn:aws:sts::{ID}:federated-user/f"),
    Caller("AWS", f"arn:aws:sts::{ID}:federated-user/f", "user/a/u"),
    Caller("AWS", f"arn:aws:sts::{ID}:federated-user/f", "user/u"),
    Caller("AWS", "arn:aws:iam::444455556666:user/u"),
    Caller("AWS", "AIDACKCEVSQ6C2EXAMPLE"),
    Caller("AWS", "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"),
    Caller("Service", "logs.amazonaws.com"),
    Caller("Service", "logs.eu-west-1.amazonaws.com"),
    Caller("Service", ID),
    Caller("Federated", "accounts.google.com"),
    Caller("CanonicalUser", "79a5"),
]
VALUES = {
    "aws:PrincipalArn": [
        ROLE,
        USER,
        f"arn:aws:iam::{ID}:*",
        "arn:*",
        "*:s",
        "${h}",
        "${aws:PrincipalArn}",
        ROOT,
        FEDERATED,
    ],
    "aws:PrincipalAccount": [ID, "1*", "anonymous", "${aws:PrincipalAccount}", "${h}", "?11122223333", ""],
    "aws:PrincipalType": ["User", "Anonymous", "AssumedRole", "*User", "${aws:PrincipalType}"],
    "aws:PrincipalServiceName": ["logs.amazonaws.com", "logs.*", "${aws:PrincipalServiceName}"],
    "aws:PrincipalServiceNamesList": ["logs.amazonaws.com", "logs.*"],
    "aws:PrincipalOrgID": ["o-1", "o-*"],
    "aws:PrincipalOrgPaths": ["o-1/r", "o-*"],
    "aws:PrincipalTag/team": ["a", "${aws:PrincipalAccount}"],
    "custom:key": [f"x{ID}", "x${aws:PrincipalAccount}", "${aws:PrincipalArn}"],
}
OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "Null"]


@st.composite
def _conditions(draw: st.DrawFn) -> dict[str, Any]:
    key = draw(st.sampled_from([*VALUES, "aws:PrincipalIsAWSService"]))
    operator = draw(st.sampled_from(OPERATORS if key in VALUES else ["Bool", "Null"]))
    if operator == "Null":
        return {"Null": {key: draw(st.sampled_from(["true", "false"]))}}
    if operator == "Bool":
        return {"Bool" + draw(st.sampled_from(["", "IfExists"])): {key: draw(st.sampled_from(["true", "false"]))}}
    arns = key == "aws:PrincipalArn" and draw(st.booleans())
    name = draw(st.sampled_from(["ArnLike", "ArnNotLike"])) if arns else operator
    quantifier = draw(st.sampled_from(["", "", "ForAnyValue:", "ForAllValues:"]))
    values = st.lists(st.sampled_from(VALUES[key]), min_size=1, max_size=2)
    return {quantifier + name + draw(st.sampled_from(["", "IfExists"])): {key: draw(values)}}


@st.composite
def _statements(draw: st.DrawFn) -> dict[str, Any]:
    made = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])), "Action": "s3:GetObject"}
    made["Resource"] = draw(st.sampled_from(["*", "arn:aws:s3:::${aws:PrincipalAccount}"]))
    who = [
        "*",
        {"AWS": ID},
        {"AWS": ROLE},
        {"AWS": [ROOT, USER]},
        {"AWS": [ROOT, FEDERATED]},
        {"Service": "logs.amazonaws.com"},
        {"AWS": "${p}"},
    ]
    name = draw(st.sampled_from(["Principal", "NotPrincipal"])) if made["Effect"] == "Deny" else "Principal"
    made[name] = draw(st.sampled_from(who))
    if draw(st.integers(0, 3)):
        made["Condition"] = draw(_conditions())
    return made


def spoken_of(asked: list[Request], *read: dict[str, Any]) -> list[Request]:
    """The requests with those alone of the keys that tell of services of which the documents speak."""
    text = json.dumps(read).lower()
    idle = {key for key in (ACCOUNT_KEY, ARN_KEY) if key not in text}
    return [each._replace(context={k: v for k, v in each.context.items() if k not in idle}) for each in asked]


documents = st.lists(_statements(), min_size=1, max_size=3).map(lambda s: {"Version": "2012-10-17", "Statement": s})
POOLS = Pools(
    callers=CALLERS,
    actions=["s3:GetObject"],
    resources=[f"arn:aws:s3:::{ID}", "arn:aws:s3:::anonymous", "arn:aws:s3:::x"],
    context={
        **{key.lower(): single(*values, "o-1") for key, values in VALUES.items()},
        "aws:principalisawsservice": single("true", "false"),
    },
    unknowns={"h": ["", "*", ID, ROLE], "p": ["*", ID, ROLE]},
    choices=["plain-needs-all-values", "unresolved-drops-statement"],
)


@given(documents, requests_of(POOLS, 20))
@settings(max_examples=examples(15), deadline=None)
def test_both_twins_give_the_same_decision(document: dict[str, Any], asked: list[Request]) -> None:
    read = policy(document, "resource")
    for each in spoken_of(asked, document):
        assert concrete.allows(read, "resource", each) == access_allows(read, each), each


@given(documents, documents, requests_of(POOLS, 20))
@settings(max_examples=examples(6), deadline=None)
def test_no_request_contradicts_a_proof(new: dict[str, Any], old: dict[str, Any], asked: list[Request]) -> None:
    asked = spoken_of(asked, new, old)
    after, before = policy(new, "resource"), policy(old, "resource")
    found = check_no_new_access(new, old)
    assert found.result in ("PASS", "FAIL") or "too hard" in found.message
    if found.result == "PASS":
        for each in asked:
            assert not concrete.allows(after, "resource", each) or concrete.allows(before, "resource", each)
    if check_no_lost_deny(new, old).result == "PASS":
        assert not any(concrete.denied(before, each) and not concrete.denied(after, each) for each in asked)


@given(documents)
@settings(max_examples=examples(6), deadline=None)
def test_every_policy_passes_against_itself(document: dict[str, Any]) -> None:
    assert check_no_new_access(document, document).result == "PASS"
    assert check_no_lost_deny(document, document).result == "PASS"


def document(who: Any, condition: dict[str, Any] | None = None, **elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": who, "Action": "s3:GetObject", "Resource": "*", **elements}
    return {"Version": "2012-10-17", "Statement": {**statement, **({"Condition": condition} if condition else {})}}


OF_ACCOUNT = {"StringEquals": {"aws:PrincipalAccount": ID}}
OF_ROLE = {"ArnEquals": {"aws:PrincipalArn": ROLE}}
SERVICE = {"Service": "cloudtrail.amazonaws.com"}
ALIKE = {
    "an account": (document({"AWS": ID}), document("*", OF_ACCOUNT)),
    "a role": (document({"AWS": ROLE}), document("*", OF_ROLE)),
    "a role of its account": (document({"AWS": ROLE}), document({"AWS": ID}, OF_ROLE)),
    "callers who are no service": (
        document({"AWS": ID}),
        document({"AWS": ID, "Service": "ec2.amazonaws.com"}, {"Bool": {"aws:PrincipalIsAWSService": "false"}}),
    ),
    "a service and what it is": (document(SERVICE), document(SERVICE, {"Bool": {"aws:PrincipalIsAWSService": "true"}})),
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_follows_from_the_caller_need_not_be_said(name: str) -> None:
    one, two = ALIKE[name]
    assert check_no_new_access(one, two).result == check_no_new_access(two, one).result == "PASS"


NARROWER = {
    "everyone with the ARN of a user in place of the user": (
        document({"AWS": "*"}, {"StringEquals": {"aws:PrincipalArn": USER}}),
        document({"AWS": USER}),
    ),
    "one account in place of the one that a variable names": (
        document({"AWS": ID}, Resource="arn:aws:s3:::logs-${aws:PrincipalAccount}/*"),
        document("*", Resource="arn:aws:s3:::logs-${aws:PrincipalAccount}/*"),
    ),
}


@pytest.mark.parametrize("name", NARROWER)
def test_what_follows_from_the_caller_makes_no_alarm(name: str) -> None:
    new, old = NARROWER[name]
    assert check_no_new_access(new, old).result == "PASS"


WIDER = {
    "another account": (document({"AWS": "444455556666"}), document("*", OF_ACCOUNT)),
    "another role": (document({"AWS": f"{ROLE}2"}), document("*", OF_ROLE)),
    "the account of a role": (document({"AWS": ID}), document("*", OF_ROLE)),
    "the root user's ARN is no account": (
        document({"AWS": ID}),
        document("*", {"ArnEquals": {"aws:PrincipalArn": ROOT}}),
    ),
    "a service is nobody of an account": (document(SERVICE), document("*", OF_ACCOUNT)),
    "nobody signs": (document("*"), document("*", {"Null": {"aws:PrincipalArn": "false"}})),
    "anonymous callers are of no organisation": (
        document("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}),
        document("*", {"Null": {"aws:PrincipalOrgID": "false"}}),
    ),
    "a service need not tell the name that it is known by": (
        document(SERVICE),
        document("*", {"StringEquals": {"aws:PrincipalServiceName": [*SERVICE.values()]}}),
    ),
    "a service with several names": (
        document({"Service": "logs.eu-west-1.amazonaws.com"}),
        document("*", {"StringEquals": {"aws:PrincipalServiceName": "logs.eu-west-1.amazonaws.com"}}),
    ),
    "the account as a text in a variable": (
        document({"AWS": ID}, Resource="arn:aws:s3:::logs-${aws:PrincipalAccount}/*"),
        document({"AWS": ID}, Resource="arn:aws:s3:::logs-444455556666/*"),
    ),
}


@pytest.mark.parametrize("name", WIDER)
def test_what_does_not_follow_from_the_caller_is_new(name: str) -> None:
    new, old = WIDER[name]
    assert check_no_new_access(new, old).result == "FAIL"


def test_a_witness_does_not_contradict_its_caller() -> None:
    found = check_no_new_access(document({"AWS": ID}), document({"AWS": ID}, OF_ROLE)).reasons[0].witness
    assert found is not None and "aws:PrincipalArn" not in found["context"] and found["principal"] != ROLE


SESSION = f"arn:aws:sts::{ID}:assumed-role/r/nightly"


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ([SESSION], [ROLE], "PASS"),
        ([SESSION], [f"arn:aws:iam::{ID}:role/team/r"], "PASS"),
        ([SESSION], [f"arn:aws:iam::{ID}:role/r2"], "FAIL"),
        ([SESSION], ["arn:aws:iam::444455556666:role/r"], "FAIL"),
        ([ROLE], [SESSION], "FAIL"),
        ([f"arn:aws:iam::{ID}:role/team/r"], [ROLE], "FAIL"),
        ([f"arn:aws:iam::{ID}:role/team/r", SESSION], [ROLE], "FAIL"),
        ([SESSION, ROLE], [f"arn:aws:sts::{ID}:assumed-role/r/other"], "FAIL"),
    ],
)
def test_the_name_of_a_role_is_unique_in_its_account(new: list[str], old: list[str], expected: str) -> None:
    assert check_no_new_access(document({"AWS": new}), document({"AWS": old})).result == expected


def test_a_role_that_the_new_version_alone_names_proves_nothing_about_paths() -> None:
    """The role may have another path, and the session is then denied no longer."""
    old, new = (document({"AWS": who}, Effect="Deny") for who in (SESSION, ROLE))
    assert check_no_lost_deny(new, old).result == "FAIL"


CRITICAL = """version: 1
permissions:
- id: other-accounts
  actions: ["*"]
  unless:
  - StringEquals: {"aws:PrincipalAccount": ["111122223333", "444455556666"]}
  - Bool: {"aws:PrincipalIsAWSService": "true"}
  reason: only our accounts and services
"""


@pytest.mark.parametrize(
    ("who", "condition", "allowed"),
    [
        ({"AWS": ID}, None, True),
        ({"AWS": [ROOT, USER, ROLE, SESSION, "444455556666"]}, None, True),
        (SERVICE, None, True),
        ("*", OF_ACCOUNT, True),
        ("*", OF_ROLE, True),
        ({"AWS": "777788889999"}, None, False),
        ({"AWS": [ID, "arn:aws:iam::777788889999:role/r"]}, None, False),
        ("*", None, False),
        ("*", {"StringEqualsIfExists": {"aws:PrincipalArn": ROLE}}, False),
        ({"AWS": "arn:aws:iam::*:root"}, None, False),
        ({"AWS": "${who}"}, None, False),
        ({"Federated": "accounts.google.com"}, None, False),
    ],
)
def test_a_critical_list_can_name_the_accounts_that_are_fine(
    who: Any, condition: dict[str, Any] | None, allowed: bool, tmp_path: Any
) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.write("critical.yaml", CRITICAL)
    scratch.write("config.yaml", "version: 1\ncritical: critical.yaml\nseverity: {no-new-access: 'off'}\n")
    scratch.write("old.json", json.dumps(document(SERVICE)))
    scratch.write("new.json", json.dumps(document(who, condition)))
    answer = scratch.guard("compare", "old.json", "new.json", "--config", "config.yaml")
    assert ("[access-not-granted]" not in answer.out) is allowed, answer.out
