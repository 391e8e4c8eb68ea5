"""What the last line owns up to: checks that are off, files that are excluded or elsewhere, and new caps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.repository import NARROW, WIDE, Scratch

CONFIG = ".policy-guard.yaml"
LISTED = {"critical.yaml": "version: 1\npermissions:\n  - {id: all, actions: ['s3:DeleteBucket'], reason: no}\n"}
ALLOW_ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
MODULE = """variable "actions" {}
resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = jsonencode({Version = "2012-10-17",
    Statement = [{Effect = "Allow", Action = ["s3:GetObject"], Resource = "*"}]})
}
"""


def last(text: str) -> str:
    return text.splitlines()[-1]


def scratch_of(folder: Path, settings: str, **files: Any) -> Scratch:
    scratch = Scratch(folder)
    scratch.commit(**{CONFIG: f"version: 1\n{settings}\n", **files})
    return scratch


def test_a_new_file_without_a_say_is_not_called_proved(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, 'new-files: "off"', **{"iam/a.json": NARROW})
    scratch.write("iam/b.json", WIDE)
    answer = scratch.guard("check")
    assert answer.code == 0
    assert ": no lost Deny. Not asked: no-new-access (new-files: off)" in last(answer.out)
    report = json.loads(scratch.guard("check", "--format", "json").out)
    assert report["not_asked"] == [{"check": "no-new-access", "setting": "new-files", "policies": 1}]
    assert "not asked: no-new-access of 1 policy, by" in scratch.guard("check", "--format", "markdown").out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('critical-existing: "off"', "Not asked: access-not-granted (critical-existing: off)"),
        ("severity: {access-not-granted: off}", "Not asked: access-not-granted (severity: off)"),
        ("severity: {no-new-access: off}", "Not asked: no-new-access (severity: off)"),
    ],
)
def test_what_is_switched_off_is_said(tmp_path: Path, settings: str, said: str) -> None:
    scratch = scratch_of(tmp_path, f"critical: critical.yaml\n{settings}", **LISTED, **{"iam/a.json": ALLOW_ALL})
    scratch.write("iam/a.json", json.dumps(ALLOW_ALL, indent=4))
    extra = {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}
    scratch.write("iam/a.json", ALLOW_ALL | {"Statement": [ALLOW_ALL["Statement"], extra]})
    out = scratch.guard("check").out
    assert said in last(out) and "critical permission" not in last(out).replace("none of", "")


def test_a_check_that_is_off_and_about_something_else_is_not_named(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, "severity: {no-public-access: off}", **{"iam/a.json": WIDE})
    scratch.write("iam/a.json", NARROW)
    assert "Not asked" not in scratch.guard("check").out


def test_excluded_policies_that_changed_are_counted(tmp_path: Path) -> None:
    files = {"iam/a.json": NARROW, "old/a.json": NARROW, "old/data.json": {"a": 1}}
    scratch = scratch_of(tmp_path, 'exclude: ["old/**"]', **files)
    scratch.write("old/a.json", WIDE)
    scratch.write("old/data.json", {"a": 2})
    answer = scratch.guard("check")
    assert "no policy checked since " in last(answer.out)
    assert last(answer.out).endswith("; 1 changed file excluded, not checked")
    scratch.write("iam/a.json", {**NARROW, "Id": "x"})
    assert "; 1 changed file excluded, not checked" in last(scratch.guard("check").out)
    skipped = json.loads(scratch.guard("check", "--format", "json").out)["skipped"]
    assert skipped == [{"path": "old/a.json", "reason": "excluded by the settings"}]


def test_an_excluded_policy_that_goes_is_counted(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, 'exclude: ["old/**"]', **{"old/a.json": NARROW})
    (tmp_path / "old/a.json").unlink()
    assert last(scratch.guard("check").out).endswith("; 1 changed file excluded, not checked")


def test_an_excluded_module_counts_where_a_root_calls_it(tmp_path: Path) -> None:
    files = {"main.tf": 'module "m" {\n  source = "./modules/m"\n  actions = []\n}\n', "modules/m/main.tf": MODULE}
    scratch = scratch_of(tmp_path, 'exclude: ["modules/**"]', **files)
    scratch.write("modules/m/main.tf", MODULE.replace("s3:GetObject", "*"))
    answer = scratch.guard("check")
    assert answer.code == 1 and "excluded" not in answer.out


def test_an_excluded_module_that_nobody_calls_is_counted(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, 'exclude: ["modules/**"]', **{"main.tf": "", "modules/m/main.tf": MODULE})
    scratch.write("modules/m/main.tf", MODULE.replace("s3:GetObject", "*"))
    answer = scratch.guard("check")
    assert answer.code == 0 and last(answer.out).endswith("; 1 changed file excluded, not checked")


def test_paths_say_what_was_looked_at_and_what_changed_elsewhere(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, "", **{"iam/a.json": NARROW, "sam/a.json": WIDE, "notes.md": "a"})
    scratch.write("iam/a.json", WIDE)
    scratch.write("sam/a.json", NARROW)
    scratch.write("notes.md", "b")
    answer = scratch.guard("check", "sam")
    assert answer.code == 0
    assert "1 policy changed in sam since " in last(answer.out)
    assert "; 1 file changed elsewhere, not checked" in last(answer.out)
    report = json.loads(scratch.guard("check", "sam", "--format", "json").out)
    assert (report["paths"], report["changed_elsewhere"]) == (["sam"], 1)
    assert "elsewhere" not in scratch.guard("check", ".").out


@pytest.mark.parametrize(("kind", "caps"), [("scp", True), ("boundary", True), ("identity", False)])
def test_a_new_cap_is_called_one(tmp_path: Path, kind: str, caps: bool) -> None:
    settings = f"policies:\n  - {{files: ['org/*.json'], kind: {kind}}}\nnew-files: note"
    scratch = scratch_of(tmp_path, settings)
    scratch.write("org/a.json", ALLOW_ALL)
    assert ("1 policy is a new cap" in last(scratch.guard("check").out)) == caps


@pytest.mark.parametrize("name", ["iam/a.json", "main.tf"])
def test_required_policies_need_not_change(tmp_path: Path, name: str) -> None:
    content = NARROW if name.endswith(".json") else MODULE
    scratch = scratch_of(tmp_path, "require-policies: true", **{name: content})
    scratch.write("notes.md", "a")
    answer = scratch.guard("check")
    assert (answer.code, last(answer.out).startswith("no policy changed since ")) == (0, True)


def test_required_policies_that_are_nowhere_are_an_error(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, 'require-policies: true\nexclude: ["iam/**"]', **{"iam/a.json": NARROW})
    scratch.write("notes.md", "a")
    answer = scratch.guard("check")
    assert (answer.code, "require-policies is set, and there is no policy here" in answer.err) == (2, True)


SCHEDULES = {
    "GitLab": {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "schedule"},
    "Buildkite": {"BUILDKITE": "true", "BUILDKITE_SOURCE": "schedule"},
    "Azure": {"TF_BUILD": "True", "BUILD_REASON": "Schedule"},
}


@pytest.mark.parametrize("system", SCHEDULES)
def test_a_schedule_looks_at_every_policy_by_itself(tmp_path: Path, system: str) -> None:
    scratch = scratch_of(tmp_path, "critical: critical.yaml", **LISTED, **{"iam/a.json": ALLOW_ALL})
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    answer = scratch.guard("check", "--all", **SCHEDULES[system])
    assert answer.code == 0 and "1 policy, compared with no old version: " in last(answer.out)
    assert scratch.guard("check", **SCHEDULES[system]).code == 2


def test_elsewhere_the_command_says_that_nothing_is_compared(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, "", **{"iam/a.json": WIDE})
    scratch.git("update-ref", "refs/remotes/origin/main", "HEAD")
    refusal = scratch.guard("check", "--all", CI="true")
    assert (refusal.code, "--all --base HEAD" in refusal.err) == (2, True)
    answer = scratch.guard("check", "--all", "--base", "HEAD", CI="true")
    assert answer.code == 0 and "1 policy, compared with no old version" in last(answer.out)
    assert scratch.guard("check", "--base", "HEAD", CI="true").code == 2


def test_only_github_is_told_of_its_action(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, "", **{"iam/a.json": WIDE})
    answer = scratch.guard("check", CI="true")
    assert (answer.code, "fetch-depth" in answer.err, "--base" in answer.err) == (2, False, True)


def test_an_ignored_line_that_nothing_reads_is_noted(tmp_path: Path) -> None:
    entries = "".join(
        f"\n  - {{file: {file}, line: '\"Principal\": [', reason: x, expires: 2030-01-01}}"
        for file in ("a.json", "b.json")
    )
    scratch = scratch_of(tmp_path, f"ignore-unreadable:{entries}", **{"a.json": '{\n  "Principal": [\n1]}\n'})
    out = scratch.guard("check", "--all").out
    assert 'note: ignore-unreadable: b.json has no line that reads "Principal": [; remove the entry' in out
    assert "a.json has no line" not in out


def _failures(scratch: Scratch, *arguments: str) -> tuple[int, int]:
    """How many test cases a test report has, and how many of them fail."""
    text = scratch.guard("check", *arguments, "--format", "junit").out
    suite = ElementTree.fromstring(text.partition("?>")[2])[0]
    return int(suite.attrib["tests"]), int(suite.attrib["failures"])


def test_every_policy_whose_folder_becomes_a_submodule_fails(tmp_path: Path) -> None:
    settings = 'policies:\n  - {files: ["iam/*.json"]}'
    scratch = scratch_of(tmp_path, settings, **{"iam/a.json": NARROW, "iam/b.json": WIDE, "iam/c.json": NARROW})
    head = scratch.git("rev-parse", "HEAD")
    scratch.git("rm", "-q", "-r", "iam")
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},iam")
    answer = scratch.guard("check", "--staged")
    assert answer.code == 1
    assert ": 0 proved, 3 failed; 1 other finding fails" in last(answer.out)
    assert answer.out.count("what replaces them is not checked") == 1
    assert "gone     iam/a.json, iam/b.json, iam/c.json" in answer.out
    assert _failures(scratch, "--staged") == (4, 4)


def test_a_test_report_counts_as_the_last_line_does(tmp_path: Path) -> None:
    settings = "groups:\n  - {name: app, files: ['iam/*.json']}"
    scratch = scratch_of(tmp_path, settings, **{"iam/a.json": NARROW, "iam/b.json": NARROW})
    scratch.write("iam/a.json", WIDE)
    assert ": 0 proved, 1 failed" in last(scratch.guard("check").out)
    assert _failures(scratch) == (1, 1)


def test_a_template_fails_for_one_of_its_policies_only(tmp_path: Path) -> None:
    wrapped = [{"PolicyName": "a", "PolicyDocument": NARROW}, {"PolicyName": "b", "PolicyDocument": NARROW}]
    scratch = scratch_of(tmp_path, "", **{"iam/list.json": wrapped})
    scratch.write("iam/list.json", [wrapped[0], {"PolicyName": "b", "PolicyDocument": WIDE}])
    assert ": 1 proved, 1 failed" in last(scratch.guard("check").out)
    assert _failures(scratch) == (2, 1)


def test_a_group_of_two_kinds_says_so_once(tmp_path: Path) -> None:
    settings = "policies: [{files: ['scp/*.json'], kind: scp}]\ngroups:\n  - {name: app, files: ['*/*.json']}"
    scratch = scratch_of(tmp_path, settings, **{"iam/a.json": NARROW, "scp/b.json": NARROW})
    scratch.write("iam/a.json", WIDE)
    answer = scratch.guard("check")
    assert (answer.code, answer.out.count("holds a policy of the kind")) == (1, 1)


def test_a_base_that_is_a_full_id_is_shortened(tmp_path: Path) -> None:
    scratch = scratch_of(tmp_path, "", **{"iam/a.json": WIDE})
    head = scratch.git("rev-parse", "HEAD")
    scratch.write("iam/a.json", NARROW)
    assert f"1 policy changed since {head[:7]}: " in last(scratch.guard("check", "--base", head).out)


def test_a_cap_that_goes_is_to_be_put_back(tmp_path: Path) -> None:
    settings = "policies:\n  - {files: ['org/*.json'], kind: boundary}"
    scratch = scratch_of(tmp_path, settings, **{"org/a.json": NARROW})
    (tmp_path / "org/a.json").unlink()
    answer = scratch.guard("check")
    assert answer.code == 1 and "next     put the policy back, or have its loss reviewed" in answer.out


def test_critical_entries_about_other_files_are_not_claimed(tmp_path: Path) -> None:
    listed = "version: 1\npermissions:\n" + "".join(
        f"  - {{id: {id_}, actions: ['s3:DeleteBucket'], reason: no, files: ['{files}']}}\n"
        for id_, files in (("a", "iam/**"), ("b", "org/**"), ("c", "**"))
    )
    scratch = scratch_of(tmp_path, "critical: critical.yaml", **{"critical.yaml": listed, "iam/a.json": WIDE})
    scratch.write("iam/a.json", NARROW)
    said = "none of 2 critical permissions (1 more is only about other files)"
    assert said in last(scratch.guard("check").out)


def test_a_new_policy_with_a_reference_says_what_it_was_compared_with(tmp_path: Path) -> None:
    settings = "policies:\n  - {files: ['iam/*.json'], reference: all.json}"
    scratch = scratch_of(tmp_path, settings, **{"all.json": ALLOW_ALL})
    scratch.write("iam/a.json", WIDE)
    answer = scratch.guard("check")
    assert answer.code == 0 and ". 1 policy is new and was compared with its reference. " in last(answer.out)


def test_entries_with_a_severity_of_their_own_are_asked_all_the_same(tmp_path: Path) -> None:
    listed = "version: 1\npermissions: [{id: a, actions: ['s3:DeleteBucket'], reason: no, severity: warning}]\n"
    settings = "critical: critical.yaml\nseverity: {access-not-granted: off}"
    scratch = scratch_of(tmp_path, settings, **{"critical.yaml": listed, "iam/a.json": NARROW})
    scratch.write("iam/a.json", ALLOW_ALL)
    out = scratch.guard("check").out
    assert "grants a critical permission" in out and "Not asked" not in last(out)
