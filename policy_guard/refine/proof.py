"""The proof of a refined policy, over all requests: nothing new, nothing used lost, nothing unused left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from policy_guard import evaluate
from policy_guard.access import Access
from policy_guard.check import Question
from policy_guard.formula import Formula, conjunction, member, negation
from policy_guard.judge import prover_for
from policy_guard.policy import Policy, Request
from policy_guard.prove import Proved, Undecided, Witness
from policy_guard.refine import Plan
from policy_guard.refine.narrow import Scope
from policy_guard.strings import Language


class NotProved(Exception):
    """The refined policy is not what was promised: a bug of policy-guard."""


class _Claim(NamedTuple):
    """A set of requests that must be empty, and the same for one request."""

    excess: Formula
    holds: Callable[[Request], bool]


def doubt(plan: Plan, after: Policy, scope: Scope) -> str | None:
    """Why the refined policy could not be proved; None if it is.

    Proved is: it allows nothing that the policy did not allow; each action that a narrowed pattern covered and that
    is used it allows for all requests for which the policy did; each unused action for none, but for the grants that
    the plan has left. Raises `NotProved` for a request that shows otherwise.
    """
    question = Question(plan.policy.kind, after, plan.policy, (), Access([after, plan.policy]))
    prover = prover_for(question)
    for claim in _claims(plan, after, scope, question.access):
        answer = prover.answer(claim.excess, claim.holds)
        if isinstance(answer, Witness):
            raise NotProved
        if isinstance(answer, Undecided):
            return f"too hard within the budget: {answer.part}" if answer.part else "too hard within the budget"
        if not isinstance(answer, Proved):
            return f"parts are not understood: {', '.join(answer.parts)}"
    return None


def _claims(plan: Plan, after: Policy, scope: Scope, access: Access) -> Iterator[_Claim]:
    before, kind = plan.policy, plan.policy.kind
    old, new = access.allows(before, kind), access.allows(after, kind)

    def allowed(policy: Policy, request: Request) -> bool:
        return evaluate.allows(policy, kind, request)

    yield _Claim(
        conjunction([new, negation(old)]),
        lambda request: allowed(after, request) and not allowed(before, request),
    )
    used = _among(_used(plan))
    yield _Claim(
        conjunction([member("action", used), old, negation(new)]),
        lambda request: request.action in used and allowed(before, request) and not allowed(after, request),
    )
    unused = _among(_unused(plan, scope))
    left = [each.part for each in plan.left]
    yield _Claim(
        conjunction([member("action", unused), new, *(negation(access.applies(part)) for part in left)]),
        lambda request: (
            request.action in unused
            and allowed(after, request)
            and not any(evaluate.applies(part, request) for part in left)
        ),
    )


def _among(actions: Iterable[str]) -> Language:
    return Language(texts=(action.lower() for action in actions))


def _used(plan: Plan) -> Iterator[str]:
    for each in (one for narrowed in plan.narrowed for one in narrowed.narrowing.covered):
        gone = {use.name for use in each.unused}
        yield from (f"{each.service}:{name}" for name in each.names if name not in gone)


def _unused(plan: Plan, scope: Scope) -> Iterator[str]:
    """Every unused action: those that the findings name, and those of wholly unused services."""
    for service in dict.fromkeys(use.service for use in scope.unused.uses.values()):
        names = (f"{service}:{name}" for name in scope.unused.names(service, scope.known))
        yield from (action for action in names if scope.unused.use(action))
    yield from (f"{u.service}:{u.name}" for each in plan.narrowed for u in each.narrowing.unused if "*" not in u.name)
