"""Takes accepted access out of the set that must be empty."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Proved, Prover
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy, Request, Statement
from policy_guard.settings.acceptance import Accepted
from policy_guard.solver.formula import Formula, conjunction, disjunction, negation
from policy_guard.verify.check import Claim
from policy_guard.verify.checks import check


def outside(claim: Claim, accepted: tuple[Accepted, ...], access: Access) -> Claim:
    """Return the claim without the accepted access."""
    if not accepted:
        return claim
    rest = negation(disjunction(_requests(each, access) for each in accepted))

    def excess(part: Statement | None) -> Formula:
        return conjunction([claim.excess(part), rest])

    def holds(part: Statement | None, request: Request) -> bool:
        return claim.holds(part, request) and not any(_holds(each, request) for each in accepted)

    return claim._replace(
        excess=excess,
        holds=holds,
        accepted=tuple(statement for each in accepted for statement in each.statements),
        unaccepted=tuple(statement for each in accepted for statement in each.without),
    )


def part_in(claim: Claim, accepted: Accepted, access: Access, prover: Prover) -> bool:
    """Tell whether this acceptance covers anything of the claim; true if that cannot be decided."""

    def holds(request: Request) -> bool:
        return claim.holds(claim.statement, request) and _holds(accepted, request)

    formula = conjunction([claim.excess(claim.statement), _requests(accepted, access)])
    return not isinstance(prover.answer(formula, holds), Proved)


def is_done(accepted: Accepted, policy: Policy, access: Access, prover: Prover) -> bool:
    """Tell whether the accepted change is already in the policy: the access is granted, or the Deny removed."""
    is_missing: Callable[[Request], bool]
    if any(check(name).of_old for name in accepted.acceptance.checks):
        missing, is_missing = access.denied(policy), partial(concrete.denied, policy)
    else:
        missing, is_missing = negation(access.allows(policy, policy.kind)), _not_allowed(policy)
    formula = conjunction([_requests(accepted, access), missing])
    return isinstance(prover.answer(formula, lambda request: _holds(accepted, request) and is_missing(request)), Proved)


def _requests(accepted: Accepted, access: Access) -> Formula:
    left_out = negation(disjunction(map(access.applies, accepted.without)))
    return conjunction([disjunction(map(access.applies, accepted.statements)), left_out])


def _holds(accepted: Accepted, request: Request) -> bool:
    within = any(concrete.applies(statement, request) for statement in accepted.statements)
    return within and not any(concrete.applies(statement, request) for statement in accepted.without)


def _not_allowed(policy: Policy) -> Callable[[Request], bool]:
    return lambda request: not concrete.allows(policy, policy.kind, request)
