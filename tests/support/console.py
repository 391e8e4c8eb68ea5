"""What `terraform console` says of expressions, where there is a Terraform; it needs no providers and no network."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TERRAFORM = shutil.which("terraform")
FAILED = object()
_MARK = "this expression is an error"


def answers(expressions: Sequence[str]) -> list[Any]:
    """The values of expressions, as JSON has them; `FAILED` for those that Terraform refuses."""
    locals_ = "".join(f'  x{n} = try(jsonencode({each}\n), "{_MARK}")\n' for n, each in enumerate(expressions))
    names = ", ".join(f"local.x{number}" for number in range(len(expressions)))
    answer = asked(f"locals {{\n{locals_}  all = [{names}]\n}}\n", "local.all")
    return [FAILED if each == _MARK else json.loads(each) for each in answer]


def asked(text: str, expression: str) -> Any:
    """The value of an expression beside a file."""
    assert TERRAFORM is not None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text(text, encoding="utf-8")
        settings = Path(folder, "settings")
        settings.write_text("")
        environ = {"PATH": os.environ["PATH"], "HOME": folder, "TF_CLI_CONFIG_FILE": str(settings)}
        done = subprocess.run(
            [TERRAFORM, "console"],
            input=f"base64encode(jsonencode({expression}))\n",
            capture_output=True,
            text=True,
            cwd=folder,
            env={**environ, "CHECKPOINT_DISABLE": "1"},
            timeout=120,
        )
    assert done.stdout.startswith('"'), done.stdout + done.stderr
    return json.loads(base64.b64decode(json.loads(done.stdout)))
