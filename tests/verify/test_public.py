"""What is public and what is not: rows, AWS's own verdicts, both twins on random requests, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard import PolicyError, check_no_public_access
from policy_guard.api import RESOURCE_TYPES, Result
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Caller, Request
from policy_guard.verify.public import common_fences, fence_statements, is_public, may_be_public, own_fence, public
from tests.support.examples import examples
from tests.support.language import Pools, requests_of, several, single
from tests.support.places import BESIDE, needs
from tests.support.policies import inside, policy
from tests.support.repository import Scratch

CORPUS = BESIDE / "corpus" / "verdicts.jsonl"
BUCKET, TRUST = "AWS::S3::Bucket", "AWS::IAM::AssumeRolePolicyDocument"
A, B = "111122223333", "444455556666"
GITHUB = "token.actions.githubusercontent.com"
AT_GITHUB = {"Federated": f"arn:aws:iam::{A}:oidc-provider/{GITHUB}"}
POINTS = f"arn:aws:s3:us-west-2:{A}:accesspoint/*"


def statement(effect: str = "Allow", principal: Any = "*", **more: Any) -> dict[str, Any]:
    who = {} if "NotPrincipal" in more else {"Principal": principal}
    return {"Effect": effect, **who, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*", **more}


def when(operator: str, key: str, values: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: values}}}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def verdict(*statements: dict[str, Any]) -> str:
    """The answer about a bucket's policy; where a look would do, it must be the same."""
    whole = document(*statements)
    result = check_no_public_access(whole, BUCKET).result
    assert may_be_public(policy(whole)) or result == "PASS"
    return result


def trust(principal: Any, condition: dict[str, Any] | None = None) -> Result:
    role = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **(condition or {})}
    result = check_no_public_access(document(role), TRUST)
    assert may_be_public(policy(document(role))) or result.result == "PASS"
    return result


