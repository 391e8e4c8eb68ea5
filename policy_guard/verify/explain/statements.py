"""The requests of a claim as statements, to be written down: all of them and no other, as far as can be spelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Proved, Prover
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.meaning.symbolic_principal import principal_matches
from policy_guard.iam.policy import Kind, Principals, Request, Statement
from policy_guard.solver.formula import Formula, conjunction, disjunction, negation
from policy_guard.verify.check import Check, Claim, Combination, Question
from policy_guard.verify.explain.difference import Terms, only
from policy_guard.verify.explain.overlap import Within, element, everything, overlap
from policy_guard.verify.finding import Spelled


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
    sets = _Sets(claim, access, prover)
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
    """Questions about the claim and statements; what cannot be decided is taken for the worse."""

    claim: Claim
    access: Access
    prover: Prover

    def hold_all(self, pieces: Iterable[Spelled]) -> bool:
        """Tell whether the claim lies within the pieces."""
        every = tuple(pieces)
        rest = negation(disjunction(applying(piece, self.access) for piece in every))

        def holds(request: Request) -> bool:
            return self._holds(request) and not any(applies(piece, request) for piece in every)

        return self._is_empty(conjunction([self._excess(), rest]), holds)

    def needed(self, piece: Spelled) -> Iterator[Spelled]:
        """The piece with those actions and resources through which the claim passes, without what meets them."""
        for statement in piece.statements:
            for narrow in self._narrowed(statement):
                yield Spelled((narrow,), tuple(each for each in piece.without if self._meet(narrow, each)))

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
        formula = conjunction([self.access.applies(one), self.access.applies(other)])
        return not self._is_empty(formula, lambda r: concrete.applies(one, r) and concrete.applies(other, r))

    def _passes(self, statement: Statement) -> bool:
        formula = conjunction([self._excess(), self.access.applies(statement)])
        return not self._is_empty(formula, lambda r: self._holds(r) and concrete.applies(statement, r))

    def _excess(self) -> Formula:
        return self.claim.excess(self.claim.statement)

    def _holds(self, request: Request) -> bool:
        return self.claim.holds(self.claim.statement, request)

    def _is_empty(self, formula: Formula, holds: Callable[[Request], bool]) -> bool:
        return isinstance(self.prover.answer(formula, holds), Proved)


def applying(piece: Spelled, access: Access) -> Formula:
    """The requests of the piece."""
    left_out = negation(disjunction(map(access.applies, piece.without)))
    return conjunction([disjunction(map(access.applies, piece.statements)), left_out])


def applies(piece: Spelled, request: Request) -> bool:
    """Tell whether the request belongs to the piece."""
    within = any(concrete.applies(statement, request) for statement in piece.statements)
    return within and not any(concrete.applies(statement, request) for statement in piece.without)
