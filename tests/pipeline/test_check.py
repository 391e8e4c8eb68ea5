"""`policy-guard check` in real repositories: which versions are compared, and what nothing may slip through."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.support.repository import NARROW, WIDE, Scratch, allow, deny, document


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write("iam/a.json", NARROW)
    made.commit()
    return made


SCP = {"policies": [{"files": ["scp/*"], "kind": "scp"}], "version": 1}


def test_nothing_changed(scratch: Scratch) -> None:
    answer = scratch.guard()
    assert answer.code == 0
    assert "no policy changed since HEAD@" in answer.out


def test_a_file_that_was_only_touched_did_not_change(scratch: Scratch) -> None:
    os.utime(scratch.folder / "iam/a.json", (1, 1))
    assert "no policy changed since" in scratch.guard().out


def test_a_widened_policy_fails_at_its_line(scratch: Scratch) -> None:
    scratch.write("iam/a.json", WIDE)
    answer = scratch.guard()
    assert answer.code == 1
    assert "iam/a.json:8:9: error: grants new access [no-new-access]" in answer.out
    assert "s3:DeleteObject on" in answer.out


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(document(allow("s3:GetObject", resource="arn:aws:s3:::a"))),
        json.dumps(NARROW),
        json.dumps(dict(reversed(NARROW.items())), indent=7),
    ],
    ids=["narrower", "in one line", "in another order"],
)
def test_harmless_changes_pass(scratch: Scratch, text: str) -> None:
    scratch.write("iam/a.json", text)
    answer = scratch.guard()
    assert answer.code == 0
    assert "1 policy changed since" in answer.out


def test_a_rewrite_in_yaml_is_held_against_the_json(scratch: Scratch) -> None:
    scratch.git("rm", "-q", "iam/a.json")
    scratch.write(
        "iam/a.yaml", "Version: 2012-10-17\nStatement:\n- {Effect: Allow, Action: s3:GetObject, Resource: '*'}\n"
    )
    answer = scratch.guard()
    assert answer.code == 0
    assert "iam/a.yaml is compared with iam/a.json (rewritten)" in answer.out
    scratch.write("iam/a.yaml", "Version: 2012-10-17\nStatement:\n- {Effect: Allow, Action: s3:*, Resource: '*'}\n")
    assert scratch.findings() == [("no-new-access", "violated", "iam/a.yaml")]


def test_a_renamed_policy_is_held_against_the_old_one(scratch: Scratch) -> None:
    scratch.git("mv", "iam/a.json", "iam/b.json")
    assert scratch.guard("check", "--staged").code == 0
    scratch.write("iam/b.json", WIDE)
    scratch.stage()
    assert scratch.findings("--staged") == [("no-new-access", "violated", "iam/b.json")]


def test_a_new_policy_is_new_access(scratch: Scratch) -> None:
    scratch.write("iam/new.json", NARROW)
    assert scratch.findings() == [("no-new-access", "violated", "iam/new.json")]
    scratch.write(".policy-guard.yaml", "version: 1\nnew-files: warning\n")
    answer = scratch.guard()
    assert (answer.code, "warning: grants new access" in answer.out) == (0, True)


def test_a_deleted_service_control_policy_is_refused(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", SCP)
    scratch.write("scp/guard.json", document(deny("s3:*"), deny("ec2:*")))
    scratch.commit()
    scratch.write("scp/guard.json", document(deny("s3:*")))
    assert ("no-lost-deny", "violated", "scp/guard.json") in scratch.findings()
    os.remove(scratch.folder / "scp/guard.json")
    answer = scratch.guard()
    assert answer.code == 1
    assert "scp/guard.json" in answer.out


def test_a_lost_deny_beside_allow_is_a_warning(scratch: Scratch) -> None:
    scratch.write("iam/d.json", document(allow("s3:GetObject"), deny("ec2:*")))
    scratch.commit()
    scratch.write("iam/d.json", NARROW)
    answer = scratch.guard()
    assert (answer.code, "warning: no longer denies" in answer.out) == (0, True)


def test_the_index_is_judged_at_commit(scratch: Scratch) -> None:
    scratch.write("iam/a.json", WIDE)
    scratch.stage()
    scratch.write("iam/a.json", NARROW)
    assert scratch.guard("check", "--staged").code == 1
    assert scratch.guard("check", PRE_COMMIT="1").code == 1
    assert scratch.guard("check").code == 0


def test_commits_of_the_branch_are_judged_too(scratch: Scratch, tmp_path: Path) -> None:
    clone = Scratch.clone(scratch, tmp_path / "clone")
    clone.git("checkout", "-q", "-b", "feature")
    clone.write("iam/a.json", WIDE)
    clone.commit()
    clone.write("README", "harmless")
    clone.commit()
    answer = clone.guard()
    assert answer.code == 1
    assert "origin/" in answer.out


def test_what_comes_in_by_a_merge_is_not_blamed(scratch: Scratch, tmp_path: Path) -> None:
    clone = Scratch.clone(scratch, tmp_path / "clone")
    clone.git("checkout", "-q", "-b", "feature")
    clone.write("other", "x")
    clone.commit()
    scratch.write("iam/a.json", WIDE)
    scratch.commit()
    clone.git("fetch", "-q")
    clone.git("merge", "-q", "--no-commit", "--no-ff", "origin/main")
    assert clone.guard("check", "--staged").code == 0


def test_an_unmerged_file_is_no_pass(scratch: Scratch) -> None:
    scratch.git("checkout", "-q", "-b", "other")
    scratch.write("iam/a.json", WIDE)
    scratch.commit()
    scratch.git("checkout", "-q", "main")
    scratch.write("iam/a.json", document(allow("s3:PutObject")))
    scratch.commit()
    with pytest.raises(Exception, match="merge"):
        scratch.git("merge", "other")
    answer = scratch.guard("check", "--staged")
    assert (answer.code, "unmerged" in answer.err) == (2, True)


def test_without_a_commit_everything_is_new(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "empty")
    scratch.write("a.json", NARROW)
    scratch.stage()
    answer = scratch.guard("check", "--staged")
    assert (answer.code, "the empty tree" in answer.out) == (1, True)


def test_pushed_and_hand_typed_refs(scratch: Scratch) -> None:
    old = scratch.git("rev-parse", "HEAD")
    scratch.write("iam/a.json", WIDE)
    new = scratch.commit()
    refs = {"PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": old, "PRE_COMMIT_TO_REF": new}
    assert scratch.guard("check", **refs).code == 1
    assert scratch.guard("check", **refs, PRE_COMMIT_REMOTE_BRANCH="refs/heads/main").code == 1


def test_outside_a_repository(tmp_path: Path) -> None:
    made = Scratch.__new__(Scratch)
    made.folder = tmp_path
    answer = made.guard()
    assert answer.code == 2
    assert answer.err.startswith("no policy was checked:")


class TestGitHub:
    def event(self, scratch: Scratch, name: str, **payload: object) -> dict[str, str]:
        file = scratch.folder.parent / "event.json"
        file.write_text(json.dumps(payload))
        head = scratch.git("rev-parse", "HEAD")
        names = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SHA": head, "GITHUB_EVENT_NAME": name}
        return {**names, "GITHUB_EVENT_PATH": str(file)}

    def merged(self, scratch: Scratch, tmp_path: Path, depth: str) -> tuple[Scratch, str]:
        """A clone of the given depth that has checked out GitHub's merge commit of a widening pull request."""
        scratch.git("config", "uploadpack.allowAnySHA1InWant", "true")
        scratch.git("checkout", "-q", "-b", "feature")
        scratch.write("iam/a.json", WIDE)
        scratch.commit()
        scratch.write("harmless", "x")
        head = scratch.commit()
        scratch.git("checkout", "-q", "main")
        scratch.write("elsewhere", "x")
        scratch.commit()
        scratch.git("checkout", "-q", "-b", "pull")
        scratch.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
        clone = Scratch.clone(
            scratch, tmp_path / f"clone{depth}", "--branch", "pull", *([f"--depth={depth}"] if depth else [])
        )
        return clone, head

    @pytest.mark.parametrize("depth", ["1", "2", ""])
    def test_the_merge_commit_of_a_pull_request(self, scratch: Scratch, tmp_path: Path, depth: str) -> None:
        clone, head = self.merged(scratch, tmp_path, depth)
        payload = {"pull_request": {"head": {"sha": head}, "base": {"ref": "main"}}}
        assert clone.findings(**self.event(clone, "pull_request", **payload)) == [
            ("no-new-access", "violated", "iam/a.json")
        ]

    def test_the_head_of_a_pull_request_is_held_against_where_it_forked(self, scratch: Scratch, tmp_path: Path) -> None:
        _, head = self.merged(scratch, tmp_path, "1")
        clone = Scratch.clone(scratch, tmp_path / "full")
        clone.git("checkout", "-q", head)
        payload = {"pull_request": {"head": {"sha": head}, "base": {"ref": "main"}}}
        assert clone.guard("check", **self.event(clone, "pull_request", **payload)).code == 1

    def test_the_head_in_a_shallow_clone_is_refused_with_the_remedy(self, scratch: Scratch, tmp_path: Path) -> None:
        _, head = self.merged(scratch, tmp_path, "1")
        clone = Scratch.clone(scratch, tmp_path / "shallow", "--branch", "feature", "--depth=2")
        payload = {"pull_request": {"head": {"sha": head}, "base": {"ref": "main"}}}
        answer = clone.guard("check", **self.event(clone, "pull_request", **payload))
        assert (answer.code, "fetch-depth: 0" in answer.err) == (2, True)

    def test_push_merge_group_and_the_rest(self, scratch: Scratch) -> None:
        before = scratch.git("rev-parse", "HEAD")
        scratch.write("iam/a.json", WIDE)
        scratch.commit()
        assert scratch.guard("check", **self.event(scratch, "push", before=before)).code == 1
        queue = self.event(scratch, "merge_group", merge_group={"base_sha": before})
        assert scratch.guard("check", **queue).code == 1
        same = self.event(scratch, "push", before=scratch.git("rev-parse", "HEAD"))
        assert scratch.guard("check", **same).code == 2
        assert scratch.guard("check", **self.event(scratch, "pull_request_target")).code == 2
        assert scratch.guard("check", **self.event(scratch, "schedule")).code == 2
        assert scratch.guard("check", CI="true").code == 2


