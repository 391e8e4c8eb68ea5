"""A pull request gains nothing by changing the settings it is judged with; what it adds counts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from policy_guard.pipeline.ci import in_ci
from tests.support.repository import NARROW, WIDE, Answer, Scratch, allow, deny, document

CRITICAL = "version: 1\npermissions:\n- {id: no-delete, actions: ['s3:DeleteBucket'], reason: r}\n"
STRICT = "version: 1\ncritical: critical.yaml\npolicies:\n- {files: ['scp/*'], kind: scp}\n- {files: ['iam/*']}\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write(".policy-guard.yaml", STRICT)
    made.write("critical.yaml", CRITICAL)
    made.write("iam/a.json", NARROW)
    made.write("scp/a.json", document(deny("s3:*"), deny("ec2:*")))
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    return made


def judged(scratch: Scratch, *arguments: str, **files: Any) -> Answer:
    """What CI says of a pull request that changes these files."""
    for path, content in files.items():
        scratch.write(path, content)
    scratch.commit()
    return scratch.guard("check", "--base", "main", *arguments, CI="true")


WEAKENED = {
    "a check switched off": STRICT + "severity: {no-new-access: 'off'}\n",
    "the policy excluded": STRICT + "exclude: ['iam/**']\n",
    "the policy no longer named": "version: 1\ncritical: critical.yaml\n",
    "the policy of another kind": STRICT.replace("{files: ['iam/*']}", "{files: ['iam/*'], kind: scp}"),
    "nothing fails": STRICT + "fail-on: never\n",
    "a group with what allows it already": STRICT + "groups: [{name: g, files: ['iam/*']}]\n",
    "compared with a policy of its own": STRICT.replace("['iam/*']}", "['iam/*'], reference: iam/wide.json}"),
}


@pytest.mark.parametrize("how", WEAKENED)
def test_a_weakened_configuration_does_not_count(scratch: Scratch, how: str) -> None:
    answer = judged(scratch, **{".policy-guard.yaml": WEAKENED[how], "iam/a.json": WIDE, "iam/wide.json": WIDE})
    assert answer.code == 1
    assert "iam/a.json:8:9: error: grants new access [no-new-access]" in answer.out
    assert re.search(r"note: the settings change here \([a-z-; ]+\); the check ran with those of main@", answer.out)


def test_a_configuration_that_is_deleted_still_counts(scratch: Scratch) -> None:
    (scratch.folder / ".policy-guard.yaml").unlink()
    answer = judged(scratch, **{"scp/a.json": document(deny("s3:*"))})
    assert answer.code == 1
    assert "no longer denies" in answer.out


@pytest.mark.parametrize("how", ["emptied", "another list", "no list"])
def test_a_critical_list_that_is_weakened_still_counts(scratch: Scratch, how: str) -> None:
    other = CRITICAL.replace("s3:DeleteBucket", "s3:CreateBucket")
    if how == "emptied":
        scratch.write("critical.yaml", other)
    elif how == "another list":
        scratch.write("other.yaml", other)
        scratch.write(".policy-guard.yaml", STRICT.replace("critical: critical.yaml", "critical: other.yaml"))
    else:
        scratch.write(".policy-guard.yaml", STRICT.replace("critical: critical.yaml\n", ""))
        (scratch.folder / "critical.yaml").unlink()
    answer = judged(scratch, **{"iam/a.json": document(allow("s3:GetObject"), allow("s3:DeleteBucket"))})
    assert answer.code == 1
    assert "grants a critical permission, no-delete [access-not-granted]" in answer.out


def test_a_critical_entry_that_comes_counts_at_once(scratch: Scratch) -> None:
    more = CRITICAL + "- {id: no-read, actions: ['s3:GetObject'], reason: r}\n"
    answer = judged(scratch, "--all", "--fail-on", "warning", **{"critical.yaml": more})
    assert answer.code == 1
    assert "granted too, no-read [access-not-granted]" in answer.out
    assert "2 critical entries, 1 of them new" in answer.out


def test_a_policy_that_comes_to_be_named_counts_at_once(scratch: Scratch) -> None:
    files = {".policy-guard.yaml": STRICT + "- {files: ['more/*']}\n", "more/a.txt": "nothing of a policy"}
    answer = judged(scratch, **files)
    assert answer.code == 1
    assert "more/a.txt" in answer.out


def test_an_exclude_that_is_taken_out_counts_at_once(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.write(".policy-guard.yaml", STRICT + "exclude: ['old/**']\n")
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "other")
    assert judged(scratch, **{"old/a.json": WIDE}).code == 0
    assert judged(scratch, **{".policy-guard.yaml": STRICT}).code == 1


def test_a_base_without_settings_has_the_defaults(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.write("iam/a.json", NARROW)
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "feature")
    files = {".policy-guard.yaml": "version: 1\nnew-files: 'off'\nexclude: ['iam/**']\n", "iam/a.json": WIDE}
    assert judged(scratch, **files, **{"iam/b.json": WIDE}).code == 1


def test_an_argument_only_tightens(scratch: Scratch) -> None:
    scratch.write("iam/a.json", WIDE)
    answer = judged(scratch, "--fail-on", "never")
    assert answer.code == 1
    assert "note: --fail-on never is ignored in CI, where the settings say error" in answer.out
    assert scratch.guard("check", "--base", "main", "--fail-on", "never").code == 0


def test_a_base_whose_owners_want_no_failure_has_none(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.write(".policy-guard.yaml", STRICT + "fail-on: never\n")
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "other")
    assert judged(scratch, **{"iam/a.json": WIDE}).code == 0
    assert judged(scratch, "--fail-on", "error").code == 1


def test_settings_outside_of_the_repository_are_refused(scratch: Scratch, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("version: 1\n")
    answer = judged(scratch, "--config", str(tmp_path / "own.yaml"), **{"iam/a.json": WIDE})
    assert answer.code == 2
    assert "lies outside of the repository" in answer.err


def test_settings_of_the_base_that_cannot_be_read_are_refused(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.write(".policy-guard.yaml", "version: 1\ncritical: gone.yaml\n")
    scratch.commit()
    scratch.git("checkout", "-q", "-b", "other")
    answer = judged(scratch, **{".policy-guard.yaml": STRICT})
    assert answer.code == 2
    assert "the settings of main@" in answer.err
    assert "gone.yaml: there is no such file" in answer.err


def test_at_home_the_settings_are_those_of_the_work_tree(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", WEAKENED["a check switched off"])
    scratch.write("iam/a.json", WIDE)
    assert scratch.guard("check", "--base", "main").code == 0


def test_at_home_settings_that_differ_are_named(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", WEAKENED["the policy excluded"])
    told = r"note: the settings change here \(exclude\), and count here; in CI \(CI=true\) those of main@.* do"
    assert re.search(told, scratch.guard("check", "--base", "main").out)
    scratch.git("checkout", "-q", "--", ".")
    scratch.write("critical.yaml", CRITICAL.replace("s3:DeleteBucket", "s3:CreateBucket"))
    assert "(critical no-delete)" in scratch.guard("check", "--base", "main").out
    scratch.commit()
    assert "(critical no-delete)" in scratch.guard("check", "--base", "main", "--staged").out


def test_nothing_that_differs_from_head_is_told(scratch: Scratch) -> None:
    assert "note: nothing differs from HEAD, so nothing was compared. Name the branch" in scratch.guard().out
    scratch.write("elsewhere", "x")
    assert "note:" not in scratch.guard().out


SYSTEMS = {
    "Azure Pipelines": {"TF_BUILD": "True"},
    "TeamCity": {"TEAMCITY_VERSION": "2024.03.1 (build 156364)"},
    "AWS CodeBuild": {"CODEBUILD_BUILD_ID": "project:b1e6661e-e4f2-4156-9ab9-82a19EXAMPLE"},
    "Jenkins": {"BUILD_ID": "12", "JENKINS_URL": "https://example.com/"},
    "Jenkins without a configured address": {"BUILD_NUMBER": "12"},
    "Bitbucket Pipelines": {"BITBUCKET_BUILD_NUMBER": "1"},
    "Bamboo": {"bamboo_buildKey": "PROJECT-PLAN-JOB"},
    "Drone": {"DRONE": "true"},
    "Woodpecker": {"CI": "woodpecker"},
    "Harness": {"HARNESS_BUILD_ID": "1"},
    "Buddy": {"BUDDY": "true"},
    "AppVeyor": {"APPVEYOR": "True"},
    "Google Cloud Build": {"BUILDER_OUTPUT": "/builder/outputs"},
    "GoCD": {"GO_PIPELINE_NAME": "main"},
    "a system that is told not to be one": {"CI": "false", "TF_BUILD": "True"},
    "any other that is told": {"CI": "yes"},
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_runs_unattended(system: str) -> None:
    assert in_ci({"PATH": "/bin", **SYSTEMS[system]})


@pytest.mark.parametrize("value", ["", "0", "false", "False", "no", "off"])
def test_what_does_not(value: str) -> None:
    assert not in_ci({"CI": value, "GITHUB_ACTIONS": value, "PATH": "/bin", "HOME": "/home/a", "GITHUB_TOKEN": "x"})


def test_in_azure_pipelines_the_settings_of_the_base_count(scratch: Scratch) -> None:
    scratch.write("iam/a.json", WIDE)
    scratch.write(".policy-guard.yaml", WEAKENED["the policy excluded"])
    scratch.commit()
    assert scratch.guard("check", "--base", "main", TF_BUILD="True").code == 1


@pytest.fixture
def elsewhere(scratch: Scratch) -> Scratch:
    """The same with the settings in a folder of their own, which the command names."""
    scratch.git("checkout", "-q", "main")
    (scratch.folder / "ci").mkdir()
    scratch.git("mv", ".policy-guard.yaml", "ci/guard.yaml")
    scratch.git("mv", "critical.yaml", "ci/critical.yaml")
    scratch.commit(**{"ci/guard.yaml": STRICT.replace("critical.yaml", "ci/critical.yaml") + "severity: {}\n"})
    scratch.git("checkout", "-q", "-B", "feature")
    return scratch


LINKED = {
    "the folder to another": ("ci", "tools"),
    "the folder to another, above": ("ci", "other/../tools"),
    "the folder to the root": ("ci", "."),
    "the file to another": ("ci/guard.yaml", "../tools/guard.yaml"),
}


@pytest.mark.parametrize(("how", "folder"), [*zip(LINKED, (".", "iam", "iam", "."), strict=True)])
def test_settings_behind_a_link_that_the_change_makes_do_not_count(elsewhere: Scratch, how: str, folder: str) -> None:
    link, target = LINKED[how]
    elsewhere.git("rm", "-q", "-r", link)
    elsewhere.write("other/x", "x")
    for path in ("tools/guard.yaml", "guard.yaml"):
        elsewhere.write(path, "version: 1\nexclude: ['**']\nseverity: {no-new-access: 'off'}\n")
    (elsewhere.folder / link).parent.mkdir(exist_ok=True)
    (elsewhere.folder / link).symlink_to(target)
    elsewhere.commit(**{"iam/a.json": document(allow("*")), "scp/a.json": document(deny("s3:*"))})
    asked = ("check", "--base", "main", "--config", "ci/guard.yaml" if folder == "." else "../ci/guard.yaml")
    answer = elsewhere.guard(*asked, CI="true", folder=folder)
    assert answer.code == 1
    assert "3 failed" in answer.out or "2 failed" in answer.out
    assert "no longer denies" in answer.out and "grants a critical permission, no-delete" in answer.out
    assert "the settings change here (" in elsewhere.guard(*asked, folder=folder).out


def test_a_folder_that_was_entered_by_a_link_of_the_change(elsewhere: Scratch) -> None:
    elsewhere.git("rm", "-q", "-r", "ci")
    elsewhere.write("tools/guard.yaml", "version: 1\n")
    (elsewhere.folder / "ci").symlink_to("tools")
    elsewhere.commit(**{"scp/a.json": document(deny("s3:*"))})
    entered = str(elsewhere.folder / "ci")
    answer = elsewhere.guard("check", "--base", "main", "--config", "guard.yaml", CI="true", folder="ci", PWD=entered)
    assert answer.code == 1
    assert "no longer denies" in answer.out


def test_links_of_the_base_are_followed_to_its_settings(elsewhere: Scratch) -> None:
    elsewhere.git("checkout", "-q", "main")
    elsewhere.git("mv", "ci", "tools")
    (elsewhere.folder / "ci").symlink_to("tools")
    elsewhere.commit()
    elsewhere.git("checkout", "-q", "-B", "feature")
    answer = judged(elsewhere, "--config", "ci/guard.yaml", **{"scp/a.json": document(deny("s3:*"))})
    assert answer.code == 1
    assert "no longer denies" in answer.out
    assert "note:" not in answer.out


def test_settings_that_stay_are_not_mentioned(scratch: Scratch) -> None:
    assert "note:" not in judged(scratch, **{"iam/a.json": WIDE}).out


def test_settings_under_a_name_that_is_not_read_are_refused(scratch: Scratch) -> None:
    scratch.git("mv", ".policy-guard.yaml", ".policy-guard.yml")
    answer = judged(scratch)
    assert answer.code == 2
    assert ".policy-guard.yml is not read; rename it to .policy-guard.yaml" in answer.err


def test_a_green_line_does_not_claim_what_is_not_asked_of_a_cap(scratch: Scratch) -> None:
    allowed = document(deny("s3:*"), deny("ec2:*"), allow("*"))
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"scp/a.json": allowed})
    scratch.git("checkout", "-q", "-B", "feature")
    capped = judged(scratch, **{"scp/a.json": document(deny("s3:*", "ec2:*"), allow("*"))})
    assert capped.code == 0
    assert "no new access, no lost Deny. " in capped.out
    both = judged(scratch, **{"iam/a.json": document(allow("s3:GetObject", resource="arn:aws:s3:::a/*"))})
    assert "not the one critical permission" in both.out


def test_new_access_leads_to_the_deny_that_stopped_it_and_to_what_was_allowed(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "main")
    scratch.commit(**{"iam/a.json": document(allow("s3:*"), deny("s3:DeleteObject"))})
    scratch.git("checkout", "-q", "-B", "feature")
    answer = judged(scratch, "--format", "sarif", **{"iam/a.json": document(allow("s3:*"))})
    results = json.loads(answer.out)["runs"][0]["results"]
    (found,) = (each for each in results if each["ruleId"] == "no-new-access")
    told = {
        (each["physicalLocation"]["region"]["startLine"], each["message"]["text"].partition(" at ")[0])
        for each in found["relatedLocations"]
    }
    assert told == {(13, "denied here before"), (6, "allowed before, but for that Deny")}


def test_the_summary_names_the_settings_that_held(scratch: Scratch) -> None:
    answer = judged(scratch, "--format", "markdown", **{"iam/a.json": WIDE})
    assert re.search(r"^- settings: those of `main@[0-9a-f]{7}`$", answer.out, re.MULTILINE)
    assert (
        "- settings: those of the working tree" in scratch.guard("check", "--base", "main", "--format", "markdown").out
    )
