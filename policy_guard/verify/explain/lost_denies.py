"""New access that a Deny held back before, in terms of its own: not all that the Allow grants, but what was denied."""

from __future__ import annotations

from collections.abc import Callable

from policy_guard.iam.policy import Statement
from policy_guard.verify.check import Claim
from policy_guard.verify.explain.difference import Terms
from policy_guard.verify.finding import Spelled

_MOST_PAIRS = 2_000
"""How many pairs of values, one of an Allow and one of a Deny, are compared for it."""


def narrow_to_denied(claim: Claim, terms: Terms, spell: Callable[[], tuple[Spelled, ...]]) -> Terms:
    """Return terms that tell the same as `spell` does, if all of it was allowed before but for a Deny.

    The same terms where that is not so, or cannot be told in one sentence.
    """
    if not terms.but or not (terms.before or claim.all_before) or _pairs(terms) > _MOST_PAIRS:
        return terms
    spelled = spell()
    if len(spelled) != 1:
        return terms
    (statements, without), first = spelled[0], spelled[0].statements[0]
    if any(_frame(statement) != _frame(first) for statement in statements) or terms.accepted:
        return terms
    return Terms(parts=statements, denied=without, before=(), but=())


def _pairs(terms: Terms) -> int:
    values = (len(part.action.values) + len(part.resource.values if part.resource else ()) for part in terms.parts)
    counterparts = (len(s.action.values) + len(s.resource.values if s.resource else ()) for s in terms.but)
    return sum(values) * sum(counterparts)


def _frame(statement: Statement) -> tuple[object, ...]:
    """What statements have to have in common to be told as one: all but their actions and resources."""
    negated = statement.action.negated, bool(statement.resource and statement.resource.negated)
    return statement.principals, statement.conditions, negated
