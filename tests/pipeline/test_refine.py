"""`policy-guard refine` in real repositories: what it shows, what it writes, and what it leaves as it is."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from policy_guard.documents import write
from policy_guard.documents.errors import SetupError
from policy_guard.iam import catalog
from tests.support.access_analyzer import finding
from tests.support.repository import ENVIRON, Scratch, guard

CONFIG = "version: 1\nrefine:\n  findings: [findings/*.json]\n  roles: {Orders: [iam/*.json, iam/*.yaml]}\n"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}],
}
NARROWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}],
}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write(".policy-guard.yaml", CONFIG)
    made.write("findings/orders.json", finding("PutObject"))
    made.write("iam/orders.json", POLICY)
    made.commit()
    return made


def held(scratch: Scratch, path: str = "iam/orders.json") -> Any:
    return json.loads((scratch.folder / path).read_text())


def test_it_shows_a_difference_and_changes_nothing(scratch: Scratch) -> None:
    answer = scratch.guard("refine")
    assert answer.code == 1
    assert held(scratch) == POLICY
    assert '-        "s3:PutObject"\n' in answer.out
    assert "iam/orders.json: compared with the unused access of Orders, analyzed 2026-11-01\n" in answer.out
    assert answer.out.endswith("nothing used is lost, nothing new is allowed. Write with --write\n")
    assert scratch.guard("refine", "--diff").out == answer.out


def test_what_it_shows_is_a_patch(scratch: Scratch) -> None:
    (scratch.folder / "patch").write_text(scratch.guard("refine", "--explain").out)
    scratch.git("apply", "patch")
    assert held(scratch) == NARROWED


def test_it_writes_and_a_second_run_finds_nothing(scratch: Scratch) -> None:
    os.chmod(scratch.folder / "iam/orders.json", 0o640)
    answer = scratch.guard("refine", "--write")
    assert (answer.code, held(scratch)) == (0, NARROWED)
    assert (scratch.folder / "iam/orders.json").stat().st_mode & 0o777 == 0o640
    again = scratch.guard("refine", "--write")
    assert again.code == 0
    assert again.out.endswith("1 policy file: nothing removed\n")
    assert sorted(os.listdir(scratch.folder / "iam")) == ["orders.json"]


def test_a_byte_order_mark_stays(scratch: Scratch) -> None:
    text = json.dumps(POLICY, indent=2)
    scratch.write("iam/orders.json", b"\xef\xbb\xbf" + text.encode())
    scratch.guard("refine", "--write")
    wanted = text.replace('"s3:GetObject",\n        "s3:PutObject"', '"s3:GetObject"')
    assert (scratch.folder / "iam/orders.json").read_bytes() == b"\xef\xbb\xbf" + wanted.encode()


def test_findings_and_a_policy_can_be_named_together(scratch: Scratch) -> None:
    scratch.write("f.json", [{"serviceNamespace": "s3", "actions": ["PutObject"]}])
    scratch.write("other/a.json", POLICY)
    assert scratch.guard("refine", "--findings", "../f.json", "a.json", "--write", folder="other").code == 0
    assert (held(scratch, "other/a.json"), held(scratch)) == (NARROWED, POLICY)


def test_it_works_outside_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(POLICY))
    (tmp_path / "f.json").write_text(json.dumps(finding("PutObject")))
    answer = guard(("refine", "--findings", "f.json", "a.json", "--write"), tmp_path, ENVIRON)
    assert answer.code == 0, answer
    assert json.loads((tmp_path / "a.json").read_text()) == NARROWED


def test_a_folder_of_findings(scratch: Scratch) -> None:
    assert scratch.guard("refine", "--findings", "findings", "iam").code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("other.json",), "there is no other.json"),
        (("findings/orders.json",), "belongs to no principal. Name it in refine.roles, or give its --findings"),
        (("findings",), "no policy in findings belongs to a principal"),
        (("y" * 300,), "there is no yyy"),
        (("--findings", "y" * 300), "File name too long"),
        (("--findings", "none.json"), "none.json: No such file or directory"),
        (("--findings", "iam"), "this is not a finding"),
        (("--findings", "empty"), "there is no .json or .jsonl file in this folder"),
        (("../outside.json",), "lies outside the repository"),
    ],
)
def test_a_set_up_that_cannot_be_is_said(scratch: Scratch, arguments: tuple[str, ...], words: str) -> None:
    scratch.write("empty/readme.txt", "nothing")
    answer = scratch.guard("refine", *arguments)
    assert answer.code == 2
    assert answer.err.startswith("no policy was refined: ")
    assert words in answer.err


def test_without_findings_there_is_nothing_to_go_by(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", "version: 1\n")
    assert "there are no findings. Give --findings FILE" in scratch.guard("refine").err
    scratch.write(".policy-guard.yaml", "version: 1\nrefine: {findings: [findings/*.json]}\n")
    assert "no policy belongs to a principal" in scratch.guard("refine").err


def test_a_link_out_of_the_repository_is_left(scratch: Scratch, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text(json.dumps(POLICY))
    (scratch.folder / "iam/link.json").symlink_to(tmp_path / "outside.json")
    answer = scratch.guard("refine", "--write")
    assert answer.code == 2
    assert "iam/link.json is a link that leads out of " in answer.out
    assert json.loads((tmp_path / "outside.json").read_text()) == POLICY
    assert held(scratch) == NARROWED


def test_a_link_inside_stays_a_link(scratch: Scratch) -> None:
    scratch.write("real/a.json", POLICY)
    (scratch.folder / "iam/orders.json").unlink()
    (scratch.folder / "iam/orders.json").symlink_to("../real/a.json")
    assert scratch.guard("refine", "--write").code == 0
    assert (scratch.folder / "iam/orders.json").is_symlink()
    assert held(scratch, "real/a.json") == NARROWED


def test_a_read_only_file_is_left(scratch: Scratch) -> None:
    os.chmod(scratch.folder / "iam/orders.json", 0o444)
    answer = scratch.guard("refine", "--write")
    assert (answer.code, held(scratch)) == (2, POLICY)
    assert "iam/orders.json is read-only and left as it is; make it writable" in answer.out


def test_a_file_that_changed_meanwhile_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"newer")
    with pytest.raises(SetupError, match="changed meanwhile and is left as it is; run this again"):
        write.replace(file, "a.json", b"old", b"new")
    assert file.read_bytes() == b"newer"
    assert os.listdir(tmp_path) == ["a.json"]


def test_what_cannot_be_read_fails_and_is_left(scratch: Scratch) -> None:
    scratch.write("iam/orders.json", json.dumps(POLICY).replace("Effect", "Efect"))
    answer = scratch.guard("refine", "--write")
    assert answer.code == 1
    assert "iam/orders.json:1:42: error: " in answer.out
    assert "[readable, unreadable]" in answer.out


def test_control_characters_of_a_policy_do_not_reach_the_terminal(scratch: Scratch) -> None:
    statement = {**POLICY["Statement"][0], "Sid": "a\x1b[31m"}  # type: ignore[dict-item]
    scratch.write("iam/orders.json", {**POLICY, "Statement": [statement]})
    out = scratch.guard("refine", "--explain").out
    assert "\x1b" not in out


def test_in_github_no_line_is_a_command(scratch: Scratch) -> None:
    lines = ["Statement:", "- Effect: Allow", "  Resource: '*'", "  Action:", "  - s3:GetObject", "  - s3:PutObject"]
    scratch.write("iam/orders.yaml", "\n".join([*lines, "Id: |", "  ::error::x", ""]))
    out = scratch.guard("refine", GITHUB_ACTIONS="true").out
    assert ":\\:error::x" in out
    assert not re.search(r"^\s*::", out, re.MULTILINE)


def test_markdown_has_the_difference_and_the_trees_in_fences(scratch: Scratch) -> None:
    scratch.write("iam/orders.json", {**POLICY, "Statement": {**NARROWED["Statement"][0], "Action": "s3:Put*"}})  # type: ignore[dict-item]
    out = scratch.guard("refine", "--explain", "--format", "markdown").out
    assert out.startswith("### `iam/orders.json`\n\n```diff\n--- a/iam/orders.json\n")
    assert "```mermaid\ngraph LR\n" in out
    assert ":::unsafe\n" in out
    assert out.count("```") % 2 == 0


def test_check_warns_on_the_line_of_an_unused_action(scratch: Scratch) -> None:
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::orders/*"}
    scratch.write("iam/orders.json", {**POLICY, "Statement": [statement]})
    answer = scratch.guard("check")
    assert answer.code == 0
    assert "iam/orders.json:8:9: warning: grants what is not used [unused-access]" in answer.out
    assert "next     policy-guard refine iam/orders.json" in answer.out


def test_the_severity_of_unused_access_can_be_set(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", CONFIG + "severity: {unused-access: error}\n")
    assert scratch.guard("check", "--all").code == 1
    scratch.write(".policy-guard.yaml", CONFIG + "severity: {unused-access: off}\n")
    assert "unused" not in scratch.guard("check", "--all").out


def test_findings_that_cannot_be_read_stop_a_check(scratch: Scratch) -> None:
    scratch.write("findings/orders.json", "{")
    answer = scratch.guard("check", "--all")
    assert answer.code == 2
    assert "findings/orders.json:1:2: this is not JSON" in answer.err


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", ["fdopen", "fstat", "chmod", "fsync", "replace"])
def test_killed_at_any_moment_it_leaves_the_old_file_or_the_new_one(scratch: Scratch, call: str, after: bool) -> None:
    kill_at(call, after, scratch)
    assert held(scratch) == (NARROWED if (call, after) == ("replace", True) else POLICY)


def kill_at(call: str, after: bool, scratch: Scratch) -> None:
    """Refines in a process of its own, which dies before or after it calls this function of `os`."""
    if child := os.fork():
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        return
    try:
        call_it = getattr(os, call)

        def die(*arguments: Any, **options: Any) -> None:
            if after:
                call_it(*arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(os, call, die)
        scratch.guard("refine", "--write")
    finally:
        os._exit(1)


def test_patterns_that_name_no_file_are_said(scratch: Scratch) -> None:
    scratch.write(
        ".policy-guard.yaml",
        "version: 1\nrefine: {findings: [findings/*.json], roles: {Orders: [iam/*.json, old/*.json]}}\n",
    )
    assert "note: refine.roles: old/*.json, of Orders, names no file\n" in scratch.guard("refine").out
    scratch.write(".policy-guard.yaml", CONFIG.replace("iam/*.yaml", "iam/old.yaml"))
    assert "refine.roles: iam/old.yaml, of Orders, names no file; correct it" in scratch.guard("refine").err
    scratch.write(".policy-guard.yaml", CONFIG.replace("[findings/*.json]", "[findings/*.json, found/*]"))
    assert "refine.findings: found/* names no file" in scratch.guard("refine").err
    assert "refine.findings: found/* names no file" in scratch.guard("check", "--all").err


def test_a_link_makes_one_file_the_policy_of_two(scratch: Scratch) -> None:
    (scratch.folder / "iam/other.json").symlink_to("orders.json")
    roles = "{Orders: [iam/orders.json], Billing: [iam/other.json]}"
    scratch.write(".policy-guard.yaml", CONFIG.replace("{Orders: [iam/*.json, iam/*.yaml]}", roles))
    arn = "arn:aws:iam::111122223333:role/Billing"
    scratch.write("findings/billing.json", finding("GetObject", id="2", resource=arn))
    answer = scratch.guard("refine", "--write")
    assert (answer.code, held(scratch)) == (0, POLICY)
    assert "iam/orders.json and iam/other.json are one file" in answer.out


def test_a_hard_link_is_left(scratch: Scratch) -> None:
    os.link(scratch.folder / "iam/orders.json", scratch.folder / "other")
    answer = scratch.guard("refine", "--write")
    assert (answer.code, held(scratch)) == (2, POLICY)
    assert "iam/orders.json has other names (hard links) and is left as it is" in answer.out


def test_nothing_is_written_in_what_git_keeps_for_itself(scratch: Scratch) -> None:
    scratch.write(".git/p.json", POLICY)
    answer = scratch.guard("refine", "--write", "--findings", "findings", ".git/p.json")
    assert (answer.code, held(scratch, ".git/p.json")) == (2, POLICY)
    assert ".git/p.json lies in .git; nothing there is rewritten" in answer.out


def test_a_long_name_and_a_path_through_a_link_are_no_obstacle(scratch: Scratch, tmp_path: Path) -> None:
    name = "iam/" + "a" * 250 + ".json"
    scratch.write(name, POLICY)
    (tmp_path / "link").symlink_to(scratch.folder)
    assert scratch.guard("refine", "--write", str(tmp_path / "link" / name)).code == 0
    assert held(scratch, name) == NARROWED


def test_findings_named_with_a_policy_are_its_own_whatever_the_settings_say(scratch: Scratch) -> None:
    scratch.write("f.json", [{"serviceNamespace": "s3", "actions": ["PutObject"]}])
    assert scratch.guard("refine", "--findings", "f.json", "iam/orders.json", "--write").code == 0
    assert held(scratch) == NARROWED


def test_what_aws_would_take_in_no_way_is_not_written(scratch: Scratch) -> None:
    everything = {**POLICY, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    scratch.write("iam/orders.json", everything)
    names = [name for service in ("ec2", "iam", "s3") for name in catalog.actions(service)[::2]]
    details = [
        {"unusedPermissionDetails": {"serviceNamespace": service, "actions": [{"action": n} for n in names]}}
        for service in ("ec2", "iam", "s3")
        if (names := catalog.actions(service)[::2])
    ]
    scratch.write("findings/orders.json", {**finding(), "findingDetails": details})
    answer = scratch.guard("refine", "--write")
    assert (answer.code, held(scratch)) == (1, everything)
    assert "left as it is: AWS takes no policy of its new size" in answer.out


def test_what_is_kept_is_said(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", CONFIG + "  keep: ['s3:Put*']\n")
    answer = scratch.guard("refine")
    assert answer.code == 0
    assert "iam/orders.json: kept though unused: s3:putobject\n" in answer.out


def test_no_text_of_a_policy_ends_a_fence(scratch: Scratch) -> None:
    statement = "Statement: [{Effect: Allow, Resource: '*', Action: [s3:GetObject, s3:PutObject]}]"
    scratch.write("iam/a`b.yaml", f'{statement}\nId: "x\n  ```\n  # Approved"\n')
    out = scratch.guard("refine", "--format", "markdown").out
    assert "### `` iam/a`b.yaml ``\n\n````diff\n" in out


def test_the_summary_of_a_check_draws_what_is_unused(scratch: Scratch) -> None:
    statement = {"Effect": "Allow", "Action": "s3:Put*", "Resource": "arn:aws:s3:::orders/*"}
    scratch.write("iam/orders.json", {**POLICY, "Statement": [statement]})
    out = scratch.guard("check", "--all", "--format", "markdown").out
    assert "```mermaid\ngraph LR\n" in out
    assert "s3:PutObject" in out


def test_of_a_template_the_policies_are_refined_whose_addresses_a_role_has(scratch: Scratch) -> None:
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    role = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}}
    scratch.write("iam/stack.json", json.dumps({"Resources": {"Orders": role, "Other": role}}, indent=1))
    scratch.write(".policy-guard.yaml", CONFIG.replace("iam/*.json, iam/*.yaml", '"iam/stack.json#Resources.Orders.*"'))
    assert scratch.guard("refine", "--write").code == 0
    resources = held(scratch, "iam/stack.json")["Resources"]
    actions = [resources[name]["Properties"]["PolicyDocument"]["Statement"][0]["Action"] for name in resources]
    assert actions == [["s3:GetObject"], ["s3:GetObject", "s3:PutObject"]]
    scratch.write(".policy-guard.yaml", CONFIG.replace("iam/*.json, iam/*.yaml", '"a.tf#aws_iam_policy.a"'))
    assert "in Terraform, refine finds the policies of a role itself" in scratch.guard("refine").err
