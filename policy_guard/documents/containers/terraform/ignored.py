"""What Terraform leaves as it is, whatever is written: `ignore_changes` of the argument, or of those that say whose.

Source: Terraform, "The lifecycle Meta-Argument". The text of a new resource is applied all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.terraform.deciding import deciding_texts
from policy_guard.documents.containers.terraform.definition import Definition, plain_text
from policy_guard.documents.containers.terraform.grants import decides
from policy_guard.documents.containers.terraform.lasting import decides_lasting
from policy_guard.documents.containers.terraform.places import GRANT, Use, told_at, type_of
from policy_guard.documents.containers.terraform.uses import HOLDERS, kind_of
from policy_guard.documents.hcl.syntax import Attribute, Body, Expression, Index, List, Variable

_ALL = "all"
_REPLACING = ("name", "name_prefix", "path")
_REPLACING_POLICIES = (*_REPLACING, "description")
_TRIGGERS = "replace_triggered_by"
# The name of a policy, and of what it is in, says nothing about who has it.
_HOLDERS = frozenset(HOLDERS) - {"name"}


def takes_effect(old: Use, new: Use | None) -> bool:
    """Tell whether something counts that did not before: its changes were ignored, and whatever is there goes."""
    if new is None:
        return False
    old_names, new_names = set(_ignored(old)), set(_ignored(new))
    if old_names and _is_made_anew(old, new):
        return True
    return bool(old_names - new_names) and _ALL not in new_names


def _is_made_anew(old: Use, new: Use) -> bool:
    """Tell whether Terraform replaces a resource, which then has what is written.

    Source: the AWS provider's documentation of the resources of IAM; Terraform, "replace_triggered_by".
    """
    ignored = set(_names_in(new.definition))
    replacing = _REPLACING_POLICIES if type_of(new) == "aws_iam_policy" else _REPLACING
    names = [] if _ALL in ignored else [name for name in replacing if name not in ignored]
    if any(_deciding(old, old.definition.body, name) != _deciding(new, new.definition.body, name) for name in names):
        return True
    before, after = ([_deciding(use, body, _TRIGGERS) for body in _lifecycles(use.definition)] for use in (old, new))
    return any(each for each in after) and before != after


def _deciding(use: Use, body: Body, name: str) -> object:
    """Return what decides an argument; nothing where there is none."""
    value = body.value(name)
    return (use.definition.written(value), deciding_texts(use.scope, value)) if value is not None else ()


def is_ignoring(definition: Definition) -> bool:
    """Tell whether changes of a policy of a resource are ignored, or of all that it has."""
    type_ = definition.block.labels[0] if definition.block is not None and definition.block.labels else ""
    return any(name == _ALL or kind_of(type_, name) is not None for name in _names_in(definition))


def keeps(use: Use) -> bool:
    """Tell whether a place keeps the policy that it has, so that what is written there may not be so."""
    return not {_ALL, _argument(use)}.isdisjoint(_ignored(use))


def _argument(use: Use) -> str:
    """The argument of the resource that a place is in."""
    path = use.address.removeprefix(use.scope.name).split(".")
    return path[2].partition("[")[0] if len(path) > 2 else ""


def _ignored(use: Use) -> Iterator[str]:
    """The names of ignored arguments that decide a policy, or whose it is; `all` for all of them."""
    yield from (name for name in _names_in(use.definition) if name == _ALL or _decides(use, name))


def _names_in(definition: Definition) -> Iterator[str]:
    """The names of all ignored arguments of a resource."""
    for body in _lifecycles(definition):
        value = body.value("ignore_changes")
        items = value.items if isinstance(value, List) else (value,)
        yield from filter(None, map(_first_name, items))


def _lifecycles(definition: Definition) -> Iterator[Body]:
    yield from (block.body for block in definition.body.blocks if block.type == "lifecycle")


def _first_name(value: Expression | None) -> str:
    while isinstance(value, Attribute | Index):
        value = value.value
    return value.name if isinstance(value, Variable) else plain_text(value)


def _decides(use: Use, name: str) -> bool:
    type_, told = type_of(use), told_at(use)
    if told == GRANT:
        return decides(type_, name)
    return decides_lasting(type_, told, name) if told else name == _argument(use) or name in _HOLDERS
