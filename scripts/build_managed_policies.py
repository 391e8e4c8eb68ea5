"""Builds managed_policies.txt of the containers from the Python package moto (Apache-2.0), which has AWS's own answers.

pip download --no-deps moto
python scripts/build_managed_policies.py moto-*.whl

A line holds one managed policy of AWS: its path with its name, its version, the day of that version, and its document.
The first line names the source.
"""

from __future__ import annotations

import argparse
import ast
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
DATA = ROOT / "policy_guard/documents/containers/managed_policies.txt"
MODULE = "moto/iam/aws_managed_policies.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="the .whl of moto")
    path = parser.parse_args().wheel
    with ZipFile(path) as wheel:
        (assigned,) = ast.parse(wheel.read(MODULE)).body
    assert isinstance(assigned, ast.Assign)
    policies = json.loads(ast.literal_eval(assigned.value))
    lines = [f"# moto {path.name.split('-')[1]} (Apache-2.0)"]
    lines += sorted(line(name, policy) for name, policy in policies.items())
    DATA.write_text("".join(f"{each}\n" for each in lines), encoding="ascii")
    print(f"{len(policies)} policies")


def line(name: str, policy: dict[str, Any]) -> str:
    document = json.dumps(policy["Document"], separators=(",", ":"))
    return f"{policy['Path']}{name} {policy['DefaultVersionId']} {policy['UpdateDate'][:10]} {document}"


if __name__ == "__main__":
    main()
