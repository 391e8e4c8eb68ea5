"""A commit that touches no policy does not pay for what only policies need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.repository import ENVIRON, NARROW, Scratch

SPARED = (
    "dataclasses",
    "inspect",
    "shutil",
    "tempfile",
    "yaml",
    "z3",
    "policy_guard.documents.containers.plain",
    "policy_guard.documents.containers.serverless_framework.template",
    "policy_guard.iam",
    "policy_guard.solver",
    "policy_guard.verify.checks",
)
MOST_STARTED = 3
"""How often git is started: for objects, for what differs, and for the names of files."""
WHICH = """
import subprocess, sys
from policy_guard.cli import main

class Counted(subprocess.Popen):
    def __init__(self, *arguments, **options):
        print("started", file=sys.stderr)
        super().__init__(*arguments, **options)

subprocess.Popen = Counted
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def test_a_commit_without_a_policy_imports_nothing_that_reads_policies(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("iam/a.json", NARROW)
    scratch.commit()
    scratch.write("LICENSE", "All rights reserved\n")
    scratch.write("NOTICE", "Holds software of others\n")
    scratch.stage()
    command = [sys.executable, "-c", WHICH, "check", "--staged"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRON, capture_output=True, text=True, check=False)
    assert "no policy changed" in done.stdout, done.stderr
    imported = done.stderr.split()
    assert "policy_guard.pipeline.check" in imported
    assert [name for name in SPARED if name in imported] == []
    assert imported.count("started") == MOST_STARTED
