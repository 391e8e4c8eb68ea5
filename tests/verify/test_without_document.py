"""Access that no document tells is said in words, and no action is named that AWS does not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Scratch, allow, document

POLICY = "arn:aws:iam::111122223333:policy/team"
MISSPELT = "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRol"
MEANT = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
TRUST = document(allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))
del TRUST["Statement"][0]["Resource"]


def role(**properties: Any) -> dict[str, Any]:
    resource = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST, **properties}}
    return {"Resources": {"R": resource}}


def attachment(arn: str) -> str:
    return f'resource "aws_iam_role_policy_attachment" "a" {{\n  role = "r"\n  policy_arn = "{arn}"\n}}\n'


def manifest(arn: str) -> str:
    return f"""\
apiVersion: iam.aws.crossplane.io/v1beta1
kind: RolePolicyAttachment
metadata: {{name: x}}
spec: {{forProvider: {{roleName: r, policyArn: "{arn}"}}}}
"""


def bucket(**flags: bool) -> dict[str, Any]:
    properties = {"PublicAccessBlockConfiguration": flags} if flags else {}
    return {"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}}}


def share(*accounts: str) -> dict[str, Any]:
    properties = {"Name": "rules", "Principals": accounts, "ResourceArns": ["arn:aws:ec2:eu-west-1:1:subnet/s"]}
    return {"Type": "AWS::RAM::ResourceShare", "Properties": properties}


SHARED: dict[str, Any] = {"Resources": {"S": share("111122223333")}}
SNAPSHOT = """\
resource "aws_ami_launch_permission" "p" {
  image_id   = "ami-1"
  account_id = "111122223333"
}
"""
NEW, OTHER = "no-new-access", "other-access"
LOOK = "look at what it allows, and have it reviewed"
NAMED = f"{LOOK}; policies-by-arn in the settings names its document"
BOUND = "put the boundary back, or have what it kept out reviewed"
BLOCKED = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)


@pytest.mark.parametrize(
    ("path", "old", "new", "message", "access", "advice", "check"),
    [
        (
            "a.json",
            role(),
            role(ManagedPolicyArns=[POLICY]),
            "attaches a policy whose document is not known here",
            f"whatever {POLICY} allows",
            NAMED,
            NEW,
        ),
        (
            "a.tf",
            "",
            attachment(POLICY),
            "attaches a policy whose document is not known here",
            f"whatever {POLICY} allows",
            NAMED,
            NEW,
        ),
        (
            "a.yaml",
            "",
            manifest(POLICY),
            "attaches a policy whose document is not known here",
            f"whatever {POLICY} allows",
            NAMED,
            NEW,
        ),
        (
            "a.json",
            role(PermissionsBoundary=POLICY),
            role(),
            "has no permissions boundary any more",
            "everything that a permissions boundary would not leave",
            BOUND,
            NEW,
        ),
        (
            "a.json",
            role(PermissionsBoundary=POLICY),
            role(PermissionsBoundary=f"{POLICY}-wide"),
            "changes a permissions boundary whose document is not known here",
            f"what the boundary {POLICY}-wide leaves",
            BOUND,
            NEW,
        ),
        (
            "a.json",
            bucket(**BLOCKED),
            bucket(**{**BLOCKED, "BlockPublicAcls": False}),
            "lets in public access that was blocked",
            "what BlockPublicAcls blocks",
            "block public access again, or have it reviewed",
            OTHER,
        ),
        (
            "a.json",
            SHARED,
            {"Resources": {**SHARED["Resources"], "S": share("111122223333", "444455556666")}},
            "shares resources through AWS RAM",
            "access for 444455556666",
            "name those who need it and no others, and have it reviewed",
            OTHER,
        ),
        (
            "a.tf",
            "",
            SNAPSHOT,
            "shares a snapshot or an image",
            "access for 111122223333",
            "share it with the accounts that need it, never with all, and have it reviewed",
            OTHER,
        ),
    ],
)
def test_access_without_a_document_in_words(
    scratch: Scratch, path: str, old: Any, new: Any, message: str, access: str, advice: str, check: str
) -> None:
    scratch.commit(**{path: old} if old else {})
    scratch.write(path, new)
    words = " ".join(scratch.guard("check").out.split())
    assert f"error: {message} [{check}]" in words
    assert f" new {access} " in words
    assert f"next {advice}" in words
    assert "AWS does not have today" not in words


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.json", role(ManagedPolicyArns=[MISSPELT])),
        ("a.tf", attachment(MISSPELT)),
        ("a.yaml", manifest(MISSPELT)),
    ],
)
def test_a_misspelt_policy_of_aws(scratch: Scratch, path: str, content: Any) -> None:
    scratch.commit()
    scratch.write(path, content)
    words = " ".join(scratch.guard("check").out.split())
    assert f"AWS has no {MISSPELT}; did you mean {MEANT}?" in words
    assert f"next write {MEANT}; if AWS has what is written there by now" in words


def test_a_misspelt_action_is_to_be_written_right(scratch: Scratch) -> None:
    scratch.commit(**{"a.json": document(allow("sqs:SendMessage"))})
    scratch.write("a.json", document(allow("sqs:SendMessage", "sqs:RecieveMessage")))
    words = " ".join(scratch.guard("check").out.split())
    assert "next write sqs:ReceiveMessage; if AWS has what is written there by now" in words


BOUNDED = """\
resource "aws_iam_role" "r" {
  name                 = "r"
  assume_role_policy   = "{}"
  permissions_boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
"""


def test_a_boundary_that_is_gone_is_told_next_to_where_it_stood(scratch: Scratch) -> None:
    scratch.commit(**{"a.tf": BOUNDED})
    scratch.write("a.tf", "".join(line for line in BOUNDED.splitlines(keepends=True) if "boundary" not in line))
    words = " ".join(scratch.guard("check").out.split())
    assert "a.tf:3:3: error: has no permissions boundary any more [no-new-access]" in words
    assert "next put the boundary back, or have what it kept out reviewed" in words
    assert "statement 0" not in words


def test_what_is_critical_and_a_boundary_kept_out_is_not_an_action_to_remove(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", "version: 1\ncritical: c.yaml\n")
    scratch.write("c.yaml", "version: 1\npermissions: [{id: e, actions: ['iam:CreateUser'], reason: r}]\n")
    scratch.commit(**{"a.tf": BOUNDED})
    scratch.write("a.tf", "".join(line for line in BOUNDED.splitlines(keepends=True) if "boundary" not in line))
    words = " ".join(scratch.guard("check").out.split())
    assert "grants a critical permission, e [access-not-granted]" in words
    assert "next put the boundary back or narrow it, or have what it leaves reviewed" in words
    assert "remove the action" not in words


def test_a_boundary_that_caps_less_says_so(scratch: Scratch) -> None:
    scratch.commit(**{"a.tf": BOUNDED})
    scratch.write("a.tf", BOUNDED.replace("ReadOnly", "PowerUser"))
    assert "a.tf:4:26: error: caps less by a permissions boundary than before" in scratch.guard("check").out
    scratch.write("a.tf", BOUNDED.replace("ReadOnly", "Administrator"))
    assert "a.tf:4:26: error: leaves all open that a permissions boundary capped" in scratch.guard("check").out


def function(authorization: str) -> str:
    properties = f"{{TargetFunctionArn: f, AuthType: {authorization}}}"
    return f"Resources:\n  U:\n    Type: AWS::Lambda::Url\n    Properties: {properties}\n"


def test_a_url_that_asks_for_no_signature_any_more_is_opened(scratch: Scratch) -> None:
    scratch.commit(**{"a.yaml": function("AWS_IAM")})
    scratch.write("a.yaml", function("NONE"))
    words = " ".join(scratch.guard("check").out.split())
    assert "opens the URL of a function" in words
    assert "statement 0" not in words


def test_what_is_known_by_its_text_alone_was_another_text(scratch: Scratch) -> None:
    url = 'resource "aws_lambda_function_url" "u" {\n  function_name = "f"\n  authorization_type = "NONE"\n}\n'
    scratch.commit(**{"a.tf": url})
    scratch.write("a.tf", url.replace("}", '  qualifier = "live"\n}'))
    words = " ".join(scratch.guard("check").out.split())
    assert "before another text" in words


def test_what_has_to_be_judged_by_hand_is_not_advised_to_be_corrected() -> None:
    from policy_guard.documents.source import Problem, Source, Span
    from policy_guard.verify.readable import unreadable_findings

    problems = (Problem(f"this is not read; {remedy}", Span(0, 0)) for remedy in ("judge it by hand", "write another"))
    by_hand, other = (dict(each.facts)["next"] for each in unreadable_findings(Source("a", ""), problems))
    assert "correct it" not in by_hand and "ignore-unreadable" in by_hand
    assert "correct it" in other
