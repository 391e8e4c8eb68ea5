"""The hook under the real pre-commit, and the demo, as a newcomer meets them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.places import ROOT
from tests.support.repository import ENVIRON, NARROW, WIDE, Scratch, allow, deny, document, guard

PRE_COMMIT = [sys.executable, "-m", "pre_commit"]
RUNNERS = {"pre-commit": PRE_COMMIT, "prek": [str(Path(sys.executable).parent / "prek")]}


def entry_of_the_manifest(name: str = "policy-guard") -> dict[str, object]:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return dict(next(hook for hook in hooks if hook["id"] == name))


@pytest.fixture(scope="session", params=["pre-commit", pytest.param("prek", marks=pytest.mark.corpus)])
def hooks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of hooks that a runner has installed: they name no repository, and fit into any."""
    runner = RUNNERS[request.param]
    if request.param == "prek" and not Path(runner[0]).exists():
        pytest.skip("prek is not installed")
    folder = tmp_path_factory.mktemp("hooks")
    scratch = Scratch(folder / "repository")
    scratch.write(".pre-commit-config.yaml", "repos: []\n")
    kinds = [f"--hook-type={kind}" for kind in ("pre-commit", "pre-push", "pre-merge-commit")]
    install = [*runner, "install", *kinds]
    subprocess.run(install, cwd=scratch.folder, env=environ(folder), check=True, capture_output=True)
    return scratch.folder / ".git" / "hooks"


@pytest.fixture
def hooked(hooks: Path, tmp_path: Path) -> Scratch:
    """A repository with the hook of the manifest installed, run by the Python of these tests."""
    scratch = Scratch(tmp_path / "repository")
    hook = {**entry_of_the_manifest(), "language": "system", "entry": f"{sys.executable} -m policy_guard check"}
    scratch.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [{"repo": "local", "hooks": [hook]}]}))
    scratch.write("iam/a.json", NARROW)
    scratch.write("scp/a.json", document(deny("s3:*"), deny("ec2:*")))
    scratch.write(".policy-guard.yaml", 'version: 1\npolicies:\n- {files: ["scp/*"], kind: scp}\n')
    scratch.commit()
    shutil.copytree(hooks, scratch.folder / ".git" / "hooks")
    return scratch


def environ(tmp_path: Path) -> dict[str, str]:
    return {**ENVIRON, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}


