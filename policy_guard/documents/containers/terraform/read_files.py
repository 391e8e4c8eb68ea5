"""Files that Terraform reads as whole policies: what they say is judged at the resources that read them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.file_functions import path_of
from policy_guard.documents.containers.terraform.places import Use, uses
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.containers.terraform.units import units
from policy_guard.documents.hcl.syntax import Call

_READING = ("file", "templatefile")


def files_of_policies(scope: Scope, paths: Collection[str]) -> Iterator[tuple[str, str]]:
    """The files among these that are the policy of a resource, which is there, each with the file that says so."""
    for use in uses(scope):
        if use.kind is None or not isinstance(use.value, Call) or use.value.name not in _READING:
            continue
        path = _path(use, use.value)
        if path in paths and any(True for _ in _worked_out(use)):
            yield path, use.definition.source.path


def _path(use: Use, call: Call) -> str:
    try:
        return path_of(Evaluator(use.scope, use.definition.source, {}), call.arguments[0]) or ""
    except (Need, Opaque, Impossible, IndexError):
        return ""


def _worked_out(use: Use) -> Iterator[object]:
    return (unit for unit in units(use) if unit.policy is not None and not unit.problems)
