"""What a plan changes of resources that were there before: who may call them, what caps them, the roles they act by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.containers.terraform.elsewhere import ABSENT, policy_with
from policy_guard.documents.containers.terraform.grants import open_access
from policy_guard.documents.containers.terraform.lasting import (
    ACTING,
    LASTING,
    OWNERSHIP,
    ROWS,
    Row,
    allowed,
    may_act,
    names_role,
)
from policy_guard.documents.containers.terraform.values import text_of, unknown
from policy_guard.documents.source import Node, Span
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

_AT = Span(0, 1)
_INDEX = regex(r"\[[^\[\]]*\]")
_ROLES = ("aws_iam_role", "aws_iam_instance_profile")
_LATER = "that the apply gives"
# The attribute that says what is open without it, and the type and attribute of that.
_OPENED = {
    "aws_api_gateway_rest_api_policy": ("rest_api_id", "aws_api_gateway_rest_api", "id"),
    "aws_efs_file_system_policy": ("file_system_id", "aws_efs_file_system", "id"),
    OWNERSHIP: ("bucket", "aws_s3_bucket", "bucket"),
}


class Told(NamedTuple):
    """What is told of a resource on one side of a plan at one of its places; `ABSENT` for nothing."""

    place: str
    node: Node


class Plan(NamedTuple):
    """The resources of a plan, and by their addresses without indexes what the configuration says of them."""

    resources: Sequence[Mapping[str, Any]]
    expressions: Mapping[str, Any]

    def gives_new_roles(self, resource: Mapping[str, Any]) -> bool:
        """Tell whether all roles that the configuration gives a resource are made by the plan."""
        expressions = self.expressions.get(_INDEX.sub("", resource["address"]), {})
        module = resource["address"].removesuffix(resource["address"].rpartition(f"{resource['type']}.")[2])
        module = _INDEX.sub("", module.removesuffix(f"{resource['type']}."))
        references = [
            name
            for key, value in _entries(expressions)
            if names_role(resource["type"], key) and isinstance(value, dict)
            for name in value.get("references", ())
        ]
        made = {_INDEX.sub("", each["address"]) for each in self.resources if each["change"].get("before") is None}
        names = {f"{module}{'.'.join(_INDEX.sub('', str(name)).split('.')[:2])}" for name in references}
        return bool(names) and names <= {name for name in made if f".{name}".rpartition(".")[0].endswith(_ROLES)}


def plan_of(resources: Sequence[Mapping[str, Any]], configuration: object) -> Plan:
    """The resources of a plan with their expressions."""
    expressions: dict[str, Any] = {}
    stack = [("", configuration.get("root_module") if isinstance(configuration, dict) else None)]
    while stack:
        prefix, module = stack.pop()
        if not isinstance(module, dict):
            continue
        for each in module.get("resources") or ():
            if isinstance(each, dict) and isinstance(each.get("address"), str):
                expressions[f"{prefix}{each['address']}"] = each.get("expressions")
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, dict) else ():
            stack.append((f"{prefix}module.{name}.", call.get("module") if isinstance(call, dict) else None))
    return Plan(resources, expressions)


def told_on_side(plan: Plan, resource: Mapping[str, Any], side: str) -> Iterator[Told]:
    """What a resource that was there before gives on a side; one that caps, if it goes, what it leaves open."""
    change, type_ = resource["change"], resource["type"]
    old_values, new_values = change.get("before"), change.get("after")
    if type_ in _OPENED and side == "after" and isinstance(old_values, dict) and new_values is None:
        if change.get("actions") != ["forget"] and not _is_among(plan.resources, type_, old_values, "after"):
            yield Told(LASTING if type_ == OWNERSHIP else "policy", open_access(type_, {}, _AT))
        return
    values, lasts = change.get(side), isinstance(old_values, dict) and isinstance(new_values, dict)
    is_beside = (
        type_ == OWNERSHIP and isinstance(values, dict) and not _is_among(plan.resources, type_, values, "before")
    )
    if not isinstance(values, dict) or not (lasts or is_beside):
        return
    unknown_values = change.get("after_unknown") if side == "after" else {}
    later = unknown_values if isinstance(unknown_values, dict) else dict.fromkeys(values, True)
    if type_ in ROWS:
        yield Told(LASTING, _row_policy(ROWS[type_], values, later))
    if lasts and may_act(type_):
        yield Told(ACTING, _acting_roles(plan, resource, values, later))


def _is_among(resources: Sequence[Mapping[str, Any]], type_: str, values: Mapping[str, Any], side: str) -> bool:
    """Tell whether what a resource is about is missing on a side, as it goes or is new, or is not known."""
    argument, other_type, attribute = _OPENED[type_]
    other_side = "before" if side == "after" else "after"
    if (name := values.get(argument)) is None:
        return True
    others = (each["change"] for each in resources if each["type"] == other_type and each["change"].get(side) is None)
    sides = (change.get(other_side) for change in others)
    return any(there.get(attribute) == name for there in sides if isinstance(there, dict))


def _row_policy(row: Row, values: Mapping[str, Any], later: Mapping[str, Any]) -> Node:
    written = [(name, _plain(values.get(name))) for name in row.arguments if _plain(values.get(name)) is not None]
    written += [(name, _LATER) for name in row.arguments if _is_later(later.get(name))]
    texts = set(_texts([value for _, value in written]))
    if row.capping:
        missing = [item for item in row.capping if item not in texts]
        everything = text_of(("*",), _AT)
        statements = [allowed(action_of("organization", item), everything, _AT) for item in missing]
        return policy_with(tuple(statements), _AT) if statements else ABSENT
    if row.harmless and texts and texts <= {*row.harmless}:
        return ABSENT
    is_open = not written or (bool(row.open) and row.open in texts)
    deciding = unknown("what its access settings let in", _AT, json.dumps(written, sort_keys=True), is_list=False)
    statements = [allowed(row.action, text_of(("*",), _AT) if is_open else deciding, _AT)]
    if row.key and values.get(row.key) is not True:
        statements.append(allowed(action_of("endpoint", row.key), text_of(("*",), _AT), _AT))
    return policy_with(tuple(statements), _AT)


def _acting_roles(plan: Plan, resource: Mapping[str, Any], values: Mapping[str, Any], later: Mapping[str, Any]) -> Node:
    """The roles that a resource acts by; of one that the plan makes nothing is told, since it is judged itself."""
    type_ = resource["type"]
    roles = {text for name, each in _entries(values) if names_role(type_, name) for text in _texts(each) if text}
    if any(names_role(type_, name) and _is_later(each) for name, each in _entries(later)):
        roles |= set() if plan.gives_new_roles(resource) else {_LATER}
    statements = [
        allowed(action_of(ACTING), unknown(f"what the role {role} may do", _AT, digest(role)), _AT)
        for role in sorted(roles)
    ]
    return policy_with(tuple(statements), _AT) if statements else ABSENT


def _entries(values: Any) -> Iterator[tuple[str, Any]]:
    """The attributes at any depth."""
    stack: list[Any] = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            yield from value.items()
            stack += value.values()
        elif isinstance(value, list):
            stack += value


def _plain(value: Any) -> Any:
    """A value without what is empty in it; None where it is empty as a whole."""
    if isinstance(value, dict):
        parts = {name: plain for name, each in value.items() if (plain := _plain(each)) is not None}
        return parts or None
    if isinstance(value, list):
        return [plain for each in value if (plain := _plain(each)) is not None] or None
    return None if value == "" else value


def _texts(value: Any) -> Iterator[str]:
    stack: list[Any] = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, dict | list):
            stack += part.values() if isinstance(part, dict) else part
        elif part is not None:
            yield part if isinstance(part, str) else json.dumps(part)


def _is_later(unknown_value: Any) -> bool:
    return unknown_value is True or any(text == "true" for text in _texts(unknown_value))
