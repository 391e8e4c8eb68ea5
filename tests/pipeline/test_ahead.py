"""Several processes judge as one does: the same output in every format, and no PASS where one of them is lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from policy_guard.pipeline import ahead
from policy_guard.pipeline.executors import Parallel, Workers, processes
from policy_guard.pipeline.judging import Steps
from policy_guard.plugins import names
from policy_guard.solver import budget
from tests.support.examples import nightly
from tests.support.repository import ENVIRON, NARROW, WIDE, Answer, Scratch, allow, document

FORMATS = tuple(names("report/reporters"))
SECONDS = re.compile(r"\b\d+\\?\.\d+ s\b")
SETTINGS = """\
version: 1
critical: critical.yaml
groups:
  - name: team
    files: [team/*.json]
policies:
  - files: [iam/new-*.json]
    reference: iam/0.json
"""
PACKS = "version: 1\npacks: [privilege-escalation, data-exposure]\n"
CRITICAL = """\
version: 1
permissions:
  - {id: pass-any-role, actions: ["iam:PassRole"], reason: takes over accounts}
  - {id: read-pay, actions: ["s3:GetObject"], resources: ["arn:aws:s3:::pay/*"], reason: salaries}
  - {id: both, all-of: [{actions: ["iam:PassRole"]}, {actions: ["lambda:CreateFunction"]}], reason: runs as any role}
"""
TERRAFORM = """
resource "aws_iam_role_policy" "p%s" {
  role   = "r"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "%s", Resource = "*" }] })
}
"""
ACTIONS = ("s3:GetObject", "iam:PassRole", "s3:*", "*", "ec2:Describe*", "lambda:CreateFunction")


def template(action: str) -> dict[str, object]:
    policy = {"PolicyName": "p", "PolicyDocument": document(allow(action))}
    role = {"AssumeRolePolicyDocument": document(), "Policies": [policy]}
    return {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}}


@pytest.fixture
def mixed(tmp_path: Path) -> Scratch:
    scratch = Scratch(tmp_path / "repository")
    files = {f"iam/{n}.json": document(allow(action)) for n, action in enumerate(ACTIONS)}
    files |= {f"templates/{n}.json": template(action) for n, action in enumerate(ACTIONS)}
    files |= {f"tf/{n}/main.tf": TERRAFORM % (n, action) for n, action in enumerate(ACTIONS)}
    files |= {f"team/{n}.json": NARROW for n in range(2)}
    files |= {
        "iam/broken.json": '{"Statement": [',
        "values.json": {"a": 1},
        "iam/attachments.json": {"a": ["iam/0.json"]},
    }
    scratch.commit(**{".policy-guard.yaml": SETTINGS, "critical.yaml": CRITICAL}, **files)
    os.symlink("0.json", scratch.folder / "iam/link.json")
    for number, action in enumerate(reversed(ACTIONS[1:])):
        scratch.write(f"iam/{number}.json", document(allow(action, "s3:PutObject")))
        scratch.write(f"templates/{number}.json", template(action))
        scratch.write(f"tf/{number}/main.tf", TERRAFORM % (number, action))
    scratch.write("iam/new-1.json", WIDE)
    scratch.write("team/1.json", WIDE)
    return scratch


def shown(scratch: Scratch, jobs: int, *options: str, scheduler: str = "") -> tuple[int, dict[str, str]]:
    """The exit code, and the output in every format."""
    folder = scratch.folder.parent / f"shown-{jobs}"
    folder.mkdir(exist_ok=True)
    formats = [option for name in FORMATS for option in ("--format", f"{name}={folder / name}")]
    judging = ("--scheduler", scheduler) if scheduler else ("--jobs", str(jobs))
    answer = scratch.guard("check", *judging, *options, *formats)
    assert answer.err == "", answer
    return answer.code, {name: SECONDS.sub("", (folder / name).read_text()) for name in FORMATS}


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [2, nightly(3)])
@pytest.mark.parametrize("options", [(), nightly(("--all",)), ("--all", "--verbose"), nightly(("--all", "iam"))])
def test_several_processes_say_what_one_says_in_every_format(
    mixed: Scratch, options: tuple[str, ...], jobs: int
) -> None:
    one = shown(mixed, 1, *options)
    assert one[0] == 1
    assert shown(mixed, jobs, *options) == one


@pytest.mark.slow
def test_a_report_of_two_processes_is_that_of_one(mixed: Scratch) -> None:
    one, two = (mixed.guard("report", "--format", "json", "--jobs", jobs) for jobs in ("1", "2"))
    assert (one.code, one.out) == (two.code, two.out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "steps"),
    [
        ("STEPS_IN_A_RUN", 1_002_000),
        ("STEPS_ASIDE_IN_A_RUN", 1_002_000),
        nightly("STEPS_ASIDE_IN_A_RUN", 3_000),
    ],
)
def test_the_steps_of_a_run_end_at_the_same_policy(
    mixed: Scratch, limit: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, limit, steps)
    monkeypatch.setattr(budget, "STEPS_A_CHARACTER", 1)
    monkeypatch.setattr(ahead, "CHUNK", 300)
    assert shown(mixed, 2, "--all") == shown(mixed, 1, "--all")


def test_few_policies_start_no_process(mixed: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "Processes", None)
    assert mixed.guard("check").code == 1


def test_without_the_steps_of_a_run_nothing_is_done_twice(mixed: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "STEPS_IN_A_RUN", ahead._LEAST_VERDICTS - 100_000)
    monkeypatch.setattr(budget, "STEPS_A_CHARACTER", 1)
    monkeypatch.setattr(processes, "Processes", None)
    shown(mixed, 2)


def test_a_large_policy_keeps_one_worker_busy_and_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorder(Executor):
        handed_over = 0

        def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
            self.handed_over += 1
            return Future()

    executor, judge = Recorder(), mock.Mock(steps=Steps(ahead._LEAST_VERDICTS, 0))
    monkeypatch.setattr(ahead, "workers", lambda parallel: Workers(executor, slots=2))
    work = ahead.Ahead(judge, lambda: None, Parallel(jobs=2))  # type: ignore[arg-type, return-value]
    items = work.in_advance("abcd", lambda item: [ahead.Expected(item, lambda: None, 9 * ahead.CHUNK)])
    assert next(items) == "a"
    assert executor.handed_over == 4


def test_more_jobs_than_any_machine_has_are_refused(mixed: Scratch) -> None:
    answer = mixed.guard("check", "--jobs", "0")
    assert answer.code == 2
    assert "--jobs is between 1 and" in answer.err


def test_a_worker_that_dies_is_no_pass(mixed: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_code", lambda: "import os; os.kill(os.getpid(), 9)")
    answer = mixed.guard("check", "--all", "--jobs", "2")
    assert answer.code == 2
    assert "a worker process was ended by signal 9 before it answered, so nothing is proved" in answer.err
    assert answer.out == ""


def test_a_worker_of_another_version_is_refused(mixed: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_guard.pipeline.tasks.marks", lambda: "policy-guard 0.0.1 with z3-solver 1")
    answer = mixed.guard("check", "--all", "--jobs", "2")
    assert answer.code == 2
    assert "and policy-guard 0.0.1 with z3-solver 1 is asking. Install one version everywhere." in answer.err


def test_a_module_in_the_repository_is_not_what_a_worker_runs(mixed: Scratch) -> None:
    for name in ("pickle", "queue", "struct", "threading", "multiprocessing", "policy_guard", "z3"):
        mixed.write(f"{name}.py", "import os; os._exit(0)\n")
    assert mixed.guard("check", "--all", "--jobs", "2").code == 1


def test_a_scheduler_takes_no_jobs_and_has_to_answer(mixed: Scratch) -> None:
    assert "Leave out --jobs" in mixed.guard("check", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1").err


def workers_of(process: subprocess.Popen[bytes]) -> set[int]:
    """The worker processes that a process has started."""
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    pids = {int(pid) for file in children for pid in file.read_text().split()}
    return {pid for pid in pids if b"executors.worker" in command_line(pid)}


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def started(scratch: Scratch) -> tuple[subprocess.Popen[bytes], set[int]]:
    """A run of two jobs, as a process, and its workers as soon as there are two."""
    command = [sys.executable, "-m", "policy_guard", "check", "--all", "--jobs", "2"]
    process = subprocess.Popen(command, cwd=scratch.folder, env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        if len(workers := workers_of(process)) == 2:
            return process, workers
    raise AssertionError(process.communicate())


def answer_of(process: subprocess.Popen[bytes], workers: set[int]) -> Answer:
    """What a process said, when it and its workers are gone."""
    out, err = process.communicate(timeout=60)
    end = time.monotonic() + 10
    while time.monotonic() < end and any(Path(f"/proc/{pid}").exists() for pid in workers):
        time.sleep(0.05)
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    return Answer(process.returncode, out.decode(), err.decode())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for children in /proc")
class TestProcesses:
    @pytest.fixture
    def many(self, tmp_path: Path) -> Scratch:
        scratch = Scratch(tmp_path / "repository")
        long = {f"iam/{n}.json": document(*(allow(f"s3:Get{n}A{at}*") for at in range(900))) for n in range(4)}
        scratch.commit(
            **{".policy-guard.yaml": "version: 1\ncritical: critical.yaml\n", "critical.yaml": PACKS}, **long
        )
        return scratch

    def test_a_killed_worker_is_an_error_and_leaves_nothing_behind(self, many: Scratch) -> None:
        process, workers = started(many)
        os.kill(min(workers), signal.SIGKILL)
        answer = answer_of(process, workers)
        assert answer.code == 2, answer
        assert "a worker process was ended by signal 9" in answer.err

    def test_an_interrupt_ends_all_processes(self, many: Scratch) -> None:
        process, workers = started(many)
        process.send_signal(signal.SIGINT)
        answer = answer_of(process, workers)
        assert (answer.code, answer.err) == (130, "interrupted before anything was proved\n")

    def test_workers_end_with_a_process_that_is_killed(self, many: Scratch) -> None:
        process, workers = started(many)
        process.kill()
        assert answer_of(process, workers).code == -signal.SIGKILL
