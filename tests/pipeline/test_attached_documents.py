"""A customer managed policy that is attached by its ARN is judged as the document that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Answer, Scratch, allow, deny, document

ARN = "arn:aws:iam::111122223333:policy/team/orders"
OTHER = "arn:aws:iam::111122223333:policy/team/payments"
S3 = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
READS = document(allow("s3:GetObject"))
TRUST: dict[str, Any] = document(allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))
del TRUST["Statement"][0]["Resource"]


def settings(place: str = "iam/orders.json", arn: str = ARN, more: str = "") -> str:
    return f"version: 1\npolicies-by-arn:\n  {arn}: {place}\n{more}"


def template(*arns: Any) -> dict[str, Any]:
    properties = {"RoleName": "r", "AssumeRolePolicyDocument": TRUST, "ManagedPolicyArns": list(arns)}
    return {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}}


def terraform(*arns: str) -> str:
    attachments = (
        f'resource "aws_iam_role_policy_attachment" "a{number}" {{\n  role = "r"\n  policy_arn = "{arn}"\n}}\n'
        for number, arn in enumerate(arns)
    )
    return "\n".join(('data "aws_caller_identity" "me" {}\n', *attachments))


def manifest(*arns: str) -> str:
    return "\n---\n".join(
        f"apiVersion: iam.aws.crossplane.io/v1beta1\nkind: RolePolicyAttachment\nmetadata: {{name: a{number}}}\n"
        f"spec: {{forProvider: {{roleName: r, policyArn: {arn}}}}}"
        for number, arn in enumerate(arns)
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{".policy-guard.yaml": settings(), "iam/orders.json": READS})
    return made


def changed(scratch: Scratch, path: str, old: Any, new: Any, ci: bool = False, **files: Any) -> Answer:
    """What is said of a change of a file, and of other files with it."""
    scratch.commit(**{path: old})
    for name, content in {path: new, **files}.items():
        if content is None:
            (scratch.folder / name).unlink()
        else:
            scratch.write(name, content)
    scratch.commit()
    return scratch.guard("check", "--base", "HEAD~1", **({"CI": "true"} if ci else {}))


@pytest.mark.parametrize(
    ("path", "made", "arn"),
    [
        ("t.json", template, ARN),
        ("t.json", template, {"Fn::Sub": ARN.replace("111122223333", "${AWS::AccountId}")}),
        ("main.tf", terraform, ARN),
        ("main.tf", terraform, ARN.replace("111122223333", "${data.aws_caller_identity.me.account_id}")),
        ("a.yaml", manifest, ARN),
    ],
)
def test_what_is_attached_is_judged_as_its_document(scratch: Scratch, path: str, made: Any, arn: Any) -> None:
    answer = changed(scratch, path, made(), made(arn))
    assert answer.code == 1
    assert "grants new access [no-new-access]" in answer.out
    assert "new      s3:GetObject on *" in answer.out
    assert changed(scratch, path, made(S3), made(arn)).code == 0
    assert changed(scratch, path, made(arn), made(S3)).code == 1


@pytest.mark.parametrize("arn", [OTHER, ARN.replace("111122223333", "444455556666"), ARN.replace("team/", "")])
def test_another_arn_is_an_unknown_policy(scratch: Scratch, arn: str) -> None:
    answer = changed(scratch, "t.json", template(S3), template(S3, arn))
    assert answer.code == 1
    assert "attaches a policy whose document is not known here" in answer.out
    assert f"new      whatever {arn} allows" in answer.out


def test_names_with_unknown_parts_are_unknown_policies(scratch: Scratch) -> None:
    name = {"Fn::Sub": "arn:aws:iam::111122223333:policy/team/${AWS::StackName}"}
    answer = changed(scratch, "t.json", template(S3), template(S3, name))
    assert "whatever arn:aws:iam::111122223333:policy/team/${AWS::StackName} allows" in answer.out
    tf = changed(scratch, "main.tf", terraform(), terraform("arn:aws:iam::111122223333:policy/${terraform.workspace}"))
    assert "whatever arn:aws:iam::111122223333:policy/${terraform.workspace} allows" in " ".join(tf.out.split())


def test_a_document_has_an_address_in_a_file_with_several(scratch: Scratch) -> None:
    both = {"orders": READS, "payments": document(allow("s3:*"))}
    scratch.commit(**{".policy-guard.yaml": settings("iam/all.json#orders"), "iam/all.json": both})
    assert "new      s3:GetObject on *" in changed(scratch, "t.json", template(), template(ARN)).out
    scratch.commit(**{".policy-guard.yaml": settings("iam/all.json")})
    answer = changed(scratch, "t.json", template(), template(ARN))
    assert "whatever" in answer.out and "iam/all.json holds no single identity policy here" in answer.out


def test_the_document_may_stand_in_terraform_or_a_template(scratch: Scratch) -> None:
    policy = 'resource "aws_iam_policy" "o" {\n  policy = jsonencode({Version = "2012-10-17", Statement = [\n'
    policy += '    {Effect = "Allow", Action = "sqs:SendMessage", Resource = "*"}]})\n}\n'
    place = "infra/main.tf#aws_iam_policy.o.policy"
    scratch.commit(**{".policy-guard.yaml": settings(place), "infra/main.tf": policy})
    assert "new      sqs:SendMessage on *" in changed(scratch, "t.json", template(), template(ARN)).out
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(allow("sns:Publish"))}}
    place = "p.json#Resources.P.PolicyDocument"
    scratch.commit(**{".policy-guard.yaml": settings(place), "p.json": {"Resources": {"P": managed}}})
    assert "new      sns:Publish on *" in changed(scratch, "t.json", template(), template(ARN)).out


def test_a_pull_request_cannot_choose_the_document(scratch: Scratch) -> None:
    files = {"iam/little.json": document(allow("s3:GetObject", resource="arn:aws:s3:::a/*"))}
    chosen = {**files, ".policy-guard.yaml": settings("iam/little.json")}
    answer = changed(scratch, "t.json", template(), template(ARN), ci=True, **chosen)
    assert answer.code == 1 and "t.json:22:11: error" in answer.out
    assert "new      s3:GetObject on *" in answer.out
    assert "the settings change here (policies-by-arn)" in answer.out


def test_a_document_that_is_narrowed_with_the_attachment_counts_as_it_was(scratch: Scratch) -> None:
    little = document(allow("s3:GetObject", resource="arn:aws:s3:::a/*"))
    answer = changed(scratch, "t.json", template(), template(ARN), **{"iam/orders.json": little})
    assert "s3:GetObject on arn:aws:s3:::a/*; s3:GetObject on *" in answer.out
    denied = document(allow("s3:GetObject"), deny("s3:*"))
    scratch.commit(**{"iam/orders.json": READS})
    assert changed(scratch, "t.json", template(), template(ARN), **{"iam/orders.json": denied}).code == 1


def test_what_was_attached_before_has_the_document_of_each_version(scratch: Scratch) -> None:
    wide, tagged = document(allow("s3:*")), template(ARN)
    tagged["Resources"]["R"]["Properties"]["Path"] = "/team/"
    answer = changed(scratch, "t.json", template(ARN, S3), template(ARN), **{"iam/orders.json": wide})
    assert answer.code == 1 and "iam/orders.json" in answer.out and "t.json:" not in answer.out


def test_a_document_that_moves_with_its_entry_changes_nothing(scratch: Scratch) -> None:
    moved = {"iam/orders.json": None, "iam/new.json": READS, ".policy-guard.yaml": settings("iam/new.json")}
    assert changed(scratch, "t.json", template(ARN, S3), template(ARN), ci=True, **moved).code == 0


def test_a_missing_document_is_an_error_that_says_what_to_do(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", settings("iam/gone.json"))
    answer = scratch.guard("check")
    assert answer.code == 2
    assert f"policies-by-arn: {ARN}: there is no iam/gone.json; write the file of its document" in answer.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (settings(arn="team"), "this is no ARN of a customer managed policy"),
        (settings(arn=S3), "this is no ARN of a customer managed policy"),
        (settings("iam/../x.json"), "is not of the expected form"),
        (settings(more="exclude: ['iam/**']\n"), "under exclude"),
    ],
)
def test_a_mistaken_entry_is_an_error(scratch: Scratch, text: str, words: str) -> None:
    scratch.write(".policy-guard.yaml", text)
    answer = scratch.guard("check")
    assert answer.code == 2 and words in answer.err, answer


def test_detaching_a_known_deny_loses_it(scratch: Scratch) -> None:
    scratch.commit(**{"iam/orders.json": document(deny("s3:DeleteObject"))})
    answer = changed(scratch, "t.json", template(ARN, S3), template(S3))
    assert answer.code == 1 and "new      s3:DeleteObject on *" in answer.out


@pytest.mark.parametrize(("path", "made"), [("t.json", template), ("main.tf", terraform), ("a.yaml", manifest)])
@pytest.mark.parametrize(
    ("name", "code"), [("payments", 0), ("RestrictedAccess", 0), ("DenyProduction", 1), ("force-mfa", 1)]
)
def test_detaching_a_policy_that_nobody_knows_is_told(
    scratch: Scratch, path: str, made: Any, name: str, code: int
) -> None:
    arn = OTHER.replace("payments", name)
    answer = changed(scratch, path, made(S3, arn), made(S3))
    assert answer.code == code, answer
    if made is manifest and not code:
        return
    assert "detaches a policy whose document is not known here" in answer.out
    assert f"what the policy {arn} denies" in " ".join(answer.out.split())


def test_a_role_that_goes_loses_nothing(scratch: Scratch) -> None:
    role, other = template(S3, OTHER.replace("payments", "DenyProduction")), template(S3)
    other["Resources"]["R"]["Properties"]["RoleName"] = "s"
    both = {"Resources": {"R": role["Resources"]["R"], "S": other["Resources"]["R"]}}
    assert changed(scratch, "t.json", both, {"Resources": {"S": both["Resources"]["S"]}}).code == 0


def test_detaching_it_from_one_that_may_do_everything_fails(scratch: Scratch) -> None:
    everything = "arn:aws:iam::aws:policy/AdministratorAccess"
    answer = changed(scratch, "t.json", template(everything, OTHER), template(everything))
    assert answer.code == 1
    assert "error: detaches a policy whose document is not known here [no-new-access]" in answer.out


def test_compare_reads_the_document_in_the_folder(scratch: Scratch) -> None:
    scratch.write("old.json", template(S3))
    scratch.write("new.json", template(ARN))
    assert scratch.guard("compare", "old.json", "new.json").code == 0


def test_the_settings_that_hold_tell_it(scratch: Scratch) -> None:
    assert f"  {ARN}: iam/orders.json\n" in scratch.guard("check", "--show-settings").out
