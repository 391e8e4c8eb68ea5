"""Expressions of Terraform come to what `terraform console` says, or to what nobody knows.

`fixtures/terraform/expressions.json` has expressions with the values that Terraform 1.x gave for them, in JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.functions import LISTS
from policy_guard.documents.containers.terraform.known import KNOWN
from policy_guard.documents.containers.terraform.units import root
from policy_guard.documents.containers.terraform.values import is_known, label_of
from policy_guard.documents.source import Array, Node, Scalar, Source
from tests.support.places import FIXTURES, ROOT

EXPRESSIONS: list[tuple[str, Any]] = json.loads((FIXTURES / "terraform" / "expressions.json").read_text())
UNKNOWN = object()
COMPUTED = 105


def value(expression: str) -> Any:
    """What an expression comes to, as JSON has it; `UNKNOWN` if nobody knows."""
    folder = Folder("", {"main.tf": Source("main.tf", f"locals {{\n  x = {expression}\n}}\n")})
    assert not folder.wrong
    try:
        source = folder.definitions["local.x"].source
        found = Evaluator(root(folder, lambda path: None, frozenset()), source, {}).local("x")
    except Opaque:
        return UNKNOWN
    return plain(found) if is_known(found) else UNKNOWN


def plain(node: Node) -> Any:
    """A value as JSON has it; what `jsonencode` made is its text."""
    if isinstance(node, Scalar):
        kinds = {"null": lambda text: None, "boolean": lambda text: text == "true", "number": float}
        return kinds.get(node.kind, str)(label_of(node))
    if isinstance(node, Array):
        return [plain(item) for item in node.items]
    return {key.text: plain(each) for key, each in node.entries}


def same(ours: Any, theirs: Any) -> bool:
    """Tell whether two values are one; a text in JSON is what it says."""
    if isinstance(theirs, str) and isinstance(ours, dict | list):
        theirs = json.loads(theirs)
    return bool(ours == theirs) and isinstance(ours, bool) == isinstance(theirs, bool)


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
