"""`policy-guard demo`: a scratch repository, a policy that grants more, and the real check failing on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import printable

HERE = Path(__file__).parent
SURPRISE = 3
REPORT = "report.json"
PATIENCE = 120
# What belongs to the user's own repository, commit or CI job, and would lead the check there.
_FOREIGN = ("GIT_", "GITHUB_", "PRE_COMMIT", "CI", "PYTHON")
_STORY = """\
policy-guard demo: a scratch repository holds two IAM policies. Somebody edits both.

  iam/orders.json     - "s3:DeleteObject"
                      + "s3:Delete*"
  iam/reports.json    statements in another order, an action less, a narrower resource

$ policy-guard check
"""
_FAILED = """\

That was exit code 1: as a pre-commit hook it stops the commit, as a GitHub action the pull request.
iam/orders.json grants more than before, and something on the list of critical permissions; each finding
names the statement, the line and one request that shows it. iam/reports.json was proved to grant nothing new.
The scratch repository is gone again, and nothing else was touched.

Next, in a repository of yours that holds IAM policies, as JSON or YAML, in templates, manifests or Terraform:
  policy-guard list      what is a policy there, and of which kind
  policy-guard check     what you are about to commit
then add the hook: the README shows the four lines, under "Adopt it in five minutes".
"""
_SURPRISED = """\

The check should have found new access in iam/orders.json and nothing else, with exit code 1; it ended with {code}.
This is a bug in policy-guard, or its installation is damaged.
"""


def run(write: Callable[[str], object], environ: Mapping[str, str]) -> int:
    """Tells the story through `write`; 0 if the check failed as it should, else 3.

    Raises SetupError where there is no git, or no room for the scratch repository.
    """
    try:
        with TemporaryDirectory(prefix="policy-guard-demo-", ignore_cleanup_errors=True) as folder:
            process = _play(Path(folder), environ)
            succeeded = process.returncode == 1 and _found_as_it_should(Path(folder, REPORT))
    except OSError as error:
        raise SetupError(f"the demo needs a folder for temporary files: {printable(str(error))}.") from None
    write(_STORY + "\n" + process.stdout + process.stderr)
    write(_FAILED if succeeded else _SURPRISED.format(code=process.returncode))
    return 0 if succeeded else SURPRISE


def _found_as_it_should(report: Path) -> bool:
    """A Python that cannot start ends with 1 as well: the findings have to be there, on that file alone."""
    try:
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
    except (OSError, ValueError, KeyError):
        return False
    checks = {finding["check"] for finding in findings}
    return checks == {"no-new-access", "access-not-granted"} and {f["path"] for f in findings} == {"iam/orders.json"}


def _play(folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    repository, home = folder / "orders", folder / "home"
    home.mkdir()
    isolated = _environment(home, environ)
    shutil.copytree(HERE / "before", repository)
    for arguments in (("init", "--quiet", "--template="), ("add", "."), ("commit", "--quiet", "-m", "policies")):
        _git(arguments, repository, isolated)
    shutil.copytree(HERE / "after", repository, dirs_exist_ok=True)
    formats = ("--format", "text", "--format", f"json={folder / REPORT}")
    return _run([sys.executable, "-m", "policy_guard", "check", *formats], repository, isolated)


def _environment(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment without their repository, git settings, hooks, signatures and identity."""
    variables = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
    variables |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    variables |= {"GIT_CEILING_DIRECTORIES": str(home.parent), "GIT_TERMINAL_PROMPT": "0", "PYTHONIOENCODING": "utf-8"}
    for role in ("AUTHOR", "COMMITTER"):
        variables |= {f"GIT_{role}_NAME": "policy-guard demo", f"GIT_{role}_EMAIL": "demo@example.invalid"}
    package = HERE.parents[2]
    if package.name not in ("site-packages", "dist-packages"):
        variables["PYTHONPATH"] = str(package)
    return variables


def _git(arguments: tuple[str, ...], folder: Path, environ: Mapping[str, str]) -> None:
    try:
        process = _run(["git", *arguments], folder, environ)
    except FileNotFoundError:
        raise SetupError("git was not found. Install git, or put it on the PATH.") from None
    if process.returncode:
        words = printable(" ".join(process.stderr.split()))
        raise SetupError(f"git {arguments[0]} failed in the demo's scratch repository: {words}")


def _run(command: list[str], folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"{command[0]} did not come back within {PATIENCE} seconds. Try the demo again.") from None
