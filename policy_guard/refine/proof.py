"""The proof of a refined policy, over all requests: nothing new, nothing used lost, nothing unused left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from policy_guard import evaluate
from policy_guard.access import Access
from policy_guard.check import Question
from policy_guard.formula import FALSE, Formula, conjunction, member, negation
from policy_guard.judge import prover_for
from policy_guard.policy import Policy, Request, Statement, by_effect
from policy_guard.prove import Proved, Undecided, Witness
from policy_guard.refine import Narrowed, Plan
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

    Proved is, for each statement that stays: it applies to no request that it did not apply to before; for each
    action that is used, or kept, to all requests that it did apply to; for each unused action to none, but for the
    grants that the plan has left. A statement that goes applied to unused actions only. As every Deny is as it was
    (`as_planned`), the same holds for the policy. Raises `NotProved` for a request that shows otherwise.
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
    staying = [before for before, _ in plan.statements]
    successors = {id(before): now for before, now in zip(staying, after.statements, strict=True)}
    unused = _among(_unused(plan, scope))
    for before in by_effect(plan.policy)[0]:
        now = successors.get(id(before))
        changes = [each for each in plan.narrowed if each.statement is before]
        if changes:
            yield _nothing_lost(before, now, _among(_used(changes)), access)
        if now:
            yield _nothing_new(before, now, access)
            yield _nothing_unused(now, unused, [each.part for each in plan.left if each.statement is before], access)


def _nothing_lost(before: Statement, now: Statement | None, used: Language, access: Access) -> _Claim:
    still = access.applies(now) if now else FALSE
    return _Claim(
        conjunction([access.applies(before), member("action", used), negation(still)]),
        lambda request: (
            request.action in used
            and evaluate.applies(before, request)
            and not (now is not None and evaluate.applies(now, request))
        ),
    )


def _nothing_new(before: Statement, now: Statement, access: Access) -> _Claim:
    return _Claim(
        conjunction([access.applies(now), negation(access.applies(before))]),
        lambda request: evaluate.applies(now, request) and not evaluate.applies(before, request),
    )


def _nothing_unused(now: Statement, unused: Language, left: Sequence[Statement], access: Access) -> _Claim:
    elsewhere = [negation(access.applies(part)) for part in left]
    return _Claim(
        conjunction([access.applies(now), member("action", unused), *elsewhere]),
        lambda request: (
            request.action in unused
            and evaluate.applies(now, request)
            and not any(evaluate.applies(part, request) for part in left)
        ),
    )


def _among(actions: Iterable[str]) -> Language:
    return Language(texts=(action.lower() for action in actions))


def _used(changes: Iterable[Narrowed]) -> Iterator[str]:
    for each in (one for narrowed in changes for one in narrowed.narrowing.covered):
        gone = {use.name for use in each.unused}
        yield from (f"{each.service}:{name}" for name in each.names if name not in gone)


def _unused(plan: Plan, scope: Scope) -> Iterator[str]:
    """Every unused action: those that the findings name, and those of wholly unused services."""
    for service in dict.fromkeys(use.service for use in scope.unused.uses.values()):
        names = (f"{service}:{name}" for name in scope.unused.names(service, scope.known).values())
        yield from (action for action in names if scope.unused.use(action))
    named = (use for each in plan.narrowed for use in each.narrowing.unused)
    yield from (use.action for use in named if "*" not in use.name and "?" not in use.name)
