"""`policy-guard init`: what it writes for what it finds, and that it changes nothing that is there."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from policy_guard.cli.init import CRITICAL, HOOK, WORKFLOW, init
from policy_guard.cli.init.config_text import text_of
from policy_guard.cli.init.suggestions import SUFFIXES, Files, cap_kind, entries, possible_cap_kind
from policy_guard.documents import write
from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Source
from policy_guard.pipeline.results import Step
from policy_guard.settings.critical import covered_actions, load_critical, unknown_actions
from policy_guard.settings.load import load_settings
from tests.support.places import ROOT
from tests.support.repository import ENVIRON, NARROW, WIDE, Scratch, allow, deny, document

NAME = ".policy-guard.yaml"
SCHEMAS = (".policy-guard/schema/critical.json", ".policy-guard/schema/config.json")
WRITTEN = (CRITICAL, NAME, *SCHEMAS, HOOK, WORKFLOW)
TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
BUCKET = document(allow("s3:GetObject", resource="arn:aws:s3:::b/*", Principal="*"))
BROKEN = '{"Version": "2012-10-17", "Statement": [{"Effect": "allow", "Action": "s3:*", "Resource": "*"}]}\n'


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "repository")


def three_hundred(scratch: Scratch) -> None:
    """300 policies of several kinds, three files that cannot be read, and others beside them."""
    for number in range(100):
        more = [allow("iam:*")] if number % 20 == 0 else []
        read = allow("s3:GetObject", resource=f"arn:aws:s3:::b{number}/*")
        scratch.write(f"iam/team{number % 10}/p{number}.json", document(read, *more))
    for number in range(50):
        scratch.write(f"roles/r{number}/trust.json", TRUST)
        scratch.write(f"roles/r{number}/permissions.json", document(allow("sqs:SendMessage")))
    for number in range(40):
        scratch.write(f"services/s{number}/package.json", {"name": "service", "version": "1.0.0"})
        scratch.write(f"services/s{number}/policies/main.yaml", json.dumps(document(allow("kms:*"))))
    scratch.write("mixed/tsconfig.json", {"compilerOptions": {}})
    for number in range(30):
        scratch.write(f"mixed/b{number}.json", BUCKET)
        scratch.write(f"org/scp/s{number}.json", document(deny(f"s3:Delete{number}*")))
    for name in ("iam/team0/broken.json", "mixed/broken.json", "org/broken.json"):
        scratch.write(name, BROKEN)
    scratch.write("cfn/stack.json", {"Resources": {"Role": {"Properties": {"Policies": [{"PolicyDocument": NARROW}]}}}})
    scratch.commit()


def files_of(scratch: Scratch) -> dict[str, bytes]:
    paths = (path for path in scratch.folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(scratch.folder).as_posix(): path.read_bytes() for path in paths}


def written(scratch: Scratch) -> Any:
    """What the settings say, once the schema and the loader took them."""
    plain = yaml.safe_load((scratch.folder / NAME).read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "policy_guard/schema/config.json").read_text())
    Draft202012Validator(schema).validate(plain)
    loaded = load_settings(scratch.folder, None)
    assert (loaded.notes, loaded.doubts) == ((), ())
    return plain


def proposed(scratch: Scratch) -> dict[str, str | None]:
    answer = scratch.guard("init")
    assert answer.code == 0, answer
    return {" ".join(entry["files"]): entry.get("kind") for entry in written(scratch)["policies"]}


def files_in(folder: str) -> str:
    """The patterns of all policies of a folder, in any format."""
    return " ".join(f"{folder}/*{suffix}" for suffix in SUFFIXES)


def test_three_hundred_policies_are_adopted_and_one_that_is_widened_fails(scratch: Scratch) -> None:
    three_hundred(scratch)
    answer = scratch.guard("init")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "300 policies: 190 identity, 30 resource, 50 trust, 30 scp; 3 cannot be read"
    assert lines[1] == 'cannot be read: iam/team0/broken.json, line 1: "Effect" is "allow"; write "Allow" or "Deny"'
    assert lines[4] == "embedded policies in other files, which are not checked: 1"
    assert lines[5] == "45 policies grant critical permissions today: warnings where they change, no errors"
    assert [line.partition(":")[0] for line in lines[6:]] == [*(f"wrote {path}" for path in WRITTEN), "next"]
    scratch.commit()
    assert scratch.guard("check").code == 0
    assert scratch.guard("check", "--base", "HEAD~1", CI="true").code == 0
    scratch.git("checkout", "-q", "-b", "feature")
    scratch.write("iam/team3/p13.json", document(allow("s3:*", resource="arn:aws:s3:::b13/*")))
    scratch.commit()
    for environ in ({}, {"CI": "true"}):
        checked = scratch.guard("check", "--base", "main", "--format", "json", **environ)
        assert checked.code == 1
        assert {found["path"] for found in json.loads(checked.out)["findings"]} == {"iam/team3/p13.json"}


def test_folders_are_named_where_every_file_is_a_policy(scratch: Scratch) -> None:
    three_hundred(scratch)
    assert proposed(scratch) == {
        files_in("iam/**"): None,
        files_in("roles/**"): None,
        files_in("services/*/policies/**"): None,
        files_in("org/scp"): "scp",
    }


def test_what_is_named_is_no_finding_of_its_own(scratch: Scratch) -> None:
    """Judged all together, the same files fail with the settings as without: those that cannot be read."""
    three_hundred(scratch)
    before = [found for found in scratch.findings("--all") if found[0] == "readable"]
    scratch.guard("init")
    scratch.commit()
    errors = [found for found in scratch.findings("--all") if found[0] == "readable"]
    assert errors == before and len(errors) == 3


def test_a_second_run_changes_nothing_and_says_so(scratch: Scratch) -> None:
    three_hundred(scratch)
    scratch.guard("init")
    before = files_of(scratch)
    answer = scratch.guard("init")
    assert answer.code == 0 and files_of(scratch) == before
    listed = "critical-permissions.yaml, .policy-guard.yaml, .pre-commit-config.yaml and .github/workflows/policies.yml"
    assert f"nothing to do: {listed} exist\n" in answer.out
    assert "wrote" not in answer.out and "to add" not in answer.out


def test_the_settings_say_what_is_granted_and_what_cannot_be_read(scratch: Scratch) -> None:
    three_hundred(scratch)
    scratch.guard("init")
    text = (scratch.folder / NAME).read_text()
    plain = written(scratch)
    assert (plain["critical"], plain["critical-existing"], plain["fail-on"]) == (CRITICAL, "warning", "error")
    assert re.search(r"^#   destroy-keys +by 40 policies$", text, re.MULTILINE)
    assert re.search(r"^#   pass-every-role +by 5 policies$", text, re.MULTILINE)
    assert "leave-the-organization" not in text
    assert '#   mixed/broken.json, line 1: "Effect" is "allow"' in text


def test_it_counts_a_grant_as_the_check_does(scratch: Scratch) -> None:
    passing = allow("iam:PassRole", resource="arn:aws:iam::111122223333:role/worker")
    every = allow("iam:PassRole", resource="arn:aws:iam::111122223333:role/*")
    denied = document(allow("kms:*"), deny("kms:*"))
    scratch.commit(**{"iam/one.json": document(passing), "iam/all.json": document(every), "iam/none.json": denied})
    answer = scratch.guard("init")
    assert "1 policy grants critical permissions today: " in answer.out
    scratch.commit()
    assert scratch.findings("--all") == [("access-not-granted", "violated", "iam/all.json")]
    assert "#   pass-every-role  " in (scratch.folder / NAME).read_text()


def test_it_counts_no_grant_that_the_check_does_not_ask_about(scratch: Scratch) -> None:
    scratch.commit(**{"org/scp/a.json": document(allow("*"), deny("s3:*"))})
    scratch.commit(
        **{"main.tf": 'resource "aws_iam_policy" "p" {\n  policy = ' + f"jsonencode({json.dumps(NARROW)})\n}}\n"}
    )
    lines = scratch.guard("init").out.splitlines()
    assert not any("critical permissions today" in line for line in lines)
    assert f"wrote {NAME}: names 1 of 2 files with policies, the others are found wherever they are" in lines
    assert "# Granted today: none of it\n" in (scratch.folder / NAME).read_text()


def test_a_policy_may_move_to_a_subfolder_with_the_settings_of_init(scratch: Scratch) -> None:
    scratch.commit(**{"iam/a.json": NARROW, "iam/b.json": WIDE})
    scratch.guard("init")
    scratch.commit()
    (scratch.folder / "iam/team").mkdir()
    scratch.git("mv", "iam/b.json", "iam/team/b.json")
    answer = scratch.guard("check")
    assert (answer.code, "iam/team/b.json is compared with iam/b.json" in answer.out) == (0, True), answer


def test_the_list_to_start_from_names_actions_that_aws_has() -> None:
    listed = load_critical(Source(CRITICAL, text_of(CRITICAL)))
    assert list(unknown_actions(listed)) == []
    assert all(covered_actions(entry) and entry.reason for entry in listed.entries)
    actions = {value.text for entry in listed.entries for value in entry.actions}
    assert actions >= {
        *("cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "guardduty:DeleteDetector"),
        *("config:StopConfigurationRecorder", "kms:ScheduleKeyDeletion", "iam:CreateAccessKey"),
        *("iam:AttachRolePolicy", "iam:PutUserPolicy", "iam:PassRole", "s3:PutBucketPublicAccessBlock"),
    }


def shown_in_the_readme(beginning: str) -> list[str]:
    """The lines of the example in the README that begins so."""
    readme = (ROOT / "README.md").read_text()
    found = re.search(rf"^( *)```yaml\n( *{re.escape(beginning)}\n.*?)^ *```$", readme, re.MULTILINE | re.DOTALL)
    assert found, beginning
    return [line.removeprefix(found[1]) for line in found[2].splitlines()]


def settings_among(lines: list[str]) -> list[str]:
    """Without comments, and without what keeps the job green for a start."""
    return [line for line in lines if not re.match(r" *(#|continue-on-error: true)", line)]


@pytest.mark.parametrize(("name", "beginning"), [("pre-commit-config.yaml", "repos:"), ("policies.yml", "on:")])
def test_the_readme_shows_the_lines_that_are_written(name: str, beginning: str) -> None:
    lines = text_of(name).splitlines()
    assert settings_among(lines) == settings_among(shown_in_the_readme(beginning))


def test_the_workflow_is_green_at_first_and_is_one_that_github_would_take() -> None:
    steps = yaml.safe_load(text_of("policies.yml"))["jobs"]["policy-guard"]["steps"]
    assert [step.get("continue-on-error") for step in steps] == [None, True, None]
    assert [sorted(step) for step in steps] == [
        ["uses", "with"],
        ["continue-on-error", "id", "uses", "with"],
        ["if", "uses", "with"],
    ]


def test_the_workflow_runs_again_when_the_base_changes_and_into_the_default_branch_alone() -> None:
    events = yaml.load(text_of("policies.yml"), yaml.BaseLoader)["on"]
    assert events["pull_request"] == {"branches": ["main"], "types": ["opened", "synchronize", "reopened", "edited"]}
    assert set(events) == {"pull_request", "merge_group", "push"}


def test_the_workflow_names_the_default_branch_that_the_clone_knows(scratch: Scratch) -> None:
    scratch.git("update-ref", "refs/remotes/origin/trunk", scratch.commit(readme="x"))
    scratch.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert scratch.guard("init").code == 0
    events = yaml.load((scratch.folder / ".github/workflows/policies.yml").read_text(), yaml.BaseLoader)["on"]
    assert events["pull_request"]["branches"] == events["push"]["branches"] == ["trunk"]


def test_a_kind_comes_from_the_name_only_where_the_content_fits(scratch: Scratch) -> None:
    scratch.commit(
        **{
            "org/service_control_policies/a.json": NARROW,
            "org/rcp/a.json": document({**deny("s3:*"), "Principal": "*"}),
            "boundaries/readme.json": {"about": "boundaries"},
            "boundaries/dev.json": NARROW,
            "roles/one/boundary.json": NARROW,
            "roles/one/permissions.json": NARROW,
            "net/vpc-endpoints/a.json": NARROW,
            "net/vpc-endpoints/b.json": NARROW,
        }
    )
    assert proposed(scratch) == {
        files_in("org/service_control_policies"): "scp",
        files_in("org/rcp"): "rcp",
        "boundaries/dev.json roles/one/boundary.json": "boundary",
        files_in("net/vpc-endpoints"): None,
    }
    text = (scratch.folder / NAME).read_text()
    assert "Please check these kinds" in text and "#   net/vpc-endpoints/a.json, maybe endpoint" in text


def test_a_kind_is_never_given_by_a_pattern_wider_than_the_name(scratch: Scratch) -> None:
    """What is new under a cap passes, so a folder that holds nothing but a cap today must not make all of it one."""
    scratch.commit(
        **{"policies/scp/a.json": NARROW, "policies/scp/b/c.json": NARROW, "roles/one/boundary.json": NARROW}
    )
    assert proposed(scratch) == {files_in("policies/scp/**"): "scp", "roles/one/boundary.json": "boundary"}
    scratch.commit(**{"policies/new.json": WIDE, "roles/one/new.json": WIDE})
    found = scratch.findings("--base", "HEAD~1")
    assert {path for check, _, path in found if check == "no-new-access"} == {"policies/new.json", "roles/one/new.json"}


def test_names_that_mean_other_things_too_are_only_asked_about(scratch: Scratch) -> None:
    scratch.commit(**{"app/session/a.json": NARROW, "app/session/b.json": NARROW})
    assert proposed(scratch) == {files_in("app/session"): None}
    assert "#   app/session/a.json, maybe session\n" in (scratch.folder / NAME).read_text()
    assert (cap_kind("app/session/a.json"), possible_cap_kind("app/session/a.json")) == (None, "session")
    assert (cap_kind("buckets/vpc-endpoint.json"), possible_cap_kind("buckets/vpc-endpoint.json")) == (None, "endpoint")


def test_two_entries_never_name_one_file() -> None:
    paths = [f"{a}/{b}/{c}.json" for a in ("iam", "scp", "x") for b in ("scp", "boundary", "y", "z") for c in "pq"]
    paths += ["b/x/a.json", "b/x/iam/c.json", *(f"b/{n}/iam/{c}.json" for n in range(3) for c in "pq")]
    paths += ["iam/x.json", "scp/y.json", "x/package.json", "iam/z/boundary.json"]
    kinds = {path: cap_kind(path) for path in paths if not path.endswith("package.json")}
    named = [path for entry in entries(Files(tuple(paths), kinds)) for path in entry.paths]
    assert named and len(named) == len(set(named))
    for entry in entries(Files(tuple(paths), kinds)):
        assert {kinds[path] for path in entry.paths} == {entry.kind}


def test_a_folder_with_other_files_is_left_to_shape(scratch: Scratch) -> None:
    scratch.commit(
        **{"iam/a.json": NARROW, "iam/b.json": NARROW, "iam/note.json": {"a": 1}, "iam/c.yaml": json.dumps(NARROW)}
    )
    assert proposed(scratch) == {"iam/**/*.yaml iam/**/*.yml": None}
    scratch.commit(**{"iam/note.json": {"a": 2}, "iam/README.md": "policies"})
    assert scratch.guard("check", "--base", "HEAD~1").code == 0


def test_a_policy_that_changes_its_format_after_init_is_compared_with_its_old_version(scratch: Scratch) -> None:
    scratch.commit(**{"iam/a.yaml": json.dumps(NARROW), "scp/a.json": document(deny("s3:*"))})
    scratch.guard("init")
    scratch.commit()
    for old, new in (("iam/a.yaml", "iam/a.json"), ("scp/a.json", "scp/a.yml")):
        scratch.write(new, (scratch.folder / old).read_text())
        (scratch.folder / old).unlink()
    checked = scratch.guard("check", "--format", "json")
    assert checked.code == 0, checked
    report = json.loads(checked.out)
    assert (report["findings"], report["policies"]) == ([], 2)
    assert not any(
        "names no file" in note for note in json.loads(scratch.guard("check", "--all", "--format", "json").out)["notes"]
    )


def test_one_file_in_a_folder_that_says_nothing_is_left_to_shape(scratch: Scratch) -> None:
    scratch.commit(**{"things/a.json": NARROW, "policy.json": NARROW, "permissions/a.json": NARROW})
    assert proposed(scratch) == {files_in("permissions/**"): None}


def test_groups_are_proposed_as_a_comment_only(scratch: Scratch) -> None:
    files = {'roles/o\'s "x"/a.json': NARROW, 'roles/o\'s "x"/b.json': NARROW, 'roles/o\'s "x"/trust.json': TRUST}
    scratch.commit(**files, **{"roles/alone/a.json": NARROW})
    scratch.guard("init")
    assert "groups" not in written(scratch)
    text = (scratch.folder / NAME).read_text()
    lines = text[text.index("# groups:") :].splitlines()
    uncommented = yaml.safe_load("\n".join(line[2:] for line in lines))
    paths = ['roles/o\'s "x"/a.json', 'roles/o\'s "x"/b.json']
    assert uncommented == {"groups": [{"name": 'roles/o\'s "x"', "files": paths}]}


ODD = [
    *("quo\"te's", "a: b", "#hash", "- dash", "{x}", "[x]", "st*r", "wh?t", "!bang", "${hole}", "%{x}", "back\\slash"),
    *(
        "new\nline",
        "tab\t",
        "\x1b[31mred",
        "line\u2028",
        "over\u202eride",
        "\udcff\udcfe",
        "\x85",
        "ünï",
        "😀",
        "@x",
        "&a",
        "|",
        " ",
    ),
    *("##[error]x", "::error::x"),
]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_neither_break_the_settings_nor_name_another_file(scratch: Scratch, name: str) -> None:
    """A folder, a file in a folder of policies, and a cap of which only the name tells the kind."""
    place = scratch.folder / "iam" / name
    place.mkdir(parents=True)
    for number in range(2):
        (place / f"{number}.json").write_text(json.dumps(NARROW))
    scratch.write("boundaries/other.json", {"a": 1})
    (scratch.folder / "boundaries" / f"{name}.json").write_text(json.dumps(NARROW))
    (scratch.folder / "iam" / name / "broken.json").write_text(BROKEN)
    scratch.write("iam/other.json", {"a": 1})
    answer = scratch.guard("init", GITHUB_ACTIONS="true")
    assert answer.code == 0, answer
    assert "\x1b" not in answer.out and "##[" not in answer.out
    plain = written(scratch)
    text = (scratch.folder / NAME).read_text(encoding="utf-8")
    assert set(text) - {"\n"} == {character for character in text if character.isprintable()}
    for entry in plain["policies"]:
        assert " ".join(entry["files"]) in (files_in(f"iam/{name}"), f"boundaries/{name}.json")
    scratch.commit()
    assert scratch.guard("check", "--base", "HEAD").code == 0


def test_names_with_the_meaning_of_a_pattern_are_left_to_shape(scratch: Scratch) -> None:
    scratch.commit(**{f"iam/x{c}y/{n}.json": NARROW for c in "*?[{" for n in "ab"}, **{"iam/other.json": {"a": 1}})
    assert proposed(scratch) == {}


def test_what_exists_is_left_as_it_is_and_the_lines_to_add_are_shown(scratch: Scratch) -> None:
    mine = {HOOK: "repos: []\n", WORKFLOW: "on: push\n", CRITICAL: critical("s3:DeleteBucket"), NAME: "version: 1\n"}
    scratch.commit(**mine, **{"iam/a.json": NARROW})
    before = files_of(scratch)
    answer = scratch.guard("init")
    assert answer.code == 0 and files_of(scratch) == before
    assert "to add to .policy-guard.yaml:\n  critical: critical-permissions.yaml\n" in answer.out
    assert "to add to .pre-commit-config.yaml:\n" in answer.out and "      hooks: [{id: policy-guard}]\n" in answer.out
    assert "to add to .github/workflows/policies.yml:\n" in answer.out and "nothing to do" not in answer.out


def test_what_runs_the_check_already_is_enough(scratch: Scratch) -> None:
    workflow = ".github/workflows/security.yaml"
    scratch.commit(
        **{workflow: "steps: [{uses: o/policy-guard@x}]\n", HOOK: "- id: policy-guard\n", "iam/a.json": NARROW}
    )
    answer = scratch.guard("init")
    assert f"left as found: {HOOK} and {workflow} exist\n" in answer.out
    assert not (scratch.folder / WORKFLOW).exists() and "to add" not in answer.out


def critical(*actions: str) -> str:
    return json.dumps({"version": 1, "permissions": [{"id": "mine", "actions": actions, "reason": "r"}]})


def test_a_critical_list_that_is_there_is_the_one_that_counts(scratch: Scratch) -> None:
    scratch.commit(**{CRITICAL: critical("s3:GetObject"), "iam/a.json": NARROW})
    assert "1 policy grants critical permissions today" in scratch.guard("init").out
    assert "#   mine  by 1 policy\n" in (scratch.folder / NAME).read_text()


def test_the_list_that_the_settings_name_is_written_under_that_name(scratch: Scratch) -> None:
    scratch.commit(**{NAME: "version: 1\ncritical: security/critical.yaml\n", "iam/a.json": NARROW})
    assert "wrote security/critical.yaml: " in scratch.guard("init").out
    assert load_settings(scratch.folder, None).critical
    assert not (scratch.folder / CRITICAL).exists()


@pytest.mark.parametrize(
    ("path", "text"),
    [(NAME, "version: 2\n"), (CRITICAL, "version: 1\npermissions: []\n"), (".policy-guard.yml", "version: 1\n")],
)
def test_a_mistake_in_what_exists_is_told_before_anything_is_written(scratch: Scratch, path: str, text: str) -> None:
    scratch.commit(**{path: text, "iam/a.json": NARROW})
    before = files_of(scratch)
    answer = scratch.guard("init")
    assert answer.code == 2 and files_of(scratch) == before
    assert answer.err.startswith(f"nothing was written: {path}") and answer.err.count("\n") == 1


def test_it_writes_at_the_top_when_run_in_a_folder(scratch: Scratch) -> None:
    scratch.commit(**{"iam/deep/a.json": NARROW, "other/b.json": NARROW})
    assert "2 policies: 2 identity\n" in scratch.guard("init", folder="iam/deep").out
    assert all((scratch.folder / path).is_file() for path in WRITTEN)


def test_without_policies_it_says_what_to_do(scratch: Scratch) -> None:
    scratch.commit(**{"a.json": {"a": 1}})
    answer = scratch.guard("init")
    assert answer.code == 0 and answer.out.startswith("0 policies\n")
    assert written(scratch)["policies"] == []
    assert "names no file: say under policies where they will be" in answer.out


def test_policies_in_terraform_are_found_and_held_against_the_list(scratch: Scratch) -> None:
    for name, action in (("wide", "*"), ("narrow", "s3:GetObject")):
        statement = f'{{ Effect = "Allow", Action = "{action}", Resource = "*" }}'
        policy = f'jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})'
        scratch.write(f"{name}/main.tf", f'resource "aws_iam_policy" "p" {{\n  policy = {policy}\n}}\n')
    scratch.write("broken/main.tf", 'resource "aws_iam_policy" {\n')
    scratch.commit()
    lines = scratch.guard("init").out.splitlines()
    assert lines[0] == "2 policies: 2 identity; 2 of them in Terraform; 1 cannot be read"
    assert lines[1].startswith("cannot be read: broken/main.tf, line 1: ")
    assert "1 policy grants critical permissions today: warnings where they change, no errors" in lines
    assert f"wrote {NAME}: names no file: policies in Terraform are judged wherever they are" in lines
    text = files_of(scratch)[NAME].decode()
    assert re.search(r"^#   destroy-keys +by 1 policy$", text, re.MULTILINE)
    assert "policies: []" in text


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    answer = Scratch.guard(_folder(tmp_path), "init", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert answer.code == 2 and os.listdir(tmp_path) == []
    assert answer.err.startswith("nothing was written: git rev-parse: fatal: not a git repository")
    assert answer.err.endswith("Go to a repository with a working tree, or begin one with git init.\n")


def _folder(path: Path) -> Scratch:
    made = Scratch.__new__(Scratch)
    made.folder = path
    return made


@pytest.mark.parametrize("path", [".github", ".github/workflows"])
def test_a_link_that_leads_out_is_not_followed(scratch: Scratch, tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (scratch.folder / path).parent.mkdir(exist_ok=True)
    (scratch.folder / path).symlink_to(outside)
    answer = scratch.guard("init")
    assert answer.code == 2 and os.listdir(outside) == [] and not (scratch.folder / NAME).exists()
    assert "nothing was written: .github/workflows/policies.yml would lie behind a link that leads out" in answer.err


@pytest.mark.parametrize("name", WRITTEN)
def test_a_link_in_place_of_a_file_is_neither_followed_nor_replaced(
    scratch: Scratch, tmp_path: Path, name: str
) -> None:
    place = scratch.folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(tmp_path / "outside.yaml")
    answer = scratch.guard("init")
    assert place.is_symlink() and not (tmp_path / "outside.yaml").exists()
    assert answer.code == (2 if name in (NAME, CRITICAL) else 0)


def test_a_file_where_a_folder_is_needed_is_named(scratch: Scratch) -> None:
    scratch.commit(**{".github": "a file\n"})
    answer = scratch.guard("init")
    assert answer.code == 2 and not (scratch.folder / NAME).exists()
    assert "policies.yml cannot be written, because .github is not a folder; move it away\n" in answer.err


def test_in_a_read_only_folder_nothing_is_written(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write.os, "access", lambda *arguments: False)
    with pytest.raises(SetupError, match=r"its folder is read-only; make .* writable"):
        init(scratch.folder, ENVIRON)
    assert files_of(scratch) == {}


def test_what_fails_half_way_leaves_nothing(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def failing(path: Any, *arguments: Any, **named: Any) -> int:
        if str(path).endswith(WORKFLOW):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **named)

    monkeypatch.setattr(write.os, "open", failing)
    with pytest.raises(SetupError, match=r"policies\.yml cannot be written: Permission denied"):
        init(scratch.folder, ENVIRON)
    assert files_of(scratch) == {}


def test_a_file_that_comes_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine")
    with pytest.raises(SetupError, match="was created meanwhile and is left as it is; run this again"):
        write.create(tmp_path, "a.yaml", b"ours")
    assert (tmp_path / "a.yaml").read_text() == "mine"
    with pytest.raises(SetupError, match=r"would lie in \.git"):
        write.create(tmp_path, ".git/a.yaml", b"ours") if (tmp_path / ".git").mkdir() is None else None


def test_progress_hears_of_every_policy(scratch: Scratch) -> None:
    scratch.commit(**{"iam/a.json": NARROW, "iam/b.json": [NARROW, WIDE]})
    steps: list[Step] = []
    init(scratch.folder, ENVIRON, steps.append)
    assert [step.name for step in steps] == ["iam/a.json", "iam/b.json", "iam/b.json"]
    assert [(step.number, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]


def _named_schema(scratch: Scratch, path: str) -> Path:
    first = (scratch.folder / path).read_text().splitlines()[0]
    start, _, name = first.partition("$schema=")
    assert start == "# yaml-language-server: "
    return (scratch.folder / path).parent / name


@pytest.mark.parametrize("path", [NAME, CRITICAL])
def test_editors_find_the_schema_of_what_is_written(path: str, scratch: Scratch) -> None:
    scratch.guard("init")
    schema = json.loads(_named_schema(scratch, path).read_text())
    Draft202012Validator(schema).validate(yaml.safe_load((scratch.folder / path).read_text()))
    assert not Draft202012Validator(schema).is_valid({"version": 1, "polices": []})


def test_the_schema_is_found_from_another_folder(scratch: Scratch) -> None:
    scratch.write(NAME, "version: 1\ncritical: security/iam/critical.yaml\n")
    scratch.guard("init")
    named = _named_schema(scratch, "security/iam/critical.yaml")
    assert named.resolve() == scratch.folder / ".policy-guard/schema/critical.json"
    assert not (scratch.folder / ".policy-guard/schema/config.json").exists()


def test_the_schemas_are_no_policies_and_one_that_is_there_stays(scratch: Scratch) -> None:
    scratch.write(SCHEMAS[0], "mine")
    assert scratch.guard("init").code == 0
    assert (scratch.folder / SCHEMAS[0]).read_text() == "mine"
    scratch.commit()
    assert "0 policies" in scratch.guard("list").out
    assert scratch.guard("check", "--all").code == 0
