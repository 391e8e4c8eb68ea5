"""What the checks prove and refuse, through the public functions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policy_guard
from policy_guard import PolicyError, check_access_not_granted, check_no_lost_deny, check_no_new_access
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import plain_pattern


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    defaults = {} if {"NotAction"} & set(elements) else {"Action": "s3:GetObject"}
    if "NotResource" not in elements:
        defaults["Resource"] = "*"
    return {"Effect": effect, **defaults, **elements}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


HOME = "arn:aws:s3:::home/${aws:username}/*"
PROVED = {
    "a policy against itself": (policy(statement()), policy(statement())),
    "fewer actions": (policy(statement()), policy(statement(Action=["s3:GetObject", "s3:PutObject"]))),
    "a narrower pattern": (policy(statement(Action="s3:GetO*")), policy(statement(Action="s3:Get*"))),
    "an action in other letters": (policy(statement(Action="S3:getOBJECT")), policy(statement())),
    "a variable in place of a star": (
        policy(statement(Resource=HOME)),
        policy(statement(Resource="arn:aws:s3:::home/*")),
    ),
    "two statements in place of one": (
        policy(statement(Resource="arn:aws:s3:::a"), statement(Resource="arn:aws:s3:::b")),
        policy(statement(Resource=["arn:aws:s3:::a", "arn:aws:s3:::b"])),
    ),
    "a union that only together covers": (
        policy(statement(Condition={"Null": {"aws:username": ["true", "false"]}})),
        policy(
            statement(Condition={"StringEquals": {"aws:username": "ann"}}),
            statement(Condition={"StringNotEquals": {"aws:username": "ann"}}),
        ),
    ),
    "allow much, deny some becomes allow less": (
        policy(statement(Resource="arn:aws:s3:::a/*")),
        policy(statement(), statement("Deny", NotResource="arn:aws:s3:::a/*")),
    ),
    "an unknown part stays the same": (
        policy(statement(Resource="arn:aws:s3:::${bucket}/x")),
        policy(statement(Resource="arn:aws:s3:::${bucket}/*")),
    ),
    "an operator that is not understood, kept": (
        policy(statement(Condition={"NumericLessThan": {"s3:max-keys": "5"}})),
        policy(statement(Condition={"NumericLessThan": {"s3:max-keys": "5"}})),
    ),
    "ForAllValues on fewer values": (
        policy(statement(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}})),
        policy(statement(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}})),
    ),
    "a true or false of a Boolean key": (
        policy(statement(Condition={"Null": {"aws:SecureTransport": "false"}})),
        policy(statement(Condition={"Bool": {"aws:SecureTransport": ["true", "false"]}})),
    ),
}
REFUSED = {
    "one action more": (policy(statement(Action=["s3:GetObject", "s3:PutObject"])), policy(statement()), 0),
    "a star in place of a variable": (
        policy(statement(Resource="arn:aws:s3:::home/*")),
        policy(statement(Resource=HOME)),
        0,
    ),
    "a variable where one value was denied": (
        policy(statement(Resource=HOME)),
        policy(statement(Resource="arn:aws:s3:::home/*"), statement("Deny", Resource="arn:aws:s3:::home/alice/*")),
        0,
    ),
    "a condition dropped": (
        policy(statement()),
        policy(statement(Condition={"StringEquals": {"aws:username": "ann"}})),
        0,
    ),
    "IfExists added": (
        policy(statement(Condition={"StringEqualsIfExists": {"aws:username": "ann"}})),
        policy(statement(Condition={"StringEquals": {"aws:username": "ann"}})),
        0,
    ),
    "a Deny dropped": (policy(statement()), policy(statement(), statement("Deny", Action="s3:GetObject")), 0),
    "StringLike in place of StringEquals on an unknown part": (
        policy(statement(Condition={"StringLike": {"aws:username": "${who}"}})),
        policy(statement(Condition={"StringEquals": {"aws:username": "${who}"}})),
        0,
    ),
    "ForAllValues in place of ForAnyValue": (
        policy(statement(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "a"}})),
        policy(statement(Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}})),
        0,
    ),
    "an unknown number beside a known one": (
        policy(statement(Condition={"NumericEquals": {"s3:max-keys": ["5", "${most}"]}})),
        policy(statement(Condition={"NumericEquals": {"s3:max-keys": ["5"]}})),
        0,
    ),
    "another unknown number": (
        policy(statement(Condition={"NumericLessThan": {"s3:max-keys": ["5", "${most}"]}})),
        policy(statement(Condition={"NumericLessThan": {"s3:max-keys": ["5", "${least}"]}})),
        0,
    ),
    "another unknown number, denied": (
        policy(statement(), statement("Deny", Condition={"NumericLessThan": {"s3:max-keys": ["5", "${least}"]}})),
        policy(statement(), statement("Deny", Condition={"NumericLessThan": {"s3:max-keys": ["5", "${most}"]}})),
        0,
    ),
    "another unknown part": (
        policy(statement(Resource="arn:aws:s3:::${other}/*")),
        policy(statement(Resource="arn:aws:s3:::${bucket}/*")),
        0,
    ),
    "a Version in which the variable is one": (
        policy(statement(Resource=HOME)),
        policy(statement(Resource=HOME), version="2008-10-17"),
        0,
    ),
    "the second statement": (
        policy(statement(), statement(Action="s3:*", Resource="arn:aws:s3:::a")),
        policy(statement()),
        1,
    ),
    "a variable where one character was": (
        policy(statement(Resource="arn:aws:s3:::${aws:username}")),
        policy(statement(Resource="arn:aws:s3:::?")),
        0,
    ),
    "an unknown part where one character was": (
        policy(statement(Resource="arn:aws:s3:::${h}")),
        policy(statement(Resource=["arn:aws:s3:::?", "arn:aws:s3:::"])),
        0,
    ),
    "one of many conditions dropped": (
        policy(statement(Condition={"StringEquals": {f"aws:PrincipalTag/k{n}": "v" for n in range(9)}})),
        policy(statement(Condition={"StringEquals": {f"aws:PrincipalTag/k{n}": "v" for n in range(10)}})),
        0,
    ),
    "a question mark where a name was": (
        policy(statement(Resource="arn:aws:s3:::a?")),
        policy(statement(Resource=[f"arn:aws:s3:::a{digit}" for digit in range(10)])),
        0,
    ),
}


@pytest.mark.parametrize("case", PROVED)
def test_no_new_access_is_proved(case: str) -> None:
    new, old = PROVED[case]
    assert check_no_new_access(new, old).result == "PASS"


@pytest.mark.parametrize("case", REFUSED)
def test_new_access_is_refused_at_its_statement(case: str) -> None:
    new, old, index = REFUSED[case]
    result = check_no_new_access(new, old)
    assert (result.result, [reason.statement_index for reason in result.reasons]) == ("FAIL", [index])
    assert result.reasons[0].witness is not None


def test_what_is_not_understood_is_unknown_and_never_a_pass() -> None:
    """An address that is compared as text too may be spelled in many ways, and only one of them is modelled."""
    text = {"StringLike": {"aws:SourceIp": "2001:*"}}
    new = policy(statement(Condition={**text, "IpAddress": {"aws:SourceIp": "2001:db8::/31"}}))
    old = policy(statement(Condition={**text, "IpAddress": {"aws:SourceIp": "2001:db8::/30"}}))
    assert check_no_new_access(new, old).result == "UNKNOWN"
    assert check_no_new_access(new, new).result == "PASS"


def test_without_an_old_version_everything_is_new() -> None:
    assert check_no_new_access(policy(statement()), None).result == "FAIL"
    assert check_no_new_access(policy(statement("Deny")), None).result == "PASS"


def test_a_cap_without_allow_lets_everything_through() -> None:
    deny, other = policy(statement("Deny")), policy(statement("Deny", Action="s3:PutObject"))
    assert check_no_new_access(other, deny, "SERVICE_CONTROL_POLICY").result == "FAIL"
    assert check_no_new_access(deny, policy(statement("Deny", Action="s3:*")), "scp").result == "FAIL"
    assert check_no_new_access(policy(statement("Deny", Action="s3:*")), deny, "scp").result == "PASS"


def test_a_lost_deny_is_refused() -> None:
    wide, narrow = policy(statement(), statement("Deny", Action="s3:*")), policy(statement(), statement("Deny"))
    assert check_no_lost_deny(narrow, wide).result == "FAIL"
    assert check_no_lost_deny(wide, narrow).result == "PASS"


def test_critical_access_is_refused_unless_denied() -> None:
    access = [{"actions": ["s3:DeleteBucket"]}]
    assert check_access_not_granted(policy(statement(Action="s3:*")), access).result == "FAIL"
    assert check_access_not_granted(policy(statement(Action="s3:Get*")), access).result == "PASS"
    denied = policy(statement(Action="s3:*"), statement("Deny", Action="s3:Delete*"))
    assert check_access_not_granted(denied, access).result == "PASS"
    elsewhere = [{"actions": ["s3:DeleteBucket"], "resources": ["arn:aws:s3:::prod*"]}]
    assert (
        check_access_not_granted(policy(statement(Action="s3:*", Resource="arn:aws:s3:::dev")), elsewhere).result
        == "PASS"
    )


def test_the_witness_spells_the_action_as_the_policy_does() -> None:
    result = check_no_new_access(policy(statement(Action="s3:deletebucket")), policy(statement()))
    assert result.reasons[0].witness is not None
    assert result.reasons[0].witness["action"] == "s3:deletebucket"


def test_unreadable_documents_raise_with_the_place() -> None:
    with pytest.raises(PolicyError, match=r'new policy:1:\d+: "Effect" is "allow"'):
        check_no_new_access('{"Statement": {"Effect": "allow", "Action": "s3:*", "Resource": "*"}}', None)
    with pytest.raises(PolicyError):
        check_no_new_access("[]", None)
    with pytest.raises(ValueError, match="policy_type"):
        check_no_new_access(policy(statement()), None, "NO_SUCH_TYPE")


def test_the_public_names_are_there() -> None:
    assert all(getattr(policy_guard, name) for name in policy_guard.__all__)


def test_what_is_too_hard_is_unknown_and_never_a_pass() -> None:
    limits = [statement("Deny", NotResource=f"*{a}{'?' * 12}{a}*") for a in "abcdefgh"]
    result = check_no_new_access(policy(statement(Resource="*"), *limits), policy(statement(Resource="arn:*")))
    assert (result.result, "too hard" in result.message) == ("UNKNOWN", True)


@given(
    st.lists(st.text("ab*?", min_size=1, max_size=4), min_size=16, max_size=24, unique=True),
    st.lists(st.text("ab", max_size=5), min_size=1, max_size=8),
)
def test_a_text_is_looked_up_among_many_patterns_as_it_is_matched_by_each(
    patterns: list[str], texts: list[str]
) -> None:
    each = [Language([glob(plain_pattern(pattern))]) for pattern in patterns]
    together = Language(glob(plain_pattern(pattern)) for pattern in patterns)
    for text in texts:
        assert (text in together) == any(text in one for one in each)


def test_a_document_without_a_policy_is_refused_with_the_place() -> None:
    with pytest.raises(
        PolicyError, match=r'new policy:1:26: "Statment" is no element of a policy; did you mean "Statem'
    ):
        check_no_new_access('{"Version":"2012-10-17","Statment":[]}', None)
    with pytest.raises(PolicyError, match=r"new policy:1:1: 0 policies in the document; give one"):
        check_no_new_access("{}", None)
