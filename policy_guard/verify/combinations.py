"""Grants of a policy in sets that are dangerous only together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from policy_guard.iam.meaning.prover import Answer, Proved, Prover, Witness
from policy_guard.records import NamedTuple
from policy_guard.verify.check import Claim, Combination, Part
from policy_guard.verify.requests import claimed_requests


class Grant(NamedTuple):
    """A claim that is not proved to be empty."""

    claim: Claim
    answer: Answer


def decide(claim: Claim, prover: Prover) -> Answer:
    """Decide whether the statement of the claim has a part in the set that must be empty."""
    return claimed_requests(claim, claim.statement).answer(prover)


def find_grants(combination: Combination, prover: Prover) -> tuple[Grant, ...]:
    """Return a claim that shows each part; none unless something of every part is granted, or may be.

    A claim that cannot be decided counts as granted by the new version and as not granted by the old one.
    """
    grants_by_part: list[list[Grant]] = []
    for part in combination.parts:
        grants_by_part.append(_nonempty_grants(part.granting, prover))
        if not grants_by_part[-1]:
            return ()
    new_grants = [
        _new_grants(part, grants, prover) for part, grants in zip(combination.parts, grants_by_part, strict=True)
    ]
    existing = all(map(partial(_was_granted, prover=prover), combination.parts, new_grants))
    selection = grants_by_part if existing else map(_newest, new_grants, grants_by_part)
    return tuple(
        Grant(grant.claim._replace(existing=existing), grant.answer) for grant in map(_surest_grant, selection)
    )


def _nonempty_grants(claims: Iterable[Claim], prover: Prover) -> list[Grant]:
    answers = ((claim, decide(claim, prover)) for claim in claims)
    return [Grant(claim, answer) for claim, answer in answers if not isinstance(answer, Proved)]


def _new_grants(part: Part, grants: list[Grant], prover: Prover) -> list[Grant]:
    """Return those of the grants that the old version did not grant."""
    if part.before is None:
        return grants
    statements = {id(grant.claim.statement) for grant in grants}
    return _nonempty_grants((claim for claim in part.fresh if id(claim.statement) in statements), prover)


def _was_granted(part: Part, new_grants: list[Grant], prover: Prover) -> bool:
    """Tell whether the old version granted some request of the part too, in every reading in which the new one does."""
    if not new_grants:
        return True
    if part.before is None:
        return False
    old_answer = prover.answer(part.before, part.was_before)
    return isinstance(old_answer, Witness) and not old_answer.readings


def _newest(new_grants: list[Grant], grants: list[Grant]) -> list[Grant]:
    return [*new_grants, *grants]


def _surest_grant(grants: list[Grant]) -> Grant:
    """The first that is shown by a request, or else the first."""
    return next((grant for grant in grants if isinstance(grant.answer, Witness)), grants[0])
