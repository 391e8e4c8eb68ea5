"""Expressions of Terraform come to what `terraform console` says, or to what nobody knows.

`fixtures/terraform/expressions.json` has expressions with the values that Terraform 1.x gave for them, in JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from policy_guard.documents.containers.terraform.functions import LISTS
from policy_guard.documents.containers.terraform.known import KNOWN
from tests.support.expressions import UNKNOWN, same, value
from tests.support.places import FIXTURES, ROOT

EXPRESSIONS: list[tuple[str, Any]] = json.loads((FIXTURES / "terraform" / "expressions.json").read_text())
COMPUTED = 105


@pytest.mark.parametrize(("expression", "theirs"), EXPRESSIONS, ids=[expression for expression, _ in EXPRESSIONS])
def test_what_is_worked_out_is_what_terraform_says(expression: str, theirs: Any) -> None:
    ours = value(expression)
    assert ours is UNKNOWN or same(ours, theirs)


def test_most_expressions_are_worked_out() -> None:
    assert sum(value(expression) is not UNKNOWN for expression, _ in EXPRESSIONS) >= COMPUTED


def test_the_manual_lists_every_function_that_is_worked_out() -> None:
    manual = (ROOT / "docs" / "terraform.md").read_text()
    start = manual.index("these functions are worked out")
    listed = re.findall(r"`(\w+)`", manual[start : manual.index("What nobody can tell", start)])
    assert listed == sorted({*KNOWN, *LISTS, "file", "fileexists", "fileset", "jsonencode", "templatefile"})
