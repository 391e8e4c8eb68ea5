"""A check in a repository of 20,000 JSON files beside one of five: `python tests/benchmarks/monorepo.py`.

40 of the files are policies, and five of those change: in the working tree, in the index as a hook looks at it, and in
a commit as CI does. The ratio may be 1.3 at most, and the check may take 1.5 seconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks.turns import in_turn_in, milliseconds, ratio  # noqa: E402
from tests.support.repository import NARROW, WIDE, Scratch  # noqa: E402

RUNS = 11
FILES, POLICIES, CHANGED = 20_000, 40, 5
IN_CI = ["env", "CI=true", sys.executable, "-m", "policy_guard", "check", "--base", "HEAD~1"]
CHECK = [sys.executable, "-m", "policy_guard", "check", "--base", "HEAD"]


def main() -> None:
    print("| check of five changed policies | 20,000 files | five files | ratio | at most |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as large, tempfile.TemporaryDirectory() as small:
        both = Scratch(Path(large)), Scratch(Path(small))
        _lay_out(both[0], FILES, POLICIES)
        _lay_out(both[1], 0, CHANGED)
        for name, command in (("working tree", CHECK), ("index", [*CHECK, "--staged"]), ("commit, in CI", IN_CI)):
            if command is IN_CI:
                for scratch in both:
                    scratch.git("commit", "-q", "-m", "change")
            ours, theirs = in_turn_in((command, large), (command, small), RUNS)
            print(f"| {name} | {milliseconds(ours)} | {milliseconds(theirs)} | {ratio(ours, theirs):.2f} | 1.3 |")
            assert statistics.median(ours) < 1.5


def _lay_out(scratch: Scratch, files: int, policies: int) -> None:
    for number in range(files - policies):
        scratch.write(f"apps/{number % 200}/config-{number}.json", {"name": f"app-{number}", "replicas": number % 7})
    for number in range(policies):
        scratch.write(f"iam/{number}.json", NARROW)
    scratch.commit()
    for number in range(CHANGED):
        scratch.write(f"iam/{number}.json", WIDE)
    scratch.git("add", "-A")


if __name__ == "__main__":
    main()
