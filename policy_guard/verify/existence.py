"""Whether AWS can have a request of a set that must be empty, as far as the catalogue says, and one that it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from string import ascii_uppercase
from typing import TypeAlias

from policy_guard.iam import catalog
from policy_guard.iam.meaning.existing import ALL, BUCKET, exists
from policy_guard.iam.meaning.filled_in import ACCOUNT
from policy_guard.iam.meaning.matching import matches
from policy_guard.iam.meaning.prover import Answer, Proved, Prover, Witness
from policy_guard.iam.meaning.witness import existing_like
from policy_guard.iam.policy import Request
from policy_guard.solver.formula import conjunction, disjunction, member, negation
from policy_guard.solver.strings.automaton import Step
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import STAR, Pattern, Wildcard, holes, in_arn_parts, plain_pattern
from policy_guard.verify.check import Claim
from policy_guard.verify.requests import Requests, claimed_requests

Kinds: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""Actions in lower case, each with the ARNs of the kinds of resources that it works on, `*` for what is filled in."""

# S3 User Guide, bucketnamingrules: there is no slash in the name of a bucket. Other names may hold anything here.
_BUCKET_NAME = Pattern(("arn:", STAR, ":s3:::", Wildcard("*", before_slash=True)))
# Case does not matter in actions, so that nothing is lost where only one spelling of each is asked about.
_LOWER = Language([(Step(frozenset(ascii_uppercase), outside=True, loop=True),)])
_FILLED_IN = ("arn", "aws", "", "us-east-1", ACCOUNT)
_STEPS = 20_000
"""What it may cost to ask whether AWS has a request in a set: a finding does not wait long for a better example."""
_MOST_ACTIONS = 1000
"""Of how many actions it is asked whether AWS has them on a resource in question."""


def find_existing(claim: Claim, answer: Answer, prover: Prover) -> tuple[Answer, bool]:
    """The answer, by a request that AWS has if there is one; and whether it is proved that AWS can have none.

    Actions that the catalogue does not have, or of which it names no kind of resource, may be asked for on any.
    """
    statement = claim.statement
    if statement is None or not isinstance(answer, Witness) or exists(answer.request):
        return answer, False

    def holds(request: Request) -> bool:
        return prover.may_replay() and claim.holds(statement, request)

    similar_request = existing_like(answer.request, holds, statement)
    if similar_request is not None:
        return answer._replace(request=similar_request), False
    kinds = _kinds(claim)
    answer_on_kinds = _answer_among(claim, _requests_on_kinds(kinds), prover) if kinds else answer
    if isinstance(answer_on_kinds, Witness):
        return _likeliest_witness(claim, kinds, prover, answer_on_kinds, answer), False
    return answer, isinstance(answer_on_kinds, Proved) and _is_impossible_elsewhere(claim, kinds, prover)


def _likeliest_witness(claim: Claim, kinds: Kinds, prover: Prover, witness: Witness, answer: Witness) -> Witness:
    """The request that AWS most surely has: on a resource with all its parts, though a reading of AWS's pages decides.

    The kinds alone let a part of an ARN be anything, such as an account that is no number.
    """
    if exists(witness.request):
        return witness
    usual_answer = _answer_among(
        claim, _requests_on_kinds({action: tuple(map(_fill_in, arns)) for action, arns in kinds.items()}), prover
    )
    if isinstance(usual_answer, Witness) and exists(usual_answer.request):
        return usual_answer
    return witness if len(witness.readings) <= len(answer.readings) else answer


def _fill_in(kind: str) -> str:
    """A kind of resources with its partition, region and account filled in."""
    parts = kind.split(":", len(_FILLED_IN))
    filled_parts = (filler if part == "*" else part for part, filler in zip(parts, _FILLED_IN, strict=False))
    return ":".join((*filled_parts, *parts[len(_FILLED_IN) :]))


def is_impossible(claim: Claim, prover: Prover) -> bool:
    """Tell whether it is proved that AWS can have no request of the claim."""
    kinds = _kinds(claim)
    answer_on_kinds = _answer_among(claim, _requests_on_kinds(kinds), prover)
    return isinstance(answer_on_kinds, Proved) and _is_impossible_elsewhere(claim, kinds, prover)


def _is_impossible_elsewhere(claim: Claim, kinds: Kinds, prover: Prover) -> bool:
    return isinstance(_answer_among(claim, _requests_beside_kinds(kinds), prover), Proved)


def _requests_on_kinds(kinds: Kinds) -> Requests:
    """Return the requests with one of these actions on a resource of its kinds."""
    actions: dict[tuple[str, ...], list[str]] = {}
    for action, arns in kinds.items():
        actions.setdefault(arns, []).append(action)
    formulas = (
        conjunction([member("action", Language(texts=names)), member("resource", language(map(_pattern, arns)))])
        for arns, names in actions.items()
    )

    def holds(request: Request) -> bool:
        return any(matches(_pattern(arn), request.resource) for arn in kinds.get(request.action, ()))

    return Requests(disjunction(formulas), holds)


def _requests_beside_kinds(kinds: Kinds) -> Requests:
    """Return the requests with another action, of which the kinds are not known, or on all resources."""
    other_actions = negation(member("action", Language(texts=kinds)))
    formula = conjunction(
        [member("action", _LOWER), disjunction([other_actions, member("resource", Language(texts=[ALL]))])]
    )
    return Requests(
        formula, lambda request: request.action.islower() and (request.action not in kinds or request.resource == ALL)
    )


@lru_cache(maxsize=10_000)
def _pattern(arn: str) -> Pattern:
    return in_arn_parts(_BUCKET_NAME if arn == BUCKET else plain_pattern(arn))


def _answer_among(claim: Claim, requests: Requests, prover: Prover) -> Answer:
    """The answer for the requests of the claim that are within a set."""
    return (requests & claimed_requests(claim, claim.statement)).answer(prover.aside(_STEPS))


def _kinds(claim: Claim) -> Kinds:
    """Return the actions covered by the claim's patterns that work on resources of some kind; none if too many."""
    names = (name.lower() for pattern in _patterns(claim) for name in catalog.matching(pattern))
    kinds = {name: arns for name in names if (arns := catalog.resources(name))}
    return kinds if len(kinds) <= _MOST_ACTIONS else {}


def _patterns(claim: Claim) -> Iterator[str]:
    """Patterns that cover all actions of the claim; none where that takes the actions of all services."""
    statement, critical_actions = claim.statement, claim.critical_set.actions if claim.critical_set else ()
    assert statement is not None
    values = critical_actions or (() if statement.action.negated else statement.action.values)
    plain = not any(holes(value.pattern) for value in (*values, *statement.action.values))
    texts = [value.text.strip() for value in values]
    if plain and not any({"*", "?"} & set(text.partition(":")[0]) for text in texts):
        yield from texts
