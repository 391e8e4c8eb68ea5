"""Asks a server of its own a thousand times from eight clients, and shows errors, wrong answers, time and memory.

Run: python -m tests.benchmarks.serve [--requests 1000] [--clients 8] [--hard]

With --hard a ninth client asks questions all the while that take their whole budget of time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.stories.test_serve import hard_policies
from tests.support.repository import allow, document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--hard", action="store_true")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "policy_guard", "serve", "--port", "0", "--seconds", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        url = server.stdout.readline().split()[-1]
        run_all(url, arguments.requests // 10, arguments.clients, hard=False)
        before = memory(server.pid)
        outcomes, seconds = run_all(url, arguments.requests, arguments.clients, arguments.hard)
        after = memory(server.pid)
        server.terminate()
    print(f"{arguments.requests} requests from {arguments.clients} clients: {dict(outcomes)}")
    print(f"seconds a request: {statistics.median(seconds):.3f} in the median, {max(seconds):.3f} at most")
    print(f"memory of all processes: {before:.0f} MB after the first requests, {after:.0f} MB at the end")


def run_all(url: str, requests: int, clients: int, hard: bool) -> tuple[Counter[str], list[float]]:
    """Asks, and returns how often the answer was right, wrong or an error, and how long each took."""
    over = Event()
    with ThreadPoolExecutor(clients + 1) as pool:
        beside = pool.submit(_ask_hard, url, over) if hard else None
        answers = list(pool.map(lambda number: _ask(url, number), range(requests)))
        over.set()
        if beside:
            print(f"beside them {beside.result()} questions that took their whole budget")
    return Counter(outcome for outcome, _ in answers), [seconds for _, seconds in answers]


def _ask(url: str, number: int) -> tuple[str, float]:
    bucket = f"arn:aws:s3:::bucket-{number}/*"
    narrow = document(allow("s3:GetObject", resource=bucket))
    wide = document(allow("s3:Get*", resource=bucket))
    new, old, expected = (wide, narrow, "FAIL") if number % 2 else (narrow, wide, "PASS")
    start = time.monotonic()
    answer = _post(url, new, old)
    outcome = "right" if answer.get("result") == expected else "wrong" if "result" in answer else "error"
    return outcome, time.monotonic() - start


def _ask_hard(url: str, over: Event) -> int:
    number = 0
    while not over.is_set():
        _post(url, *map(json.loads, hard_policies()))
        number += 1
    return number


def _post(url: str, new: Any, old: Any) -> dict[str, Any]:
    texts = {"newPolicyDocument": json.dumps(new), "existingPolicyDocument": json.dumps(old)}
    body = json.dumps({**texts, "policyType": "IDENTITY_POLICY"}).encode()
    try:
        with urlopen(Request(f"{url}/policy/check-no-new-access", body)) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except HTTPError as error:
        return {"error": error.code}


def memory(pid: int) -> float:
    """Return what a process and those below it hold, in megabytes, as Linux counts what none of them shares."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listed.splitlines())}
    below = {child for child in parents if _is_below(child, pid, parents)}
    return sum(_unshared(child) for child in below) / 1024


def _is_below(child: int, pid: int, parents: dict[int, int]) -> bool:
    while child and child != pid:
        child = parents.get(child, 0)
    return child == pid


def _unshared(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except OSError:
        return 0


if __name__ == "__main__":
    main()
