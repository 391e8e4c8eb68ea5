"""`check --all` over many policies with one process and with two: python tests/benchmarks/scale.py [POLICIES]

10,000 policies unless told otherwise: AWS's managed ones, each with a statement of its own, and the critical list that
`init` writes. For each number of jobs one row: seconds, CPU seconds of this process and of its workers together, the
largest memory of it and of a worker, and the seconds that two free cores would take at least. The output is compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.repository import ENVIRON, Scratch  # noqa: E402

POLICIES = 10_000
JOBS = (1, 2)
MANAGED = ROOT / "policy_guard" / "documents" / "containers" / "managed_policies.txt"
STARTER = ROOT / "policy_guard" / "cli" / "init" / "starters" / "critical-permissions.yaml"
_TICKS = os.sysconf("SC_CLK_TCK")


class Use(NamedTuple):
    """What a process has used: CPU seconds, and megabytes at most."""

    seconds: float = 0
    megabytes: int = 0


def main() -> None:
    policies = int(sys.argv[1]) if len(sys.argv) > 1 else POLICIES
    with tempfile.TemporaryDirectory() as folder:
        scratch = Scratch(Path(folder))
        scratch.commit(**dict(files(policies)))
        print(
            f"| {policies:,} policies, jobs | seconds | CPU here | CPU of workers | MB here | MB a worker | at least |"
        )
        print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        outputs = {run(scratch, jobs) for jobs in JOBS}
    print("the output is the same" if len(outputs) == 1 else "THE OUTPUT DIFFERS")


def files(policies: int) -> Iterator[tuple[str, Any]]:
    yield ".policy-guard.yaml", "version: 1\ncritical: critical.yaml\n"
    yield "critical.yaml", STARTER.read_text(encoding="utf-8")
    lines = (line for line in MANAGED.read_text(encoding="utf-8").splitlines() if line.startswith("/"))
    texts = [line.split(" ", 3)[3] for line in lines]
    for number in range(policies):
        document = json.loads(texts[number % len(texts)])
        statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        own = {"Sid": "Own", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket-{number}/*"}
        yield f"iam/{number // 200}/{number}.json", {**document, "Statement": [*statements, own]}


def run(scratch: Scratch, jobs: int) -> bytes:
    """Print a row, and return the output."""
    command = [sys.executable, "-m", "policy_guard", "check", "--all", "--base", "HEAD", "--format", "json"]
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*command, "--jobs", str(jobs)], cwd=scratch.folder, env=ENVIRON, stdout=output, stderr=subprocess.DEVNULL
        )
        here, workers = Use(), dict[int, Use]()
        while process.poll() is None:
            here = use(process.pid) or here
            workers |= {pid: used for pid in children(process.pid) if (used := use(pid))}
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        output.seek(0)
        data = output.read()
    judging = [used for used in workers.values() if used.megabytes > 20]  # the others are git
    cpu = sum(used.seconds for used in judging)
    largest = max((used.megabytes for used in judging), default=0)
    least = max(here.seconds, (here.seconds + cpu) / 2) if jobs > 1 else here.seconds
    cells = (jobs, f"{seconds:.1f}", f"{here.seconds:.1f}", f"{cpu:.1f}", here.megabytes, largest or "", f"{least:.1f}")
    print("|", " | ".join(map(str, cells)), "|", flush=True)
    return data


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] + [
            int(each)
            for file in Path(f"/proc/{pid}/task").glob("*/children")
            if file.parent.name != str(pid)
            for each in file.read_text().split()
        ]
    except OSError:
        return []


def use(pid: int) -> Use | None:
    """What a process has used by now; None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), None)
    if peak is None:  # it has ended
        return None
    return Use((int(fields[11]) + int(fields[12])) / _TICKS, int(peak) // 1024)


if __name__ == "__main__":
    main()
