"""The manual pages: their examples are run, and the golden list shows what is registered."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from policy_guard import check_access_not_granted, check_no_lost_deny, check_no_new_access, check_no_public_access
from policy_guard.documents.formats import suffixes
from policy_guard.iam.meaning.operators import operators
from policy_guard.iam.policy import OPERATORS
from policy_guard.report.reporters import names as reporters
from policy_guard.verify.checks import manual, names
from tests.support.repository import Scratch


def statement(effect: str, action: str, resource: str = "*") -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": action, "Resource": resource}}


def examples(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    found = re.findall(r"^    \{.*?\}\}$", manual(name), re.DOTALL | re.MULTILINE)
    bad, good = map(json.loads, found)
    return bad, good


def test_no_new_access() -> None:
    bad, good = examples("no-new-access")
    old = statement("Allow", "s3:GetObject")
    assert (check_no_new_access(bad, old).result, check_no_new_access(good, old).result) == ("FAIL", "PASS")


def test_no_lost_deny() -> None:
    bad, good = examples("no-lost-deny")
    wide = statement("Deny", "s3:*", "arn:aws:s3:::audit-logs/*")
    narrow = statement("Deny", "s3:Delete*", "arn:aws:s3:::audit-logs/*")
    assert (check_no_lost_deny(bad, wide).result, check_no_lost_deny(good, narrow).result) == ("FAIL", "PASS")


def test_access_not_granted() -> None:
    results = [
        check_access_not_granted(each, [{"actions": ["s3:DeleteBucket"]}]).result
        for each in examples("access-not-granted")
    ]
    assert results == ["FAIL", "PASS"]


def test_no_public_access() -> None:
    results = [check_no_public_access(each, "AWS::S3::Bucket").result for each in examples("no-public-access")]
    assert results == ["FAIL", "PASS"]


def test_readable() -> None:
    bad, good = examples("readable")
    with pytest.raises(ValueError, match="Effect"):
        check_no_new_access(bad, None)
    assert check_no_new_access(good, good).result == "PASS"


def test_what_is_registered() -> None:
    checks = ("access-not-granted", "no-lost-deny", "no-new-access", "no-new-direct-grant", "no-public-access")
    checks += ("other-access", "wider-boundary", "within-reference")
    assert names() == (*checks, "readable", "unused-access", "lost-access", "accepted")
    programs = {"github", "json", "sarif", "markdown", "junit", "gitlab"}
    assert set(reporters()) == {"text", "concise", "statistics"} | programs
    assert {".json", ".yaml", ".yml"} <= set(suffixes())
    assert set(operators()) <= set(OPERATORS.values())
    assert set(operators()) >= {"StringEquals", "StringLike", "StringNotEqualsIgnoreCase", "Bool", "Null"}


ORDERS = statement("Allow", "s3:GetObject", "arn:aws:s3:::orders/*")
DELEGATED = {**ORDERS, "Statement": {**ORDERS["Statement"], "Principal": {"AWS": "111122223333"}}}
OLD = {
    "no-new-direct-grant": DELEGATED,
    "no-new-access": statement("Allow", "s3:GetObject"),
    "no-lost-deny": statement("Deny", "s3:*", "arn:aws:s3:::audit-logs/*"),
    "access-not-granted": statement("Allow", "s3:GetObject"),
    "no-public-access": DELEGATED,
    "readable": statement("Deny", "s3:*"),
    "unused-access": statement("Allow", "s3:*"),
}
CRITICAL = "version: 1\npermissions:\n- {id: delete-bucket, actions: ['s3:DeleteBucket'], reason: r}\n"
CONFIG = "version: 1\ncritical: c.yaml\nrefine: {findings: [unused.json], roles: {Deploy: [policy.json]}}\n"
UNUSED = {
    "findingType": "UnusedPermission",
    "resource": "arn:aws:iam::111122223333:role/Deploy",
    "findingDetails": [
        {"unusedPermissionDetails": {"serviceNamespace": "s3", "actions": [{"action": "GetBucketAcl"}]}}
    ],
}


@pytest.mark.parametrize("name", OLD)
def test_the_page_shows_what_is_really_said(name: str, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.write("old.json", OLD[name])
    scratch.write("c.yaml", CRITICAL)
    scratch.write("config.yaml", CONFIG)
    scratch.write("unused.json", UNUSED)
    bad = re.findall(r"^    \{.*?\}\}$", manual(name), re.DOTALL | re.MULTILINE)[0]
    scratch.write("policy.json", textwrap.dedent(bad))
    answer = scratch.guard("compare", "old.json", "policy.json", "--config", "config.yaml")
    (said,) = re.findall(r"^    (policy\.json:.*)$", manual(name), re.MULTILINE)
    assert said in answer.out


@pytest.mark.parametrize("name", names())
def test_every_page_has_its_parts(name: str) -> None:
    page = manual(name)
    assert page.startswith(f"{name}: ")
    assert all(words in page for words in ("Bad", "Good", "It does not see"))
