"""What a commit costs, as whole processes side by side: `python tests/benchmarks/startup.py`.

Each row is the median over the runs of one command, and its ratio to a Python that imports the same libraries and does
nothing; both are started in turn, so that a machine whose speed drifts does so for both.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks.turns import in_turn, milliseconds, ratio  # noqa: E402
from tests.support.repository import NARROW, WIDE, Scratch  # noqa: E402

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
            scratch.stage()
            ours, theirs = in_turn(CHECK, bare, folder, RUNS)
        print(f"| {name} | {milliseconds(ours)} | {milliseconds(theirs)} | {ratio(ours, theirs):.2f} | {most} |")


if __name__ == "__main__":
    main()