@pytest.mark.parametrize(
    ("operator", "key", "values"),
    [
        ("StringEquals", "aws:SourceVpc", ["vpc-1", "vpc-2"]),
        ("StringLike", "aws:sourcevpce", "vpce-1"),
        ("StringEqualsIgnoreCase", "aws:SourceOwner", A),
        ("StringEquals", "aws:SourceAccount", A),
        ("StringEquals", "kms:CallerAccount", A),
        ("StringEquals", "aws:PrincipalOrgID", "o-a1"),
        ("StringEquals", "aws:PrincipalOrgID", "${org}"),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1/*"),
        ("ForAnyValue:StringEquals", "aws:PrincipalOrgPaths", "o-a1/r-1/"),
        ("ArnLike", "aws:PrincipalArn", f"arn:*:*::{A}:*"),
        ("StringLike", "aws:PrincipalArn", f"arn:aws:iam::{A}:role/*"),
        ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::b"),
        ("ArnLike", "aws:SourceArn", "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*"),
        ("StringLike", "aws:userid", "AROAEXAMPLE:*"),
        ("StringEquals", "s3:DataAccessPointAccount", A),
        ("ArnLike", "s3:DataAccessPointArn", POINTS),
        ("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "11.0.0.0/9"]),
        ("IpAddress", "aws:SourceIp", ["11.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12"]),
        ("IpAddress", "aws:SourceIp", ["2001:db8::/32", "2002::1"]),
        ("Bool", "aws:PrincipalIsAWSService", "true"),
        ("StringLike", "aws:PrincipalServiceName", "*.amazonaws.com"),
        ("Bool", "elasticfilesystem:AccessedViaMountTarget", "true"),
    ],
)
def test_a_fixed_value_keeps_strangers_out(operator: str, key: str, values: Any) -> None:
    assert verdict(statement(**when(operator, key, values))) == "PASS"


@pytest.mark.parametrize(
    ("operator", "key", "values"),
    [
        ("StringLike", "aws:SourceVpc", ["vpc-1", "vpc-*"]),
        ("StringNotEquals", "aws:SourceVpc", "vpc-1"),
        ("StringEqualsIfExists", "aws:SourceVpc", "vpc-1"),
        ("Null", "aws:SourceVpc", "false"),
        ("StringEquals", "aws:SourceVpc", ""),
        ("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", "o-a1/r/"),
        ("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-a1"),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*"),
        ("StringLike", "aws:PrincipalOrgID", "o-a*"),
        ("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"),
        ("StringLike", "aws:PrincipalAccount", "11112222333?"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/x"),
        ("StringLike", "aws:PrincipalArn", f"arn:*:iam::{A}:role/x"),
        ("ArnEquals", "aws:SourceArn", "arn:aws:s3:*:*:b"),
        ("ArnEquals", "aws:SourceArn", "${topic}"),
        ("StringLike", "aws:PrincipalOrgID", "${org}"),
        ("StringLike", "aws:userid", "*:x"),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/1"),
        ("IpAddress", "aws:SourceIp", ["1.2.3.4", "10.0.0.0/7"]),
        ("IpAddress", "aws:SourceIp", [f"{first}.0.0.0/8" for first in range(0, 256, 2)]),
        ("IpAddress", "aws:SourceIp", ["2001:db8::/33", "2001:db8:8000::/33", "2001:db9::/32"]),
        ("IpAddress", "aws:SourceIp", "${block}"),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.1"),
        ("Bool", "aws:ViaAWSService", "true"),
        ("Bool", "aws:SecureTransport", "true"),
        ("StringEquals", "sts:ExternalId", "secret"),
        ("StringEquals", "aws:PrincipalTag/team", "a"),
        ("StringEquals", "accounts.google.com:aud", "mine"),
    ],
)
def test_anything_else_lets_them_in(operator: str, key: str, values: Any) -> None:
    assert verdict(statement(**when(operator, key, values))) == "FAIL"


def test_blocks_of_addresses_are_added_up_over_all_statements() -> None:
    several = [statement(**when("IpAddress", "aws:SourceIp", f"{first}.0.0.0/8")) for first in range(11, 14)]
    named = statement(principal={"AWS": A}, **when("IpAddress", "aws:SourceIp", "14.0.0.0/8"))
    assert verdict(*several) == "FAIL"
    assert verdict(several[0], several[0], named) == "PASS"


def test_every_request_to_an_access_point_comes_through_it() -> None:
    fixed = when("ArnLike", "s3:DataAccessPointArn", POINTS)
    assert verdict(statement(Resource=f"{POINTS[:-1]}x/object/*", **fixed)) == "FAIL"


@pytest.mark.parametrize(
    "denied",
    [
        when("StringNotEquals", "aws:SourceVpc", "vpc-1"),
        when("StringNotEqualsIfExists", "aws:SourceVpc", "vpc-1"),
        when("NotIpAddress", "aws:SourceIp", ["203.0.113.0/24"]),
        when("StringNotLike", "aws:userid", ["AROAEXAMPLE:*", A]),
        when("ForAllValues:StringNotLike", "aws:PrincipalOrgPaths", "o-a1/*"),
        {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}, "ArnNotLike": {"aws:SourceArn": "arn:a:b"}}},
        {
            "Condition": {
                "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            }
        },
        {"NotPrincipal": {"AWS": [f"arn:aws:iam::{A}:role/x", f"arn:aws:iam::{A}:root"]}},
        {},
    ],
)
def test_a_deny_of_all_but_fixed_values_keeps_strangers_out(denied: dict[str, Any]) -> None:
    assert verdict(statement(), statement("Deny", **denied)) == "PASS"


@pytest.mark.parametrize(
    "denied",
    [
        when("StringEquals", "aws:SourceVpc", "vpc-1"),
        when("StringNotLike", "aws:SourceVpc", "vpc-*"),
        {"Resource": "arn:aws:s3:::other/*", **when("StringNotEquals", "aws:SourceVpc", "vpc-1")},
        {"Action": "s3:Put*", **when("StringNotEquals", "aws:SourceVpc", "vpc-1")},
        {"NotPrincipal": {"AWS": A}, "Resource": "arn:aws:s3:::other/*"},
        when("ForAnyValue:StringNotLike", "aws:PrincipalOrgPaths", "o-a1/*"),
        {"Principal": {"AWS": A}},
        # Of an anonymous request the key is absent (reference_policies_condition-keys), so this spares it.
        when("Bool", "aws:PrincipalIsAWSService", "false"),
    ],
)
def test_another_deny_does_not(denied: dict[str, Any]) -> None:
    assert verdict(statement(), statement("Deny", **denied)) == "FAIL"


def test_what_another_statement_mentions_hides_nothing() -> None:
    ten = [f"11112222333{last}" for last in range(10)]
    wide = statement(**when("StringLike", "aws:PrincipalAccount", "11112222333?"))
    named = statement(principal={"AWS": A}, **when("StringEquals", "aws:PrincipalAccount", ten))
    elsewhere = statement("Deny", Resource="arn:aws:s3:::c", **when("StringNotEquals", "aws:PrincipalAccount", ten))
    assert verdict(wide, named) == verdict(wide, elsewhere) == "FAIL"


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": [A, f"arn:aws:iam::{B}:role/ci", f"arn:aws:sts::{B}:assumed-role/r/s"]},
        {"AWS": f"arn:aws:iam::{A}:role/*"},
        {"AWS": "AIDAEXAMPLEEXAMPLE12"},
        {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${name}"},
        {"AWS": "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"},
        {"AWS": f"arn:${{partition}}:iam::{A}:user/${{name}}"},
        {"CanonicalUser": "${id}"},
        {"Service": ["ec2.amazonaws.com", "${service}"]},
        {"Federated": f"arn:aws:iam::{A}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE"},
        {"Federated": f"arn:aws:iam::{A}:saml-provider/${{name}}"},
    ],
)
def test_named_principals_are_no_strangers(principal: Any) -> None:
    assert trust(principal).result == "PASS"


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "*"},
        {"AWS": ["*", A]},
        {"AWS": "arn:aws:iam::*:root"},
        {"Federated": "graph.facebook.com"},
        {"Federated": "cognito-identity.amazonaws.com"},
        {"Federated": f"arn:aws:iam::{A}:oidc-provider/*"},
        AT_GITHUB,
    ],
)
def test_everyone_of_an_account_or_provider_is_one(principal: Any) -> None:
    assert trust(principal).result == "FAIL"


@pytest.mark.parametrize(
    ("principal", "unknown"),
    [
        ({"AWS": "${p}"}, "p"),
        ({"AWS": ["${p}", A]}, "p"),
        ({"AWS": "arn:aws:iam::${p}:root"}, "p"),
        ({"Federated": "${p}"}, "p"),
    ],
)
def test_an_unknown_part_may_turn_out_to_be_everyone(principal: Any, unknown: str) -> None:
    (reason,) = trust(principal).reasons
    assert reason.witness
    assert reason.witness["unknowns"] == {unknown: "*"}


@pytest.mark.parametrize(
    ("operator", "claim", "value", "result"),
    [
        ("StringEquals", "sub", "repo:octo-org/app:ref:refs/heads/main", "PASS"),
        ("StringEquals", "sub", "repo:${org}/app:ref:refs/heads/main", "PASS"),
        ("StringLike", "sub", "repo:octo-org/*", "PASS"),
        ("StringEquals", "repository_owner_id", "123", "PASS"),
        ("StringLike", "sub", "repo:octo-org*", "FAIL"),
        ("StringLike", "sub", "repo:*/app:*", "FAIL"),
        ("StringEquals", "aud", "sts.amazonaws.com", "FAIL"),
        ("StringEquals", "environment", "production", "FAIL"),
        ("StringEquals", "sub", "environment:production", "FAIL"),
        ("StringLike", "sub", "ref:refs/heads/main", "FAIL"),
        ("StringEquals", "job_workflow_ref", "octo-org/a/.github/workflows/b.yml@main", "FAIL"),
        ("ForAllValues:StringEquals", "sub", "repo:octo-org/app", "FAIL"),
    ],
)
def test_the_owner_at_github_has_to_be_fixed(operator: str, claim: str, value: str, result: str) -> None:
    assert trust(AT_GITHUB, when(operator, f"{GITHUB}:{claim}", value)).result == result


