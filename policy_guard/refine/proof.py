"""The proof of a refined policy, over all requests: nothing new, nothing used lost, nothing unused left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Proved, Undecided, Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy, Request, Statement, by_effect
from policy_guard.records import NamedTuple
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


def doubt(plan: Plan, new_policy: Policy, scope: Scope) -> str | None:
    """Return why the refined policy could not be proved; None if it is.

    Proved is, for each statement that stays: it applies to no request that it did not apply to before; for each
    action that is used, or kept, to all requests that it did apply to; for each unused action to none, but for the
    grants that the plan has left. A statement that goes applied to unused actions only. As every Deny is as it was
    (`as_planned`), the same holds for the policy. Raises `NotProved` for a request that shows otherwise.
    """
    question = Question(
        kind=plan.policy.kind, new=new_policy, old=plan.policy, critical=(), access=Access([new_policy, plan.policy])
    )
    prover = prover_for(question)
    for claim in _claims(plan, new_policy, scope, question.access):
        answer = prover.answer(claim.excess, claim.holds)
        if isinstance(answer, Witness):
            raise NotProved
        if isinstance(answer, Undecided):
            return f"too hard within the budget: {answer.part}" if answer.part else "too hard within the budget"
        if not isinstance(answer, Proved):
            return f"parts are not understood: {', '.join(answer.parts)}"
    return None


def _claims(plan: Plan, new_policy: Policy, scope: Scope, access: Access) -> Iterator[_Claim]:
    """Of each statement the part that changes, held against the part that comes in its place."""
    staying_statements = [old_statement for old_statement, _ in plan.statements]
    successors = {
        id(old_statement): new_statement
        for old_statement, new_statement in zip(staying_statements, new_policy.statements, strict=True)
    }
    unused = _language(_unused_actions(plan, scope))
    for old_statement in by_effect(plan.policy)[0]:
        new_statement = successors.get(id(old_statement))
        changes = [each for each in plan.narrowed if each.statement is old_statement]
        narrowed_part = _part(old_statement, {each.value.text for each in changes})
        staying_texts = {
            value.text
            for grant in plan.staying_grants
            if grant.statement is old_statement
            for value in grant.part.action.values
        }
        certain_part = (
            _part(new_statement, {value.text for value in new_statement.action.values} - staying_texts)
            if new_statement
            else None
        )
        if narrowed_part:
            yield _inclusion(narrowed_part, certain_part, _language(_used_actions(changes)), access)
        if narrowed_part and new_statement:
            old_texts = {value.text for value in old_statement.action.values}
            new_part = _part(new_statement, {value.text for value in new_statement.action.values} - old_texts)
            yield from [_inclusion(new_part, narrowed_part, None, access)] if new_part else []
        if certain_part and not old_statement.action.negated:
            yield _inclusion(certain_part, None, unused, access)


def _part(statement: Statement, texts: set[str]) -> Statement | None:
    """The statement with these of its actions alone; None without any."""
    values = tuple(value for value in statement.action.values if value.text in texts)
    return replace(statement, action=replace(statement.action, values=values)) if values else None


def _inclusion(inner: Statement, outer: Statement | None, actions: Language | None, access: Access) -> _Claim:
    """State that `inner` applies, for some actions alone, to no request that `outer` does not apply to."""
    parts = [access.applies(inner), negation(access.applies(outer)) if outer else TRUE]
    return _Claim(
        conjunction([*parts, TRUE if actions is None else member("action", actions)]),
        lambda request: (
            concrete.applies(inner, request)
            and (actions is None or request.action in actions)
            and not (outer is not None and concrete.applies(outer, request))
        ),
    )


def _language(actions: Iterable[str]) -> Language:
    return Language(texts=(action.lower() for action in actions))


def _used_actions(changes: Iterable[Narrowed]) -> Iterator[str]:
    for coverage in (covered for narrowed in changes for covered in narrowed.narrowing.covered):
        unused_names = {use.name for use in coverage.unused}
        yield from (f"{coverage.service}:{name}" for name in coverage.names if name not in unused_names)


def _unused_actions(plan: Plan, scope: Scope) -> Iterator[str]:
    """Every unused action: those that the findings name, and those of wholly unused services."""
    for service in dict.fromkeys(use.service for use in scope.unused.uses.values()):
        names = (f"{service}:{name}" for name in scope.unused.names(service, scope.catalog).values())
        yield from (action for action in names if scope.unused.use(action))
    uses = (use for narrowed in plan.narrowed for use in narrowed.narrowing.unused)
    yield from (use.action for use in uses if "*" not in use.name and "?" not in use.name)