def commit(scratch: Scratch, *options: str) -> tuple[bool, str]:
    scratch.stage()
    run = ["git", "commit", "-m", "change", *options]
    done = subprocess.run(run, cwd=scratch.folder, env=environ(scratch.folder.parent), capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_widening_commit_is_refused_with_the_statement_and_the_line(hooked: Scratch) -> None:
    hooked.write("iam/a.json", WIDE)
    done, words = commit(hooked)
    assert not done
    assert "iam/a.json:8:9: error: grants new access [no-new-access]" in words


@pytest.mark.slow
def test_harmless_commits_pass(hooked: Scratch) -> None:
    hooked.write("iam/a.json", document(allow("s3:GetObject", resource="arn:aws:s3:::a/*")))
    assert commit(hooked)[0], "a narrowing"
    hooked.write(
        "iam/a.json",
        '{"Statement": {"Resource": "arn:aws:s3:::a/*", "Action": "s3:GetObject", "Effect": "Allow"},\n'
        '\n "Version": "2012-10-17"}',
    )
    assert commit(hooked)[0], "a reordering and reformatting"
    hooked.git("rm", "-q", "iam/a.json")
    hooked.write(
        "iam/a.yaml",
        "Version: 2012-10-17\nStatement:\n- Effect: Allow\n  Action: s3:GetObject\n  Resource: arn:aws:s3:::a/*\n",
    )
    assert commit(hooked)[0], "a rewrite in YAML"
    hooked.write("values.yaml", "replicas: 3\n")
    done, words = commit(hooked)
    assert done
    assert "values.yaml" not in words.replace("create mode 100644 values.yaml", "")


@pytest.mark.slow
def test_a_deny_taken_out_and_a_deleted_policy_are_refused(hooked: Scratch) -> None:
    hooked.write("scp/a.json", document(deny("s3:*")))
    done, words = commit(hooked)
    assert (done, "no longer denies" in words) == (False, True)
    os.remove(hooked.folder / "scp/a.json")
    done, words = commit(hooked)
    assert (done, "scp/a.json" in words) == (False, True)


@pytest.mark.slow
def test_new_access_that_is_meant_gets_through_once_it_is_written_down(hooked: Scratch) -> None:
    hooked.write("iam/a.json", WIDE)
    done, words = commit(hooked)
    assert not done
    assert "policy-guard accept iam/a.json --reason '...'" in words
    assert "wrote .policy-guard/accepted/" in hooked.guard("accept", "iam/a.json", "--reason", "SEC-1").out
    hooked.git("reset", "-q")
    hooked.git("add", ".policy-guard")
    assert git(hooked, "commit", "-m", "accept")[0], "the acceptance alone, the change waits"
    assert commit(hooked)[0], "the change, which is accepted now"
    hooked.write("iam/a.json", NARROW)
    done, words = commit(hooked)
    assert not done
    assert "would accept the same access once more" in words
    assert "removed .policy-guard/accepted/" in hooked.guard("accept", "--prune").out
    assert commit(hooked)[0], "back, and no acceptance left"
    hooked.write("iam/a.json", WIDE)
    assert not commit(hooked)[0], "the same again"


def git(scratch: Scratch, *arguments: str) -> tuple[bool, str]:
    """A git command with the hooks, and what it said."""
    here = environ(scratch.folder.parent)
    done = subprocess.run(["git", *arguments], cwd=scratch.folder, env=here, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def widened_past_the_hook(scratch: Scratch, tmp_path: Path) -> None:
    """A commit without its hook, in a repository that has a remote."""
    remote = tmp_path / "remote.git"
    scratch.git("clone", "-q", "--bare", ".", str(remote))
    scratch.git("remote", "add", "origin", str(remote))
    scratch.git("fetch", "-q", "origin")
    scratch.write("iam/a.json", WIDE)
    scratch.stage()
    scratch.git("commit", "-q", "--no-verify", "-m", "widened")


REFUSED = "grants new access [no-new-access]"


@pytest.mark.slow
def test_what_is_committed_is_judged_and_not_what_lies_in_the_work_tree(hooked: Scratch) -> None:
    hooked.write("iam/a.json", WIDE)
    hooked.git("add", "-A")
    hooked.write("iam/a.json", NARROW)
    done, words = git(hooked, "commit", "-m", "staged")
    assert (done, REFUSED in words) == (False, True), words
    hooked.git("reset", "-q", "--hard")
    hooked.write("iam/a.json", WIDE)
    hooked.write("other", "x")
    hooked.git("add", "other")
    assert git(hooked, "commit", "-m", "not staged")[0]


@pytest.mark.corpus
@pytest.mark.slow
def test_commit_all_and_commit_of_a_path(hooked: Scratch) -> None:
    hooked.write("iam/a.json", WIDE)
    done, words = git(hooked, "commit", "-a", "-m", "all")
    assert (done, REFUSED in words) == (False, True), words
    hooked.write("other", "x")
    hooked.git("add", "other")
    done, words = git(hooked, "commit", "-m", "path", "iam/a.json")
    assert (done, REFUSED in words) == (False, True), words
    assert git(hooked, "commit", "-m", "path", "other")[0]


@pytest.mark.corpus
@pytest.mark.slow
def test_a_commit_that_only_deletes(hooked: Scratch) -> None:
    hooked.git("rm", "-q", "scp/a.json")
    done, words = git(hooked, "commit", "-m", "gone")
    assert (done, "scp/a.json" in words) == (False, True), words


@pytest.mark.slow
def test_amending_is_held_against_the_default_branch_where_there_is_one(hooked: Scratch, tmp_path: Path) -> None:
    widened_past_the_hook(hooked, tmp_path)
    hooked.write("other", "x")
    hooked.git("add", "other")
    done, words = git(hooked, "commit", "--amend", "--no-edit")
    assert (done, REFUSED in words) == (False, True), words


@pytest.mark.slow
def test_a_merge_that_brings_a_widening_of_its_own(hooked: Scratch) -> None:
    hooked.git("checkout", "-q", "-b", "side")
    hooked.write("other", "x")
    hooked.git("add", "-A")
    hooked.git("commit", "-q", "--no-verify", "-m", "side")
    hooked.git("checkout", "-q", "main")
    hooked.write("more", "x")
    hooked.git("add", "-A")
    hooked.git("commit", "-q", "--no-verify", "-m", "main")
    hooked.git("merge", "-q", "--no-commit", "--no-ff", "side")
    hooked.write("iam/a.json", WIDE)
    hooked.git("add", "-A")
    done, words = git(hooked, "commit", "--no-edit")
    assert (done, REFUSED in words) == (False, True), words


@pytest.mark.slow
def test_a_push_of_what_was_committed_past_the_hook(hooked: Scratch, tmp_path: Path) -> None:
    widened_past_the_hook(hooked, tmp_path)
    hooked.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "harmless")
    done, words = git(hooked, "push", "origin", "HEAD:refs/heads/feature")
    assert (done, REFUSED in words) == (False, True), words


@pytest.mark.corpus
@pytest.mark.slow
def test_two_commits_named_by_hand(hooked: Scratch, request: pytest.FixtureRequest) -> None:
    hooked.write("iam/a.json", WIDE)
    hooked.git("add", "-A")
    hooked.git("commit", "-q", "--no-verify", "-m", "widened")
    runner = RUNNERS[request.node.callspec.params["hooks"]]
    for first, last, passes in (("HEAD~1", "HEAD", False), ("HEAD", "HEAD~1", True)):
        run = [*runner, "run", "--from-ref", first, "--to-ref", last]
        done = subprocess.run(run, cwd=hooked.folder, env=environ(hooked.folder.parent), capture_output=True)
        assert (done.returncode == 0) == passes, done.stdout


@pytest.mark.corpus
@pytest.mark.slow
def test_in_a_work_tree_beside_the_repository(hooked: Scratch, tmp_path: Path) -> None:
    hooked.git("worktree", "add", "-q", str(tmp_path / "beside"), "-b", "beside")
    (tmp_path / "beside" / "iam" / "a.json").write_text(json.dumps(WIDE, indent=2))
    here = environ(tmp_path)
    run = ["git", "commit", "-a", "-m", "widened"]
    done = subprocess.run(run, cwd=tmp_path / "beside", env=here, capture_output=True, text=True)
    assert (done.returncode != 0, REFUSED in done.stdout + done.stderr) == (True, True), done.stdout + done.stderr


@pytest.mark.slow
def test_the_refining_hook_rewrites_and_passes_the_second_time(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    hook = entry_of_the_manifest("policy-guard-refine")
    hook |= {"language": "system", "entry": f"{sys.executable} -m {str(hook['entry']).replace('-', '_', 1)}"}
    scratch.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [{"repo": "local", "hooks": [hook]}]}))
    scratch.write(".policy-guard.yaml", "version: 1\nrefine: {findings: [f.json], roles: {Orders: [iam/a.json]}}\n")
    details = {"serviceNamespace": "s3", "actions": [{"action": "GetObjectAcl"}]}
    found = {"resource": "arn:aws:iam::1:role/Orders", "findingDetails": [{"unusedPermissionDetails": details}]}
    scratch.write("f.json", found)
    scratch.commit()
    subprocess.run([*PRE_COMMIT, "install"], cwd=scratch.folder, env=environ(tmp_path), check=True, capture_output=True)
    scratch.write("iam/a.json", document(allow("s3:GetObject*", "s3:ListBucket")))
    done, words = commit(scratch)
    assert (done, "s3:GetObject* is narrowed" in words, "files were modified by this hook" in words) == (
        False,
        True,
        True,
    )
    assert commit(scratch)[0]
    assert "s3:GetObjectAcl" not in scratch.git("show", "HEAD:iam/a.json")


