"""Callers who go by several names, of which a policy may use any: none proves that a caller is no other."""

from __future__ import annotations

from typing import Any

import pytest

from policy_guard import check_no_lost_deny, check_no_new_access, check_no_public_access

ID = "111122223333"
ROLE = f"arn:aws:iam::{ID}:role/r"
PROVIDER = {"Federated": f"arn:aws:iam::{ID}:saml-provider/x"}
GOOGLE = {"Federated": "accounts.google.com"}


def statement(who: Any, condition: dict[str, Any] | None = None, **elements: Any) -> dict[str, Any]:
    made = {"Effect": "Allow", "Principal": who, "Action": "s3:GetObject", "Resource": "*", **elements}
    return {**made, "Condition": condition} if condition else made


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def deny(who: Any, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    return statement(who, condition, Effect="Deny")


USER = f"arn:aws:iam::{ID}:user/u"
FEDERATED = f"arn:aws:sts::{ID}:federated-user/f"
OF_USER = {"ArnEquals": {"aws:PrincipalArn": USER}}
OF_FEDERATED = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:sts::{ID}:federated-user/*"}}
SIGNED = [
    {"StringLike": {"aws:PrincipalArn": "*"}},
    {"Bool": {"aws:PrincipalIsAWSService": "false"}},
    {"StringEquals": {"aws:PrincipalAccount": ID}},
    {"ArnLike": {"aws:PrincipalArn": ROLE}},
    {"StringEquals": {"aws:PrincipalType": "AssumedRole"}},
]
LOGS, REGIONAL = {"Service": "logs.amazonaws.com"}, {"Service": "logs.eu-west-1.amazonaws.com"}
OF_SERVICE = [
    {"StringEquals": {"aws:PrincipalServiceName": "logs.eu-west-1.amazonaws.com"}},
    {"StringEquals": {"aws:PrincipalAccount": ID}},
    {"ArnLike": {"aws:PrincipalArn": ROLE}},
    {"Null": {"aws:PrincipalServiceName": "true"}},
]
NEW = {
    **{f"a service, {each}": ((statement(LOGS, each),), ()) for each in OF_SERVICE},
    "a service that was denied under another name": ((statement(REGIONAL),), (statement(REGIONAL), deny(LOGS))),
    **{f"a session of a provider, {each}": ((statement(PROVIDER, each),), ()) for each in SIGNED},
    "a federated session of the user": ((statement({"AWS": USER}),), (statement({"AWS": USER}, OF_USER),)),
    "a federated session of the user, before everyone": ((statement({"AWS": USER}),), (statement("*", OF_USER),)),
    "nobody but federated sessions of the user": ((statement({"AWS": USER}, OF_FEDERATED),), ()),
    "a federated user whose user was denied": (
        (statement({"AWS": FEDERATED}),),
        (statement({"AWS": FEDERATED}), deny({"AWS": USER})),
    ),
    "a federated user of the root user": ((statement({"AWS": FEDERATED}),), (statement({"AWS": USER}),)),
    "a session of a provider that its account was denied": (
        (statement(PROVIDER),),
        (statement(PROVIDER), deny({"AWS": ID})),
    ),
}


@pytest.mark.parametrize("name", NEW)
def test_access_under_another_name_is_new(name: str) -> None:
    new, old = NEW[name]
    before = document(*old) if old else None
    assert check_no_new_access(document(*new), before).result == "FAIL"
    assert check_no_new_access(document(*new), document(*new)).result == "PASS"


LOST = {
    "a service tells another name": (
        deny(LOGS, {"StringEquals": {"aws:PrincipalServiceName": "logs.amazonaws.com"}}),
        deny(LOGS),
    ),
    "a service has an account": (
        deny(LOGS, {"StringNotEqualsIfExists": {"aws:PrincipalAccount": ID}}),
        deny(LOGS),
    ),
    "a service has an ARN": (
        deny("*", {"ArnNotLikeIfExists": {"aws:PrincipalArn": ROLE}, "Bool": {"aws:PrincipalIsAWSService": "true"}}),
        deny("*", {"Bool": {"aws:PrincipalIsAWSService": "true"}}),
    ),
    "a federated session has another ARN than its user": (deny({"AWS": USER}, OF_USER), deny({"AWS": USER})),
    "a federated session is of another type than its user": (
        deny({"AWS": USER}, {"StringEquals": {"aws:PrincipalType": "User"}}),
        deny({"AWS": USER}),
    ),
    "a federated session is not who has the ARN of its user": (deny("*", OF_USER), deny({"AWS": USER})),
    "a session of a provider has an ARN": (deny(PROVIDER, {"Null": {"aws:PrincipalArn": "true"}}), deny(PROVIDER)),
    "a session of a provider is not everyone": (deny("*", {"Null": {"aws:PrincipalArn": "true"}}), deny(PROVIDER)),
}


@pytest.mark.parametrize("name", LOST)
def test_a_deny_is_lost_for_another_name(name: str) -> None:
    new, old = LOST[name]
    assert check_no_lost_deny(document(new), document(old)).result == "FAIL"
    assert check_no_lost_deny(document(new), document(new)).result == "PASS"


AUDIENCE = {"StringEquals": {"accounts.google.com:aud": "a"}}
GITHUB = {"Federated": f"arn:aws:iam::{ID}:oidc-provider/token.actions.githubusercontent.com"}
OF_ONE_OWNER = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/*"}}
PUBLIC: list[tuple[dict[str, Any], str]] = [
    (statement(GOOGLE, {"Bool": {"aws:PrincipalIsAWSService": "false"}}), "FAIL"),
    (statement(GOOGLE, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}), "FAIL"),
    (statement(GOOGLE), "FAIL"),
    (statement(GOOGLE, AUDIENCE), "PASS"),
    (statement(PROVIDER), "PASS"),
]


@pytest.mark.parametrize(("given", "expected"), PUBLIC)
def test_sessions_of_a_provider_that_everyone_uses_are_public(given: dict[str, Any], expected: str) -> None:
    assert check_no_public_access(document(given), "AWS::S3::Bucket").result == expected


@pytest.mark.parametrize(("condition", "expected"), [(OF_ONE_OWNER, "PASS"), (None, "FAIL")])
@pytest.mark.parametrize("action", ["sts:*", ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]])
def test_a_claim_keeps_strangers_out_of_a_role(action: Any, condition: dict[str, Any] | None, expected: str) -> None:
    trust = statement(GITHUB, condition, Action=action)
    del trust["Resource"]
    assert check_no_public_access(document(trust), "AWS::IAM::AssumeRolePolicyDocument").result == expected
