"""Plans of Terraform and OpenTofu in JSON: the policies of each resource before and after.

Source: Terraform, "JSON Output Format", "Plan Representation" and "Change Representation". A value that is known after
the apply alone is no policy that could be judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.other_access import terraform_types
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.recognition import is_policy_text
from policy_guard.documents.containers.terraform.documents import Unit
from policy_guard.documents.containers.terraform.elsewhere import (
    ABSENT,
    FULL_ACCESS,
    attached_policy,
    below_ceiling,
    unread_policy,
    without_ceiling,
)
from policy_guard.documents.containers.terraform.grants import (
    BLOCKS,
    CAP,
    GRANTING,
    OF_RESOURCES,
    decides,
    granted_by,
    may_be_answered,
)
from policy_guard.documents.containers.terraform.known_by_text import values_at
from policy_guard.documents.containers.terraform.places import CEILING, GRANT
from policy_guard.documents.containers.terraform.planned_lasting import Plan, plan_of, told_on_side
from policy_guard.documents.containers.terraform.units import Sides
from policy_guard.documents.containers.terraform.uses import (
    HOLDERS,
    inner_paths,
    is_of_organization,
    kind_of,
    takes_boundary,
    takes_name,
    takes_policy,
)
from policy_guard.documents.errors import SetupError
from policy_guard.documents.formats.json import scan
from policy_guard.documents.source import Array, Node, Problem, Scalar, Source, Span, Unreadable
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import HIDDEN

_HOW = "make it with: terraform show -json PLAN > plan.json"
_LATER = "this is known after the apply alone; policy-guard check judges the files of Terraform instead"
_PRINCIPALS = ("role", "user", "group")
_SUFFIXES = ("_attachment", "_attachments_exclusive")
_ARGUMENTS = {"aws_iam_principal_policy_attachments_exclusive": "principal_name"}
_POLICY_ID = "policy_id"
_ATTACHABLE = {"aws_iam_policy": ("policy", "arn"), "aws_organizations_policy": ("content", "id")}
_BOUNDED = ("aws_iam_role", "aws_iam_user", "awscc_iam_role", "awscc_iam_user")
_NOUN_OF = {"aws_iam_role": "role", "aws_iam_user": "user"}
_ORGANIZATIONS: dict[str, Kind] = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}


def is_plan(data: bytes) -> bool:
    """Tell whether a file looks like a plan in JSON."""
    return data.lstrip()[:1] == b"{" and b'"resource_changes"' in data and b'"format_version"' in data


def read_plan(path: str, data: bytes) -> Sides:
    """The policies before and after. Raises `SetupError` if the file is no plan that can be applied."""
    try:
        plan = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{path} is no JSON ({str(error)[:80]}); {_HOW}") from None
    if not isinstance(plan, dict) or "resource_changes" not in plan or "planned_values" not in plan:
        raise SetupError(f"{path} is no plan of Terraform; {_HOW}")
    version = str(plan.get("format_version", ""))
    if version.partition(".")[0] != "1":
        raise SetupError(f"{path} has the format version {version[:20]!r}, and only 1 is read; use a newer Terraform")
    if plan.get("errored") or plan.get("complete") is False or plan.get("deferred_changes"):
        raise SetupError(f"{path} is a plan that ended with an error or is not complete; nothing can be told from it")
    changes = plan["resource_changes"]
    if not isinstance(changes, list) or not all(_is_change(each) for each in changes):
        raise SetupError(f"{path} is not a plan as Terraform writes it; {_HOW}")
    managed = [each for each in changes if each.get("mode") == "managed"]
    whole = plan_of(managed, plan.get("configuration"))
    old_units = (*_units_of_side(path, managed, "before"), *_lasting_units(path, whole, "before"))
    new_units = (*_units_of_side(path, managed, "after"), *_lasting_units(path, whole, "after"))
    sides = old_units, (*new_units, *_opened_blocks(path, managed))
    if _has_one_account(plan):
        return Sides(*sides, tuple(_bounds(path, managed)))
    old, new = (map(_without_principal, side) for side in sides)
    return Sides(tuple(old), tuple(new))


class _Managed(NamedTuple):
    """A managed policy of a plan: where it stands, its text, and its kind."""

    address: str
    text: str
    kind: Kind | None


def _units_of_side(path: str, resources: list[dict[str, Any]], side: str) -> Iterator[Unit]:
    """The policies of one side; those that are attached have the documents of the plan."""
    managed = dict(_managed_policies(resources, side))
    for resource in resources:
        for unit in _units(path, resource, side):
            yield from _with_documents(path, resource, side, unit, managed)


def _bounds(path: str, resources: list[dict[str, Any]]) -> Iterator[Unit]:
    """The boundaries of roles and users after the plan; one without a policy for each that has none, or one later."""
    documents = dict(_managed_policies(resources, "after"))
    for resource in resources:
        noun, values = _NOUN_OF.get(resource["type"], ""), resource["change"].get("after")
        if not noun or not isinstance(values, dict) or resource.get("deposed"):
            continue
        at, arn = f"{resource['address']}.{CEILING}", values.get(CEILING)
        is_known = isinstance(arn, str) and isinstance(values.get("name"), str)
        unit = (
            _unit(path, resource, at, CEILING, arn, values, False) if is_known else Unit(at, "", Source(at, ""), None)
        )
        principal = _principal_name(resource, noun, str(values.get("name")))
        for each in _with_documents(path, resource, "after", unit, documents) if is_known else (unit,):
            yield each._replace(principal=principal)


def _managed_policies(resources: list[dict[str, Any]], side: str) -> Iterator[tuple[str, _Managed]]:
    """The managed policies of one side by their ARNs, and those of an organization by their ids."""
    for resource in resources:
        name, key = _ATTACHABLE.get(resource["type"], ("", ""))
        values = resource["change"].get(side)
        later_values = resource["change"].get("after_unknown") if side == "after" else {}
        if not name or not isinstance(values, dict) or resource.get("deposed") or not isinstance(later_values, dict):
            continue
        text, arn = values.get(name), values.get(key)
        if isinstance(text, str) and isinstance(arn, str) and not later_values.get(name) and not later_values.get(key):
            type_ = str(values.get("type") or "SERVICE_CONTROL_POLICY")
            kind = "identity" if name == "policy" else _ORGANIZATIONS.get(type_)
            yield arn, _Managed(f"{resource['address']}.{name}", text, kind)


def _with_documents(
    path: str, resource: Mapping[str, Any], side: str, unit: Unit, managed: Mapping[str, _Managed]
) -> Iterator[Unit]:
    """The policies that a unit of attached ones stands for, for each principal."""
    name = unit.address.rpartition(".")[2]
    values = resource["change"][side]
    is_named = takes_name(resource["type"], name) or name in (CEILING, _POLICY_ID)
    if unit.problems or not is_named or values.get(name) is None:
        yield unit
        return
    arns = values[name] if isinstance(values[name], list) else [values[name]]
    policies = [managed.get(arn) if isinstance(arn, str) else None for arn in arns]
    others = [arn for arn, policy in zip(arns, policies, strict=True) if policy is None]
    units = [_document_unit(path, unit, policy) for policy in policies if policy is not None and policy.kind]
    if others:
        value = others if isinstance(values[name], list) else others[0]
        units.insert(0, _unit(path, resource, unit.address, name, value, values, False))
    for principal in _principals_of(resource, unit, values):
        for each in units:
            is_capped = principal and name == _POLICY_ID and each.policy is not None
            suffix = f" {each.policy.kind}" if is_capped and each.policy is not None else ""
            yield each._replace(principal=f"{principal}{suffix}")


def _document_unit(path: str, unit: Unit, policy: _Managed) -> Unit:
    """The document of a managed policy where it is attached."""
    source = Source(f"{path}#{policy.address}", _display_text(policy.text, policy.address), "plan")
    try:
        document = PolicyDocument(unit.address, scan(source.text), source, unit.holder, kind=policy.kind)
    except Unreadable as error:
        return unit._replace(source=source, policy=None, problems=error.problems)
    return unit._replace(source=source, policy=document, attached=policy.address)


def _principals_of(resource: Mapping[str, Any], unit: Unit, values: Mapping[str, Any]) -> Iterator[str]:
    """The principals that policies are attached to; an empty text where they are judged by their address."""
    names = [(noun, value) for noun in _PRINCIPALS for value in values.get(f"{noun}s") or ()]
    if resource["type"] != "aws_iam_policy_attachment":
        yield unit.principal
    elif all(isinstance(value, str) for _, value in names):
        yield from (_principal_name(resource, noun, value) for noun, value in names)
    else:
        yield ""


def _has_one_account(plan: Mapping[str, Any]) -> bool:
    """Tell whether all resources of AWS are of one provider: two roles of one name may else be in two accounts."""
    configuration = plan.get("configuration")
    providers = configuration.get("provider_config") if isinstance(configuration, dict) else None
    return isinstance(providers, dict) and sum("aws" in key for key in providers) <= 1


def _without_principal(unit: Unit) -> Unit:
    return unit._replace(principal="")


def _is_change(change: Any) -> bool:
    if not isinstance(change, dict) or not isinstance(change.get("change"), dict):
        return False
    return all(isinstance(change.get(key), str) for key in ("address", "type", "mode"))


def _units(path: str, resource: Mapping[str, Any], side: str) -> Iterator[Unit]:
    """The policies of a resource on one side; none if it is not there."""
    values = resource["change"].get(side)
    unknown = resource["change"].get("after_unknown") if side == "after" else {}
    if not isinstance(values, dict):
        return
    later_values = unknown if isinstance(unknown, dict) else dict.fromkeys(values, unknown)
    type_, address = resource["type"], resource["address"]
    deposed_suffix = f" (deposed {resource['deposed']})" if resource.get("deposed") else ""
    for name in dict.fromkeys([*values, *later_values]):
        at = f"{address}{deposed_suffix}.{name}"
        if paths := [each for each in inner_paths(type_) if each.startswith(f"{name}.")]:
            for each in paths:
                yield from _inner_units(path, resource, at, each, values, later_values.get(name))
        elif name == CEILING and not _had_boundary(resource):
            continue
        elif _may_be_policy(type_, name, values.get(name)):
            is_later = _is_later(later_values.get(name))
            if values.get(name) is not None or is_later:
                yield _unit(path, resource, at, name, values.get(name), values, is_later)
        else:
            for place, text in _inner_texts(values.get(name), at):
                yield _unit(path, resource, place, name, text, values, False)
    yield from _granting_units(path, resource, f"{address}{deposed_suffix}", values, later_values)
    if _loses_boundary(resource, side, later_values):
        yield _unit(path, resource, f"{address}{deposed_suffix}.{CEILING}", CEILING, None, values, False)


def _inner_units(
    path: str, resource: Mapping[str, Any], at: str, argument: str, values: Mapping[str, Any], later: Any
) -> Iterator[Unit]:
    """The policies that lie in the values of an argument, at a path of it."""
    name, *steps = argument.split(".")
    place = at if steps == ["policy"] else ".".join((at, *steps))
    for number, value in enumerate(values_at(values.get(name), steps)):
        yield _unit(path, resource, f"{place}[{number}]", argument, value, values, False)
    if later is True or any(values_at(later, steps)):
        yield _unit(path, resource, place, argument, None, values, True)


def _inner_texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """The policies that are written as texts somewhere in a value that is not known to hold any, with their places."""
    stack = [(at, value)]
    while stack:
        place, inner = stack.pop()
        if isinstance(inner, dict):
            stack += ((f"{place}.{key}", each) for key, each in inner.items())
        elif isinstance(inner, list):
            stack += ((f"{place}[{number}]", each) for number, each in enumerate(inner))
        elif isinstance(inner, str) and is_policy_text(inner):
            yield place, inner


def _granting_units(
    path: str, resource: Mapping[str, Any], address: str, values: Mapping[str, Any], later_values: Mapping[str, Any]
) -> Iterator[Unit]:
    """Return what a resource grants without a document, as a policy, if it is one of those that do."""
    if resource["type"] not in GRANTING or (resource["type"] == CAP and not resource["change"].get("before")):
        return
    type_, at = resource["type"], f"{address}.{GRANT}"
    arguments = {name: each for name, each in values.items() if each is not None and decides(type_, name)}
    source, holder = Source(f"{path}#{at}", _display_text(arguments, address), "plan"), _holder(resource, values)
    later_names = () if may_be_answered(type_) else (name for name, each in later_values.items() if _is_later(each))
    if any(decides(type_, name) for name in later_names):
        yield Unit(at, holder, source, None, (Problem(_LATER, Span(0, 1)),))
        return
    node = granted_by(type_, address, arguments, Span(0, len(source.text)))
    kind: Kind = "resource" if type_ in OF_RESOURCES else "identity"
    document = PolicyDocument(at, node, source, holder, kind=kind) if node != ABSENT else None
    yield Unit(at, holder, source, document)


def _lasting_units(path: str, plan: Plan, side: str) -> Iterator[Unit]:
    """What resources that were there before give by settings that count for these alone."""
    for resource in plan.resources:
        for told in told_on_side(plan, resource, side) if not resource.get("deposed") else ():
            at, shown = f"{resource['address']}.{told.place}", resource["change"].get(side) or {}
            source, holder = Source(f"{path}#{at}", _display_text(shown, at), "plan"), _holder(resource, shown)
            kind: Kind = "resource" if told.place == "policy" else "identity"
            document = PolicyDocument(at, told.node, source, holder, kind=kind) if told.node != ABSENT else None
            yield Unit(at, holder, source, document)


def _opened_blocks(path: str, resources: list[dict[str, Any]]) -> Iterator[Unit]:
    """The blocks and boundaries that are gone from what stays, each as one that blocks nothing."""
    buckets = {_bucket(each) for each in resources if each["type"] == "aws_s3_bucket" and _is_deleted(each)}
    for resource in resources:
        old_values, new_values = resource["change"].get("before"), resource["change"].get("after")
        if (
            resource["type"] not in (*BLOCKS, CAP)
            or not isinstance(old_values, dict)
            or _bucket(resource) in buckets - {None}
        ):
            continue
        stays = isinstance(new_values, dict) and _holder(resource, old_values) == _holder(resource, new_values)
        if not stays and resource["change"].get("actions") != ["forget"]:
            yield from _granting_units(path, resource, resource["address"], _open_values(old_values), {})


def _open_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a block of public access that blocks nothing."""
    return {name: each for name, each in values.items() if name in HOLDERS}


