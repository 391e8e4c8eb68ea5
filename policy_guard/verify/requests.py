"""Sets of requests: each a formula about all requests, and a decision about one, kept together as twins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Answer, Proved, Prover
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Request, Statement
from policy_guard.records import NamedTuple
from policy_guard.solver.formula import Formula, conjunction, disjunction, negation
from policy_guard.verify.check import Claim


class Requests(NamedTuple):
    """A set of requests: those for which `formula` is true, and for which `holds`."""

    formula: Formula
    holds: Callable[[Request], bool]

    def __and__(self, other: Requests) -> Requests:
        return Requests(
            conjunction([self.formula, other.formula]), lambda request: self.holds(request) and other.holds(request)
        )

    def __sub__(self, other: Requests) -> Requests:
        return Requests(
            conjunction([self.formula, negation(other.formula)]),
            lambda request: self.holds(request) and not other.holds(request),
        )

    def answer(self, prover: Prover) -> Answer:
        """Decide whether the set is empty."""
        return prover.answer(self.formula, self.holds)

    def is_empty(self, prover: Prover) -> bool:
        """Tell whether the set is proved to be empty."""
        return isinstance(self.answer(prover), Proved)


def union(sets: Iterable[Requests]) -> Requests:
    """Return the requests that are in one of the sets."""
    requestses = tuple(sets)
    return Requests(
        disjunction(requests.formula for requests in requestses),
        lambda request: any(requests.holds(request) for requests in requestses),
    )


def applied_requests(statements: Iterable[Statement], access: Access) -> Requests:
    """Return the requests to which one of the statements applies."""
    every = tuple(statements)
    return Requests(
        disjunction(map(access.applies, every)),
        lambda request: any(concrete.applies(statement, request) for statement in every),
    )


def claimed_requests(claim: Claim, part: Statement | None) -> Requests:
    """Return the set of the claim, for its statement or for a part of it."""
    return Requests(claim.excess(part), partial(claim.holds, part))


def bounds(claim: Claim) -> Requests:
    """Return the requests within which the statement's part of the claim lies."""
    return Requests(claim.bounds, claim.is_within)
