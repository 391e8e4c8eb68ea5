"""What refining costs, as whole processes beside `check`: `python tests/benchmarks/refine.py`.

Each row is one policy in a repository with findings: the median over the runs of `check --all` without the findings
and of `refine`, started in turn, and their ratio. The last line is the time to read one service of the catalogue.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from policy_guard.iam import catalog  # noqa: E402
from tests.benchmarks.turns import in_turn, milliseconds, ratio  # noqa: E402
from tests.support.repository import ENVIRON, Scratch  # noqa: E402

RUNS = 15
GUARD = [sys.executable, "-m", "policy_guard"]
CHECK = [*GUARD, "check", "--all", "--config", "plain.yaml", "policy.json"]
REFINE = [*GUARD, "refine"]
PLAIN = "version: 1\ncritical: critical.yaml\n"
REFINED = "version: 1\nrefine: {findings: [findings.json], roles: {Role: [policy.json]}}\n"
CRITICAL = "version: 1\npermissions:\n- {id: pass-role, actions: ['iam:PassRole'], reason: r}\n"
READ = (
    "import time; from policy_guard.iam.catalog import actions; s = time.time(); actions('ec2'); print(time.time() - s)"
)


def main() -> None:
    print("| policy | `check --all` | `refine` | ratio | at most |")
    print("| --- | --- | --- | --- | --- |")
    for name, actions, share in (
        ("one statement, s3:Get*", ["s3:Get*"], 0.4),
        ("one statement, ec2:*", ["ec2:*"], 0.5),
        ("200 actions of 20 services", _some(200), 0.5),
        ("everything, *", ["*"], 0.02),
    ):
        with tempfile.TemporaryDirectory() as folder:
            _lay_out(Scratch(Path(folder)), actions, share)
            check, refine = in_turn(CHECK, REFINE, folder, RUNS)
        print(f"| {name} | {milliseconds(check)} | {milliseconds(refine)} | {ratio(refine, check):.2f} | 3 |")
    times = [float(subprocess.check_output([sys.executable, "-c", READ], env=ENVIRON)) for _ in range(RUNS)]
    print(f"\nOne service of the catalogue is read in {statistics.median(times) * 1000:.1f} ms (at most 5 ms).")


def _some(number: int) -> list[str]:
    rng = random.Random(1)
    services = rng.sample([each for each in catalog.services() if len(catalog.actions(each)) > 30], 20)
    return sorted(rng.sample([f"{each}:{name}" for each in services for name in catalog.actions(each)], number))


def _lay_out(scratch: Scratch, actions: list[str], share: float) -> None:
    rng = random.Random(2)
    covered = [action for pattern in actions for action in catalog.matching(pattern)]
    services: dict[str, list[dict[str, Any]]] = {}
    for action in rng.sample(covered, int(len(covered) * share)):
        service, _, name = action.partition(":")
        services.setdefault(service, []).append({"action": name})
    details = [{"unusedPermissionDetails": {"serviceNamespace": s, "actions": a}} for s, a in services.items()]
    scratch.write("findings.json", {"resource": "arn:aws:iam::111122223333:role/Role", "findingDetails": details})
    statement = {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::orders/*"}
    scratch.write("policy.json", {"Version": "2012-10-17", "Statement": [statement]})
    scratch.write("critical.yaml", CRITICAL)
    scratch.write("plain.yaml", PLAIN)
    scratch.write(".policy-guard.yaml", REFINED)
    scratch.commit()


if __name__ == "__main__":
    main()
