"""An overview of 3,000 mixed policies: how long the command takes, and how long its page does in Chromium.

Run: python -m tests.benchmarks.overview [--policies 3000] [--keep FOLDER]. Bare files are AWS's managed policies, as
PyPI's `moto` has them; templates, Terraform and manifests have a few policies each. All packs are asked for.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from tests.report.test_summary_page import OPTIONS
from tests.support.repository import Scratch, allow, document

RUNS = 9
_TRUST = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}})
_PACKS = ["administrators", "data-exposure", "defence-evasion", "privilege-escalation"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=int, default=3000)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = arguments.keep or Path(folder)
        root.mkdir(exist_ok=True)
        lay_out(Scratch(root), arguments.policies)
        command = [sys.executable, "-m", "policy_guard", "report", "-o", "report.html", "-o", "report.json"]
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=root, check=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        print(json.loads((root / "report.json").read_text())["sum"])
        print(f"{time.monotonic() - start:.1f} s, {seconds:.1f} s of the processor")
        _browse(root / "report.html")


def lay_out(scratch: Scratch, number: int) -> None:
    """Six of ten policies are files of their own, two stand in templates, one in Terraform and one in manifests."""
    managed = [policy["Document"] for _, policy in sorted(json.loads(aws_managed_policies_data).items())]
    for at in range(number * 6 // 10):
        scratch.write(f"iam/team-{at % 40}/policy-{at}.json", _bare(managed, at))
    for at in range(number // 10):
        scratch.write(f"stacks/template-{at}.yaml", json.dumps(_template(at, managed[at % len(managed)])))
        scratch.write(f"terraform/module-{at // 5}/role-{at}.tf", _terraform(at))
        scratch.write(f"clusters/policy-{at}.yaml", json.dumps(_manifest(at)))
    scratch.write("critical-permissions.yaml", json.dumps({"version": 1, "packs": _PACKS}))
    scratch.write(".policy-guard.yaml", json.dumps({"version": 1, "critical": "critical-permissions.yaml"}))
    scratch.commit()


def _bare(managed: list[Any], at: int) -> Any:
    if at < len(managed):
        return managed[at]
    actions = ("s3:Get*", "sqs:SendMessage", "dynamodb:*", "iam:PassRole", "kms:Decrypt", "lambda:Update*")
    resource = f"arn:aws:s3:::bucket-{at}/*"
    principal = {} if at % 3 else {"Principal": {"AWS": f"arn:aws:iam::{111122220000 + at}:root"}}
    return document({**allow(actions[at % 6], actions[at % 5], resource=resource), **principal})


def _template(at: int, policy: Any) -> Any:
    role = {"AssumeRolePolicyDocument": _TRUST, "Policies": [{"PolicyName": "p", "PolicyDocument": policy}]}
    return {"Resources": {f"Role{at}": {"Type": "AWS::IAM::Role", "Properties": role}}}


def _terraform(at: int) -> str:
    policy = json.dumps(document(allow("s3:Get*", "sqs:*", resource="*")))
    return f'resource "aws_iam_policy" "p{at}" {{\n  name   = "p{at}"\n  policy = jsonencode({policy})\n}}\n'


def _manifest(at: int) -> Any:
    policy = json.dumps(document(allow("ec2:Describe*", "ec2:Run*", "iam:PassRole")))
    spec = {"forProvider": {"name": f"p{at}", "policy": policy}}
    return {"apiVersion": "iam.aws.upbound.io/v1beta1", "kind": "Policy", "metadata": {"name": f"p{at}"}, "spec": spec}


_OPENED = "const t = performance.timing; return t.loadEventEnd - t.navigationStart"
_FILTER = """
const input = document.querySelector('#policies input');
const took = [];
for (const text of arguments[0]) {
  input.value = text;
  const start = performance.now();
  input.dispatchEvent(new Event('input'));
  document.body.offsetHeight;
  took.push(performance.now() - start);
}
return took;
"""


def _browse(page: Path) -> None:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in OPTIONS:
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options)
    try:
        opening = []
        for _ in range(RUNS):
            browser.get(page.as_uri())
            browser.execute_script("return document.body.offsetHeight")
            opening.append(
                browser.execute_script("return performance.timing.loadEventEnd - performance.timing.navigationStart")
            )
        filtering = browser.execute_script(_FILTER, ["p", "po", "policy-2", "iam", "", "s3", "team-7"])
    finally:
        browser.quit()
    print(f"the page has {page.stat().st_size / 2**20:.1f} MB and opens in {statistics.median(opening):.0f} ms")
    print(f"filtering takes {statistics.median(filtering):.0f} ms in the median, {max(filtering):.0f} ms at most")


if __name__ == "__main__":
    main()
