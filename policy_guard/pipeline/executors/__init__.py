"""Who judges: this process, or a `concurrent.futures.Executor` of others, here or at a scheduler."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from policy_guard.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

LEAST = 400_000
"""From how many characters of policies on the usual number of processes pays.

With the critical list of `init` they take 1.2 s of one core, and starting two workers 0.35 s of each core.
"""
MOST_JOBS = 256
_MOST_USUAL = 8
"""How many processes are started unasked: each takes memory, and reading files is the business of one."""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Parallel(NamedTuple):
    """How many processes judge, and from how many characters of policies on; or else the address of a scheduler."""

    jobs: int = 1
    least: int = 0
    scheduler: str | None = None


class WorkerLost(Exception):
    """A process ended before it answered; the text says how."""


class Workers(NamedTuple):
    """An executor, how many tasks it works on at once, and what is raised in place of an answer if one is lost.

    `is_alive` tells whether there is still someone to answer.
    """

    executor: Executor
    slots: int
    lost: tuple[type[BaseException], ...] = (WorkerLost,)
    is_alive: Callable[[], bool] = lambda: True


def usual() -> Parallel:
    """One process for each core that this one may use, where there is enough to do."""
    return Parallel(min(_cores(), _MOST_USUAL), LEAST)


def workers(parallel: Parallel) -> Workers:
    """Starts the workers. Raises `SetupError` if there are none to be had."""
    if parallel.scheduler is not None:
        from policy_guard.pipeline.executors import dask

        return dask.workers(parallel.scheduler)
    from policy_guard.pipeline.executors.processes import Processes

    return Workers(Processes(parallel.jobs), parallel.jobs)


def _cores() -> int:
    """The cores that this process may use, by its affinity and, in a container, by its share of time."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        return max(1, min(allowed, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        return allowed
