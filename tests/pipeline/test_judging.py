"""One finding tells what one statement grants, and what was left unasked is an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy_guard.iam.meaning import prover
from tests.support.repository import Scratch, allow, document

PACKS = {"version": 1, "packs": ["privilege-escalation", "data-exposure", "defence-evasion"]}
SETTINGS = {"version": 1, "critical": "critical.yaml"}
OWN = {
    "version": 1,
    "packs": ["data-exposure"],
    "permissions": [
        {"id": "delete-bucket", "actions": ["s3:DeleteBucket"], "reason": "r"},
        {"id": "delete-object", "actions": ["s3:DeleteObject"], "reason": "r", "severity": "warning"},
    ],
}


def report(scratch: Scratch, *options: str) -> dict[str, Any]:
    run = scratch.guard("check", "--format", "json", *options)
    assert run.code == 1
    read: dict[str, Any] = json.loads(run.out)
    return read


def critical(scratch: Scratch, *options: str) -> list[dict[str, Any]]:
    return [each for each in report(scratch, *options)["findings"] if each["check"] == "access-not-granted"]


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)


@pytest.fixture
def everything(scratch: Scratch) -> Scratch:
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "critical.yaml": PACKS, "readme": "x"})
    scratch.write("iam/a.json", document(allow("*")))
    return scratch


def test_a_statement_has_one_finding_for_all_critical_permissions_that_it_grants(everything: Scratch) -> None:
    finding, _ = critical(everything)
    each = [one for one in critical(everything, "--verbose") if one["severity"] == "error"]
    assert len(each) > 100
    assert set(finding["critical_ids"]) == {entry for one in each for entry in one["critical_ids"]}
    assert finding["message"].startswith(f"grants {len(each)} critical permissions: ")
    assert finding["message"].endswith(f" and {len(each) - 5} more")


def test_the_entries_of_the_owners_come_first_and_each_severity_has_a_finding(scratch: Scratch) -> None:
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "critical.yaml": OWN, "readme": "x"})
    scratch.write("iam/a.json", document(allow("s3:*")))
    severe, mild = critical(scratch)
    assert (severe["severity"], severe["critical_ids"][0]) == ("error", "delete-bucket")
    assert len(severe["critical_ids"]) > 1
    assert (mild["severity"], mild["critical_ids"]) == ("warning", ["delete-object"])


def test_a_grant_under_a_condition_before_is_told_with_the_new_ones(scratch: Scratch) -> None:
    before = allow("s3:DeleteBucket", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "critical.yaml": OWN, "iam/a.json": document(before)})
    scratch.write("iam/a.json", document(allow("s3:*")))
    severe, mild = critical(scratch)
    assert "delete-bucket" in severe["critical_ids"]
    assert mild["critical_ids"] == ["delete-object"]


def test_what_was_granted_before_is_told_apart(scratch: Scratch) -> None:
    scratch.commit(
        **{".policy-guard.yaml": SETTINGS, "critical.yaml": OWN, "iam/a.json": document(allow("s3:Delete*"))}
    )
    scratch.write("iam/a.json", document(allow("s3:*")))
    severe, existing = critical(scratch)
    assert "delete-bucket" not in severe["critical_ids"]
    assert existing["message"] == (
        "grants 2 critical permissions that the old version granted too: delete-bucket, delete-object"
    )
    assert existing["severity"] == "warning"


def test_an_acceptance_holds_all_that_one_finding_tells(scratch: Scratch) -> None:
    names = ("PutObject", "GetObject")
    entries = [{"id": f"e{n}", "actions": [f"s3:{name}"], "reason": "r"} for n, name in enumerate(names)]
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "critical.yaml": {"version": 1, "permissions": entries}})
    scratch.git("checkout", "-q", "-b", "feature")
    scratch.write("iam/a.json", document(allow("s3:PutObject", "s3:GetObject")))
    assert scratch.guard("accept", "iam/a.json", "--base", "main", "--reason", "r", "--yes").code == 0
    scratch.git("checkout", "-q", "main")
    scratch.git("add", ".policy-guard")
    scratch.git("commit", "-q", "-m", "accepted")
    scratch.git("add", "iam")
    assert scratch.guard("check").code == 0


def test_what_is_left_unasked_is_an_error(everything: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prover, "STEPS_IN_ALL", 10_000)
    everything.write("iam/a.json", document(*(allow("*", resource=f"arn:aws:s3:::b{n}/*") for n in range(20))))
    undecided = [each for each in critical(everything) if each["outcome"] == "undecided"]
    assert "not all was asked" in undecided[0]["message"]
    assert undecided[0]["severity"] == "error"


@pytest.mark.parametrize(("level", "code"), [(None, 0), ("note", 0), ("error", 1)])
def test_the_settings_decide_about_what_aws_cannot_have(scratch: Scratch, level: str | None, code: int) -> None:
    scratch.commit(**{".policy-guard.yaml": {"version": 1, **({"impossible": level} if level else {})}, "readme": "x"})
    scratch.write("iam/a.json", document(allow("s3:PutBucketPolicy", resource="arn:aws:s3:::orders/*")))
    run = scratch.guard("check")
    assert run.code == code
    assert "on resources that the actions do not work on" in run.out


ACCOUNT = "arn:aws:iam::111122223333:root"
KEYS = {
    "version": 1,
    "permissions": [{"id": "destroy-keys", "actions": ["kms:ScheduleKeyDeletion"], "reason": "r"}],
}


def key_policy(*accounts: str, more: str = "kms:Decrypt") -> dict[str, Any]:
    user = allow(more, Principal={"AWS": "arn:aws:iam::111122223333:role/r"})
    return document(*(allow("kms:*", Principal={"AWS": account}) for account in accounts), user)


@pytest.mark.parametrize(
    ("accounts", "existing", "severity"),
    [
        ([ACCOUNT], "warning", "note"),
        ([ACCOUNT], "error", "error"),
        ([ACCOUNT, "444455556666"], "warning", "warning"),
        (["*"], "warning", "warning"),
    ],
)
def test_what_aws_writes_into_every_key_policy_is_a_note(
    scratch: Scratch, accounts: list[str], existing: str, severity: str
) -> None:
    settings = {"version": 1, "critical": "c.yaml", "critical-existing": existing}
    scratch.commit(**{".policy-guard.yaml": settings, "c.yaml": KEYS, "k.json": key_policy(*accounts)})
    scratch.write("k.json", key_policy(*accounts, more="kms:Dec*"))
    findings = json.loads(scratch.guard("check", "--format", "json").out)["findings"]
    assert {each["severity"] for each in findings if each["check"] == "access-not-granted"} == {severity}


def test_in_a_new_key_policy_it_is_an_error_and_to_be_left(scratch: Scratch) -> None:
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "critical.yaml": KEYS})
    scratch.write("k.json", key_policy(ACCOUNT))
    (found,) = critical(scratch)
    assert found["severity"] == "error"
    assert "leave it, and have it reviewed if it is new" in " ".join(scratch.guard("check").out.split())


def test_the_actions_that_grant_the_other_critical_permissions_are_named_at_their_places(scratch: Scratch) -> None:
    entries = [
        {"id": f"no-{name.lower()}", "actions": [f"s3:{name}"], "reason": "r"} for name in ("PutObject", "GetObject")
    ]
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "critical.yaml": {"version": 1, "permissions": entries}})
    scratch.write("iam/a.json", document(allow("s3:Put*", "s3:List*", "s3:GetObject")))
    out = scratch.guard("check").out
    assert "grants 2 critical permissions: no-putobject, no-getobject" in out
    assert "critical  s3:Put* on *" in out
    assert ": s3:GetObject grants no-getobject" in " ".join(out.split())
    assert "s3:List* grants" not in out
