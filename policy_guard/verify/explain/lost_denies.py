"""New access that a Deny held back before, in terms of its own: not all that the Allow grants, but what was denied."""

from __future__ import annotations

from collections.abc import Callable

from policy_guard.verify.check import Claim
from policy_guard.verify.explain.difference import Terms
from policy_guard.verify.explain.statements import frame
from policy_guard.verify.finding import Spelled

_MOST_PAIRS = 2_000
"""How many pairs of values, one of an Allow and one of a Deny, are compared for it."""


def narrow_to_denied(claim: Claim, terms: Terms, spell: Callable[[Terms], tuple[Spelled, ...]]) -> Terms:
    """Return terms that tell what `spell` spells, if all of the claim was allowed before but for a Deny.

    The same terms where that is not so, or cannot be told in one sentence.
    """
    if not terms.but or not (terms.before or claim.all_before) or terms.accepted or _pairs(terms) > _MOST_PAIRS:
        return terms
    spelled = spell(terms)
    if len(spelled) != 1 or len({frame(statement) for statement in spelled[0].statements}) != 1:
        return terms
    return Terms(parts=spelled[0].statements, denied=spelled[0].without, before=(), but=())


def _pairs(terms: Terms) -> int:
    values = (len(part.action.values) + len(part.resource.values if part.resource else ()) for part in terms.parts)
    counterparts = (len(s.action.values) + len(s.resource.values if s.resource else ()) for s in terms.but)
    return sum(values) * sum(counterparts)