def test_the_claim_of_one_provider_fences_no_other() -> None:
    fixed = when("StringEquals", "accounts.google.com:aud", "mine")
    assert trust({"Federated": "accounts.google.com"}, fixed).result == "PASS"
    assert trust({"Federated": ["accounts.google.com", "www.amazon.com"]}, fixed).result == "FAIL"


@needs(CORPUS)
def test_every_verdict_that_aws_states_is_ours() -> None:
    rows = [json.loads(line) for line in CORPUS.read_text().splitlines()] if CORPUS.is_file() else []
    asked = [row for row in rows if row["check"] in ("CheckNoPublicAccess", "S3BlockPublicAccess")]
    assert len(asked) == 18
    for row in asked:
        answer = check_no_public_access(row["policy"], row["resourceType"])
        assert answer.result == row["expected"], row["id"]
        if "reasons" in row:
            found = [reason.statement_index for reason in answer.reasons]
            assert found == [reason["statementIndex"] for reason in row["reasons"]], row["id"]


def test_the_types_of_aws_and_no_others() -> None:
    assert len(set(RESOURCE_TYPES)) == 26
    with pytest.raises(ValueError, match=r"AWS::S3::Bucket.*not 'AWS::EC2::Instance'"):
        check_no_public_access(document(statement()), "AWS::EC2::Instance")
    with pytest.raises(PolicyError, match="a trust policy has no Resource"):
        check_no_public_access(document(statement()), TRUST)


