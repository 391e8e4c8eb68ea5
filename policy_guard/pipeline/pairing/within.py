"""Which policies are known so well that another one counts within them alone: what a principal has, its boundary."""

from __future__ import annotations

from collections.abc import Mapping

from policy_guard.iam.policy import MADE_UP, Policy
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import holes
from policy_guard.verify.explain.without_document import is_made_up

_BOUNDARY = ".PermissionsBoundary"


class Within(NamedTuple):
    """A policy within which another counts, unless another file has one of the texts in `named`."""

    policy: Policy
    named: tuple[str, ...] = ()


def is_certain(policy: Policy) -> bool:
    """Tell whether a policy is there whatever conditions hold, and its document is known."""
    conditions = (condition for statement in policy.statements for condition in statement.conditions)
    return is_known(policy) and not any(condition.key.startswith(MADE_UP) for condition in conditions)


def is_known(policy: Policy) -> bool:
    """Tell whether the document of a policy, and of all that it stands for, is known."""
    actions = [value for statement in policy.statements for value in statement.action.values]
    return not any(holes(value.pattern) or is_made_up(value.text) for value in actions)


def within_account(policies: Mapping[str, Policy], policy: Policy) -> Within | None:
    """Return what a policy of a saved account counts within: of a principal its boundary, of a boundary the principal.

    The account tells all policies of the principal, but not which policies of resources name it.
    """
    boundary = policies.get(f"{policy.label}{_BOUNDARY}")
    if boundary is not None:
        return Within(boundary) if _is_of(boundary, policy) and is_certain(boundary) else None
    holding = policies.get(policy.label.removesuffix(_BOUNDARY))
    if holding is None or holding is policy or not _is_of(policy, holding):
        return None
    if not is_known(holding) or not is_known(policy):
        return None
    name = holding.holder.partition(" ")[2]
    parts = (label for label in policies if label.startswith(f"{holding.label}."))
    has_more = any(label.removeprefix(f"{holding.label}.").isdigit() for label in parts)
    return None if has_more or any(_names(each, name) for each in policies.values()) else Within(holding, (name,))


def _is_of(boundary: Policy, policy: Policy) -> bool:
    """Tell whether a policy of a saved account is the boundary of the principal that has another."""
    is_of_account = policy.holder.partition(" ")[0] in ("role", "user") and policy.holder == boundary.holder
    return is_of_account and boundary.kind == "boundary" and policy.kind == "identity"


def _names(policy: Policy, name: str) -> bool:
    """Tell whether a policy says of somebody of this name what may be done."""
    principals = (each.principals.entries for each in policy.statements if each.principals)
    return any(name in entry.value.text for entries in principals for entry in entries)
