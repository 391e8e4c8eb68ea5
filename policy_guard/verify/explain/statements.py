"""The requests of a claim as statements, to be written down: all of them and no other, as far as can be spelled."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from policy_guard.iam.meaning.prover import Proved, Prover
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.meaning.symbolic_principal import principal_matches
from policy_guard.iam.policy import Kind, Principals, Statement, as_written, principals_meaning
from policy_guard.records import NamedTuple
from policy_guard.solver.formula import conjunction, negation
from policy_guard.verify.check import Check, Claim, Combination, Question
from policy_guard.verify.explain.difference import Terms, restrict_element
from policy_guard.verify.explain.overlap import Inclusion, element, overlap, universal_statement
from policy_guard.verify.finding import Spelled
from policy_guard.verify.requests import Requests, applied_requests, claimed_requests, union

_MOST_VALUES = 120
"""Of how many values together it is asked which of them are needed to tell what a Deny held back."""


def spell_exactly(
    check: Check, question: Question, claim: Claim, terms: Terms | None, prover: Prover
) -> tuple[Spelled, ...]:
    """Sets of requests that hold the whole claim together, and nothing that the claim is not about.

    A critical entry narrows the statement to what the entry means. If a Deny of the old version is gone, what the
    statement has in common with the Deny is spelled, never the Deny. Values that are proved unneeded are left out.
    """
    pieces = _pieces(check, question, claim, terms, prover)
    selection = next(
        (each for each in (pieces.denied, pieces.new) if each and pieces.sets.hold_all(each)),
        [*pieces.new, *pieces.denied],
    )
    return pieces.sets.merge_needed(selection)


def spell_denied(check: Check, question: Question, claim: Claim, terms: Terms, prover: Prover) -> tuple[Spelled, ...]:
    """Sets as those of `spell_exactly`, in terms of what was denied before.

    None if that is not all of the claim, takes more than one frame, or more values than anybody reads.
    """
    pieces = _pieces(check, question, claim, terms, prover)
    denied, sets = pieces.denied, pieces.sets
    if sum(map(_size, denied)) > _MOST_VALUES:
        return ()
    return sets.merge_needed(denied) if denied and sets.hold_all(denied) and sets.have_one_frame(denied) else ()


def _size(piece: Spelled) -> int:
    """Return how many actions and resources the statements of the piece have."""
    return sum(len(s.action.values) + len(s.resource.values if s.resource else ()) for s in piece.statements)


def frame(statement: Statement) -> Hashable:
    """What statements have to have in common to be told as one: all but their actions and resources."""
    negated = statement.action.negated, bool(statement.resource and statement.resource.negated)
    return principals_meaning(statement.principals), tuple(map(as_written, statement.conditions)), negated


class _Pieces(NamedTuple):
    """What a claim is made of: what is `new`, and what was `denied` before; `sets` tell whether they hold it."""

    new: list[Spelled]
    denied: list[Spelled]
    sets: _Sets


def _pieces(check: Check, question: Question, claim: Claim, terms: Terms | None, prover: Prover) -> _Pieces:
    """Return the claim in pieces that can be spelled."""
    claim_statements = terms.parts if terms else (claim.statement or universal_statement(question.kind),)
    denied, before, but = (terms.denied, terms.before, terms.but) if terms else (claim.denied, claim.before, claim.but)
    is_within = partial(_lie_within, prover)
    parts = list(_narrow_to_entry(question.kind, claim, claim_statements, is_within))
    if claim.within is not None:
        parts = [each for part in parts for each in _intersections(part, claim.within, is_within)]
    new_pieces = [] if claim.all_before else [_add_exceptions(each, (*denied, *before)) for each in parts]
    denied_pieces = [_add_exceptions(each, denied) for part in parts for each in _intersections(part, but, is_within)]
    statements = [
        statement for piece in (*new_pieces, *denied_pieces) for statement in (*piece.statements, *piece.without)
    ]
    access, claim = _extend_access(check, question, claim, statements)
    sets = _Sets(claimed_requests(claim, claim.statement), access, prover)
    return _Pieces(new=new_pieces, denied=denied_pieces, sets=sets)


def merge(pieces: Iterable[Spelled]) -> tuple[Spelled, ...]:
    """The pieces, those without the same statements as one."""
    statements_by_exception: dict[tuple[Statement, ...], dict[Statement, None]] = {}
    for piece in pieces:
        statements_by_exception.setdefault(piece.without, {}).update(dict.fromkeys(piece.statements))
    return tuple(Spelled(tuple(statements), without) for without, statements in statements_by_exception.items())


def _add_exceptions(piece: Spelled, without: Iterable[Statement]) -> Spelled:
    return piece._replace(without=tuple(dict.fromkeys([*piece.without, *without])))


def _narrow_to_entry(
    kind: Kind, claim: Claim, statements: Iterable[Statement], is_within: Inclusion
) -> Iterator[Spelled]:
    """The statements, or of each what the critical entry means."""
    entry, critical_set = claim.entry, claim.critical_set
    if entry is None or critical_set is None:
        yield Spelled(tuple(statements))
        return
    universe = universal_statement(kind)
    entry_statement = replace(
        universe,
        principals=universe.principals and (entry.principals or universe.principals),
        action=element(critical_set.actions) if critical_set.actions else universe.action,
        resource=element(critical_set.resources) if critical_set.resources and universe.resource else universe.resource,
    )
    exceptions = [replace(universe, action=element(critical_set.excepted))] if critical_set.excepted else []
    exceptions += [replace(universe, conditions=each.conditions) for each in entry.unless]
    for statement in statements:
        if intersection := overlap(statement, entry_statement, is_within):
            yield _add_exceptions(intersection, exceptions)


def _intersections(part: Spelled, counterparts: Iterable[Statement], is_within: Inclusion) -> Iterator[Spelled]:
    """Return the requests that the statements of the part have in common with others."""
    for counterpart in counterparts:
        for statement in part.statements:
            if intersection := overlap(statement, counterpart, is_within):
                yield _add_exceptions(intersection, part.without)


def _lie_within(prover: Prover, inner: Principals, outer: Principals) -> bool:
    formula = conjunction([principal_matches(inner), negation(principal_matches(outer))])
    return isinstance(prover.answer(formula, lambda request: True), Proved)


def _extend_access(
    check: Check, question: Question, claim: Claim, statements: Iterable[Statement]
) -> tuple[Access, Claim]:
    """The claim over sets that know these statements, too."""
    access = question.access.knowing(statements)
    if access is question.access:
        return access, claim
    for subject in check.claims(question._replace(access=access)):
        parts = subject.parts if isinstance(subject, Combination) else ()
        for candidate in (
            (c for part in parts for c in part.granting) if isinstance(subject, Combination) else (subject,)
        ):
            if _place(candidate) == _place(claim):
                return access, candidate
    raise AssertionError("a claim is gone that was there")


def _place(claim: Claim) -> tuple[object, ...]:
    return id(claim.statement), id(claim.entry), claim.existing, claim.critical_set


class _Sets(NamedTuple):
    """Questions about the requests of a claim, and statements; undecided ones are answered for the worse."""

    claim: Requests
    access: Access
    prover: Prover

    def hold_all(self, pieces: Iterable[Spelled]) -> bool:
        """Tell whether the claim lies within the pieces."""
        return (self.claim - union(described_requests(piece, self.access) for piece in pieces)).is_empty(self.prover)

    def have_one_frame(self, pieces: Iterable[Spelled]) -> bool:
        """Tell whether all statements of the pieces through which the claim passes have the same frame."""
        statements = [statement for piece in pieces for statement in piece.statements]
        if len(set(map(frame, statements))) == 1:
            return True
        frames = (frame(statement) for statement in statements if self._passes(statement))
        first = next(frames, None)
        return all(other == first for other in frames)

    def merge_needed(self, pieces: Iterable[Spelled]) -> tuple[Spelled, ...]:
        """The needed parts of the pieces, those without the same statements as one."""
        return merge(narrow for piece in pieces for narrow in self.needed_pieces(piece))

    def needed_pieces(self, piece: Spelled) -> Iterator[Spelled]:
        """The piece with those actions and resources through which the claim passes, without what meets them."""
        for statement in piece.statements:
            for narrow in self._narrow(statement):
                yield Spelled((narrow,), tuple(other for other in piece.without if self._meet(narrow, other)))

    def _narrow(self, statement: Statement) -> Iterator[Statement]:
        actions = [v for v in statement.action.values if self._passes(restrict_element(statement, "action", (v,)))]
        if statement.action.negated or not actions:
            if self._passes(statement):
                yield statement
            return
        restriction = restrict_element(statement, "action", tuple(actions))
        if restriction.resource is None or restriction.resource.negated or len(restriction.resource.values) == 1:
            yield restriction
            return
        values = restriction.resource.values
        resources = tuple(v for v in values if self._passes(restrict_element(restriction, "resource", (v,))))
        yield restrict_element(restriction, "resource", resources or values)

    def _meet(self, first: Statement, second: Statement) -> bool:
        return not (applied_requests([first], self.access) & applied_requests([second], self.access)).is_empty(
            self.prover
        )

    def _passes(self, statement: Statement) -> bool:
        return not (self.claim & applied_requests([statement], self.access)).is_empty(self.prover)


def described_requests(piece: Spelled, access: Access) -> Requests:
    """Return the requests of the piece."""
    return applied_requests(piece.statements, access) - applied_requests(piece.without, access)