@pytest.mark.parametrize("name", ["policy-guard", "policy-guard-refine"])
def test_the_hooks_ask_git_and_the_settings_themselves(name: str) -> None:
    hook = entry_of_the_manifest(name)
    assert (hook["always_run"], hook["pass_filenames"]) == (True, False)


def test_the_demo_shows_the_real_check_failing(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "policy_guard", "demo"]
    environment = {**ENVIRON, "HOME": str(tmp_path)}
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "iam/orders.json:15:9: error: grants new access [no-new-access]" in done.stdout
    assert 'statement 1, "OrdersObjects"' in done.stdout
    assert "example" in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_demo_knows_its_findings_in_colours(tmp_path: Path) -> None:
    answer = guard(["demo"], tmp_path, {**ENVIRON, "HOME": str(tmp_path), "FORCE_COLOR": "1"})
    assert answer.code == 0, answer
    assert "\x1b[1;31merror\x1b[0m" in answer.out


@pytest.mark.parametrize("columns", ["40", "72", "100"])
def test_the_demo_knows_its_findings_in_a_narrow_terminal(tmp_path: Path, columns: str) -> None:
    answer = guard(["demo"], tmp_path, {**ENVIRON, "HOME": str(tmp_path), "COLUMNS": columns})
    assert (answer.code, "This is a bug" in answer.out) == (0, False), answer


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (command,) = re.findall(r"^.*\.venv/bin/pytest$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert command.strip() in (ROOT / ".ci" / "run").read_text()