def test_a_statement_without_resource_speaks_of_every_resource() -> None:
    without = {key: value for key, value in statement().items() if key != "Resource"}
    denied = statement("Deny", Resource="arn:aws:iam::*:role/*")
    assert check_no_public_access(document(without, denied), BUCKET).result == "FAIL"
    assert check_no_public_access(json.dumps({"Statement": without}), BUCKET).result == "FAIL"
    with pytest.raises(PolicyError, match="Effect"):
        check_no_public_access({"Statement": [{"Action": "s3:*", "Principal": "*"}]}, BUCKET)
    with pytest.raises(PolicyError):
        check_no_public_access("[]", BUCKET)


CALLERS = [
    Caller("Anonymous"),
    *(Caller("AWS", f"arn:aws:iam::{account}:{who}") for account in (A, B, "x") for who in ("root", "role/r")),
    Caller("AWS", f"arn:aws:iam::{B}:role/r", "s"),
    Caller("Service", "ec2.amazonaws.com"),
    Caller("Federated", "accounts.google.com"),
    Caller("Federated", AT_GITHUB["Federated"]),
    Caller("Federated", f"arn:aws:iam::{A}:saml-provider/x"),
    Caller("CanonicalUser", "79a5"),
]
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": A},
    {"AWS": ["${p}", f"arn:aws:iam::{A}:role/r"]},
    {"AWS": "arn:aws:iam::${a}:root", "CanonicalUser": "79a5"},
    {"AWS": "arn:aws:iam::${AWS::AccountId}:role/*"},
    {"Federated": ["*", "accounts.google.com"]},
    AT_GITHUB,
]
VALUES: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    ("aws:SourceVpc", "accounts.google.com:aud"): (
        ("StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIfExists"),
        ("vpc-1", "vpc-*", "${a}", ""),
        ("vpc-1", "vpc-2", "*", ""),
    ),
    ("aws:PrincipalOrgPaths",): (
        ("ForAnyValue:StringLike", "ForAllValues:StringNotLike", "ForAllValues:StringEquals", "StringLike"),
        ("o-a/*", "o-*", "o-a/r/"),
        ("o-a/r/", "o-b/r/"),
    ),
    ("aws:SourceArn", "s3:DataAccessPointArn"): (
        ("ArnLike", "ArnNotEquals", "StringLike"),
        ("arn:aws:s3:::b", f"arn:aws:s3:*:{A}:*", "arn:aws:s3:*:${AWS::AccountId}:*", "${p}"),
        ("arn:aws:s3:::b", f"arn:aws:s3:r:{A}:x", f"arn:aws:s3:r:{B}:x"),
    ),
    ("aws:SourceIp",): (
        ("IpAddress", "NotIpAddress"),
        ("1.0.0.0/8", "0.0.0.0/0", "10.1.0.0/16", "2001:db8::/31"),
        ("1.2.3.4", "9.9.9.9", "10.1.2.3"),
    ),
    (f"{GITHUB}:sub",): (
        ("StringLike", "StringNotLike"),
        ("repo:o/*", "repo:*", "repo:o/r"),
        ("repo:o/r", "repo:p/r"),
    ),
    ("aws:PrincipalIsAWSService",): (("Bool", "BoolIfExists"), ("true", "false"), ("true", "false")),
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    made = []
    for effect in draw(st.lists(st.sampled_from(["Allow", "Deny"]), min_size=1, max_size=3)):
        block: dict[str, Any] = {}
        for keys in draw(st.lists(st.sampled_from(list(VALUES)), max_size=2, unique=True)):
            operators, values, _ = VALUES[keys]
            some = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2))
            block.setdefault(draw(st.sampled_from(operators)), {})[draw(st.sampled_from(keys))] = some
        name = draw(st.sampled_from(["Principal", "NotPrincipal"])) if effect == "Deny" else "Principal"
        more: dict[str, Any] = {name: draw(st.sampled_from(PRINCIPALS))}
        more["Resource"] = draw(st.sampled_from(["*", "arn:aws:s3:::b/*"]))
        made.append(statement(effect, **more) | ({"Condition": block} if block else {}))
    return document(*made)


