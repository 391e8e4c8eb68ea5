"""Two answers of GetAccountAuthorizationDetails are compared principal by principal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Scratch, allow, document

ORDERS = "arn:aws:iam::123456789012:policy/orders"
ELSEWHERE = "arn:aws:iam::123456789012:policy/elsewhere"
S3_READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"
TRUST = document({**allow("sts:AssumeRole"), "Principal": {"Service": "ec2.amazonaws.com"}})
del TRUST["Statement"][0]["Resource"]


SAME_SIDS = [{"Sid": "Editor", **allow("s3:GetObject")}]
ATTACHED = {"RoleName": "app", "AttachedManagedPolicies": [{"PolicyArn": ADMINISTRATOR}]}
WIDE = json.dumps({"PolicyDocument": document(allow("*"))})[1:-1]


def account(
    inline: Any = None,
    managed: Any = None,
    attached: tuple[str, ...] = (ORDERS,),
    old_version: Any = None,
    groups: tuple[str, ...] = ("dev",),
    of_group: Any = None,
    boundary: str = "",
    **more: Any,
) -> str:
    role: dict[str, Any] = {
        "RoleName": "app",
        "AssumeRolePolicyDocument": TRUST,
        "RolePolicyList": [{"PolicyName": "inline", "PolicyDocument": inline or document(allow("s3:GetObject"))}],
        "AttachedManagedPolicies": [{"PolicyArn": arn} for arn in attached],
    }
    if boundary:
        role["PermissionsBoundary"] = {"PermissionsBoundaryArn": boundary}
    versions = [
        {"Document": old_version or document(allow("*")), "IsDefaultVersion": False},
        {"Document": managed or document(allow("sqs:SendMessage")), "IsDefaultVersion": True},
    ]
    group = {"PolicyName": "group", "PolicyDocument": of_group or document(allow("sqs:ReceiveMessage"))}
    answer = {
        "UserDetailList": [{"UserName": "jane", "GroupList": list(groups), "AttachedManagedPolicies": []}],
        "GroupDetailList": [{"GroupName": "dev", "GroupPolicyList": [group], "AttachedManagedPolicies": []}],
        "RoleDetailList": [role],
        "Policies": [{"PolicyName": "orders", "Arn": ORDERS, "PolicyVersionList": versions}],
        **more,
    }
    return json.dumps(answer, indent=1)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ({}, {"inline": document(allow("s3:*"))}, 1),
        ({}, {"managed": document(allow("sqs:*"))}, 1),
        ({}, {"attached": (ORDERS, ADMINISTRATOR)}, 1),
        ({"attached": (ADMINISTRATOR,)}, {"attached": (POWER_USER,)}, 0),
        ({}, {"attached": (ORDERS, "arn:aws:iam::123456789012:policy/elsewhere")}, 1),
        ({}, {"inline": document(allow("s3:GetObject", "sqs:SendMessage")), "attached": ()}, 0),
        ({}, {"old_version": document(allow("iam:*"))}, 0),
        ({}, {"of_group": document(allow("sqs:*"))}, 1),
        ({"groups": ()}, {}, 1),
        ({"groups": ()}, {"groups": ("unknown",)}, 1),
        ({}, {"groups": ()}, 0),
        ({}, {"boundary": POWER_USER}, 0),
        ({"boundary": POWER_USER}, {}, 1),
        ({}, {"IsTruncated": True}, 1),
        ({}, {"RoleDetailList": [{"RoleName": "app"}, {"RoleName": "app"}]}, 1),
        ({}, {"inline": {**document(allow("s3:*")), "Id": "x"}}, 1),
        ({"managed": document(*SAME_SIDS)}, {"managed": document(*SAME_SIDS), "inline": document(*SAME_SIDS)}, 0),
    ],
)
def test_each_principal_is_compared_as_a_whole(
    tmp_path: Path, old: dict[str, Any], new: dict[str, Any], code: int
) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("old.json", account(**old))
    scratch.write("new.json", account(**new))
    assert scratch.guard("compare", "old.json", "new.json").code == code


@pytest.mark.parametrize(
    ("boundary", "action", "code"),
    [
        (ORDERS, "sqs:DeleteMessage", 0),
        (ORDERS, "sqs:SendMessage", 1),
        (ELSEWHERE, "sqs:DeleteMessage", 1),
        ("", "*", 1),
    ],
)
def test_a_principal_gets_what_its_boundary_leaves(tmp_path: Path, boundary: str, action: str, code: int) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("account.json", account(boundary=boundary, attached=()))
    scratch.commit()
    inline = document(allow("s3:GetObject", action))
    scratch.write("account.json", account(boundary=boundary, attached=(), inline=inline))
    assert scratch.guard("check").code == code


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ({"boundary": POWER_USER}, {}, 0, ["wider-boundary"]),
        ({"boundary": S3_READ_ONLY}, {"boundary": POWER_USER}, 1, ["no-new-access", "wider-boundary"]),
        ({"boundary": S3_READ_ONLY}, {}, 1, ["no-new-access", "wider-boundary"]),
        ({"boundary": POWER_USER, "attached": (ELSEWHERE,)}, {"attached": (ELSEWHERE,)}, 1, ["no-new-access"]),
    ],
)
def test_a_boundary_is_held_against_what_its_principal_has(
    tmp_path: Path, old: dict[str, Any], new: dict[str, Any], code: int, told: list[str]
) -> None:
    scratch = Scratch(tmp_path)
    scratch.write(".policy-guard.yaml", "version: 1\nseverity: {wider-boundary: warning}\n")
    scratch.write("account.json", account(**old))
    scratch.commit()
    scratch.write("account.json", account(**new))
    answer = scratch.guard("check", "--format", "json")
    checks = [finding["check"] for finding in json.loads(answer.out)["findings"]]
    assert (answer.code, sorted(set(checks))) == (code, told)


def _joins(answer: Any) -> None:
    answer["UserDetailList"][0]["GroupList"].append("administrators")


def _other_default(answer: Any) -> None:
    for version in answer["Policies"][0]["PolicyVersionList"]:
        version["IsDefaultVersion"] = not version["IsDefaultVersion"]


_CHANGES: dict[str, Callable[[Any], object]] = {
    "a group that the answer does not have": _joins,
    "a group that went": lambda answer: answer["GroupDetailList"].clear(),
    "another default version": _other_default,
    "a default version that is named otherwise": lambda answer: answer["Policies"][0].update(DefaultVersionId="v9"),
    "a policy of another path": lambda answer: answer["Policies"][0].update(Arn=ORDERS.replace("orders", "a/orders")),
    "policies that the answer lacks": lambda answer: answer["Policies"].clear(),
    "a page of several": lambda answer: answer.update(IsTruncated=False, Marker="more"),
    "a role whose name differs in capital letters": lambda answer: answer["RoleDetailList"].append(
        {
            "RoleName": "APP",
            "AssumeRolePolicyDocument": TRUST,
            "AttachedManagedPolicies": [{"PolicyArn": ADMINISTRATOR}],
        }
    ),
    "a role that AWS makes": lambda answer: answer["RoleDetailList"].append(
        {
            "Path": "/aws-service-role/x.amazonaws.com/",
            "RoleName": "AWSServiceRoleForX",
            "AssumeRolePolicyDocument": TRUST,
            "AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/aws-service-role/Unheard"}],
        }
    ),
    "a wider trust policy": lambda answer: answer["RoleDetailList"][0].update(
        AssumeRolePolicyDocument={**TRUST, "Statement": {**TRUST["Statement"][0], "Principal": {"AWS": "*"}}}
    ),
    "a list that is none": lambda answer: answer["RoleDetailList"][0].update(RolePolicyList=None),
}


@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES)
def test_no_change_of_an_account_goes_unseen(tmp_path: Path, change: Callable[[Any], object]) -> None:
    scratch, answer = Scratch(tmp_path), json.loads(account())
    scratch.write("old.json", json.dumps(answer, indent=1))
    change(answer)
    scratch.write("new.json", json.dumps(answer, indent=1))
    assert scratch.guard("compare", "old.json", "new.json").code == 1


def test_documents_in_strings_are_read(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("old.json", account(inline=json.dumps(document(allow("s3:GetObject")))))
    scratch.write("new.json", account(inline=json.dumps(document(allow("s3:*")))))
    answer = scratch.guard("compare", "old.json", "new.json", "--format", "concise")
    assert answer.code == 1
    assert "New access: s3:* on *" in answer.out


@pytest.mark.parametrize(
    "text",
    [
        f'{{"RoleDetailList": [], {WIDE}}}',
        f'{{"RoleDetailList": [{{"RoleName": "app", {WIDE}}}]}}',
        f'{{"RoleDetailList": null, {WIDE}}}',
        f'[{{"RoleDetailList": []}}, {{{WIDE}}}]',
        json.dumps({"RoleDetailList": [ATTACHED]}),
        json.dumps({"pages": [ATTACHED]}),
        '{"UserDetailList": [{"UserName": "jane", "GroupList": ["administrators"]}]}',
        '{"RoleDetailList": [{"RoleName": "app", "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": '
        '"2012-10-17", "Statement": [], "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}]}]}',
    ],
)
def test_nothing_beside_an_answer_goes_unseen(tmp_path: Path, text: str) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"account.json": "{}"})
    scratch.write("account.json", text)
    scratch.write("other.json", text)
    answer = scratch.guard("check", "--format", "concise")
    assert answer.code == 1
    assert "other.json" in answer.out


def test_a_policy_of_aws_has_what_aws_says(tmp_path: Path) -> None:
    versions = [{"Document": document(allow("s3:GetObject")), "VersionId": "v1", "IsDefaultVersion": True}]
    policies = [{"PolicyName": "AdministratorAccess", "Arn": ADMINISTRATOR, "PolicyVersionList": versions}]
    scratch = Scratch(tmp_path)
    scratch.write("old.json", account(attached=(), Policies=policies))
    scratch.write("new.json", account(attached=(ADMINISTRATOR,), Policies=policies))
    answer = scratch.guard("compare", "old.json", "new.json", "--format", "concise")
    assert "New access: * on *" in answer.out
