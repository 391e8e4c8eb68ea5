"""Expressions of Terraform come to what `terraform console` says, or to what nobody knows.

`fixtures/terraform/expressions.json` has expressions with the values that Terraform 1.x gave for them, in JSON. Where
there is a Terraform, it is asked again.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from policy_guard.documents.containers.terraform.functions import LISTS
from policy_guard.documents.containers.terraform.known import KNOWN
from tests.support.console import TERRAFORM, answers
from tests.support.expressions import UNKNOWN, same, value
from tests.support.places import FIXTURES, ROOT

EXPRESSIONS: list[tuple[str, Any]] = json.loads((FIXTURES / "terraform" / "expressions.json").read_text())
COMPUTED = 383
OTHERS = ("can", "file", "fileexists", "fileset", "jsonencode", "templatefile", "try")


@pytest.mark.parametrize(("expression", "theirs"), EXPRESSIONS, ids=[expression for expression, _ in EXPRESSIONS])
def test_what_is_worked_out_is_what_terraform_says(expression: str, theirs: Any) -> None:
    ours = value(expression)
    assert ours is UNKNOWN or same(ours, theirs)


def test_most_expressions_are_worked_out() -> None:
    assert sum(value(expression) is not UNKNOWN for expression, _ in EXPRESSIONS) >= COMPUTED


@pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform here")
def test_the_values_are_those_of_terraform() -> None:
    said = answers([expression for expression, _ in EXPRESSIONS])
    assert [pair for pair, each in zip(EXPRESSIONS, said, strict=True) if pair[1] != each] == []


def test_the_manual_lists_every_function_that_is_worked_out() -> None:
    manual = " ".join((ROOT / "docs" / "terraform.md").read_text().split())
    start = manual.index("these functions are worked out")
    listed = re.findall(r"`(\w+)`", manual[start : manual.index("of numbers all operators", start)])
    assert listed == sorted({*KNOWN, *LISTS, *OTHERS})