def _bucket(resource: Mapping[str, Any]) -> str | None:
    """The name of the bucket that a resource is, or is about, before the change."""
    old_values = resource["change"].get("before")
    name = old_values.get("bucket") if isinstance(old_values, dict) else None
    return name if isinstance(name, str) else None


def _is_deleted(resource: Mapping[str, Any]) -> bool:
    actions = resource["change"].get("actions")
    return isinstance(actions, list) and "delete" in actions


def _had_boundary(resource: Mapping[str, Any]) -> bool:
    """Tell whether a principal that stays had a boundary; one that gets its first has no more than before."""
    old_values, new_values = resource["change"].get("before"), resource["change"].get("after")
    return isinstance(old_values, dict) and isinstance(new_values, dict) and old_values.get(CEILING) is not None


def _loses_boundary(resource: Mapping[str, Any], side: str, later_values: Mapping[str, Any]) -> bool:
    if side == "before" or resource["type"] not in _BOUNDED or not _had_boundary(resource):
        return False
    return resource["change"]["after"].get(CEILING) is None and not _is_later(later_values.get(CEILING))


def _is_later(unknown: Any) -> bool:
    """Tell whether some of a value is known later alone."""
    if isinstance(unknown, dict):
        return any(map(_is_later, unknown.values()))
    return any(map(_is_later, unknown)) if isinstance(unknown, list) else unknown is True


