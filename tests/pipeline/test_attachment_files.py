"""Beside bare policies, files say which principals have them: a format of ours, and saved answers of AWS's commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.places import ROOT
from tests.support.repository import Answer, Scratch, allow, deny, document

AWS = "arn:aws:iam::aws:policy/"
ADMINISTRATOR, READS, S3 = f"{AWS}AdministratorAccess", f"{AWS}AmazonS3ReadOnlyAccess", f"{AWS}AmazonS3FullAccess"
OWN = "arn:aws:iam::111122223333:policy/"
SETTINGS = "version: 1\ncritical: c.yaml\npolicies-by-arn: {'arn:aws:iam::111122223333:policy/*': 'iam/*.json'}\n"
PASS, RUN = document(allow("iam:PassRole")), document(allow("lambda:CreateFunction", "lambda:InvokeFunction"))
INVOKE = document(allow("lambda:InvokeFunction"))


def ours(**kinds: Any) -> dict[str, Any]:
    return {"version": 1, "policy-attachments": kinds}


def role(*policies: str) -> dict[str, Any]:
    return ours(roles={"orders": {"policies": list(policies)}})


def answer(*arns: str, **more: Any) -> dict[str, Any]:
    policies = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns]
    return {"AttachedPolicies": policies, "IsTruncated": False, **more}


def entities(*roles: str) -> dict[str, Any]:
    return {
        "PolicyGroups": [],
        "PolicyUsers": [],
        "PolicyRoles": [{"RoleName": n, "RoleId": f"AROA{n}"} for n in roles],
    }


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    critical = "version: 1\npacks: [privilege-escalation, administrators]\n"
    made.commit(**{".policy-guard.yaml": SETTINGS, "c.yaml": critical, "iam/orders.json": document(allow("s3:Get*"))})
    return made


def changed(scratch: Scratch, path: str, old: Any, new: Any) -> Answer:
    scratch.commit(**{path: old})
    scratch.commit(**{path: new})
    return scratch.guard("check", "--base", "HEAD~1")


@pytest.mark.parametrize(("path", "made"), [("attachments.yaml", role), ("roles/orders.json", answer)])
def test_attaching_is_new_access_on_its_line_and_a_narrower_policy_is_proved(
    scratch: Scratch, path: str, made: Any
) -> None:
    attached = changed(scratch, path, made(READS), made(READS, ADMINISTRATOR))
    line = (scratch.folder / path).read_text().split("\n")
    number = next(at for at, text in enumerate(line, 1) if f"{AWS}Administrator" in text)
    assert attached.code == 1
    assert f"{path}:{number}:" in attached.out and "new      * on *" in attached.out
    assert "critical permissions: " in attached.out
    assert changed(scratch, path, made(S3), made(READS)).code == 0
    assert changed(scratch, path, made(READS), made(S3)).code == 1
    assert changed(scratch, path, made(READS), made()).code == 0


@pytest.mark.parametrize("name", ["orders", "iam/orders.json"])
def test_own_policies_are_known_by_their_arns_or_paths(scratch: Scratch, name: str) -> None:
    text = name if "/" in name else f"{OWN}{name}"
    assert "new      s3:Get* on *" in changed(scratch, "attachments.yaml", role(), role(text)).out
    assert changed(scratch, "attachments.yaml", role(S3), role(S3, text)).code == 0


def test_what_is_not_here_is_whatever_it_allows(scratch: Scratch) -> None:
    assert f"whatever {OWN}x allows" in changed(scratch, "attachments.yaml", role(S3), role(S3, f"{OWN}x")).out
    out = changed(scratch, "attachments.yaml", role(S3), role(S3, "iam/x.json")).out
    assert "attaches a document that is not in this repository" in out and "whatever iam/x.json allows" in out


def test_a_user_has_what_its_groups_have(scratch: Scratch) -> None:
    groups = {"admins": {"policies": [ADMINISTRATOR]}}
    old, new = ({"jane": {"policies": [READS], "groups": names}} for names in ([], ["admins"]))
    out = changed(scratch, "attachments.yaml", ours(users=old, groups=groups), ours(users=new, groups=groups)).out
    assert "new      * on *" in out
    elsewhere = {"jane": {"policies": [READS], "groups": ["others"]}}
    out = changed(scratch, "attachments.yaml", ours(users=old), ours(users=elsewhere)).out
    assert "adds a user to a group" in out


def test_the_name_of_a_file_is_that_of_the_policy_whose_entities_it_lists(scratch: Scratch) -> None:
    out = changed(scratch, "entities/AdministratorAccess.json", entities("a"), entities("a", "b")).out
    assert "entities/AdministratorAccess.json" in out and "new      * on *" in out
    assert "new      s3:Get* on *" in changed(scratch, "entities/orders.json", entities("a"), entities("a", "b")).out
    assert "attaches a policy whose document" in changed(scratch, "x.json", entities("a"), entities("a", "b")).out
    assert changed(scratch, "entities/orders.json", entities("a", "b"), entities("b")).code == 0


def test_a_combination_across_the_policies_of_one_principal_is_critical(scratch: Scratch) -> None:
    scratch.commit(**{"iam/pass.json": PASS, "iam/run.json": RUN})
    out = changed(scratch, "attachments.yaml", role(f"{OWN}pass"), role(f"{OWN}pass", "iam/run.json")).out
    assert "privilege-escalation/pass-role-to-lambda, together with statement 1 [access-not-granted]" in out
    two = ours(roles={"a": {"policies": [f"{OWN}pass"]}, "b": {"policies": [f"{OWN}run"]}})
    assert "pass-role-to-lambda" not in changed(scratch, "attachments.yaml", ours(), two).out
    members = ours(
        users={"jane": {"policies": [f"{OWN}pass"], "groups": ["g"]}}, groups={"g": {"policies": ["iam/run.json"]}}
    )
    assert "pass-role-to-lambda" in changed(scratch, "attachments.yaml", ours(), members).out


@pytest.mark.parametrize("path", ["attachments.yaml", "team.attachments.json", "roles/orders.json", "t.json"])
def test_a_document_that_changes_alone_is_judged_with_those_who_have_it(scratch: Scratch, path: str) -> None:
    trust: dict[str, Any] = document(allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))
    del trust["Statement"][0]["Resource"]
    arns = [f"{OWN}pass", f"{OWN}run"]
    properties = {"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": arns}
    template = {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    content = template if path == "t.json" else answer(*arns) if path.startswith("roles/") else role(*arns)
    scratch.commit(**{".policy-guard.yaml": f"{SETTINGS}severity: {{no-new-access: 'off'}}\n", "iam/pass.json": PASS})
    scratch.commit(**{path: content, "iam/run.json": INVOKE})
    scratch.commit(**{"iam/run.json": RUN})
    answered = scratch.guard("check", "--base", "HEAD~1")
    assert answered.code == 1, answered
    assert f"{path}:" in answered.out and "pass-role-to-lambda, together with" in answered.out
    scratch.commit(**{"iam/run.json": document(allow("sqs:SendMessage"))})
    assert scratch.guard("check", "--base", "HEAD~1").code == 0


def test_a_deny_that_a_document_loses_opens_what_another_allows(scratch: Scratch) -> None:
    scratch.commit(
        **{"attachments.yaml": role("iam/all.json", f"{OWN}orders"), "iam/all.json": document(allow("s3:*"))}
    )
    scratch.commit(**{"iam/orders.json": document(allow("s3:Get*"), deny("s3:Delete*"))})
    scratch.commit(**{"iam/orders.json": document(allow("s3:Get*"))})
    answered = scratch.guard("check", "--base", "HEAD~1")
    assert answered.code == 1 and "attachments.yaml:" in answered.out and "new      s3:Delete* on *" in answered.out


MISTAKEN: dict[str, tuple[Any, str]] = {
    "a key": (ours(roles={"a": {"policy": [READS]}}), '"policy" is not expected here'),
    "a kind": (ours(role={"a": {"policies": [READS]}}), '"role" is not expected here'),
    "a version": ({**role(READS), "version": 2}, 'stands "version: 1"'),
    "a text in place of a list": (ours(roles={"a": {"policies": READS}}), "a list is expected"),
    "a mapping in place of a text": (role({"Ref": "P"}), "a text is expected"),  # type: ignore[arg-type]
    "a pattern": (role(f"{OWN}*"), "this names no policy"),
    "a part of an answer": (answer(READS, IsTruncated=True), "a part of the answer"),
    "an answer without an ARN": ({"AttachedPolicies": [{"PolicyName": "a"}]}, '"PolicyArn" is expected'),
    "an entity without a name": ({"PolicyRoles": [{"RoleId": "AROA"}]}, '"RoleName" is expected'),
    "no JSON": ('{"AttachedPolicies": [', "readable"),
    "a principal in two documents": (
        "---\n".join(map(json.dumps, (role(ADMINISTRATOR), role(READS)))).replace("}---", "}\n---"),
        "stands twice in this file",
    ),
    "an answer under two keys of one name": (
        f'{{"a": {json.dumps(answer(ADMINISTRATOR))}, "a": {json.dumps(answer(READS))}}}',
        "stands twice in this file",
    ),
    "a repeated key": ('{"AttachedPolicies": [], "AttachedPolicies": []}', "readable"),
}


@pytest.mark.parametrize("case", MISTAKEN)
def test_what_cannot_be_read_fails(scratch: Scratch, case: str) -> None:
    content, words = MISTAKEN[case]
    path = "attachments.yaml" if "---" in str(content) else "attachments.json"
    answered = changed(scratch, path, answer(READS), content)
    assert answered.code == 1 and words in answered.out, answered


def test_attachments_that_are_no_more_are_missed(scratch: Scratch) -> None:
    assert changed(scratch, "attachments.yaml", role(READS), "version: 1\nroles: {}\n").code == 1


def test_the_schema_takes_what_is_read(scratch: Scratch) -> None:
    text = (ROOT / "policy_guard/schema/attachments.json").read_text()
    schema = Draft202012Validator(json.loads(text))
    assert schema.is_valid(ours(users={"jane": {"groups": ["g"]}}, groups={"g": {"policies": [READS, "iam/a.json#x"]}}))
    for case in (
        "a key",
        "a kind",
        "a version",
        "a text in place of a list",
        "a mapping in place of a text",
        "a pattern",
    ):
        assert not schema.is_valid(MISTAKEN[case][0]), case
    shown = scratch.guard("schema", "attachments").out
    assert shown == text
