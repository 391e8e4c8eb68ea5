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
WHICH = """
import sys
from policy_guard.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def test_a_commit_without_a_policy_imports_nothing_that_reads_policies(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("iam/a.json", NARROW)
    scratch.commit()
    scratch.write("README.md", "# Policies\n")
    scratch.stage()
    command = [sys.executable, "-c", WHICH, "check", "--staged"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRON, capture_output=True, text=True, check=False)
    assert "no policy changed" in done.stdout, done.stderr
    imported = done.stderr.split()
    assert "policy_guard.pipeline.check" in imported
    assert [name for name in SPARED if name in imported] == []
