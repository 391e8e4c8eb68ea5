"""Saved answers of `aws iam`, `aws s3api` and `aws organizations`: of the kind that each tells, and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.repository import Scratch, allow, document

_ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole"}
_TRUST = document({**_ASSUME, "Principal": {"AWS": "111122223333"}})
_OPEN_TRUST = document({**_ASSUME, "Principal": {"AWS": "*"}})
_NARROW, _WIDE = document(allow("s3:GetObject", resource="arn:aws:s3:::a/*")), document(allow("s3:*"))
_BUCKET = document({**allow("s3:GetObject", resource="arn:aws:s3:::a/*"), "Principal": {"AWS": "111122223333"}})
_PUBLIC = document({**allow("s3:GetObject", resource="arn:aws:s3:::a/*"), "Principal": "*"})
_CAP = document(allow("*"), {**allow("organizations:LeaveOrganization"), "Effect": "Deny"})
_NO_CAP = document(allow("*"))


def _encoded(policy: Any) -> str:
    return quote(json.dumps(policy))


def _role(trust: Any) -> Any:
    return {"Role": {"Path": "/", "RoleName": "app", "AssumeRolePolicyDocument": trust, "MaxSessionDuration": 3600}}


def _version(policy: Any) -> Any:
    return {"PolicyVersion": {"Document": policy, "VersionId": "v1", "IsDefaultVersion": True}}


def _inline(policy: Any) -> Any:
    return {"RoleName": "app", "PolicyName": "p", "PolicyDocument": policy}


def _of_organization(policy: Any, type_: str = "SERVICE_CONTROL_POLICY", **more: Any) -> Any:
    arn = f"arn:aws:organizations::111122223333:policy/o-abcdef1234/{type_.lower()}/p-abcd1234"
    summary = {"Id": "p-abcd1234", "Arn": arn, "Name": "cap", "Type": type_, "AwsManaged": False, **more}
    return {"Policy": {"PolicySummary": summary, "Content": json.dumps(policy)}}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (_role(_TRUST), _role(_OPEN_TRUST), "trust"),
        (_role(_encoded(_TRUST)), _role(_encoded(_OPEN_TRUST)), "trust"),
        ({"Roles": [_role(_TRUST)["Role"]]}, {"Roles": [_role(_OPEN_TRUST)["Role"]]}, "trust"),
        (_version(_NARROW), _version(_WIDE), "identity"),
        (_version(_encoded(_NARROW)), _version(_encoded(_WIDE)), "identity"),
        (_inline(_NARROW), _inline(_WIDE), "identity"),
        (_inline(_encoded(_NARROW)), _inline(_encoded(_WIDE)), "identity"),
        ({"Policy": json.dumps(_BUCKET)}, {"Policy": json.dumps(_PUBLIC)}, "resource"),
        ({"Attributes": {"Policy": json.dumps(_BUCKET)}}, {"Attributes": {"Policy": json.dumps(_PUBLIC)}}, "resource"),
        (
            {"Name": "a", "ResourcePolicy": json.dumps(_BUCKET)},
            {"Name": "a", "ResourcePolicy": json.dumps(_PUBLIC)},
            "resource",
        ),
        (_of_organization(_CAP), _of_organization(_NO_CAP), "scp"),
    ],
)
def test_an_answer_is_of_the_kind_that_it_tells_and_fails_if_it_grants_more(
    tmp_path: Path, old: Any, new: Any, kind: str
) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("old.json", old)
    scratch.write("new.json", new)
    listed = json.loads(scratch.guard("list", "--format", "json").out)["policies"]
    assert [entry["kind"] for entry in listed] == [kind, kind]
    assert scratch.guard("compare", "old.json", "new.json").code == 1
    assert scratch.guard("compare", "new.json", "new.json").code == 0


@pytest.mark.parametrize(
    "answer",
    [
        _of_organization(_NO_CAP, Arn="arn:aws:iam::111122223333:policy/p"),
        _of_organization(_NO_CAP, Type="TAG_POLICY"),
        _of_organization(_NO_CAP, Other="x"),
        {**_of_organization(_NO_CAP), "Other": "x"},
        {"Policy": {**_of_organization(_NO_CAP)["Policy"], "Other": "x"}},
        [_of_organization(_NO_CAP)],
    ],
)
def test_what_is_not_the_whole_answer_makes_no_control_policy(tmp_path: Path, answer: Any) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("p.json", answer)
    listed = json.loads(scratch.guard("list", "--format", "json").out)["policies"]
    # An ARN of IAM in it counts as one more policy, by its name.
    assert {entry["kind"] for entry in listed} == {"identity"}


def test_attached_policies_are_compared_by_what_they_hold(tmp_path: Path) -> None:
    def attached(*names: str, **more: Any) -> Any:
        return {
            "AttachedPolicies": [{"PolicyName": n, "PolicyArn": f"arn:aws:iam::aws:policy/{n}"} for n in names],
            **more,
        }

    scratch = Scratch(tmp_path)
    scratch.write("old.json", attached("ReadOnlyAccess"))
    scratch.write("new.json", attached("ReadOnlyAccess", "AdministratorAccess"))
    scratch.write("part.json", attached("ReadOnlyAccess", IsTruncated=True))
    assert scratch.guard("compare", "old.json", "new.json").code == 1
    assert scratch.guard("compare", "new.json", "old.json").code == 0
    assert scratch.guard("compare", "old.json", "part.json").code == 1