class TestNothingSlipsThrough:
    def test_renamed_out_of_sight(self, scratch: Scratch) -> None:
        scratch.git("mv", "iam/a.json", "iam/a.conf")
        assert scratch.findings("--staged") == [("readable", "unreadable", "iam/a.conf")]

    def test_no_policy_any_more(self, scratch: Scratch) -> None:
        scratch.write("iam/a.json", {"hello": "world"})
        assert scratch.findings() == [("readable", "unreadable", "iam/a.json")]

    def test_wrapped_deeper(self, scratch: Scratch) -> None:
        scratch.write("iam/a.json", {"Resources": {"R": {"Properties": {"PolicyDocument": WIDE}}}})
        assert scratch.findings() == [("readable", "unreadable", "iam/a.json")]

    def test_spelled_with_escapes(self, scratch: Scratch) -> None:
        scratch.write(
            "iam/b.json", json.dumps(WIDE).replace("Statement", "\\u0053tatement").replace("Effect", "\\u0045ffect")
        )
        assert scratch.findings() == [("no-new-access", "violated", "iam/b.json")]

    def test_in_another_encoding(self, scratch: Scratch) -> None:
        scratch.write("iam/a.json", json.dumps(WIDE).encode("utf-16"))
        assert scratch.findings() == [("readable", "unreadable", "iam/a.json")]

    def test_a_link_whose_target_changed(self, scratch: Scratch) -> None:
        scratch.write("store/a.txt", NARROW)
        (scratch.folder / "iam/link.json").symlink_to("../store/a.txt")
        scratch.commit()
        scratch.write("store/a.txt", WIDE)
        assert ("no-new-access", "violated", "iam/link.json") in scratch.findings()

    def test_a_configured_policy_that_is_a_link_out_of_the_repository(self, scratch: Scratch) -> None:
        scratch.write(".policy-guard.yaml", 'version: 1\npolicies:\n- files: ["iam/*"]\n')
        scratch.commit()
        os.remove(scratch.folder / "iam/a.json")
        (scratch.folder / "iam/a.json").symlink_to("/etc/passwd")
        assert scratch.findings() == [("readable", "unreadable", "iam/a.json")]

    def test_an_lfs_pointer(self, scratch: Scratch) -> None:
        scratch.write("iam/a.json", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n")
        assert scratch.findings() == [("readable", "unreadable", "iam/a.json")]

    def test_a_file_name_with_a_newline_and_commands(self, scratch: Scratch) -> None:
        scratch.write("iam/x\n::error::y é.json", WIDE)
        answer = scratch.guard("check", "--format", "github", GITHUB_ACTIONS="")
        assert answer.code == 1
        assert not any(line.startswith("::error::") for line in answer.out.splitlines())

    def test_attributes_do_not_change_what_is_read(self, scratch: Scratch) -> None:
        scratch.write(".gitattributes", "*.json -diff filter=x binary\n")
        scratch.write("iam/a.json", WIDE)
        scratch.stage()
        assert scratch.guard("check", "--staged").code == 1

    def test_a_rename_to_where_the_same_holds_without_a_rule(self, scratch: Scratch) -> None:
        scratch.write(".policy-guard.yaml", {"version": 1, "policies": [{"files": ["iam/*.json"]}]})
        scratch.commit()
        scratch.write("elsewhere/x", "")
        scratch.git("mv", "iam/a.json", "elsewhere/a.json")
        assert scratch.guard("check", "--staged").code == 0
        scratch.write("elsewhere/a.json", WIDE)
        scratch.stage()
        assert scratch.findings("--staged") == [("no-new-access", "violated", "elsewhere/a.json")]

    def test_a_rename_to_where_a_rule_names_every_file_as_a_policy(self, scratch: Scratch) -> None:
        scratch.write(".policy-guard.yaml", {"version": 1, "policies": [{"files": ["live/*.json"]}]})
        scratch.commit(**{"live/x.json": NARROW, "examples/admin.json": document(allow("*"))})
        scratch.git("mv", "examples/admin.json", "live/admin.json")
        assert ("no-new-access", "violated", "live/admin.json") in scratch.findings("--staged")

    def test_a_rename_into_other_settings(self, scratch: Scratch) -> None:
        scratch.write(".policy-guard.yaml", SCP)
        scratch.write("scp/a.json", document(deny("s3:*")))
        scratch.commit()
        scratch.git("mv", "scp/a.json", "iam/moved.json")
        assert ("no-lost-deny", "violated", "scp/a.json") in scratch.findings("--staged")

    def test_rules_that_say_the_same_are_one_rule(self, scratch: Scratch) -> None:
        rules = [{"files": ["iam/*.json"]}, {"files": ["iam/*.yaml"]}, {"files": ["scp/*"], "kind": "scp"}]
        scratch.write(".policy-guard.yaml", yaml.safe_dump({"version": 1, "policies": rules}))
        scratch.write("iam/app.yaml", yaml.safe_dump(NARROW))
        scratch.commit()
        scratch.git("rm", "-q", "iam/app.yaml")
        scratch.write("iam/app.json", NARROW)
        answer = scratch.guard("check")
        assert answer.code == 0, answer
        assert "iam/app.json is compared with iam/app.yaml (rewritten)" in answer.out
        scratch.write("iam/app.json", WIDE)
        assert scratch.guard("check").code == 1

    def test_paths_restrict_what_is_reported_only(self, scratch: Scratch) -> None:
        scratch.write("iam/a.json", WIDE)
        assert scratch.guard("check", "iam").code == 1
        assert scratch.guard("check", "a.json", folder="iam").code == 1
        scratch.write("elsewhere/README", "nothing to check")
        assert scratch.guard("check", "elsewhere").code == 0
        assert "there is no nowhere to check" in scratch.guard("check", "nowhere").err
        assert scratch.guard("check", "/etc").code == 2


CRITICAL = """\
version: 1
permissions:
- {id: no-delete, actions: ["s3:Delete*"], reason: backups}
"""


class TestCriticalList:
    @pytest.fixture(autouse=True)
    def listed(self, scratch: Scratch) -> None:
        scratch.write("critical.yaml", CRITICAL)
        scratch.write(".policy-guard.yaml", "version: 1\ncritical: critical.yaml\n")
        scratch.write("iam/old.json", document(allow("s3:DeleteBucket")))
        scratch.commit()

    def test_a_critical_grant_fails_with_its_reason(self, scratch: Scratch) -> None:
        scratch.write("iam/a.json", WIDE)
        answer = scratch.guard()
        assert answer.code == 1
        assert "grants a critical permission, no-delete [access-not-granted]" in answer.out
        assert "backups" in answer.out

    def test_what_was_granted_before_is_a_warning(self, scratch: Scratch) -> None:
        answer = scratch.guard("check", "--all")
        assert answer.code == 0
        assert "warning: grants a critical permission that the old version granted too, no-delete" in answer.out

    def test_a_file_that_was_only_written_anew_is_judged_as_the_others(self, scratch: Scratch) -> None:
        before = scratch.guard("check", "--all", "--format", "json")
        for name in ("a", "old"):
            os.utime(scratch.folder / f"iam/{name}.json", (1, 1))
        after = scratch.guard("check", "--all", "--format", "json")
        assert json.loads(after.out)["judged"] == ["iam/a.json", "iam/old.json"]
        assert after.out == before.out

    def test_an_entry_that_protects_nothing_is_reported(self, scratch: Scratch) -> None:
        scratch.write("critical.yaml", CRITICAL.replace("s3:Delete*", "s3:DeletBucket"))
        answer = scratch.guard()
        assert "AWS has no such action" in answer.out
        assert "s3:DeleteBucket" in answer.out

    def test_list_shows_what_an_entry_covers(self, scratch: Scratch) -> None:
        answer = scratch.guard("list", "--critical")
        assert (answer.code, "s3:DeleteBucket" in answer.out) == (0, True)

    def test_a_missing_list_is_no_pass(self, scratch: Scratch) -> None:
        os.remove(scratch.folder / "critical.yaml")
        assert scratch.guard().code == 2


PLAIN_NAMES = [
    ("recommended-inline-policy", json.dumps(WIDE), "read"),
    ("iam.tpl", json.dumps(WIDE), "read"),
    ("worker.policy", json.dumps(WIDE), "read"),
    ("policy", yaml.safe_dump(WIDE), "read"),
    ("policy", json.dumps(WIDE)[:-1], "refused"),
    ("policy.tpl", json.dumps(WIDE).replace('"*"', "${jsonencode(all)}"), "refused"),
    ("policy", json.dumps(WIDE).encode("utf-16"), "refused"),
    ("policy.jsonc", "// c\n" + json.dumps(WIDE), "refused"),
    ("run", "#!/bin/sh\ncat > p.json <<E\n" + json.dumps(WIDE) + "\nE\n", "passed over"),
    ("_helpers.tpl", '{{- define "x" }}\n' + json.dumps(WIDE) + "\n{{- end }}", "read"),
    ("_helpers.tpl", '{{- define "x" }}\nname: {{ .Release.Name }}\n{{- end }}', "passed over"),
    ("README", "Policy\n" + "which: it is: shown here\n" * 20 + json.dumps(WIDE), "passed over"),
    ("README", "Policy: this: one\n" + json.dumps(WIDE), "refused"),
    ("config", "[default]\nStatement: Effect\n", "passed over"),
    ("program", b"\0\1" + json.dumps(WIDE).encode(), "passed over"),
    ("Makefile", 'all:\n\techo "Statement: Effect"\n', "passed over"),
]


@pytest.mark.parametrize(("name", "content", "expected"), PLAIN_NAMES, ids=[f"{c[0]} {c[2]}" for c in PLAIN_NAMES])
def test_a_file_without_a_telling_suffix_is_told_by_its_content(
    name: str, content: str | bytes, expected: str, tmp_path: Path
) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.commit()
    (scratch.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = scratch.guard("check", "--format", "json")
    outcomes = {f["outcome"] for f in json.loads(answer.out)["findings"] if f["path"] == name}
    assert ("unreadable" in outcomes) == (expected == "refused")
    assert ("violated" in outcomes) == (expected == "read")


def test_a_policy_without_suffix_that_is_broken_is_missed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.commit(policy=yaml.safe_dump(WIDE))
    scratch.write("policy", "\t" + yaml.safe_dump(WIDE))
    assert ("readable", "unreadable", "policy") in scratch.findings()
