"""The requests of a claim as statements, to be written down: all of them, and as little besides as can be spelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from policy_guard import evaluate
from policy_guard.access import Access
from policy_guard.check import Claim
from policy_guard.difference import Terms, only
from policy_guard.formula import Formula, conjunction, disjunction, negation
from policy_guard.policy import Element, Request, Statement, Value
from policy_guard.prove import Proved, Prover
from policy_guard.source import Span


class Spelled(NamedTuple):
    """The requests that one of `statements` applies to, and none of `without`."""

    statements: tuple[Statement, ...]
    without: tuple[Statement, ...] = ()


def spelled_exactly(claim: Claim, told: Terms | None, of_old: bool, access: Access, prover: Prover) -> Spelled:
    """Statements that hold the whole claim; none at all stands for every request.

    What is proved not to be needed is left out, value by value. Where a Deny that went away holds all of the claim,
    or the critical entry says less than the statement, their words are taken.
    """
    sets = _Sets(claim, access, prover)
    whole = told.parts if told else (claim.statement,) if claim.statement else ()
    chosen = whole
    for other in (_of_entry(claim, whole), told.but if told else claim.but):
        if other and sets.hold_all(other) and not (chosen and sets.lie_within(chosen, other)):
            chosen = tuple(sets.needed(other))
    left_out = (told.before if of_old else told.denied) if told else claim.denied
    return Spelled(chosen, tuple(each for each in left_out if not chosen or sets.meet(chosen, each)))


class _Sets(NamedTuple):
    """Questions about the claim and statements; what cannot be decided is taken for the worse."""

    claim: Claim
    access: Access
    prover: Prover

    def hold_all(self, statements: Iterable[Statement]) -> bool:
        """Whether the claim lies within the statements."""
        return self._is_empty(self._rest(statements), _and_none_of(self._holds(), statements))

    def lie_within(self, statements: Iterable[Statement], others: Iterable[Statement]) -> bool:
        formula = conjunction([disjunction(map(self.access.applies, statements)), self._none_of(others)])
        return self._is_empty(formula, _and_none_of(partial(_any, tuple(statements)), others))

    def meet(self, statements: Iterable[Statement], other: Statement) -> bool:
        formula = conjunction([disjunction(map(self.access.applies, statements)), self.access.applies(other)])
        every = tuple(statements)
        return not self._is_empty(formula, lambda r: _any(every, r) and evaluate.applies(other, r))

    def needed(self, statements: Iterable[Statement]) -> Iterator[Statement]:
        """The statements with those of their actions and resources through which the claim passes."""
        for statement in statements:
            actions = [v for v in statement.action.values if self._passes(only(statement, "action", (v,)))]
            if statement.action.negated or not actions:
                if self._passes(statement):
                    yield statement
                continue
            narrowed = only(statement, "action", tuple(actions))
            if narrowed.resource is None or narrowed.resource.negated or len(narrowed.resource.values) == 1:
                yield narrowed
                continue
            values = narrowed.resource.values
            resources = tuple(v for v in values if self._passes(only(narrowed, "resource", (v,))))
            yield only(narrowed, "resource", resources or values)

    def _passes(self, statement: Statement) -> bool:
        formula = conjunction([self.claim.excess(self.claim.statement), self.access.applies(statement)])
        holds = self._holds()
        return not self._is_empty(formula, lambda request: holds(request) and evaluate.applies(statement, request))

    def _rest(self, statements: Iterable[Statement]) -> Formula:
        return conjunction([self.claim.excess(self.claim.statement), self._none_of(statements)])

    def _none_of(self, statements: Iterable[Statement]) -> Formula:
        return negation(disjunction(map(self.access.applies, statements)))

    def _holds(self) -> Callable[[Request], bool]:
        return partial(self.claim.holds, self.claim.statement)

    def _is_empty(self, formula: Formula, holds: Callable[[Request], bool]) -> bool:
        return isinstance(self.prover.answer(formula, holds), Proved)


def _of_entry(claim: Claim, whole: Iterable[Statement]) -> tuple[Statement, ...]:
    """The statements with the actions and resources of the critical entry in place of their own."""
    meant = claim.meant
    if meant is None:
        return ()
    return tuple(
        replace(
            each,
            action=_element(meant.actions) if meant.actions else each.action,
            resource=_element(meant.resources) if meant.resources else each.resource,
        )
        for each in whole
    )


def _element(values: tuple[Value, ...]) -> Element:
    return Element(False, values, Span(0, 0))


def _any(statements: Iterable[Statement], request: Request) -> bool:
    return any(evaluate.applies(each, request) for each in statements)


def _and_none_of(holds: Callable[[Request], bool], statements: Iterable[Statement]) -> Callable[[Request], bool]:
    every = tuple(statements)
    return lambda request: holds(request) and not _any(every, request)
