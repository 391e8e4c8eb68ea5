"""Workers of a real scheduler of Dask judge as this process does."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.pipeline.test_ahead import mixed as mixed  # the fixture
from tests.pipeline.test_ahead import shown
from tests.support.repository import ENVIRON, Scratch

distributed = pytest.importorskip("distributed", reason="needs policy-guard[dask]")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a command of Dask, which ends with the test."""
    with ExitStack() as stack:

        def started(*arguments: str, **environ: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
            with (tmp_path / "dask.log").open("ab") as log:
                process = subprocess.Popen(
                    command, cwd=tmp_path, env={**ENVIRON, **environ}, stdout=log, stderr=log, start_new_session=True
                )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield started


@pytest.fixture
def scheduler(start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> str:
    """The address of a scheduler."""
    file = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    end = time.monotonic() + 60
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.1)
    import json

    return str(json.loads(file.read_text())["address"])


def worker(start: Callable[..., subprocess.Popen[bytes]], address: str, workers: int, **environ: str) -> None:
    """Starts a worker, and waits until the scheduler has so many."""
    start("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", **environ)
    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)


@pytest.mark.slow
def test_two_workers_of_a_scheduler_say_what_one_process_says(
    mixed: Scratch, start: Callable[..., subprocess.Popen[bytes]], scheduler: str
) -> None:
    answer = mixed.guard("check", "--all", "--scheduler", scheduler)
    assert answer.code == 2
    assert "has no workers" in answer.err
    for number in (1, 2):
        worker(start, scheduler, number)
    one = shown(mixed, 1, "--all")
    assert shown(mixed, 0, "--all", scheduler=scheduler) == one


@pytest.mark.slow
def test_a_worker_with_another_version_is_refused(
    mixed: Scratch, start: Callable[..., subprocess.Popen[bytes]], scheduler: str, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    (site / "policy_guard-0.0.1.dist-info").mkdir(parents=True)
    (site / "policy_guard-0.0.1.dist-info" / "METADATA").write_text("Name: policy-guard\nVersion: 0.0.1\n")
    worker(start, scheduler, 1, PYTHONPATH=str(site))
    answer = mixed.guard("check", "--all", "--scheduler", scheduler)
    assert answer.code == 2, answer
    assert "has policy-guard 0.0.1. Install policy-guard 0.1.0 for the scheduler and all workers" in answer.err


def test_no_scheduler_is_an_error(mixed: Scratch) -> None:
    answer = mixed.guard("check", "--all", "--scheduler", "nothing")
    assert answer.code == 2
    assert "no scheduler of Dask answers at nothing" in answer.err
