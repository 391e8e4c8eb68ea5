"""What a commit costs, as whole processes side by side: `python tests/benchmarks/startup.py`.

Each row is the median over the runs of one command, and its ratio to a Python that imports the same libraries and does
nothing; both are started in turn, so that a machine whose speed drifts does so for both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.repository import ENVIRON, NARROW, WIDE, Scratch  # noqa: E402

RUNS = 21
PLAIN = [sys.executable, "-c", "import yaml, argparse, subprocess"]
SOLVER = [sys.executable, "-c", "import z3, yaml"]
CHECK = [sys.executable, "-m", "policy_guard", "check", "--staged"]


def main() -> None:
    print("| commit | command | bare Python | ratio | at most |")
    print("| --- | --- | --- | --- | --- |")
    for name, content, bare, most in (
        ("touches no policy", {"README": "hello\n"}, PLAIN, 2),
        ("reformats a policy", {"iam/a.json": json.dumps(NARROW)}, PLAIN, 2),
        ("widens a policy", {"iam/a.json": WIDE}, SOLVER, 2),
    ):
        with tempfile.TemporaryDirectory() as folder:
            scratch = Scratch(Path(folder))
            scratch.write("iam/a.json", NARROW)
            scratch.commit()
            for path, text in content.items():
                scratch.write(path, text)
            scratch.git("add", "-A")
            ours, theirs = _in_turn(CHECK, bare, folder)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(f"| {name} | {_ms(ours)} | {_ms(theirs)} | {ratio:.2f} | {most} |")


def _in_turn(one: list[str], other: list[str], folder: str) -> tuple[list[float], list[float]]:
    times: tuple[list[float], list[float]] = [], []
    for _ in range(RUNS + 1):
        for command, kept in zip((one, other), times, strict=True):
            start = time.perf_counter()
            subprocess.run(command, cwd=folder, env={**ENVIRON, "HOME": os.devnull}, capture_output=True)
            kept.append(time.perf_counter() - start)
    return times[0][1:], times[1][1:]


def _ms(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:.0f} ms"


if __name__ == "__main__":
    main()
