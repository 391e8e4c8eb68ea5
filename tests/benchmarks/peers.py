"""What other tools say of ten changes, and what they cost: `python tests/benchmarks/peers.py FOLDER [PACKAGE...]`

Each tool gets an environment of its own in the folder, made once. It is run as a whole process on the old and on the
new version of each of ten seeded policies, five of them wider than before. Most tools look at one version, so that what
one of them says of a change is whether it says something else of the new version; this tool compares the two.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.repository import allow, deny, document  # noqa: E402

RUNS = 3
KILOBYTES_A_MEGABYTE = 1024
POLICY, TEMPLATE, ACCOUNT = "policy.json", "template.json", "account.json"


class Change(NamedTuple):
    """Two versions of one policy, and whether the new one allows more."""

    name: str
    old: dict[str, Any]
    new: dict[str, Any]
    widens: bool


class Peer(NamedTuple):
    """A package, the version that was looked at, and what is run of it in the folder of one version."""

    package: str
    version: str
    arguments: tuple[str, ...]


class Told(NamedTuple):
    """Its exit code and what it said without numbers of lines, its seconds and its most memory in megabytes."""

    code: int
    words: str
    seconds: float
    megabytes: float


ORDERS = "arn:aws:s3:::orders/*"
IN_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
CHANGES = (
    Change(
        "an action more",
        document(allow("s3:GetObject", resource=ORDERS)),
        document(allow("s3:GetObject", "s3:DeleteObject", resource=ORDERS)),
        True,
    ),
    Change(
        "a wildcard for an action",
        document(allow("s3:GetObject", resource=ORDERS)),
        document(allow("s3:*Object", resource=ORDERS)),
        True,
    ),
    Change(
        "every resource for those of one bucket",
        document(allow("s3:GetObject", resource=ORDERS)),
        document(allow("s3:GetObject", resource="*")),
        True,
    ),
    Change(
        "a condition that goes",
        document(allow("s3:GetObject", resource=ORDERS, Condition=IN_ORGANIZATION)),
        document(allow("s3:GetObject", resource=ORDERS)),
        True,
    ),
    Change(
        "a Deny that goes",
        document(allow("s3:*", resource=ORDERS), deny("s3:DeleteObject")),
        document(allow("s3:*", resource=ORDERS)),
        True,
    ),
    Change(
        "a statement in two",
        document(allow("s3:GetObject", "s3:PutObject", resource=ORDERS)),
        document(allow("s3:PutObject", resource=ORDERS), allow("s3:GetObject", resource=ORDERS)),
        False,
    ),
    Change(
        "an action that a wildcard covers goes",
        document(allow("s3:GetObject", "s3:Get*", resource=ORDERS)),
        document(allow("s3:Get*", resource=ORDERS)),
        False,
    ),
    Change(
        "a folder for a bucket",
        document(allow("s3:GetObject", resource=ORDERS)),
        document(allow("s3:GetObject", resource="arn:aws:s3:::orders/2024/*")),
        False,
    ),
    Change(
        "a condition more",
        document(allow("s3:GetObject", resource=ORDERS)),
        document(allow("s3:GetObject", resource=ORDERS, Condition=IN_ORGANIZATION)),
        False,
    ),
    Change(
        "a Deny more",
        document(allow("s3:*", resource=ORDERS)),
        document(allow("s3:*", resource=ORDERS), deny("s3:DeleteObject")),
        False,
    ),
)
PEERS = (
    Peer("parliament", "1.6.4", ("parliament",)),
    Peer("cloudsplaining", "0.9.1", ("cloudsplaining", "scan-policy-file", "--input-file", POLICY)),
    Peer("cfn-lint", "1.58.0", ("cfn-lint", TEMPLATE)),
    Peer("checkov", "3.3.30", ("checkov", "-f", TEMPLATE, "--framework", "cloudformation", "--compact", "--quiet")),
    Peer("iamprover", "0.7.1", ("iamprover", "verify", "--gaad", ACCOUNT, "--privesc")),
    # It asks AWS over the network for what services there are.
    Peer("iam-policy-validator", "1.31.4", ("iam-validator", "validate", "--path", POLICY)),
)


def main() -> None:
    environments = Path(sys.argv[1]).resolve()
    names = sys.argv[2:]
    print("| tool | seconds | memory | of 5 that widen | of 5 that do not |")
    print("| --- | ---: | ---: | ---: | ---: |")
    print(_row("policy-guard", _compared))
    for peer in PEERS:
        if not names or peer.package in names:
            program = _environment(environments, peer) / peer.arguments[0]
            print(_row(f"{peer.package} {peer.version}", _beside([str(program), *peer.arguments[1:]])))


def _row(name: str, ask: Callable[[Path, Path], tuple[bool, list[Told]]]) -> str:
    """The row of a tool; `ask` tells from the folders of both versions whether it speaks of the change."""
    spoken: dict[bool, int] = {True: 0, False: 0}
    runs: list[Told] = []
    for change in CHANGES:
        with tempfile.TemporaryDirectory() as folder:
            versions = [
                _written(Path(folder) / name, version) for name, version in (("old", change.old), ("new", change.new))
            ]
            speaks, told = ask(versions[0], versions[1])
        spoken[change.widens] += speaks
        runs += told
    seconds = statistics.median(run.seconds for run in runs)
    megabytes = max(run.megabytes for run in runs)
    return f"| {name} | {seconds:.2f} | {megabytes:.0f} MB | {spoken[True]} | {spoken[False]} |"


def _written(folder: Path, version: dict[str, Any]) -> Path:
    """The folder, with the policy, a template that holds it, and an account with a role that has it."""
    folder.mkdir()
    (folder / POLICY).write_text(json.dumps(version, indent=2))
    properties = {"PolicyDocument": version}
    resources = {"Orders": {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}}
    (folder / TEMPLATE).write_text(json.dumps({"Resources": resources}, indent=2))
    trust = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    role = {
        "RoleName": "orders",
        "Arn": "arn:aws:iam::123456789012:role/orders",
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [{"PolicyName": "orders", "PolicyDocument": version}],
        "AttachedManagedPolicies": [],
    }
    (folder / ACCOUNT).write_text(json.dumps({"RoleDetailList": [role], "Policies": []}))
    return folder


def _compared(old: Path, new: Path) -> tuple[bool, list[Told]]:
    """Whether this tool fails the change."""
    command = [sys.executable, "-m", "policy_guard", "compare", f"../old/{POLICY}", POLICY]
    runs = [_told(command, new) for _ in range(RUNS)]
    return runs[0].code != 0, runs


def _beside(command: list[str]) -> Callable[[Path, Path], tuple[bool, list[Told]]]:
    """Tell whether the command says something else of the new version than of the old."""

    def ask(old: Path, new: Path) -> tuple[bool, list[Told]]:
        runs = [_told(command, new) for _ in range(RUNS)]
        return runs[0][:2] != _told(command, old)[:2], runs

    return ask


def _told(command: list[str], folder: Path) -> Told:
    start = time.perf_counter()
    # One of them takes the policy from standard input where that is no terminal.
    with (folder / POLICY).open() as policy:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environ(),
            stdin=policy,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    assert process.stdout is not None
    words = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return Told(process.returncode, re.sub(r"\d+", "0", words), seconds, usage.ru_maxrss / KILOBYTES_A_MEGABYTE)


def _environ() -> dict[str, str]:
    """The variables of this process, with compiled modules kept as an installation keeps them."""
    return {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _environment(folder: Path, peer: Peer) -> Path:
    """The programs of the package's environment, which is made if it is not there."""
    environment = folder / peer.package
    if not environment.is_dir():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run(
            [environment / "bin" / "pip", "install", "--quiet", f"{peer.package}=={peer.version}"], check=True
        )
    return environment / "bin"


if __name__ == "__main__":
    main()
