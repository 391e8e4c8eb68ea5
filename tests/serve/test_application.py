"""The contract: botocore's model of the service, and what the service itself is known to say."""

from __future__ import annotations

import io
import json
from typing import Any, NamedTuple

import botocore.session
import pytest

from policy_guard.serve.application import LOOPBACK, Ask, Door, application
from policy_guard.serve.judging import answer
from policy_guard.serve.operations import operations
from tests.support.repository import allow, document

MODEL = botocore.session.get_session().get_service_model("accessanalyzer")
OLD = json.dumps(document(allow("s3:GetObject")))
NEW = json.dumps(document({"Sid": "Read", **allow("s3:*")}, allow("sqs:*")))
PUBLIC = json.dumps(document({**allow("s3:GetObject", resource="arn:aws:s3:::a/*"), "Principal": "*"}))


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


def post(path: str, body: Any, door: Door = Door(LOOPBACK, None), ask: Ask = answer, **environ: Any) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    caught: list[tuple[str, list[tuple[str, str]]]] = []
    logged: list[dict[str, Any]] = []
    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "HTTP_HOST": "127.0.0.1:4599",
        "wsgi.input": io.BytesIO(data),
        **environ,
    }
    parts = application(door, ask, logged.append)(request, lambda status, headers: caught.append((status, headers)))
    text = b"".join(parts).decode()
    assert len(logged) == 1
    assert "Statement" not in json.dumps(logged)
    ((status, headers),) = caught
    return Reply(int(status.split()[0]), dict(headers), text)


@pytest.mark.parametrize("operation", operations().values(), ids=lambda operation: operation.name)
def test_each_operation_has_the_path_members_and_values_of_the_model(operation: Any) -> None:
    model = MODEL.operation_model(operation.name)
    assert model.http["requestUri"] == operation.path
    assert model.http["method"] == "POST"
    assert sorted(operation.schema["required"]) == sorted(model.input_shape.required_members)
    in_body = {name for name, shape in model.input_shape.members.items() if not shape.serialization.get("location")}
    assert set(operation.schema["properties"]) == in_body
    for name, schema in operation.schema["properties"].items():
        if "enum" in schema:
            assert sorted(schema["enum"]) == sorted(model.input_shape.members[name].enum)


def test_new_access_is_told_in_the_words_of_aws() -> None:
    reply = post("/policy/check-no-new-access", _no_new_access(OLD, NEW))
    assert reply.status == 200
    assert reply.body == {
        "result": "FAIL",
        "message": "The modified permissions grant new access compared to your existing policy.",
        "reasons": [
            {
                "description": "New access in the statement with sid: Read.",
                "statementIndex": 0,
                "statementId": "Read",
            },
            {"description": "New access in the statement with index: 1.", "statementIndex": 1},
        ],
    }
    assert post("/policy/check-no-new-access", _no_new_access(NEW, OLD)).body == {
        "result": "PASS",
        "message": "The modified permissions do not grant new access compared to your existing policy.",
    }


def test_lines_and_examples_are_there_for_those_who_ask() -> None:
    reply = post("/policy/check-no-new-access", _no_new_access(OLD, NEW), HTTP_X_POLICY_GUARD_DETAILS="1")
    first = reply.body["reasons"][0]
    assert first["line"] == 1
    assert first["example"]["action"].startswith("s3:")
    assert first["explanation"]


@pytest.mark.parametrize(
    ("access", "message", "reason"),
    [
        (
            {"actions": ["s3:DeleteBucket"]},
            "The policy document grants access to perform one or more of the listed actions.",
            "One or more of the listed actions in the statement with sid: Read.",
        ),
        (
            {"resources": ["arn:aws:s3:::a"]},
            "The policy document grants access to one or more of the listed resources.",
            "One or more of the listed resources in the statement with sid: Read.",
        ),
        (
            {"actions": ["s3:DeleteBucket"], "resources": ["arn:aws:s3:::a"]},
            "The policy document grants access to one or more listed resources to perform one or more listed actions.",
            "One or more of the listed actions and/or resources in the statement with sid: Read.",
        ),
    ],
)
def test_granted_access_is_told_in_the_words_of_aws(access: dict[str, Any], message: str, reason: str) -> None:
    body = {"policyDocument": NEW, "access": [access], "policyType": "IDENTITY_POLICY"}
    reply = post("/policy/check-access-not-granted", body)
    assert reply.body["message"] == message
    assert reply.body["reasons"][0]["description"] == reason


def test_public_access_is_told_in_the_words_of_aws() -> None:
    reply = post("/policy/check-no-public-access", {"policyDocument": PUBLIC, "resourceType": "AWS::S3::Bucket"})
    assert reply.body == {
        "result": "FAIL",
        "message": "The resource policy grants public access for the given resource type.",
        "reasons": [
            {"description": "Public access granted in the following statement with index: 0.", "statementIndex": 0}
        ],
    }


