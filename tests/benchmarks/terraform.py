"""What a check of Terraform costs: `python tests/benchmarks/terraform.py`.

The repository is made up: a root of 40 files that calls 20 modules of 8 files, some of them for each of several names,
with locals, variables, conditions, documents and values that are given on to modules. In the last row all calls of
modules have one name, so that each role that the changed policies serve has seventy policies. It is checked
as CI does, and as the hook does; the time is that of the processor, the median of three runs after a first one.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.repository import ENVIRON, Scratch  # noqa: E402

ROOTS, MODULES, PARTS = 40, 20, 8
CI = [sys.executable, "-m", "policy_guard", "check", "--base", "HEAD~1"]
HOOK = [sys.executable, "-m", "policy_guard", "check", "--base", "HEAD", "--staged"]
VARIABLES = """variable "name" {}
variable "environment" { default = "dev" }
variable "buckets" { default = ["a", "b"] }
variable "on" { default = true }
locals {
  prefix = "${var.name}-${var.environment}"
  arns   = [for bucket in var.buckets : "arn:aws:s3:::${local.prefix}-${bucket}/*"]
  tags   = merge({ Name = local.prefix }, var.on ? { On = "yes" } : {})
}
output "arns" { value = local.arns }
"""


def main() -> None:
    print("| what changed | the hook | CI |")
    print("| --- | ---: | ---: |")
    module = "a policy of a module that is called for each of three names"
    shared = "a policy of a module, where all modules share roles of seventy policies"
    with tempfile.TemporaryDirectory() as folder:
        scratch = _scratch(Path(folder, "large"), {**_files(), "README.md": "one\n"})
        for change in (
            ("nothing of Terraform", "README.md", "one", "two"),
            ("a file without a policy", "live/part-3.tf", "retention_in_days = 7", "retention_in_days = 14"),
            ("a policy of the root", "live/part-3.tf", "sqs:SendMessage", "sqs:*"),
            (module, "modules/m0/part-3.tf", "GetObject", "*"),
            ("a local that many policies take", "live/locals.tf", '"eu"', '"us"'),
        ):
            print(_row(scratch, *change), flush=True)
        scratch = _scratch(Path(folder, "shared"), {path: _with_one_name(text) for path, text in _files().items()})
        print(_row(scratch, shared, "modules/m0/part-3.tf", "GetObject", "*"))


def _row(scratch: Scratch, name: str, path: str, old: str, new: str) -> str:
    """Make a change, and tell what the hook and CI take for it."""
    text = (scratch.folder / path).read_text()
    assert old in text
    scratch.write(path, text.replace(old, new).encode())
    scratch.git("add", "-A")
    hook = _seconds(HOOK, scratch)
    scratch.git("commit", "-q", "-m", "change")
    return f"| {name} | {hook:.2f} s | {_seconds(CI, scratch):.2f} s |"


def _with_one_name(text: str) -> str:
    """A file of which all calls of modules give one name."""
    return re.sub(r'^(  name +=) "part\d+(-\$\{each\.value\})?"$', r'\1 "app\2"', text, flags=re.MULTILINE)


def _seconds(command: list[str], scratch: Scratch) -> float:
    """The seconds of the processor that a command takes; a first run is not counted."""
    return statistics.median([_processor_seconds(command, scratch) for _ in range(4)][1:])


def _processor_seconds(command: list[str], scratch: Scratch) -> float:
    process = subprocess.Popen(
        command, cwd=scratch.folder, env={**ENVIRON, "HOME": os.devnull}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1), process.returncode
    return usage.ru_utime + usage.ru_stime


def _scratch(folder: Path, files: Mapping[str, str]) -> Scratch:
    folder.mkdir()
    scratch = Scratch(folder)
    for path, text in files.items():
        scratch.write(path, text.encode())
    scratch.commit()
    return scratch


def _files() -> dict[str, str]:
    calls = {f"live/part-{number}.tf": _of_root(number) for number in range(ROOTS - 1)}
    parts = {f"modules/m{n}/part-{part}.tf": _of_module(part) for n in range(MODULES) for part in range(PARTS - 1)}
    variables = {f"modules/m{number}/variables.tf": VARIABLES for number in range(MODULES)}
    locals_ = 'locals {\n  region = "eu"\n  names  = { a = "one", b = "two", c = "three" }\n}\n'
    return {"live/locals.tf": locals_, **calls, **parts, **variables}


def _of_root(number: int) -> str:
    """A file of the root: every other one calls a module."""
    name = f"part{number}"
    several = f'for_each = local.names\n  name     = "{name}-${{each.value}}"'
    each = several if number % 4 == 0 else f'name   = "{name}"'
    call = f'module "{name}" {{\n  source = "../modules/m{number // 2}"\n  {each}\n}}\n' if number % 2 == 0 else ""
    given = f"jsonencode(module.part{number - 1}[*])" if number % 2 else "local.region"
    return f"""{call}data "aws_iam_policy_document" "{name}" {{
  statement {{
    actions   = ["sqs:SendMessage"]
    resources = ["arn:aws:sqs:${{local.region}}-west-1:123456789012:{name}"]
  }}
}}
resource "aws_iam_role_policy" "{name}" {{
  role   = "{name}"
  policy = data.aws_iam_policy_document.{name}.json
}}
resource "aws_cloudwatch_log_group" "{name}" {{
  name              = "/{name}/${{local.region}}"
  retention_in_days = 7
}}
resource "aws_ssm_parameter" "{name}" {{
  name  = "/{name}"
  type  = "String"
  value = {given}
}}
"""


def _of_module(part: int) -> str:
    return f"""data "aws_iam_policy_document" "p{part}" {{
  statement {{
    actions   = ["s3:GetObject"]
    resources = local.arns
  }}
  dynamic "statement" {{
    for_each = var.on ? ["logs:PutLogEvents"] : []
    content {{
      actions   = [statement.value]
      resources = ["*"]
    }}
  }}
}}
resource "aws_iam_policy" "p{part}" {{
  name   = "${{local.prefix}}-{part}"
  policy = data.aws_iam_policy_document.p{part}.json
}}
resource "aws_iam_role_policy_attachment" "p{part}" {{
  role       = local.prefix
  policy_arn = aws_iam_policy.p{part}.arn
}}
resource "aws_lambda_function" "f{part}" {{
  count         = var.on ? 1 : 0
  function_name = "${{local.prefix}}-{part}"
  role          = "arn:aws:iam::123456789012:role/${{local.prefix}}"
  tags          = local.tags
  environment {{
    variables = {{ BUCKETS = join(",", var.buckets), NAME = local.prefix, ARN = aws_iam_policy.p{part}.arn }}
  }}
}}
"""


if __name__ == "__main__":
    main()
