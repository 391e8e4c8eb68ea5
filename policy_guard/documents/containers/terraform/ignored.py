"""What Terraform leaves as it is, whatever is written: `ignore_changes` of the argument, or of those that say whose.

Source: Terraform, "The lifecycle Meta-Argument". The text of a new resource is applied all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.terraform.definition import plain_text
from policy_guard.documents.containers.terraform.grants import decides
from policy_guard.documents.containers.terraform.lasting import decides_lasting
from policy_guard.documents.containers.terraform.places import GRANT, Use, told_at, type_of
from policy_guard.documents.containers.terraform.uses import HOLDERS
from policy_guard.documents.hcl.syntax import Attribute, Expression, Index, List, Variable

_ALL = "all"
# The name of a policy, and of what it is in, says nothing about who has it.
_HOLDERS = frozenset(HOLDERS) - {"name"}


def takes_effect(old: Use, new: Use | None) -> bool:
    """Tell whether something counts that did not before: its changes were ignored, and whatever is there goes."""
    if new is None:
        return False
    old_names, new_names = set(_ignored(old)), set(_ignored(new))
    return bool(old_names - new_names) and _ALL not in new_names


def keeps(use: Use) -> bool:
    """Tell whether a place keeps the policy that it has, so that what is written there may not be so."""
    return not {_ALL, _argument(use)}.isdisjoint(_ignored(use))


def _argument(use: Use) -> str:
    """The argument of the resource that a place is in."""
    path = use.address.removeprefix(use.scope.name).split(".")
    return path[2].partition("[")[0] if len(path) > 2 else ""


def _ignored(use: Use) -> Iterator[str]:
    """The names of ignored arguments that decide a policy, or whose it is; `all` for all of them."""
    for block in use.definition.body.blocks:
        value = block.body.value("ignore_changes") if block.type == "lifecycle" else None
        items = value.items if isinstance(value, List) else (value,)
        for name in map(_first_name, items):
            if name == _ALL or (name and _decides(use, name)):
                yield name


def _first_name(value: Expression | None) -> str:
    while isinstance(value, Attribute | Index):
        value = value.value
    return value.name if isinstance(value, Variable) else plain_text(value)


def _decides(use: Use, name: str) -> bool:
    type_, told = type_of(use), told_at(use)
    if told == GRANT:
        return decides(type_, name)
    return decides_lasting(type_, told, name) if told else name == _argument(use) or name in _HOLDERS
