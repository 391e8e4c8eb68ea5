"""Files in languages that are read only where they change: that policies stand in others is said."""

from __future__ import annotations

import re

from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import LINK, SUBMODULE, File
from policy_guard.pipeline.repository.objects import OVERSIZED

# The arguments and blocks of the AWS provider that take a policy, and the words of a policy in HCL or in JSON.
# Source: registry of Terraform, hashicorp/aws, aws_iam_policy_document and the resources that take its `json`.
_TERRAFORM = re.compile(rb"\baws_iam_\w*policy|\bassume_role_policy\b|\binline_policy\b|\b\w*policy\s*=|\bStatement\b")
_LANGUAGES = {".tf": ("Terraform", _TERRAFORM), ".tofu": ("OpenTofu", _TERRAFORM)}


def unread_policies(reader: Reader, file: File | None, path: str) -> str:
    """Say that a file that did not change holds policies in such a language; empty if not, or if it is excluded."""
    suffix = f".{path.lower().rpartition('.')[2]}"
    if suffix not in _LANGUAGES or file is None or file.mode in (LINK, SUBMODULE) or not reader.included(path):
        return ""
    language, words = _LANGUAGES[suffix]
    data = reader.content(file)
    if data is None or (data is not OVERSIZED and not words.search(data)):
        return ""
    return f"contains policies in {language}, which are checked where they change; these are not checked"
