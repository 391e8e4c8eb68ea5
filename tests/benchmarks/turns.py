"""Two commands timed as whole processes in turn, so that a machine whose speed drifts does so for both."""

from __future__ import annotations

import os
import statistics
import subprocess
import time

from tests.support.repository import ENVIRON


def in_turn(one: list[str], other: list[str], folder: str, runs: int) -> tuple[list[float], list[float]]:
    """The seconds of each run of both in a folder; a first one of each is not counted."""
    return in_turn_in((one, folder), (other, folder), runs)


def in_turn_in(one: tuple[list[str], str], other: tuple[list[str], str], runs: int) -> tuple[list[float], list[float]]:
    """The same for two commands, each in a folder of its own."""
    times: tuple[list[float], list[float]] = [], []
    for _ in range(runs + 1):
        for (command, folder), kept in zip((one, other), times, strict=True):
            start = time.perf_counter()
            subprocess.run(command, cwd=folder, env={**ENVIRON, "HOME": os.devnull}, capture_output=True)
            kept.append(time.perf_counter() - start)
    return times[0][1:], times[1][1:]


def ratio(one: list[float], other: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def milliseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:.0f} ms"
