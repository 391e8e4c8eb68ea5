"""Builds serverless_policies.json of the CloudFormation container from the Python package aws-sam-translator.

pip download --no-deps aws-sam-translator
python scripts/build_serverless_policies.py aws_sam_translator-*.whl

The policy templates of AWS SAM (Apache-2.0) are kept with their parameters and statements, and of the managed policies
of AWS those that lie under a path, since a template may name them without it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
DATA = ROOT / "policy_guard/documents/containers/cloudformation/serverless_policies.json"
TEMPLATES = "samtranslator/policy_templates_data/policy_templates.json"
MANAGED = "samtranslator/internal/data/aws_managed_policies.json"
PREFIX = "arn:aws:iam::aws:policy/"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="the .whl of aws-sam-translator")
    path = parser.parse_args().wheel
    with ZipFile(path) as wheel:
        templates, managed = json.loads(wheel.read(TEMPLATES)), json.loads(wheel.read(MANAGED))
    data = {
        "source": f"aws-sam-translator {path.name.split('-')[1]} (Apache-2.0)",
        "managed": dict(sorted(paths(managed["aws"]))),
        "templates": {name: kept(template) for name, template in sorted(templates["Templates"].items())},
    }
    DATA.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")


def paths(managed: dict[str, str]) -> list[tuple[str, str]]:
    """The paths of the managed policies that have one, by their names."""
    found = ((name, arn.removeprefix(PREFIX).rpartition("/")[0]) for name, arn in managed.items())
    return [(name, path) for name, path in found if path and path != "aws-service-role"]


def kept(template: dict[str, Any]) -> dict[str, Any]:
    return {"parameters": sorted(template["Parameters"]), "statements": template["Definition"]["Statement"]}


if __name__ == "__main__":
    main()
