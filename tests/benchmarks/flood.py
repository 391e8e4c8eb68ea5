"""How much a person is shown: python tests/benchmarks/flood.py [CHECKOUT]

One policy that allows everything, new in a repository with all packs: its findings, the bytes of the step summary and
the lines in the terminal. Then `check --all` over fifty policies of this checkout's cases with all packs: its lines.
With the path of another checkout its commands are run in turn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.repository import ENVIRON, Scratch  # noqa: E402

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
PACKS = "version: 1\ncritical: critical.yaml\n"
CRITICAL = "version: 1\npacks: [privilege-escalation, data-exposure, defence-evasion]\n"
POLICIES = 50


def main() -> None:
    print("| checkout | findings of * | bytes of the summary | lines | lines of check --all for 50 policies |")
    print("| --- | --- | --- | --- | --- |")
    for checkout in (ROOT, *map(Path, sys.argv[1:])):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as fifty:
            figures = [*of_everything(checkout, Path(one)), of_fifty(checkout, Path(fifty))]
        print("|", " | ".join([checkout.name, *(f"{figure:,}" for figure in figures)]), "|")


def of_everything(checkout: Path, folder: Path) -> Iterator[int]:
    scratch = Scratch(folder)
    scratch.commit(**{".policy-guard.yaml": PACKS, "critical.yaml": CRITICAL})
    scratch.write("iam/all.json", EVERYTHING)
    yield len(json.loads(shown(checkout, folder, "json"))["findings"])
    yield len(shown(checkout, folder, "markdown").encode())
    yield shown(checkout, folder, "text").count("\n")


def of_fifty(checkout: Path, folder: Path) -> int:
    scratch = Scratch(folder)
    files = sorted((ROOT / "fixtures" / "checks").rglob("*.json"))[:POLICIES]
    named = {f"iam/{number}.json": file.read_text(encoding="utf-8") for number, file in enumerate(files)}
    scratch.commit(**{".policy-guard.yaml": PACKS, "critical.yaml": CRITICAL}, **named)
    return shown(checkout, folder, "text", "--all").count("\n")


def shown(checkout: Path, folder: Path, form: str, *options: str) -> str:
    command = [sys.executable, "-m", "policy_guard", "check", "--format", form, *options]
    environ = {**ENVIRON, "PYTHONPATH": str(checkout), "PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    main()
