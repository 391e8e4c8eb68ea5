"""Where AWS's pages leave something open, a change passes only if it is safe in every way of reading them."""

from __future__ import annotations

from typing import Any

import pytest

from policy_guard import check_no_lost_deny, check_no_new_access
from policy_guard.iam.meaning.interpretations import READINGS


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def allow(condition: dict[str, Any] | None = None, effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    made = {"Effect": effect, "Action": "s3:GetObject", "Resource": "*", **elements}
    return {**made, "Condition": condition} if condition else made


ACCOUNT = "arn:aws:iam::111122223333:root"
BOB = "arn:aws:iam::111122223333:user/bob"
ID = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
TAG = "aws:RequestTag/team"
IP, ARN = "aws:SourceIp", "aws:SourceArn"
IN_ACCOUNT = {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}
# The change passes in the other way of reading.
PROVIDER = "arn:aws:iam::111122223333:saml-provider/x"

CASES = {
    "variables-only-after-fifth-colon": (
        policy(allow(), allow(IN_ACCOUNT, "Deny", Resource="arn:aws:iam::${aws:PrincipalAccount}:role/admin")),
        policy(allow(), allow(IN_ACCOUNT, "Deny", Resource="arn:aws:iam::111122223333:role/admin")),
    ),
    "no-values-never-hold": (
        policy(allow(), allow({"StringNotEquals": {TAG: []}}, "Deny")),
        policy(allow(), allow(effect="Deny")),
    ),
    "null-by-values": (
        policy(allow({"ForAllValues:Null": {"aws:TagKeys": "true"}})),
        policy(allow({"Null": {"aws:TagKeys": "true"}})),
    ),
    "wildcards-stay-in-arn-parts": (
        policy(allow(Resource="arn:aws:logs:*:*:*:group/a")),
        policy(allow(Resource="arn:aws:logs:*:*:group/a")),
    ),
    "wildcards-cross-at-ends": (
        policy(allow(Resource="arn:aws:logs:*:log-group:x")),
        policy(allow(Resource=["arn:aws:logs:*?:log-group:x", "arn:aws:logs::log-group:x"])),
    ),
    "partial-chain-exempt": (
        policy(allow(Principal={"AWS": BOB}), allow(effect="Deny", NotPrincipal={"AWS": BOB})),
        policy(allow(Action="s3:PutObject", Principal={"AWS": BOB})),
    ),
    "account-exempts-root-alone": (
        policy(allow(Principal={"AWS": BOB}), allow(effect="Deny", NotPrincipal={"AWS": [ACCOUNT, BOB]})),
        policy(allow(Principal={"AWS": BOB}), allow(effect="Deny", NotPrincipal={"AWS": ACCOUNT})),
    ),
    "any-value-if-exists": (
        policy(allow({"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}})),
        policy(allow({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}})),
    ),
    "unresolved-drops-statement": (
        policy(allow(), allow(effect="Deny", Resource=["arn:aws:s3:::a", "arn:aws:s3:::${aws:username}"])),
        policy(allow(), allow(effect="Deny", Resource=["arn:aws:s3:::a"])),
    ),
    "placeholder-is-unresolved": (
        policy(allow(), {"Effect": "Deny", "Action": "s3:GetObject", "NotResource": "${home}"}),
        policy(allow(Resource="${home}")),
    ),
    "plain-needs-all-values": (
        policy(allow({"StringEquals": {"aws:TagKeys": "a"}})),
        policy(allow({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}})),
    ),
    "short-arn-patterns-match-nothing": (
        policy(allow({"ArnLike": {ARN: "arn:aws:sns:*"}})),
        policy(allow(Action="s3:PutObject")),
    ),
    "four-digits-are-seconds": (
        policy(allow({"DateLessThan": {"aws:CurrentTime": "2026"}})),
        policy(allow({"DateLessThan": {"aws:CurrentTime": "1970-01-02"}})),
    ),
    "blanks-around-actions-count": (
        policy(allow(Action="s3:GetObject")),
        policy(allow(Action=" s3:GetObject")),
    ),
    "empty-text-is-no-value": (
        policy(allow({"ForAllValues:StringEquals": {TAG: "red"}})),
        policy(allow({"StringEqualsIfExists": {TAG: "red"}})),
    ),
    "wildcards-in-principals-match-nobody": (
        policy(allow(Principal={"AWS": BOB})),
        policy(allow(Principal={"AWS": "arn:aws:iam::111122223333:user/*"})),
    ),
    "id-names-the-caller": (
        policy(allow(Principal={"AWS": "111122223333"})),
        policy(allow(Principal={"AWS": "111122223333"}), allow(effect="Deny", Principal={"CanonicalUser": ID})),
    ),
    "service-has-another-name": (
        policy(allow(Principal={"Service": "logs.eu-west-1.amazonaws.com"})),
        policy(
            allow(Principal={"Service": "logs.eu-west-1.amazonaws.com"}),
            allow(effect="Deny", Principal={"Service": "logs.amazonaws.com"}),
        ),
    ),
    "provider-made-the-session": (
        policy(allow(Principal={"Federated": PROVIDER})),
        policy(allow(Principal={"Federated": PROVIDER}), allow(effect="Deny", Principal={"AWS": "111122223333"})),
    ),
    "boundary-undoes-not-principal": (
        policy(allow(Principal={"AWS": BOB})),
        policy(
            allow(Principal={"AWS": BOB}),
            allow(effect="Deny", NotPrincipal={"AWS": ["arn:aws:iam::111122223333:root", BOB]}),
        ),
    ),
    "bare-ipv6-is-a-block": (
        policy(allow({"IpAddress": {IP: "2001:db8::1"}})),
        policy(allow({"IpAddress": {IP: "2001:db8::1/128"}})),
    ),
    "arn-parts-stay": (
        policy(allow({"StringLike": {ARN: "${p}:*:x"}})),
        policy(allow({"ArnLike": {ARN: "${p}:*:x"}})),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_that_is_safe_in_one_reading_only_is_refused(name: str) -> None:
    new, old = CASES[name]
    assert check_no_new_access(new, old).result == "FAIL"
    assert check_no_new_access(new, new).result == check_no_new_access(old, old).result == "PASS"


def test_an_account_that_not_principal_names_alone_is_read_both_ways() -> None:
    both, alone = (
        policy(allow(Principal={"AWS": ACCOUNT}), allow(effect="Deny", NotPrincipal={"AWS": exempt}))
        for exempt in ([ACCOUNT, BOB], ACCOUNT)
    )
    for new, old in ((both, alone), (alone, both)):
        assert check_no_new_access(new, old).result == "FAIL"
        assert check_no_lost_deny(new, old).result == "FAIL"


def test_there_is_a_case_for_every_reading() -> None:
    assert set(CASES) == set(READINGS)


def test_lists_that_look_alike_when_joined_are_told_apart() -> None:
    """The number of values that matter is that of the conditions on the key."""
    lists = (["x", "y", "z"], ['x", "y', "z"], ["x", 'y", "z'], ['x", "y", "z'])
    old = policy(*(allow({"ForAllValues:StringNotEquals": {"kms:EncryptionContextKeys": each}}) for each in lists))
    assert check_no_new_access(policy(allow()), old).result == "FAIL"


@pytest.mark.parametrize("kind", ["boundary", "session"])
def test_a_boundary_without_an_allow_allows_nothing(kind: str) -> None:
    deny = allow(effect="Deny", Action="iam:*")
    assert check_no_new_access(policy(allow(), deny), policy(deny), kind).result == "FAIL"
    assert check_no_new_access(policy(allow(), deny), policy(deny), "scp").result == "PASS"


def test_bool_takes_a_variable() -> None:
    new = policy(allow({"Bool": {"aws:SecureTransport": "${aws:PrincipalTag/secure}"}}))
    assert check_no_new_access(new, policy(allow(Action="s3:PutObject"))).result == "FAIL"


def test_a_star_in_braces_is_a_wildcard_in_version_2008() -> None:
    new = policy(allow(Resource="arn:aws:s3:::b/${*}"), version="2008-10-17")
    assert check_no_new_access(new, policy(allow(Resource="arn:aws:s3:::b/${$}{${*}}"))).result == "FAIL"


def test_an_escaped_variable_of_a_template_may_be_either() -> None:
    old = policy(allow(), allow(effect="Deny", Resource="arn:aws:s3:::home/$${aws:username}/x"))
    new = policy(allow(), allow(effect="Deny", Resource="arn:aws:s3:::home/$*/x"))
    assert check_no_new_access(new, old).result == "FAIL"


def test_unknown_parts_of_keys_keep_their_case() -> None:
    new, old = (policy(allow({"StringEquals": {f"aws:ResourceTag/${{{name}}}": "a"}})) for name in ("env", "Env"))
    assert check_no_new_access(new, old).result == "FAIL"
