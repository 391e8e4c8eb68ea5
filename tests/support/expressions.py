"""Expressions of Terraform as JSON has their values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from policy_guard.documents.containers.choices import Need
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.units import root
from policy_guard.documents.containers.terraform.values import JSON, is_known, label_of
from policy_guard.documents.source import Array, Node, Scalar, Source

UNKNOWN = object()


def value(expression: str) -> Any:
    """Return what an expression comes to, as JSON has it; `UNKNOWN` if nobody knows."""
    return values(f"locals {{\n  x = {expression}\n}}\n")["x"]


def values(text: str) -> Mapping[str, Any]:
    """Return what the locals of a file come to, each by its name."""
    folder = Folder("", {"main.tf": Source("main.tf", text)})
    assert not folder.wrong
    names = [name.removeprefix("local.") for name in folder.definitions if name.startswith("local.")]
    return {name: _value(folder, name) for name in names}


def _value(folder: Folder, name: str) -> Any:
    try:
        source = folder.definitions[f"local.{name}"].source
        found = Evaluator(root(folder, lambda path: None, frozenset()), source, {}).local(name)
    except (Need, Opaque):
        return UNKNOWN
    return plain(found) if is_known(found) else UNKNOWN


def plain(node: Node) -> Any:
    """A value as JSON has it; what `jsonencode` made is its text."""
    if isinstance(node, Scalar):
        kinds = {"null": lambda text: None, "boolean": lambda text: text == "true", "number": float}
        return kinds.get(node.kind, str)(label_of(node))
    inner = (
        [plain(item) for item in node.items]
        if isinstance(node, Array)
        else {key.text: plain(each) for key, each in node.entries}
    )
    return json.dumps(inner) if node.tag == JSON else inner


def same(ours: Any, theirs: Any) -> bool:
    """Tell whether two values are one. Texts in JSON are one if they say the same."""
    if isinstance(ours, str) and isinstance(theirs, str) and ours[:1] + theirs[:1] in ("{{", "[["):
        return ours == theirs or bool(json.loads(ours) == json.loads(theirs))
    if isinstance(ours, list | dict) and isinstance(theirs, list | dict):
        return _same_inside(ours, theirs)
    return bool(ours == theirs) and isinstance(ours, bool) == isinstance(theirs, bool)


def _same_inside(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict) != isinstance(theirs, dict) or len(ours) != len(theirs):
        return False
    if isinstance(ours, dict):
        return all(name in theirs and same(each, theirs[name]) for name, each in ours.items())
    return all(map(same, ours, theirs))
