"""What validation tells: the codes and types of AWS, and places that are those of the text."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from policy_guard.serve.judging import answer
from tests.support.repository import allow, document

MODEL = botocore.session.get_session().get_service_model("accessanalyzer")
_OF_SERVICE = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
_BUCKET = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*", "Principal": {"AWS": "*"}}


def findings(policy: Any, kind: str = "IDENTITY_POLICY", resource_type: str = "") -> list[dict[str, Any]]:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    body = {"policyDocument": text, "policyType": kind}
    body |= {"validatePolicyResourceType": resource_type} if resource_type else {}
    reply = answer("/policy/validation", json.dumps(body).encode(), {}, details=False)
    assert reply.status == 200
    found: list[dict[str, Any]] = reply.body["findings"]
    return found


def codes(policy: Any, kind: str = "IDENTITY_POLICY", resource_type: str = "") -> list[tuple[str, str]]:
    return [(finding["issueCode"], finding["findingType"]) for finding in findings(policy, kind, resource_type)]


def _when(**operators: Any) -> dict[str, Any]:
    names = {name.replace("_", ":"): value for name, value in operators.items()}
    return document({**allow("s3:GetObject", resource="arn:aws:s3:::a/*"), "Condition": names})


@pytest.mark.parametrize(
    ("policy", "code", "type_"),
    [
        ("{", "JSON_SYNTAX_ERROR", "ERROR"),
        ({"Version": "2012-10-17"}, "MISSING_STATEMENT", "ERROR"),
        ({"Version": "2020-10-17", "Statement": allow("s3:*")}, "INVALID_VERSION", "ERROR"),
        ({"Statement": allow("s3:*")}, "MISSING_VERSION", "WARNING"),
        (document({**allow("s3:*"), "Effect": "allow"}), "INVALID_EFFECT", "ERROR"),
        (document({**allow("s3:*"), "Actions": "s3:*"}), "INVALID_POLICY_ELEMENT", "ERROR"),
        (document({"Effect": "Allow", "Action": "s3:*"}), "MISSING_RESOURCE", "ERROR"),
        (document({"Effect": "Allow", "Resource": "*"}), "MISSING_ACTION", "ERROR"),
        (document({"Action": "s3:*", "Resource": "*"}), "MISSING_EFFECT", "ERROR"),
        (document({**allow("s3:*"), "Principal": "*"}), "UNSUPPORTED_PRINCIPAL", "ERROR"),
        (document({**allow("s3:*"), "NotAction": "s3:*"}), "UNSUPPORTED_ELEMENT_COMBINATION", "ERROR"),
        (document({**allow("s3:*"), "Sid": "a b"}), "UNSUPPORTED_SID", "ERROR"),
        (document({**allow("s3:*"), "Sid": "a"}, {**allow("sqs:*"), "Sid": "a"}), "UNIQUE_SIDS_REQUIRED", "ERROR"),
        (document({**allow("s3:*"), "Sid": ""}), "EMPTY_SID_VALUE", "SUGGESTION"),
        (document(allow("s3:GetObjct")), "INVALID_ACTION", "ERROR"),
        (document(allow("s3-GetObject")), "INVALID_ACTION", "ERROR"),
        (document(allow("nosuch:Thing")), "INVALID_SERVICE_IN_ACTION", "ERROR"),
        (document(allow({"Ref": "Action"})), "DATA_TYPE_MISMATCH", "ERROR"),
        (document(allow("s*:GetObject")), "WILDCARD_IN_SERVICE_NAME", "SUGGESTION"),
        (document(allow("s3:Get*", "s3:GetObject")), "REDUNDANT_ACTION", "SUGGESTION"),
        (document(allow("s3:*", resource=["arn:aws:s3:::a*", "arn:aws:s3:::ab"])), "REDUNDANT_RESOURCE", "SUGGESTION"),
        (document(allow("s3:Get*"), allow("s3:Get*")), "REDUNDANT_STATEMENT", "SUGGESTION"),
        (document(allow()), "EMPTY_ARRAY_ACTION", "SUGGESTION"),
        (document(allow("s3:*", resource=[])), "EMPTY_ARRAY_RESOURCE", "SUGGESTION"),
        (document(allow("s3:*", resource="bucket")), "INVALID_ARN_PREFIX", "ERROR"),
        (document(allow("s3:*", resource="arn:amazon:s3:::a")), "INVALID_PARTITION", "ERROR"),
        (document(allow("s3:*", resource="arn:aws:s3:a")), "MISSING_ARN_FIELD", "ERROR"),
        (document(allow("s3:*", resource="arn:aws:S3:::a")), "INVALID_ARN_SERVICE_CASE", "ERROR"),
        (document(allow("sqs:*", resource="arn:aws:sqs:eu-west-1:1234:a")), "INVALID_ARN_ACCOUNT", "ERROR"),
        (document(allow("iam:PassRole")), "PASS_ROLE_WITH_STAR_IN_RESOURCE", "SECURITY_WARNING"),
        (document(allow("iam:*")), "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE", "SECURITY_WARNING"),
        (document(allow("iam:*")), "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE", "WARNING"),
        (
            document({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}),
            "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
            "SECURITY_WARNING",
        ),
        (
            document({"Effect": "Allow", "NotAction": "s3:*", "NotResource": "arn:aws:s3:::a"}),
            "PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE",
            "SECURITY_WARNING",
        ),
        (_when(StringEqual={"aws:username": "a"}), "INVALID_CONDITION_OPERATOR", "ERROR"),
        (_when(NullIfExists={"aws:username": "true"}), "NULL_WITH_IF_EXISTS", "ERROR"),
        (_when(ForAllValues_Null={"aws:TagKeys": "true"}), "NULL_WITH_QUALIFIER", "SUGGESTION"),
        (_when(Bool={"aws:SecureTransport": "yes"}), "TYPE_MISMATCH_BOOLEAN", "WARNING"),
        (_when(NumericEquals={"s3:max-keys": "ten"}), "TYPE_MISMATCH_NUMBER", "WARNING"),
        (_when(DateLessThan={"aws:CurrentTime": "soon"}), "TYPE_MISMATCH_DATE", "WARNING"),
        (_when(DateLessThan={"aws:CurrentTime": "1767225600"}), "INVALID_DATE_VALUE", "WARNING"),
        (_when(IpAddress={"aws:SourceIp": "10.0.0"}), "TYPE_MISMATCH_IP_RANGE", "WARNING"),
        (_when(IpAddress={"aws:SourceIp": "8.8.8.1/24"}), "IMPROVE_IP_RANGE", "SUGGESTION"),
        (_when(IpAddress={"aws:SourceIp": "10.0.0.0/24"}), "PRIVATE_IP_ADDRESS", "ERROR"),
        (
            _when(NotIpAddress={"aws:SourceIp": ["10.0.0.0/24", "8.8.8.8"]}),
            "PRIVATE_NOT_IP_ADDRESS_SUBSET",
            "SUGGESTION",
        ),
        (_when(BinaryEquals={"aws:username": "!"}), "TYPE_MISMATCH_STRING", "WARNING"),
        (_when(NumericEquals={"aws:username": "1"}), "TYPE_MISMATCH", "WARNING"),
        (_when(StringEquals={"aws:username": "a*"}), "WILDCARD_WITHOUT_LIKE_OPERATOR", "WARNING"),
        (_when(StringEquals={"aws:TagKeys": "a"}), "MISSING_QUALIFIER", "ERROR"),
        (
            _when(ForAllValues_StringEquals={"aws:username": "a"}),
            "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
            "SECURITY_WARNING",
        ),
        (_when(StringEquals={"username": "a"}), "INVALID_CONDITION_KEY_FORMAT", "ERROR"),
        (_when(StringEquals={"aws:usrname": "a"}), "INVALID_GLOBAL_CONDITION_KEY", "ERROR"),
        (_when(StringEquals={"s3:prefx": "a"}), "INVALID_SERVICE_CONDITION_KEY", "ERROR"),
        (_when(StringEquals={"aws:username": []}), "EMPTY_ARRAY_CONDITION", "SUGGESTION"),
        (_when(StringEqualsIfExists={"aws:username": []}), "EMPTY_ARRAY_CONDITION_IFEXISTS", "SUGGESTION"),
        (_when(ForAnyValue_StringEquals={"aws:TagKeys": []}), "EMPTY_ARRAY_CONDITION_FORANYVALUE", "SUGGESTION"),
        (_when(), "EMPTY_OBJECT_CONDITION", "SUGGESTION"),
        (_when(NumericLessThan={"s3:max-keys": ["1", "2"]}), "REDUNDANT_CONDITION_VALUE_NUM", "SUGGESTION"),
        (_when(StringLike={"s3:prefix": "${aws:username"}), "MISSING_BRACE_IN_VARIABLE", "ERROR"),
        (_when(StringLike={"s3:prefix": "${}"}), "EMPTY_VARIABLE", "ERROR"),
        (_when(StringLike={"s3:prefix": "${aws:username, x}"}), "MISSING_QUOTE_IN_VARIABLE", "ERROR"),
        (_when(StringLike={"s3:prefix": "${aws:user name}"}), "UNSUPPORTED_SPACE_IN_VARIABLE", "ERROR"),
        (
            {"Version": "2008-10-17", "Statement": allow("s3:*", resource="arn:aws:s3:::${aws:username}")},
            "VARIABLE_UNSUPPORTED_IN_VERSION",
            "ERROR",
        ),
        (
            document(allow("s3:*", resource=[f"arn:aws:s3:::bucket-{n:04}" for n in range(300)])),
            "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
            "WARNING",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isupper() else "",
)
def test_a_policy_of_a_principal_has_the_codes_of_aws(policy: Any, code: str, type_: str) -> None:
    assert (code, type_) in codes(policy)


@pytest.mark.parametrize(
    ("changes", "code", "type_"),
    [
        ({"Principal": {"AWS": []}}, "EMPTY_ARRAY_PRINCIPAL", "SUGGESTION"),
        ({"Principal": {}}, "EMPTY_OBJECT_PRINCIPAL", "SUGGESTION"),
        ({"Principal": "someone"}, "INVALID_PRINCIPAL_FORMAT", "ERROR"),
        ({"Principal": {"Aws": "*"}}, "INVALID_PRINCIPAL_KEY", "ERROR"),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/a*"}}, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", "ERROR"),
        ({"Principal": {"AWS": "AROAABCDEFGHIJKLMNOPQ"}}, "INVALID_ROLE_REFERENCE", "WARNING"),
        ({"Principal": {"AWS": "AIDAABCDEFGHIJKLMNOPQ"}}, "INVALID_USER_REFERENCE", "WARNING"),
        ({"Principal": {"Service": "lambda"}}, "INVALID_SERVICE_PRINCIPAL_FORMAT", "ERROR"),
        (
            {"Principal": {"AWS": "arn:aws:iam::111122223333:user/${aws:username}"}},
            "VARIABLE_UNSUPPORTED_IN_ELEMENT",
            "ERROR",
        ),
    ],
)
def test_a_policy_of_a_resource_has_the_codes_of_aws(changes: Any, code: str, type_: str) -> None:
    assert (code, type_) in codes(document({**_BUCKET, **changes}), "RESOURCE_POLICY")


def test_each_kind_of_policy_has_codes_of_its_own() -> None:
    nobody = {key: value for key, value in _BUCKET.items() if key != "Principal"}
    assert codes(document(nobody, {**_BUCKET}), "RESOURCE_POLICY") == [("MISSING_PRINCIPAL", "ERROR")]
    all_but = {**nobody, "NotPrincipal": {"AWS": "111122223333"}}
    assert codes(document(all_but), "RESOURCE_POLICY") == [("ALLOW_WITH_NOT_PRINCIPAL", "SECURITY_WARNING")]
    twice = document({**_BUCKET, "Sid": "a"}, {**_BUCKET, "Sid": "a", "Action": "s3:PutObject"})
    assert codes(twice, "RESOURCE_POLICY") == [("UNIQUE_SIDS_RECOMMENDED", "WARNING")]
    assert codes(document(_BUCKET), "SERVICE_CONTROL_POLICY") == [("SCP_SYNTAX_ERROR_PRINCIPAL", "ERROR")]
    trust = "AWS::IAM::AssumeRolePolicyDocument"
    everyone = document({**_OF_SERVICE, "Principal": "*"})
    code = "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL"
    assert codes(everyone, "RESOURCE_POLICY", trust) == [(code, "ERROR")]
    with_resource = document({**_OF_SERVICE, "Resource": "*"})
    code = "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE"
    assert codes(with_resource, "RESOURCE_POLICY", trust) == [(code, "ERROR")]


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        (document(allow("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::a/*")), "IDENTITY_POLICY"),
        (document(allow("iam:PassRole", resource="arn:aws:iam::111122223333:role/a")), "IDENTITY_POLICY"),
        (_when(StringLike={"s3:prefix": "home/${aws:username}/*"}), "IDENTITY_POLICY"),
        (_when(ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/a"}), "IDENTITY_POLICY"),
        (_when(StringEquals={"s3:ExistingObjectTag/a": "b"}), "IDENTITY_POLICY"),
        (_when(IpAddress={"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}), "IDENTITY_POLICY"),
        (document(_OF_SERVICE), "RESOURCE_POLICY"),
        (document(_BUCKET), "RESOURCE_POLICY"),
        (document(allow("*")), "SERVICE_CONTROL_POLICY"),
    ],
)
def test_nothing_is_remarked_of_what_is_right(policy: Any, kind: str) -> None:
    assert codes(policy, kind) == []


_TEXT = '{"Version": "2012-10-17",\r\n "Statement": [{"Sid": "\U0001f600e\u0301",\n\t"Effect": "allow"}]}'


def test_places_count_characters_whatever_is_before_them() -> None:
    """The model counts offsets and columns from 0 and lines from 1, and leaves open of what: these are characters."""
    found = {finding["issueCode"]: finding["locations"][0] for finding in findings(_TEXT)}
    effect = found["INVALID_EFFECT"]
    assert effect["path"] == [{"value": "Statement"}, {"index": 0}, {"value": "Effect"}]
    start, end = effect["span"]["start"], effect["span"]["end"]
    assert _TEXT[start["offset"] : end["offset"]] == '"allow"'
    assert (start["line"], start["column"]) == (3, _TEXT.split("\n")[2].index('"allow"'))
    assert (end["line"], end["column"]) == (3, start["column"] + len('"allow"'))
    sid = found["UNSUPPORTED_SID"]["span"]
    assert _TEXT[sid["start"]["offset"] : sid["end"]["offset"]] == '"\U0001f600e\u0301"'
    assert (sid["start"]["line"], sid["end"]["column"] - sid["start"]["column"]) == (2, 5)


def test_a_path_ends_with_a_key_where_the_key_is_wrong() -> None:
    (finding,) = findings(document({**allow("s3:*", resource="arn:aws:s3:::a"), "Actions": "s3:*"}))
    assert finding["locations"][0]["path"] == [{"value": "Statement"}, {"index": 0}, {"key": "Actions"}]


def test_findings_have_the_members_of_the_model() -> None:
    shape = MODEL.shape_for("ValidatePolicyFinding")
    for finding in findings(document(allow("iam:*", "s3:GetObjct"))):
        assert set(finding) == set(shape.members)
        assert finding["findingType"] in shape.members["findingType"].enum
        assert finding["learnMoreLink"].endswith(finding["issueCode"].lower().replace("_", "-"))
