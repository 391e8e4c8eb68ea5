"""What a person reads as one is one block, and programs get each finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.repository import Scratch, allow, deny, document

OWN = {
    "Effect": "Allow",
    "Principal": {"AWS": "123456789012"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::b/*",
}


@pytest.fixture
def opened(tmp_path: Path) -> Scratch:
    """A bucket policy that is opened to everybody: new access, and public access."""
    scratch = Scratch(tmp_path)
    settings = "version: 1\npolicies: [{files: ['iam/*']}]\nseverity: {no-new-direct-grant: 'off'}\n"
    scratch.commit(**{"iam/bucket.json": document(OWN), ".policy-guard.yaml": settings})
    scratch.write("iam/bucket.json", document({**OWN, "Principal": "*"}))
    return scratch


def test_text_tells_both_under_one_excerpt(opened: Scratch) -> None:
    told = opened.guard("check").out
    assert "grants new access; grants public access [no-new-access, no-public-access]" in told
    assert told.count("s3:GetObject on arn:aws:s3:::b/* for *") == 1
    assert told.count("  example ") == told.count("  accept ") == 1
    assert told.count("  next ") == 2


def test_a_cap_that_denies_less_is_told_once(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    policy = document(allow("*"), deny("cloudtrail:StopLogging", "cloudtrail:DeleteTrail"))
    scratch.commit(
        **{".policy-guard.yaml": "version: 1\npolicies: [{files: ['scp/*'], kind: scp}]\n", "scp/a.json": policy}
    )
    scratch.write("scp/a.json", document(allow("*"), deny("cloudtrail:DeleteTrail")))
    told = scratch.guard("check").out
    headline = "error: no longer denies what was denied; grants new access [no-lost-deny, no-new-access]"
    assert told.count(headline) == told.count("error: ") == 1
    assert "lost     cloudtrail:StopLogging on *\n" in told and "through  statement 0\n" in told
    assert "  before " not in told and told.count("  next ") == told.count("  accept ") == 1
    assert len(json.loads(scratch.guard("check", "--format", "json").out)["findings"]) == 2


def test_an_annotation_and_a_row_tell_both(opened: Scratch) -> None:
    assert opened.guard("check", "--format", "github").out.count("::error") == 1
    summary = opened.guard("check", "--format", "markdown").out
    assert summary.count("| ❌ |") == summary.count("<summary>❌") == 1


@pytest.mark.parametrize("format_", ["json", "sarif"])
def test_programs_get_each_by_itself(opened: Scratch, format_: str) -> None:
    shown = json.loads(opened.guard("check", "--format", format_).out)
    findings = shown["findings"] if format_ == "json" else shown["runs"][0]["results"]
    assert len(findings) == 2


def test_a_new_policy_is_told_once(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"iam/old.json": document(allow("s3:ListBucket"))})
    scratch.write("iam/new.json", document(allow("s3:GetObject"), allow("sqs:SendMessage"), deny("s3:PutObject")))
    told = scratch.guard("check").out
    assert told.count("error: grants new access through 2 statements") == told.count("error: ") == 1
    assert "new      s3:GetObject on *; sqs:SendMessage on *" in told
    assert scratch.guard("check", "--format", "github").out.count("::error") == 1
    assert scratch.guard("check", "--verbose").out.count("error: grants new access") == 2


def test_a_dangerous_combination_is_told_once_in_each_file(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    parts = "[{actions: ['iam:PassRole']}, {actions: ['lambda:CreateFunction']}]"
    scratch.write(".policy-guard.yaml", "version: 1\ncritical: critical.yaml\nseverity: {no-new-access: 'off'}\n")
    scratch.write("critical.yaml", f"version: 1\npermissions: [{{id: both, all-of: {parts}, reason: r}}]\n")
    scratch.write("iam/a.json", document(allow("s3:GetObject")))
    scratch.commit()
    scratch.write("iam/a.json", document(allow("iam:PassRole"), allow("lambda:CreateFunction")))
    told = scratch.guard("check").out
    assert told.count("grants a critical permission, both, together with statement 1 [access-not-granted]") == 1
    assert told.count("error: ") == told.count("dangerous together with lambda:CreateFunction on *") == 1
    assert "critical  iam:PassRole on *; lambda:CreateFunction on *" in told
    assert len(json.loads(scratch.guard("check", "--format", "json").out)["findings"]) == 2
