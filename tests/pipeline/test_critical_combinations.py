"""Permissions that are dangerous only together are told across all policies of one principal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Scratch, allow, document

PASS, RUN = document(allow("iam:PassRole")), document(allow("lambda:CreateFunction", "lambda:InvokeFunction"))
INVOKE = document(allow("lambda:InvokeFunction"))
MANAGED = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
OWN = "arn:aws:iam::111122223333:policy/run"
TRUST: dict[str, Any] = document(allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))
del TRUST["Statement"][0]["Resource"]
SETTINGS = (
    "version: 1\ncritical: c.yaml\nseverity: {no-new-access: 'off', other-access: 'off'}\n"
    f"policies-by-arn: {{'{OWN}': iam/run.json}}\n"
)


def inline(*documents: Any) -> list[dict[str, Any]]:
    return [{"PolicyName": f"p{at}", "PolicyDocument": each} for at, each in enumerate(documents)]


def resource(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::IAM::{type_}", "Properties": properties}


def role(*documents: Any, **properties: Any) -> dict[str, Any]:
    return resource("Role", AssumeRolePolicyDocument=TRUST, Policies=inline(*documents), **properties)


def apart(kind: str, document: Any, **properties: Any) -> dict[str, Any]:
    return resource(kind, PolicyName="x", PolicyDocument=document, **properties)


def user(*groups: str) -> dict[str, Any]:
    return resource("User", Policies=inline(PASS), Groups=[{"Ref": group} for group in groups])


R, M = [{"Ref": "R"}], {"ManagedPolicyArns": [{"Ref": "M"}]}
G = resource("Group", Policies=inline(RUN))
MANAGED_RUN, MANAGED_INVOKE = apart("ManagedPolicy", RUN), apart("ManagedPolicy", INVOKE)
ADDED = resource("UserToGroupAddition", GroupName={"Ref": "G"}, Users=[{"Ref": "U"}])
TEMPLATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "two inline": ({"R": role(PASS)}, {"R": role(PASS, RUN)}),
    "one in a resource of its own": ({"R": role(PASS)}, {"R": role(PASS), "I": apart("Policy", RUN, Roles=R)}),
    "one that attaches itself": ({"R": role(PASS)}, {"R": role(PASS), "I": apart("ManagedPolicy", RUN, Roles=R)}),
    "one attached": ({"R": role(PASS), "M": MANAGED_RUN}, {"R": role(PASS, **M), "M": MANAGED_RUN}),
    "one that changes alone": ({"R": role(PASS, **M), "M": MANAGED_INVOKE}, {"R": role(PASS, **M), "M": MANAGED_RUN}),
    "one of AWS": ({"R": role(PASS)}, {"R": role(PASS, ManagedPolicyArns=[MANAGED])}),
    "one of the settings": ({"R": role(PASS)}, {"R": role(PASS, ManagedPolicyArns=[OWN])}),
    "one of a group": ({"U": user(), "G": G}, {"U": user("G"), "G": G}),
    "one of a group by an addition": ({"U": user(), "G": G}, {"U": user(), "G": G, "A": ADDED}),
    "one that a group gets": ({"U": user("G"), "G": resource("Group")}, {"U": user("G"), "G": G}),
}
ROLE = f'resource "aws_iam_role" "r" {{\n  name = "r"\n  assume_role_policy = jsonencode({json.dumps(TRUST)})\n}}\n'
OF_ROLE = "role = aws_iam_role.r.name"


def terraform(type_: str, name: str, document: Any, more: str = "") -> str:
    return f'resource "{type_}" "{name}" {{\n  {more}\n  policy = jsonencode({json.dumps(document)})\n}}\n'


def attached(arn: str) -> str:
    return f'resource "aws_iam_role_policy_attachment" "a" {{\n  {OF_ROLE}\n  policy_arn = {arn}\n}}\n'


PASSING = ROLE + terraform("aws_iam_role_policy", "p", PASS, OF_ROLE)
POLICY, OF_ROOT = terraform("aws_iam_policy", "m", RUN), attached("aws_iam_policy.m.arn")
NARROW = terraform("aws_iam_policy", "m", INVOKE)
USER = 'resource "aws_iam_user" "u" {\n  name = "u"\n}\nresource "aws_iam_group" "g" {\n  name = "g"\n}\n'
USER += terraform("aws_iam_user_policy", "u", PASS, "user = aws_iam_user.u.name")
OF_GROUP = "group = aws_iam_group.g.name"
OF_USER = "user = aws_iam_user.u.name\n  groups = [aws_iam_group.g.name]"
JOINING = f'resource "aws_iam_user_group_membership" "m" {{\n  {OF_USER}\n}}\n'
MEMBERS = f'resource "aws_iam_group_membership" "m" {{\n  {OF_GROUP}\n  users = [aws_iam_user.u.name]\n}}\n'
GROUP_RUNS, GROUP_INVOKES = (terraform("aws_iam_group_policy", "g", each, OF_GROUP) for each in (RUN, INVOKE))
FOLDERS: dict[str, tuple[str, str]] = {
    "one of a group": (USER + GROUP_RUNS, USER + GROUP_RUNS + JOINING),
    "one of a group that names its users": (USER + GROUP_RUNS, USER + GROUP_RUNS + MEMBERS),
    "one that a group gets": (USER + JOINING, USER + JOINING + GROUP_RUNS),
    "one of a group that changes": (USER + JOINING + GROUP_INVOKES, USER + JOINING + GROUP_RUNS),
    "two inline": (PASSING, PASSING + terraform("aws_iam_role_policy", "q", RUN, OF_ROLE)),
    "one attached": (PASSING + POLICY, PASSING + POLICY + OF_ROOT),
    "one that changes alone": (PASSING + NARROW + OF_ROOT, PASSING + POLICY + OF_ROOT),
    "one of AWS": (PASSING, PASSING + attached(f'"{MANAGED}"')),
    "one of the settings": (PASSING, PASSING + attached(f'"{OWN}"')),
}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    critical = "version: 1\npacks: [privilege-escalation]\n"
    made.commit(**{".policy-guard.yaml": SETTINGS, "c.yaml": critical, "iam/run.json": RUN})
    return made


def told(scratch: Scratch, path: str, old: Any, new: Any) -> bool:
    """Tell whether the change fails for what its policies allow together."""
    scratch.commit(**{path: old})
    scratch.commit(**{path: new})
    answer = scratch.guard("check", "--base", "HEAD~1")
    assert answer.code == ("pass-role-to-lambda, together with" in answer.out), answer
    return bool(answer.code)


@pytest.mark.parametrize("case", TEMPLATES)
def test_in_templates(scratch: Scratch, case: str) -> None:
    old, new = TEMPLATES[case]
    assert told(scratch, "t.json", {"Resources": old}, {"Resources": new})


@pytest.mark.parametrize("case", FOLDERS)
def test_in_terraform(scratch: Scratch, case: str) -> None:
    assert told(scratch, "main.tf", *FOLDERS[case])


def test_two_principals_are_two(scratch: Scratch) -> None:
    assert not told(
        scratch, "t.json", {"Resources": {"R": role(PASS)}}, {"Resources": {"R": role(PASS), "S": role(RUN)}}
    )
    other = ROLE.replace('"r"', '"s"') + terraform("aws_iam_role_policy", "q", RUN, "role = aws_iam_role.s.name")
    assert not told(scratch, "main.tf", PASSING, PASSING + other)


def test_a_document_that_changes_alone_is_told_where_it_stands(scratch: Scratch) -> None:
    scratch.commit(**{".policy-guard.yaml": "version: 1\ncritical: c.yaml\n", "main.tf": PASSING + NARROW + OF_ROOT})
    scratch.commit(**{"main.tf": PASSING + NARROW.replace("lambda:InvokeFunction", "lambda:UpdateAlias") + OF_ROOT})
    found = [check for check, *_ in scratch.findings("--base", "HEAD~1")]
    assert found == ["no-new-access"]
