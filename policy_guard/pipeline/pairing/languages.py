"""Files in languages that are not read: that policies stand in them is said."""

from __future__ import annotations

import re

from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import LINK, SUBMODULE, File
from policy_guard.pipeline.repository.objects import OVERSIZED
from policy_guard.regex import regex

# The arguments and blocks of the AWS provider that take a policy, and the words of a policy in HCL or in JSON.
# Source: registry of Terraform, hashicorp/aws, aws_iam_policy_document and the resources that take its `json`.
_WORDS = regex(
    rb"\baws_iam_\w*policy|\bassume_role_policy\b|\binline_policy\b|\b\w*policy\s*="
    rb"|\bStatement\b|\bstatements\b|RoleStatements"
)
_NOT_READ = {".hcl": "HCL that is not Terraform's"}
# Terragrunt, "Attributes", inputs; Terraform, "Stacks", the files of components and deployments.
_OF_STACKS = (".tfstack.hcl", ".tfcomponent.hcl", ".tfdeploy.hcl")
_GIVING = regex(rb"^[ \t]*inputs\s*=|\barn:aws", re.MULTILINE)
_PROGRAM = regex(r"(?:.*/)?serverless[^/]*\.[cm]?[jt]s")


# AWS CLI, "cloudformation deploy", option parameter-overrides, and AWS SAM CLI, "configuration file".
_PARAMETERS = regex(
    rb"""["']?ParameterKey["']?\s*[:=]|\A\s*\{\s*"Parameters"\s*:|^[ \t]*["']?parameter_overrides["']?\s*[:=]""",
    re.MULTILINE,
)
_PARAMETER_FILES = (".json", ".yaml", ".yml", ".toml")


def unread_policies(reader: Reader, file: File | None, path: str, changed: bool) -> str:
    """Say that a file holds policies that are not checked; empty if it holds none, or is excluded."""
    if changed and path.lower().endswith(_PARAMETER_FILES) and _gives_parameters(reader, file, path):
        return "gives values to a template, which does not name it; what they decide is not checked"
    suffix = f".{path.lower().rpartition('.')[2]}"
    is_program = "serverless" in path and _PROGRAM.fullmatch(path)
    language = _NOT_READ.get(suffix) or ("a program of the Serverless Framework" if is_program else None)
    if language is None or file is None or file.mode in (LINK, SUBMODULE) or not reader.included(path):
        return ""
    data = reader.content(file)
    if data is None:
        return ""
    if data is not OVERSIZED and not _WORDS.search(data):
        is_giving = suffix == ".hcl" and changed and (path.endswith(_OF_STACKS) or _GIVING.search(data))
        return f"gives values to Terraform in {language}, which is not read; these are not checked" if is_giving else ""
    return f"contains policies in {language}, which is not read; these are not checked"


def _gives_parameters(reader: Reader, file: File | None, path: str) -> bool:
    """Tell whether a file holds parameters of a template of CloudFormation, and is no template itself."""
    if file is None or file.mode in (LINK, SUBMODULE) or not reader.included(path):
        return False
    data = reader.content(file)
    return data is not None and data is not OVERSIZED and bool(_PARAMETERS.search(data)) and b"Resources" not in data