def _may_be_policy(type_: str, name: str, value: Any) -> bool:
    if takes_policy(type_, name) or takes_name(type_, name) or takes_boundary(type_, name):
        return True
    if type_ == "aws_organizations_policy_attachment":
        return name == _POLICY_ID
    return isinstance(value, str) and is_policy_text(value)


def _unit(
    path: str,
    resource: Mapping[str, Any],
    address: str,
    name: str,
    value: Any,
    values: Mapping[str, Any],
    is_later: bool,
) -> Unit:
    source = Source(f"{path}#{address}", _display_text(value, address), "plan")
    holder, principal = _holder(resource, values), _principal(resource, name, values)
    if is_later:
        return Unit(address, holder, source, None, (Problem(_LATER, Span(0, 1)),))
    try:
        node, kind = _document(resource["type"], name, value, source, values)
    except Unreadable as error:
        return Unit(address, holder, source, None, error.problems)
    document = PolicyDocument(address, node, source, principal or holder, kind=kind)
    return Unit(address, holder, source, document, principal=principal)


def _document(type_: str, name: str, value: Any, source: Source, values: Mapping[str, Any]) -> tuple[Node, Kind | None]:
    full_span = Span(0, len(source.text))
    if name == CEILING:
        arn = Scalar(str(value), full_span, parts=(str(value),))
        return (without_ceiling(full_span) if value is None else below_ceiling(arn)), "identity"
    if takes_name(type_, name):
        arns = value if isinstance(value, list) else [value]
        return attached_policy(
            Array(tuple(Scalar(str(arn), full_span, parts=(str(arn),)) for arn in arns), full_span)
        ), "identity"
    if name == _POLICY_ID:
        text = Scalar(str(value), full_span, parts=(str(value),))
        return (without_ceiling(full_span) if value in FULL_ACCESS else unread_policy(text)), "scp"
    kind = kind_of(type_, name) if takes_policy(type_, name) else None
    if is_of_organization(type_, name):
        kind = _ORGANIZATIONS.get(str(values.get("type") or "SERVICE_CONTROL_POLICY"))
        if kind is None:
            raise Unreadable(Problem("policies of this type are not read; judge it by hand", full_span))
    return scan(source.text), kind


