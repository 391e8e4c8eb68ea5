"""What users of Terraform have from their groups, and what boundaries leave to roles and users."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.terraform.attached import attached_units
from policy_guard.documents.containers.terraform.documents import Unit
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.ignored import keeps
from policy_guard.documents.containers.terraform.objects import objects
from policy_guard.documents.containers.terraform.places import CEILING, GRANT, Use, type_of
from policy_guard.documents.containers.terraform.principals import bounded_principal, label_of_principal
from policy_guard.documents.containers.terraform.values import pairs_of
from policy_guard.documents.source import Unreadable
from policy_guard.records import NamedTuple


class _Membership(NamedTuple):
    """The argument of a resource that names users, and the one that names groups."""

    users: str
    groups: str


# Source: the AWS provider's documentation of both.
_MEMBERSHIPS = {
    "aws_iam_user_group_membership": _Membership("user", "groups"),
    "aws_iam_group_membership": _Membership("users", "group"),
}


def bounding_units(uses_of_side: Iterable[Use], principals: Collection[str]) -> Iterator[Unit]:
    """The boundaries of these principals, each known as a policy, but for those that Terraform leaves as they are."""
    all_uses = list(uses_of_side)
    kept_addresses = {use.address for use in all_uses if keeps(use)}
    for use in all_uses:
        evaluator = Evaluator(use.scope, use.definition.source, {})
        try:
            for label, names in objects(evaluator, use) if use.address.endswith(f".{CEILING}") else ():
                instance = evaluator.with_names(names)
                principal = bounded_principal(use, instance)
                if principal in principals:
                    boundaries = attached_units(use, f"{use.address}{label}", instance)
                    yield from (
                        unit._replace(principal=principal)
                        for unit in boundaries
                        if unit.attached.partition("[")[0] not in kept_addresses
                    )
        except (Opaque, Impossible, Unreadable):
            continue


def joined_users(sides: Iterable[Iterable[Use]], principals: Collection[str]) -> list[dict[str, set[str]]]:
    """The groups of each user on each side, of those who have a policy among these principals, or from one."""
    groups_by_side = [_groups_of_users(side) for side in sides]
    users = {user for side in groups_by_side for user in side}
    joined = {user for user in users if any(groups_by_side[0].get(user) != side.get(user) for side in groups_by_side)}
    joined |= {u for u in users if any({u, *side.get(u, ())} & {*principals} for side in groups_by_side)}
    return [{user: side.get(user, set()) for user in joined} for side in groups_by_side]


def _groups_of_users(uses_of_side: Iterable[Use]) -> dict[str, set[str]]:
    groups_by_user: dict[str, set[str]] = {}
    for use in uses_of_side:
        if type_of(use) in _MEMBERSHIPS and use.address.endswith(f".{GRANT}") and _is_certain(use):
            for user, group in _memberships(use, _MEMBERSHIPS[type_of(use)]):
                groups_by_user.setdefault(user, set()).add(group)
    return groups_by_user


def _is_certain(use: Use) -> bool:
    """Tell whether Terraform makes a membership whatever is so, and as it is written."""
    resource = use.address.removesuffix(f".{GRANT}")
    if any(keeps(replace(use, address=f"{resource}.{name}")) for name in _MEMBERSHIPS[type_of(use)]):
        return False
    blocks = (block for block in use.definition.body.blocks if block.type == "lifecycle")
    if use.definition.body.value("count") is not None or any(block.body.value("enabled") for block in blocks):
        return False
    if not _has_known_keys(use):
        return False
    scope = use.scope
    while scope.call is not None and scope.parent is not None:
        if any(scope.call.body.value(name) is not None for name in ("count", "for_each")):
            return False
        scope = scope.parent
    return True


def _has_known_keys(use: Use) -> bool:
    """Tell whether the objects of `for_each` are there whatever is so, if a resource has it."""
    for_each = use.definition.body.value("for_each")
    try:
        value = Evaluator(use.scope, use.definition.source, {}).value(for_each) if for_each is not None else None
    except (Need, Opaque, Impossible, Unreadable):
        return False
    return value is None or pairs_of(value) is not None


def _memberships(use: Use, membership: _Membership) -> Iterator[tuple[str, str]]:
    """The users and groups of a resource, as far as they are known; by its text it is judged as well."""
    evaluator = Evaluator(use.scope, use.definition.source, {})
    try:
        for _, names in objects(evaluator, use):
            instance = evaluator.with_names(names)
            users = list(_labels(use, instance, "user", membership.users))
            groups = list(_labels(use, instance, "group", membership.groups))
            yield from ((user, group) for user in users for group in groups)
    except (Need, Opaque, Impossible, Unreadable):
        return


def _labels(use: Use, evaluator: Evaluator, noun: str, argument: str) -> Iterator[str]:
    value = use.definition.body.value(argument)
    if value is None:
        return
    node = evaluator.value(value)
    items = [node] if argument == noun else [item for _, item in pairs_of(node) or ()]
    yield from (label_of_principal(use, noun, item) for item in items)