def test_an_arn_without_a_partition_is_no_resource() -> None:
    text = PUBLIC.replace("arn:aws:s3", "arn::s3")
    reply = post("/policy/check-no-public-access", {"policyDocument": text, "resourceType": "AWS::S3::Bucket"})
    assert reply.body["result"] == "PASS"
    denied = text.replace('"Allow"', '"Deny"')
    reply = post("/policy/check-no-public-access", {"policyDocument": denied, "resourceType": "AWS::S3::Bucket"})
    assert (reply.status, reply.headers["x-amzn-ErrorType"]) == (400, "InvalidParameterException")


def test_findings_of_a_policy_have_the_codes_of_aws_and_their_places() -> None:
    text = '{\n "Statement": [{"Sid": "", "Effect": "allow", "Action": "s3:Get", "Resource": "*"}]}'
    body = {"policyDocument": text, "policyType": "IDENTITY_POLICY"}
    findings = post("/policy/validation", body).body["findings"]
    assert [(finding["issueCode"], finding["findingType"]) for finding in findings] == [
        ("MISSING_VERSION", "WARNING"),
        ("EMPTY_SID_VALUE", "SUGGESTION"),
        ("INVALID_EFFECT", "ERROR"),
    ]
    location = findings[2]["locations"][0]
    assert location["path"] == [{"value": "Statement"}, {"index": 0}, {"value": "Effect"}]
    assert location["span"]["start"] == {
        "line": 2,
        "column": text.split("\n")[1].index('"allow"'),
        "offset": text.index('"allow"'),
    }
    first = post("/policy/validation", body, QUERY_STRING="maxResults=1").body
    assert [finding["issueCode"] for finding in first["findings"]] == ["MISSING_VERSION"]
    second = post("/policy/validation", body, QUERY_STRING=f"maxResults=5&nextToken={first['nextToken']}").body
    assert [finding["issueCode"] for finding in second["findings"]] == ["EMPTY_SID_VALUE", "INVALID_EFFECT"]
    assert "nextToken" not in second


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/policy/check-no-new-access", b"{", 400, "ValidationException"),
        ("/policy/check-no-new-access", b"[" * 100_000, 400, "ValidationException"),
        ("/policy/check-no-new-access", {}, 400, "ValidationException"),
        ("/policy/check-no-new-access", [], 400, "ValidationException"),
        ("/policy/nothing", {}, 404, "ValidationException"),
        (
            "/policy/check-no-new-access",
            {
                "newPolicyDocument": "Version: 2012-10-17",
                "existingPolicyDocument": OLD,
                "policyType": "IDENTITY_POLICY",
            },
            400,
            "InvalidParameterException",
        ),
        (
            "/policy/check-access-not-granted",
            {"policyDocument": OLD, "access": [{"resources": ["example"]}], "policyType": "IDENTITY_POLICY"},
            400,
            "ValidationException",
        ),
        (
            "/policy/check-access-not-granted",
            {"policyDocument": OLD, "access": [{}, {}], "policyType": "IDENTITY_POLICY"},
            400,
            "ValidationException",
        ),
        (
            "/policy/check-access-not-granted",
            {"policyDocument": OLD, "access": [{"action": ["s3:GetObject"]}], "policyType": "IDENTITY_POLICY"},
            400,
            "ValidationException",
        ),
    ],
)
def test_what_cannot_be_answered_is_an_error_of_the_model(path: str, body: Any, status: int, error: str) -> None:
    reply = post(path, body)
    assert (reply.status, reply.headers["x-amzn-ErrorType"]) == (status, error)
    assert reply.headers["x-amzn-RequestId"]
    assert reply.body["message"]
    if error == "ValidationException":
        assert reply.body["reason"] in MODEL.shape_for("ValidationExceptionReason").enum


def test_a_member_that_is_there_twice_is_no_pass() -> None:
    body = json.dumps(_no_new_access(OLD, NEW))[:-1] + f', "newPolicyDocument": {json.dumps(OLD)}}}'
    reply = post("/policy/check-no-new-access", body.encode())
    assert (reply.status, reply.body["message"]) == (400, "a member of the body is written twice; send it once")


def test_a_page_that_calls_this_server_by_another_name_gets_nothing() -> None:
    for host, status in [
        ("evil.example", 403),
        ("localhost:4599", 200),
        ("[::1]:4599", 200),
        ("", 403),
        ("[::1]", 200),
    ]:
        assert post("/healthz", b"", REQUEST_METHOD="GET", HTTP_HOST=host).status == status


def test_with_a_token_only_those_who_know_it_come_in() -> None:
    door = Door((), "a-secret-of-some-length")
    body = _no_new_access(OLD, OLD)
    assert post("/policy/check-no-new-access", body, door).status == 403
    assert post("/wrong/policy/check-no-new-access", body, door).status == 403
    assert post("/a-secret-of-some-length/policy/check-no-new-access", body, door).status == 200
    bearer = "Bearer a-secret-of-some-length"
    assert post("/policy/check-no-new-access", body, door, HTTP_AUTHORIZATION=bearer).status == 200


def test_the_caller_is_always_the_same() -> None:
    reply = post("/", b"Action=GetCallerIdentity&Version=2011-06-15")
    assert reply.status == 200
    assert "<Account>123456789012</Account>" in reply.text


def _no_new_access(old: str, new: str) -> dict[str, str]:
    return {"newPolicyDocument": new, "existingPolicyDocument": old, "policyType": "IDENTITY_POLICY"}
