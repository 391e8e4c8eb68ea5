"""The requests of a claim as statements, to be written down: all of them and no other, as far as can be spelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from policy_guard.iam.meaning.prover import Proved, Prover
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.meaning.symbolic_principal import principal_matches
from policy_guard.iam.policy import Kind, Principals, Statement
from policy_guard.solver.formula import conjunction, negation
from policy_guard.verify.check import Check, Claim, Combination, Question
from policy_guard.verify.explain.difference import Terms, only
from policy_guard.verify.explain.overlap import Within, element, everything, overlap
from policy_guard.verify.finding import Spelled
from policy_guard.verify.requests import Requests, applying, claimed, union


def spelled_exactly(
    check: Check, question: Question, claim: Claim, told: Terms | None, prover: Prover
) -> tuple[Spelled, ...]:
    """Sets of requests that hold the whole claim together, and nothing that the claim is not about.

    A critical entry narrows the statement to what the entry means. If a Deny of the old version is gone, what the
    statement has in common with the Deny is spelled, never the Deny. Values that are proved unneeded are left out.
    """
    whole = told.parts if told else (claim.statement or everything(question.kind),)
    denied, before, but = (told.denied, told.before, told.but) if told else (claim.denied, claim.before, claim.but)
    within = partial(_lie_within, prover)
    parts = list(_meant(question.kind, claim, whole, within))
    never = [] if claim.all_before else [_with(each, (*denied, *before)) for each in parts]
    stopped = [_with(each, denied) for part in parts for each in _common(part, but, within)]
    statements = [statement for piece in (*never, *stopped) for statement in (*piece.statements, *piece.without)]
    access, claim = _knowing(check, question, claim, statements)
    sets = _Sets(claimed(claim, claim.statement), access, prover)
    chosen = next((each for each in (stopped, never) if each and sets.hold_all(each)), [*never, *stopped])
    return merged(narrow for piece in chosen for narrow in sets.needed(piece))


def merged(pieces: Iterable[Spelled]) -> tuple[Spelled, ...]:
    """The pieces, those without the same statements as one."""
    together: dict[tuple[Statement, ...], dict[Statement, None]] = {}
    for piece in pieces:
        together.setdefault(piece.without, {}).update(dict.fromkeys(piece.statements))
    return tuple(Spelled(tuple(statements), without) for without, statements in together.items())


def _with(piece: Spelled, without: Iterable[Statement]) -> Spelled:
    return piece._replace(without=tuple(dict.fromkeys([*piece.without, *without])))


def _meant(kind: Kind, claim: Claim, whole: Iterable[Statement], within: Within) -> Iterator[Spelled]:
    """The statements, or of each what the critical entry means."""
    entry, meant = claim.entry, claim.meant
    if entry is None or meant is None:
        yield Spelled(tuple(whole))
        return
    every = everything(kind)
    said = replace(
        every,
        principals=every.principals and (entry.principals or every.principals),
        action=element(meant.actions) if meant.actions else every.action,
        resource=element(meant.resources) if meant.resources and every.resource else every.resource,
    )
    spared = [replace(every, action=element(meant.excepted))] if meant.excepted else []
    spared += [replace(every, conditions=each.conditions) for each in entry.unless]
    for statement in whole:
        if both := overlap(statement, said, within):
            yield _with(both, spared)


def _common(part: Spelled, others: Iterable[Statement], within: Within) -> Iterator[Spelled]:
    """Return the requests that the statements of the part have in common with others."""
    for other in others:
        for statement in part.statements:
            if both := overlap(statement, other, within):
                yield _with(both, part.without)


def _lie_within(prover: Prover, some: Principals, others: Principals) -> bool:
    formula = conjunction([principal_matches(some), negation(principal_matches(others))])
    return isinstance(prover.answer(formula, lambda request: True), Proved)


def _knowing(check: Check, question: Question, claim: Claim, statements: Iterable[Statement]) -> tuple[Access, Claim]:
    """The claim over sets that know these statements, too."""
    access = question.access.knowing(statements)
    if access is question.access:
        return access, claim
    for whole in check.claims(question._replace(access=access)):
        parts = whole.parts if isinstance(whole, Combination) else ()
        for other in (c for part in parts for c in part.granting) if isinstance(whole, Combination) else (whole,):
            if _place(other) == _place(claim):
                return access, other
    raise AssertionError("a claim is gone that was there")


def _place(claim: Claim) -> tuple[object, ...]:
    return id(claim.statement), id(claim.entry), claim.existing, claim.meant


class _Sets(NamedTuple):
    """Questions about the requests of a claim, and statements; undecided ones are answered for the worse."""

    claim: Requests
    access: Access
    prover: Prover

    def hold_all(self, pieces: Iterable[Spelled]) -> bool:
        """Tell whether the claim lies within the pieces."""
        return (self.claim - union(described(piece, self.access) for piece in pieces)).is_empty(self.prover)

    def needed(self, piece: Spelled) -> Iterator[Spelled]:
        """The piece with those actions and resources through which the claim passes, without what meets them."""
        for statement in piece.statements:
            for narrow in self._narrowed(statement):
                yield Spelled((narrow,), tuple(other for other in piece.without if self._meet(narrow, other)))

    def _narrowed(self, statement: Statement) -> Iterator[Statement]:
        actions = [v for v in statement.action.values if self._passes(only(statement, "action", (v,)))]
        if statement.action.negated or not actions:
            if self._passes(statement):
                yield statement
            return
        narrowed = only(statement, "action", tuple(actions))
        if narrowed.resource is None or narrowed.resource.negated or len(narrowed.resource.values) == 1:
            yield narrowed
            return
        values = narrowed.resource.values
        resources = tuple(v for v in values if self._passes(only(narrowed, "resource", (v,))))
        yield only(narrowed, "resource", resources or values)

    def _meet(self, one: Statement, other: Statement) -> bool:
        return not (applying([one], self.access) & applying([other], self.access)).is_empty(self.prover)

    def _passes(self, statement: Statement) -> bool:
        return not (self.claim & applying([statement], self.access)).is_empty(self.prover)


def described(piece: Spelled, access: Access) -> Requests:
    """Return the requests of the piece."""
    return applying(piece.statements, access) - applying(piece.without, access)
