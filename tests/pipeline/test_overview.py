"""The numbers of an overview over a repository of every sort, held against those of `check --all` and of `list`."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Scratch, allow, document

_TRUST = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}})
_PUBLIC = document({**allow("s3:GetObject", resource="arn:aws:s3:::open/*"), "Principal": "*"})
_ROLE = {
    "AssumeRolePolicyDocument": _TRUST,
    "Policies": [{"PolicyName": "p", "PolicyDocument": document(allow("s3:*"))}],
}
_MANIFEST = {
    "apiVersion": "iam.aws.upbound.io/v1beta1",
    "kind": "Policy",
    "metadata": {"name": "p"},
    "spec": {"forProvider": {"name": "p", "policy": json.dumps(document(allow("sqs:*")))}},
}
_FILES: dict[str, Any] = {
    "iam/admin.json": document(allow("*")),
    "iam/narrow.json": document(allow("sqs:SendMessage", "s3:ListBucket", resource="arn:aws:s3:::a")),
    "iam/public.json": _PUBLIC,
    "iam/broken.json": '{"Version": "2012-10-17", "Statement": [',
    "iam/wrong.json": {"Version": "2012-10-17", "Statement": [{"Effect": "allow", "Action": "s3:*", "Resource": "*"}]},
    "stack.yaml": json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": _ROLE}}}),
    "infra/main.tf": 'resource "aws_iam_policy" "p" {\n  name   = "p"\n  policy = jsonencode('
    + json.dumps(document(allow("kms:*")))
    + ')\n}\nresource "aws_iam_policy" "q" {\n  name   = "q"\n  policy = var.unknown\n}\nvariable "unknown" {}\n',
    "infra/broken.tf": 'resource "aws_iam_policy" {',
    "manifest.yaml": json.dumps(_MANIFEST),
    "vendor/excluded.json": document(allow("s3:*")),
    "critical-permissions.yaml": {
        "version": 1,
        "permissions": [{"id": "all-of-s3", "actions": ["s3:DeleteBucket"], "reason": "buckets stay"}],
    },
    "findings.json": [
        {
            "findingType": "UnusedPermission",
            "id": "a",
            "status": "ACTIVE",
            "resource": "arn:aws:iam::111122223333:role/Narrow",
            "resourceType": "AWS::IAM::Role",
            "resourceOwnerAccount": "111122223333",
            "createdAt": "2026-01-01T00:00:00Z",
            "analyzedAt": "2026-01-02T00:00:00Z",
            "updatedAt": "2026-01-02T00:00:00Z",
            "findingDetails": [
                {
                    "unusedPermissionDetails": {
                        "serviceNamespace": "sqs",
                        "actions": [{"action": "SendMessage"}],
                    }
                }
            ],
        }
    ],
    ".policy-guard/accepted/narrow.yaml": {
        "version": 1,
        "policy": "iam/narrow.json",
        "checks": ["access-not-granted"],
        "access": [{"Action": "s3:DeleteObject", "Resource": "*"}],
        "reason": "as agreed",
        "expires": (date.today() + timedelta(days=20)).isoformat(),
    },
    ".policy-guard.yaml": {
        "version": 1,
        "critical": "critical-permissions.yaml",
        "exclude": ["vendor/**"],
        "refine": {"findings": ["findings.json"], "roles": {"Narrow": ["iam/narrow.json"]}},
    },
}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    made = Scratch(tmp_path_factory.mktemp("mixed"))
    made.commit(**_FILES)
    return made


def _json(scratch: Scratch, *arguments: str) -> Any:
    run = scratch.guard(*arguments, "--format", "json")
    assert run.out, run.err
    return json.loads(run.out)


def test_every_count_is_that_of_check_and_of_list(scratch: Scratch) -> None:
    report, checked, listed = (_json(scratch, *words) for words in (("report",), ("check", "--all"), ("list",)))
    readable = [policy["name"] for policy in report["policies"]]
    unreadable = sorted(remark["place"]["path"] for remark in report["unread"] if remark["what"] == "unreadable")
    assert sorted(checked["judged"]) == sorted([*readable, *unreadable])
    assert checked["policies"] == len(readable) + len(unreadable)
    names = [f"{entry['path']} {entry['address']}".strip() for entry in listed["policies"]]
    assert sorted(names) == sorted([*readable, *unreadable])
    extents = {f"{entry['path']} {entry['address']}".strip(): entry["read"] for entry in listed["policies"]}
    assert {policy["name"]: policy["read"] for policy in report["policies"]} == {n: extents[n] for n in readable}
    assert {name for name, extent in extents.items() if extent == "not at all"} == set(unreadable)
    assert report["sum"] == "11 policies: 7 read exactly, 1 read with unknown texts, 3 unreadable."


@pytest.mark.parametrize("form", ["html", "json", "markdown", "text"])
def test_a_name_in_another_encoding_is_told(tmp_path: Path, form: str) -> None:
    named = Scratch(tmp_path / "named")
    try:
        named.write(os.fsdecode(b"iam/\xff.json"), document(allow("*")))
    except OSError:
        pytest.skip("names are UTF-8 here")
    run = named.guard("report", "--format", form)
    assert (run.code, "udcff" in run.out) == (0, True), run


def test_every_card_is_the_number_of_policies_below_it(scratch: Scratch) -> None:
    report = _json(scratch, "report")
    cards = {card["title"]: card["now"] for card in report["cards"]}
    policies = report["policies"]
    assert cards == {
        "policies": len(policies),
        "with critical permissions": sum(bool(policy["critical"]) for policy in policies),
        "of administrators": sum(bool(policy["administrator"]) for policy in policies),
        "public": sum(policy["public"] for policy in policies),
        "with wildcards": sum(bool(policy["wildcards"]) for policy in policies),
        "unreadable": sum(remark["what"] == "unreadable" for remark in report["unread"]),
    }


def test_what_is_found_is_what_check_finds(scratch: Scratch) -> None:
    report, findings = _json(scratch, "report"), _json(scratch, "check", "--all")["findings"]

    for member, check in (
        ("critical", "access-not-granted"),
        ("public", "no-public-access"),
        ("unused", "unused-access"),
    ):
        reported = {policy["place"]["path"] for policy in report["policies"] if policy[member]}
        assert reported == {f["path"] for f in findings if f["check"] == check and f["outcome"] == "violated"}
    assert [policy["place"]["path"] for policy in report["policies"] if policy["unused"]] == ["iam/narrow.json"]
    (review,) = report["acceptances"]
    assert (review["policy"], review["expired"]) == ("iam/narrow.json", False)


def test_workers_come_to_the_same_overview(scratch: Scratch) -> None:
    assert _json(scratch, "report", "--jobs", "2") == _json(scratch, "report", "--jobs", "1")


def test_a_holder_that_has_a_mark_and_no_name_is_told_by_its_resource(scratch: Scratch) -> None:
    holders = {policy["place"]["path"]: policy["holder"] for policy in _json(scratch, "report")["policies"]}
    assert holders["manifest.yaml"] == "Policy/p"
