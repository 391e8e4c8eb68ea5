"""Ceilings: a new file is compared with its reference, and with `bound: always` every version is."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from policy_guard.verify.checks import manual
from tests.support.repository import Answer, Scratch, allow, deny, document

CEILING = document(allow("s3:*", "sqs:*"))
WITHIN = document(allow("s3:Get*", "sqs:SendMessage"))
BEYOND = document(allow("s3:Get*", "iam:PassRole"))
SETTINGS = "version: 1\npolicies:\n- {files: ['teams/*.json'], reference: ceilings/team.json}\n"
BOUND = SETTINGS.replace("team.json}", "team.json, bound: always}")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{".policy-guard.yaml": BOUND, "ceilings/team.json": CEILING, "teams/a.json": BEYOND})
    made.git("checkout", "-q", "-b", "feature")
    return made


def judged(scratch: Scratch, *arguments: str) -> Answer:
    scratch.commit()
    return scratch.guard("check", "--base", "main", *arguments, CI="true")


@pytest.mark.parametrize("settings", [SETTINGS, BOUND])
def test_a_new_file_within_its_reference_passes(scratch: Scratch, settings: str) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{".policy-guard.yaml": settings})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/new.json", WITHIN)
    answer = judged(scratch)
    assert answer.code == 0, answer
    assert "teams/new.json has no old version and is compared with ceilings/team.json" in answer.out


def test_a_new_file_without_a_reference_is_told_how_to_have_one(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "other")
    scratch.commit(**{"teams/old.json": WITHIN})
    scratch.write("teams/new.json", document(allow("s3:*")))
    said = " ".join(scratch.guard("check").out.split())
    assert "have the new policy reviewed; or merge a group or a reference for it into the settings first" in said
    assert "what was allowed before" not in said


def test_a_new_file_is_told_what_its_reference_says_and_where(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "other")
    ceiling = document(allow("s3:*"), deny("s3:DeleteBucket"))
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "ceilings/team.json": ceiling})
    scratch.write("teams/new.json", document(allow("s3:*")))
    answer = scratch.guard("check")
    assert answer.code == 1
    assert "error: grants access that its reference does not allow [no-new-access]" in answer.out
    assert "does not deny what its reference denies [no-lost-deny]" in answer.out
    assert "put the Deny back" not in answer.out
    seen = [line for line in answer.out.splitlines() if line.strip().startswith("see ")]
    assert seen and all("ceilings/team.json:" in line for line in seen)


def test_every_version_is_held_against_a_bound(scratch: Scratch) -> None:
    scratch.write("teams/a.json", document(allow("s3:GetObject", "iam:PassRole")))
    answer = judged(scratch)
    assert answer.code == 1
    assert "grants access beyond its reference [within-reference]" in answer.out
    assert "beyond   iam:PassRole on *" in answer.out
    assert "grants new access" not in answer.out
    assert "policy-guard accept" not in answer.out


def test_within_a_bound_new_access_is_still_new(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"teams/a.json": document(allow("s3:GetObject"))})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/a.json", WITHIN)
    answer = judged(scratch)
    assert answer.code == 1
    assert "within-reference" not in answer.out
    assert "grants new access" in answer.out


def test_what_does_not_change_is_held_against_its_bound_when_all_is_checked(scratch: Scratch) -> None:
    assert "teams/a.json:8:9: error: grants access beyond its reference" in judged(scratch, "--all").out


def test_the_reference_of_the_base_counts(scratch: Scratch) -> None:
    scratch.write("ceilings/team.json", document(allow("*")))
    scratch.write("teams/b.json", BEYOND)
    found = {(f["check"], f["path"]) for f in json.loads(judged(scratch, "--format", "json").out)["findings"]}
    assert ("within-reference", "teams/b.json") in found


@pytest.mark.parametrize("ceiling", [None, "{", document(allow("s3:*", Principal="*"))])
def test_a_bound_that_is_no_such_policy_fails(scratch: Scratch, ceiling: object) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.git("rm", "-q", "ceilings/team.json")
    if ceiling is not None:
        scratch.write("ceilings/team.json", ceiling)
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/a.json", document(allow("s3:GetObject")))
    answer = judged(scratch)
    assert answer.code == 1
    why = "is not there in the base" if ceiling is None else "is not a single identity policy in the base"
    assert f"ceilings/team.json bounds this policy, and {why}" in answer.out
    assert "next     let the settings name one policy that is in the base" in answer.out


def test_a_group_is_held_against_the_bound_of_its_files(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    groups = BOUND + "groups: [{name: team, files: ['teams/*.json']}]\n"
    scratch.commit(**{".policy-guard.yaml": groups})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/a.json", document(allow("iam:PassRole")))
    answer = judged(scratch)
    assert answer.code == 1
    assert "grants access beyond its reference [within-reference]" in answer.out


def test_a_placeholder_of_the_reference_is_another_one_than_that_of_the_file(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"ceilings/team.json": document(allow("s3:*", resource="arn:aws:s3:::${bucket}/*"))})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("teams/new.json", document(allow("s3:GetObject", resource="arn:aws:s3:::${bucket}/*")))
    assert judged(scratch).code == 1


def test_the_page_shows_what_is_really_said(scratch: Scratch) -> None:
    page = manual("within-reference")
    bad, good = re.findall(r"^    \{.*?\}\}$", page, re.DOTALL | re.MULTILINE)
    scratch.git("checkout", "-q", "main")
    settings = BOUND.replace("teams/*.json", "policy.json")
    scratch.commit(**{".policy-guard.yaml": settings, "ceilings/team.json": document(allow("s3:*"))})
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("policy.json", textwrap.dedent(bad))
    ((place, headline),) = re.findall(r"^    (policy\.json:.*): error: (.*) \[", page, re.MULTILINE)
    told = judged(scratch).out
    assert f"{place}: error: " in told
    assert f"; {headline} [no-new-access, within-reference]" in told
    assert "policy-guard accept" not in told
    scratch.write("policy.json", textwrap.dedent(good))
    assert judged(scratch).code == 0


def test_a_bound_needs_a_reference(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", "version: 1\npolicies: [{files: [a.json], bound: always}]\n")
    answer = scratch.guard("list")
    assert answer.code == 2
    assert ".policy-guard.yaml:2:37: bound: name the policy that bounds these files" in answer.err
