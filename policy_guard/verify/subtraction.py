"""Takes accepted access out of the set that must be empty."""

from __future__ import annotations

from functools import partial

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Prover
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy
from policy_guard.settings.acceptance import Accepted
from policy_guard.verify.check import Claim
from policy_guard.verify.checks import check
from policy_guard.verify.requests import Requests, applied_requests, claimed_requests, union


def without_accepted(claim: Claim, accepted: tuple[Accepted, ...], access: Access) -> Claim:
    """Return the claim without the accepted access."""
    if not accepted:
        return claim
    accepted_requests = union(_requests(each, access) for each in accepted)
    return claim._replace(
        excess=lambda part: (claimed_requests(claim, part) - accepted_requests).formula,
        holds=lambda part, request: claim.holds(part, request) and not accepted_requests.holds(request),
        accepted=tuple(statement for each in accepted for statement in each.statements),
        unaccepted=tuple(statement for each in accepted for statement in each.without),
    )


def part_in(claim: Claim, accepted: Accepted, access: Access, prover: Prover) -> bool:
    """Tell whether this acceptance covers anything of the claim; true if that cannot be decided."""
    return not (claimed_requests(claim, claim.statement) & _requests(accepted, access)).is_empty(prover)


def is_done(accepted: Accepted, policy: Policy, access: Access, prover: Prover) -> bool:
    """Tell whether the accepted change is already in the policy: the access is granted, or the Deny removed."""
    requests = _requests(accepted, access)
    if any(check(name).of_old for name in accepted.acceptance.checks):
        return (requests & Requests(access.denied(policy), partial(concrete.denied, policy))).is_empty(prover)
    kind = policy.kind
    return (requests - Requests(access.allows(policy, kind), partial(concrete.allows, policy, kind))).is_empty(prover)


def _requests(accepted: Accepted, access: Access) -> Requests:
    return applied_requests(accepted.statements, access) - applied_requests(accepted.without, access)
