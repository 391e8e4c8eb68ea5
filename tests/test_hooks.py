"""The hook under the real pre-commit, and the demo, as a newcomer meets them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.repository import ENVIRON, NARROW, WIDE, Scratch, allow, deny, document

ROOT = Path(__file__).parent.parent
PRE_COMMIT = [sys.executable, "-m", "pre_commit"]


def entry_of_the_manifest(name: str = "policy-guard") -> dict[str, object]:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return dict(next(hook for hook in hooks if hook["id"] == name))


@pytest.fixture
def hooked(tmp_path: Path) -> Scratch:
    """A repository with the hook of the manifest installed, run by the Python of these tests."""
    scratch = Scratch(tmp_path / "repository")
    hook = {**entry_of_the_manifest(), "language": "system", "entry": f"{sys.executable} -m policy_guard check"}
    scratch.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [{"repo": "local", "hooks": [hook]}]}))
    scratch.write("iam/a.json", NARROW)
    scratch.write("scp/a.json", document(deny("s3:*"), deny("ec2:*")))
    scratch.write(".policy-guard.yaml", 'version: 1\npolicies:\n- {files: ["scp/*"], kind: scp}\n')
    scratch.commit()
    subprocess.run([*PRE_COMMIT, "install"], cwd=scratch.folder, env=environ(tmp_path), check=True, capture_output=True)
    return scratch


def environ(tmp_path: Path) -> dict[str, str]:
    return {**ENVIRON, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}


def commit(scratch: Scratch, *options: str) -> tuple[bool, str]:
    scratch.git("add", "-A")
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


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (command,) = re.findall(r"^.*\.venv/bin/pytest$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert command.strip() in (ROOT / ".ci" / "run").read_text()