def _display_text(value: Any, address: str) -> str:
    """The text of a policy, on several lines if that changes nothing of it; else what stands there."""
    if not isinstance(value, str):
        return json.dumps(value, indent=2) if value is not None else address
    repeated_keys: list[str] = []

    def entries(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated_keys.extend(key for key, _ in pairs[len(dict(pairs)) :])
        return dict(pairs)

    try:
        tree = json.loads(value, object_pairs_hook=entries, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return value
    return value if repeated_keys or "\n" in value or not isinstance(tree, dict) else json.dumps(tree, indent=2)


def _holder(resource: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return what decides whose a policy is."""
    if resource["type"] in ("aws_iam_policy", *_BOUNDED, "aws_s3_bucket"):
        return ""
    if resource["type"] in terraform_types():
        return f"{resource['type']}{HIDDEN}"
    holder_values = {name: values[name] for name in HOLDERS if values.get(name) is not None and name != "name"}
    return f"{resource['type']}{HIDDEN}{digest(json.dumps(holder_values, sort_keys=True))}" if holder_values else ""


def _principal(resource: Mapping[str, Any], name: str, values: Mapping[str, Any]) -> str:
    """The role, user or group of an identity policy, or the target of one of an organization; nothing if unknown."""
    type_ = resource["type"]
    if name == CEILING:
        return ""
    if name == _POLICY_ID:
        return _principal_name(resource, "target_id", str(values.get("target_id")))
    is_role_argument = type_ == "aws_iam_role" and name in ("inline_policy.policy", "managed_policy_arns")
    for noun in _PRINCIPALS:
        argument = _ARGUMENTS.get(type_.replace(f"_{noun}_", "_principal_", 1), noun).replace("principal", noun)
        is_principal_type = type_ in (f"aws_iam_{noun}_policy{suffix}" for suffix in ("", *_SUFFIXES))
        value = values.get("name" if is_role_argument else argument)
        if (is_principal_type or (is_role_argument and noun == "role")) and isinstance(value, str):
            return _principal_name(resource, noun, value)
    return ""


def _principal_name(resource: Mapping[str, Any], noun: str, value: str) -> str:
    return f"{noun} {value}{HIDDEN}{resource.get('provider_name', '')} {resource.get('module_address', '')}"