POOLS = Pools(
    callers=CALLERS,
    actions=["s3:GetObject"],
    resources=["arn:aws:s3:::b/x", f"{POINTS[:-1]}x/object/y"],
    context={
        key.lower(): several(*values) if "paths" in key.lower() else single(*values)
        for keys, (_, _, values) in VALUES.items()
        for key in keys
    },
    unknowns={
        "p": ["*", A, f"arn:aws:iam::{B}:role/r", "arn:aws:iam::*:root", "x"],
        "a": [A, "*", "vpc-1", "4444?5556666"],
        "AWS::AccountId": [A, B],
    },
    choices=["empty-text-is-no-value", "id-names-the-caller 79a5"],
)


@given(documents(), requests_of(POOLS, 20))
@settings(max_examples=examples(25), deadline=None)
def test_both_twins_mean_the_same_by_public(whole: dict[str, Any], asked: list[Request]) -> None:
    read = policy(whole)
    access = Access([read], fence_statements(read))
    for each in read.statements:
        if each.effect == "Allow":
            around = (own_fence(read, each), *common_fences(read))
            formula = public(access, around)
            for request in asked:
                assert inside(formula, request) == is_public(around, request), request


@given(documents())
@settings(max_examples=examples(25), deadline=None)
def test_random_policies_are_decided(whole: dict[str, Any]) -> None:
    result = check_no_public_access(whole, BUCKET)
    assert result.result in ("PASS", "FAIL") or "too hard" in result.message
    assert may_be_public(policy(whole)) or result.result == "PASS"


OPEN, SHUT = document(statement()), document(statement(principal={"AWS": A}))


def test_a_policy_that_becomes_public_fails_with_both_checks(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"bucket.json": SHUT})
    assert "no new access, no lost Deny, no public access" in _changed(scratch, SHUT | {"Id": "touched"}).out
    answer = _changed(scratch, OPEN)
    assert answer.code == 1
    assert "error: grants new access; grants public access [no-new-access, no-public-access]" in answer.out
    assert "new      s3:* on arn:aws:s3:::b/* for *" in answer.out


