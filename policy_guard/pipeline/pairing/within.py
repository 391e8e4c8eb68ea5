"""Which policies are known so well that another one counts within them alone: what a principal has, its boundary."""

from __future__ import annotations

from collections.abc import Mapping

from policy_guard.iam.policy import MADE_UP, Policy, Statement
from policy_guard.solver.strings.pattern import holes
from policy_guard.verify.explain.without_document import is_made_up


def is_certain(policy: Policy) -> bool:
    """Tell whether a policy is there whatever conditions hold, and its document is known."""
    return all(map(_is_certain, policy.statements))


def _is_certain(statement: Statement) -> bool:
    actions = statement.action.values
    if any(holes(value.pattern) or is_made_up(value.text) for value in actions):
        return False
    return not any(condition.key.startswith(MADE_UP) for condition in statement.conditions)


def bound_in_account(policies: Mapping[str, Policy], policy: Policy) -> Policy | None:
    """Return the boundary of a principal of a saved account, if its document is known."""
    boundary = policies.get(f"{policy.label}.PermissionsBoundary")
    if boundary is None or boundary.kind != "boundary" or policy.kind != "identity":
        return None
    is_of_account = policy.holder.partition(" ")[0] in ("role", "user") and policy.holder == boundary.holder
    return boundary if is_of_account and is_certain(boundary) else None
