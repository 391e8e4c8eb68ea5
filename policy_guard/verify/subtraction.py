"""What of a claim is accepted: reviewed access, taken out of the set that must be empty."""

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


def outside(claim: Claim, given: tuple[Accepted, ...], access: Access) -> Claim:
    """The claim without what is accepted."""
    if not given:
        return claim
    rest = negation(disjunction(_requests(each, access) for each in given))

    def excess(part: Statement | None) -> Formula:
        return conjunction([claim.excess(part), rest])

    def holds(part: Statement | None, request: Request) -> bool:
        return claim.holds(part, request) and not any(_holds(each, request) for each in given)

    accepted = tuple(statement for each in given for statement in each.statements)
    unaccepted = tuple(statement for each in given for statement in each.without)
    return claim._replace(excess=excess, holds=holds, accepted=accepted, unaccepted=unaccepted)


def part_in(claim: Claim, one: Accepted, access: Access, prover: Prover) -> bool:
    """Whether anything of the claim is accepted by this; also where that cannot be decided."""

    def holds(request: Request) -> bool:
        return claim.holds(claim.statement, request) and _holds(one, request)

    formula = conjunction([claim.excess(claim.statement), _requests(one, access)])
    return not isinstance(prover.answer(formula, holds), Proved)


def is_done(one: Accepted, policy: Policy, access: Access, prover: Prover) -> bool:
    """Whether the policy is as it was accepted to become: the access is in it, or the Deny gone."""
    is_missing: Callable[[Request], bool]
    if any(check(name).of_old for name in one.acceptance.checks):
        missing, is_missing = access.denied(policy), partial(concrete.denied, policy)
    else:
        missing, is_missing = negation(access.allows(policy, policy.kind)), _not_allowed(policy)
    formula = conjunction([_requests(one, access), missing])
    return isinstance(prover.answer(formula, lambda request: _holds(one, request) and is_missing(request)), Proved)


def _requests(one: Accepted, access: Access) -> Formula:
    left_out = negation(disjunction(map(access.applies, one.without)))
    return conjunction([disjunction(map(access.applies, one.statements)), left_out])


def _holds(one: Accepted, request: Request) -> bool:
    within = any(concrete.applies(statement, request) for statement in one.statements)
    return within and not any(concrete.applies(statement, request) for statement in one.without)


def _not_allowed(policy: Policy) -> Callable[[Request], bool]:
    return lambda request: not concrete.allows(policy, policy.kind, request)