def test_one_that_was_public_is_a_warning_as_the_settings_say(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"bucket.json": OPEN})
    narrower = document(statement(Action="s3:GetObject"))
    answer = _changed(scratch, narrower)
    assert answer.code == 0
    assert "warning: grants public access that the old version granted too [no-public-access]" in answer.out
    assert scratch.guard("check", "--all").code == 0
    scratch.write(".policy-guard.yaml", "version: 1\ncritical-existing: error\n")
    assert _changed(scratch, narrower).code == 1
    scratch.write(".policy-guard.yaml", "version: 1\nseverity: {no-public-access: 'off'}\n")
    off = _changed(scratch, narrower)
    assert off.code == 0
    assert "grants public access" not in off.out


def test_caps_and_identity_policies_are_not_asked(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"endpoint.json": OPEN, ".policy-guard.yaml": KINDS})
    answer = scratch.guard("check", "--all")
    assert answer.code == 0
    assert "public" not in answer.out


KINDS = "version: 1\npolicies: [{files: [endpoint.json], kind: endpoint}]\n"


def _changed(scratch: Scratch, content: Any) -> Any:
    scratch.write("bucket.json", content)
    return scratch.guard("check", "--base", "HEAD")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("aws:PrincipalAccount", "anonymous"),
        ("aws:SourceVpc", "any"),
        ("aws:SourceVpce", "vpc"),
        ("aws:PrincipalOrgID", "none"),
    ],
)
def test_a_text_that_is_no_value_of_its_key_confines_nobody(key: str, text: str) -> None:
    """Of an anonymous request aws:PrincipalAccount is "anonymous" (reference_policies_condition-keys)."""
    right = {"aws:PrincipalAccount": "111122223333", "aws:PrincipalOrgID": "o-a1b2c3d4e5"}.get(key, "vpce-1a2b3c4d")
    right = "vpc-1a2b3c4d" if key == "aws:SourceVpc" else right
    assert verdict(statement(**when("StringEquals", key, [right]))) == "PASS"
    assert verdict(statement(**when("StringEquals", key, [right, text]))) == "FAIL"
    denied = statement("Deny", **when("StringNotEquals", key, [right, text]))
    assert verdict(statement(), denied) == "FAIL"


SENTINEL = f"arn:aws:iam::{A}:oidc-provider/sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d"
TURBONOMIC = "rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7"


def test_providers_of_products_for_everyone_are_open_to_everyone() -> None:
    sentinel, turbonomic = {"Federated": SENTINEL}, {"Federated": f"arn:aws:iam::{A}:oidc-provider/{TURBONOMIC}"}
    assert trust(sentinel).result == trust(turbonomic).result == "FAIL"
    workspace = when("StringEquals", "sts:RoleSessionName", "MicrosoftSentinel_a")
    subject = when("StringEquals", f"{TURBONOMIC}:sub", "a")
    assert trust(sentinel, workspace).result == trust(turbonomic, subject).result == "PASS"


@pytest.mark.parametrize(
    ("principal", "claims"),
    [
        (AT_GITHUB, f"{GITHUB}:sub or {GITHUB}:repository"),
        ({"Federated": "cognito-identity.amazonaws.com"}, "cognito-identity.amazonaws.com:aud or"),
    ],
)
def test_users_of_an_identity_provider_are_limited_by_a_claim_and_not_by_an_account(
    tmp_path: Path, principal: dict[str, str], claims: str
) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit()
    audience = {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}} if principal == AT_GITHUB else {}
    trust: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"}
    if audience:
        trust["Condition"] = audience
    scratch.write("trust.json", {"Version": "2012-10-17", "Statement": [trust]})
    out = " ".join(scratch.guard("check").out.split())
    assert f"limit who is let in by a condition on {claims}" in out
    assert "name the accounts" not in out
    assert "did you mean" not in out
