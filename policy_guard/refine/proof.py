"""The proof of a refined policy, over all requests: nothing new, nothing used lost, nothing unused left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Proved, Undecided, Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy, Request, Statement, by_effect
from policy_guard.refine.narrow import Scope
from policy_guard.refine.plan import Narrowed, Plan
from policy_guard.solver.formula import TRUE, Formula, conjunction, member, negation
from policy_guard.solver.strings.language import Language
from policy_guard.verify.check import Question
from policy_guard.verify.proving import prover_for


class NotProved(Exception):
    """The refined policy is not what was promised: a bug of policy-guard."""


class _Claim(NamedTuple):
    """A set of requests that must be empty, and the same for one request."""

    excess: Formula
    holds: Callable[[Request], bool]


def doubt(plan: Plan, after: Policy, scope: Scope) -> str | None:
    """Return why the refined policy could not be proved; None if it is.

    Proved is, for each statement that stays: it applies to no request that it did not apply to before; for each
    action that is used, or kept, to all requests that it did apply to; for each unused action to none, but for the
    grants that the plan has left. A statement that goes applied to unused actions only. As every Deny is as it was
    (`as_planned`), the same holds for the policy. Raises `NotProved` for a request that shows otherwise.
    """
    question = Question(
        kind=plan.policy.kind, new=after, old=plan.policy, critical=(), access=Access([after, plan.policy])
    )
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
    """Of each statement the part that changes, held against the part that comes in its place."""
    staying = [before for before, _ in plan.statements]
    successors = {id(before): now for before, now in zip(staying, after.statements, strict=True)}
    unused = _among(_unused(plan, scope))
    for before in by_effect(plan.policy)[0]:
        now = successors.get(id(before))
        changes = [each for each in plan.narrowed if each.statement is before]
        narrowed = _part(before, {each.value.text for each in changes})
        left = {value.text for each in plan.left if each.statement is before for value in each.part.action.values}
        certain = _part(now, {value.text for value in now.action.values} - left) if now else None
        if narrowed:
            yield _within(narrowed, certain, _among(_used(changes)), access)
        if narrowed and now:
            old = {value.text for value in before.action.values}
            new = _part(now, {value.text for value in now.action.values} - old)
            yield from [_within(new, narrowed, None, access)] if new else []
        if certain and not before.action.negated:
            yield _within(certain, None, unused, access)


def _part(statement: Statement, texts: set[str]) -> Statement | None:
    """The statement with these of its actions alone; None without any."""
    values = tuple(value for value in statement.action.values if value.text in texts)
    return replace(statement, action=replace(statement.action, values=values)) if values else None


def _within(one: Statement, other: Statement | None, actions: Language | None, access: Access) -> _Claim:
    """State that the one applies, for some actions alone, to no request that the other does not apply to."""
    parts = [access.applies(one), negation(access.applies(other)) if other else TRUE]
    return _Claim(
        conjunction([*parts, TRUE if actions is None else member("action", actions)]),
        lambda request: (
            concrete.applies(one, request)
            and (actions is None or request.action in actions)
            and not (other is not None and concrete.applies(other, request))
        ),
    )


def _among(actions: Iterable[str]) -> Language:
    return Language(texts=(action.lower() for action in actions))


def _used(changes: Iterable[Narrowed]) -> Iterator[str]:
    for each in (covered for narrowed in changes for covered in narrowed.narrowing.covered):
        gone = {use.name for use in each.unused}
        yield from (f"{each.service}:{name}" for name in each.names if name not in gone)


def _unused(plan: Plan, scope: Scope) -> Iterator[str]:
    """Every unused action: those that the findings name, and those of wholly unused services."""
    for service in dict.fromkeys(use.service for use in scope.unused.uses.values()):
        names = (f"{service}:{name}" for name in scope.unused.names(service, scope.known).values())
        yield from (action for action in names if scope.unused.use(action))
    named = (use for narrowed in plan.narrowed for use in narrowed.narrowing.unused)
    yield from (use.action for use in named if "*" not in use.name and "?" not in use.name)
