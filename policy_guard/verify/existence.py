"""Whether AWS can have a request of a set that must be empty, as far as the catalogue says, and one that it has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policy_guard.iam.meaning.existing import (
    Kinds,
    beside_kinds,
    exists,
    is_beside_kinds,
    is_of_kinds,
    kinds,
    of_kinds,
)
from policy_guard.iam.meaning.prover import Answer, Proved, Prover, Witness
from policy_guard.iam.meaning.witness import existing_like
from policy_guard.iam.policy import Request
from policy_guard.solver.strings.pattern import holes
from policy_guard.verify.check import Claim
from policy_guard.verify.requests import Requests, claimed

_STEPS = 20_000
"""What it may cost to ask whether AWS has a request in a set: a finding does not wait long for a better example."""
_MOST_ACTIONS = 1000
"""Of how many actions it is asked whether AWS has them on a resource in question."""


def existing(claim: Claim, answer: Answer, prover: Prover) -> tuple[Answer, bool]:
    """The answer, by a request that AWS has if there is one; and whether it is proved that AWS can have none.

    Actions that the catalogue does not have, or of which it names no kind of resource, may be asked for on any.
    """
    statement = claim.statement
    if statement is None or not isinstance(answer, Witness) or exists(answer.request):
        return answer, False

    def holds(request: Request) -> bool:
        return prover.may_replay() and claim.holds(statement, request)

    like = existing_like(answer.request, holds, statement)
    if like is not None:
        return answer._replace(request=like), False
    known = _kinds(claim)
    found = _among(claim, _of_kinds(known), prover) if known else answer
    if isinstance(found, Witness):
        return (found if len(found.readings) <= len(answer.readings) else answer), False
    return answer, isinstance(found, Proved) and _is_nothing_else(claim, known, prover)


def is_impossible(claim: Claim, prover: Prover) -> bool:
    """Tell whether it is proved that AWS can have no request of the claim."""
    known = _kinds(claim)
    found = _among(claim, _of_kinds(known), prover)
    return isinstance(found, Proved) and _is_nothing_else(claim, known, prover)


def _is_nothing_else(claim: Claim, known: Kinds, prover: Prover) -> bool:
    others = Requests(beside_kinds(known), partial(is_beside_kinds, known))
    return isinstance(_among(claim, others, prover), Proved)


def _of_kinds(known: Kinds) -> Requests:
    return Requests(of_kinds(known), partial(is_of_kinds, known))


def _among(claim: Claim, within: Requests, prover: Prover) -> Answer:
    """The answer for the requests of the claim that are within a set."""
    return (within & claimed(claim, claim.statement)).answer(prover.aside(_STEPS))


def _kinds(claim: Claim) -> Kinds:
    patterns = _patterns(claim)
    known = kinds(patterns)
    return known if len(known) <= _MOST_ACTIONS else {}


def _patterns(claim: Claim) -> Iterator[str]:
    """Patterns that cover all actions of the claim; none where that takes the actions of all services."""
    statement, meant = claim.statement, claim.meant.actions if claim.meant else ()
    assert statement is not None
    values = meant or (() if statement.action.negated else statement.action.values)
    plain = not any(holes(value.pattern) for value in (*values, *statement.action.values))
    texts = [value.text.strip() for value in values]
    if plain and not any({"*", "?"} & set(text.partition(":")[0]) for text in texts):
        yield from texts
