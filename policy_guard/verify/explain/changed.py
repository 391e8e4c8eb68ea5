"""What a change did to make a finding: the smallest part whose old text would take the finding away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeAlias

from policy_guard.documents.line_diff import differing
from policy_guard.documents.source import Source, Span
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Prover
from policy_guard.iam.policy import (
    Condition,
    Element,
    Policy,
    Request,
    Statement,
    by_effect,
    principals_meaning,
    statement_meaning,
)
from policy_guard.verify.check import Claim
from policy_guard.verify.requests import claimed_requests

_NEAR = 30
"""How many statements further on one is looked for that has changed."""

Operator: TypeAlias = "tuple[str, str, bool, str]"


class Place(NamedTuple):
    source: Source
    span: Span


class _Restored(NamedTuple):
    """The statement with the old text of one part, and where that part stands now."""

    statement: Statement
    place: Place


class Changes:
    """What changed between two versions of a policy."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self._old = old
        self._new = new
        new_meanings, old_meanings = (set(map(statement_meaning, policy.statements)) for policy in (new, old))
        self._removed_statements = [s for s in old.statements if statement_meaning(s) not in new_meanings]
        self._common_meanings = new_meanings & old_meanings

    def cause_of(self, claim: Claim, request: Request, blamed_spans: Sequence[Span], prover: Prover) -> Place | None:
        """Return where to look for what made the claim's access new, of which `request` is an example.

        `blamed_spans` are the values of the statement through which the access passes.

        That is the part of the statement whose old text alone would leave nothing of the claim. A statement that is
        as it was is not to blame: then it is the Deny that denied the request before. None if neither is found.
        """
        statement = claim.statement
        if statement is None or not _are_comparable(self._new, self._old, statement.source.path):
            return None
        if statement_meaning(statement) in self._common_meanings:
            return self._old_deny_place(request)
        ancestor = self._ancestor(statement)
        for restoration in _restorations(statement, ancestor, blamed_spans) if ancestor else ():
            if claimed_requests(claim, restoration.statement).is_empty(prover):
                return restoration.place
        if ancestor and (deny_place := self._old_deny_place(request)):
            return deny_place
        return _changed_place(statement, self._old.source, blamed_spans)

    def _old_deny_place(self, request: Request) -> Place | None:
        """Return where the Deny stands, or stood, that denied the request in the old version only."""
        deny_statements = (statement for statement in self._removed_statements if statement.effect == "Deny")
        deny_statement = next(
            (statement for statement in deny_statements if concrete.applies(statement, request)), None
        )
        if deny_statement is None or not _are_comparable(self._new, self._old, deny_statement.source.path):
            return None
        return heir(deny_statement, self._new).place

    def _ancestor(self, statement: Statement) -> Statement | None:
        """The old statement that became this one: that of its Sid, or else the most alike that is gone."""
        return _nearest_statement(statement, self._removed_statements)


def _nearest_statement(statement: Statement, candidates: Sequence[Statement]) -> Statement | None:
    """Return that of the same Sid, or else of those nearby the one with the most in common."""
    namesakes = (other for other in candidates if other.sid is not None and other.sid == statement.sid)
    neighbours = (other for other in candidates if abs(other.index - statement.index) <= _NEAR)
    match = next(namesakes, None) or max(neighbours, key=partial(_likeness, statement), default=None)
    if match is None or (match.sid is not None and match.sid == statement.sid):
        return match
    return match if _likeness(statement, match) > 1 else None


def _are_comparable(new: Policy, old: Policy, path: str) -> bool:
    """Tell whether the texts of both versions may be compared line by line: in a group that is one file of several."""
    return not new.group or new.source.path == old.source.path == path


def _changed_place(statement: Statement, old_source: Source, blamed_spans: Sequence[Span] = ()) -> Place | None:
    """Return the first blamed value on a line of the statement that the change touched, or else such a line."""
    lines = list(_changed_lines(statement, old_source))
    numbers = {statement.source.position(line.start).line for line in lines}
    blamed_span = next((span for span in blamed_spans if statement.source.position(span.start).line in numbers), None)
    return Place(statement.source, blamed_span or lines[0]) if lines else None


def _likeness(first: Statement, second: Statement) -> int:
    """Return how many elements are the same; a shared action counts for one."""
    equal = [
        _texts(first.action) == _texts(second.action),
        _texts(first.resource) == _texts(second.resource),
        principals_meaning(first.principals) == principals_meaning(second.principals),
        set(map(_operator, first.conditions)) == set(map(_operator, second.conditions)),
        bool(_texts(first.action) & _texts(second.action)),
        first.index == second.index,
    ]
    return sum(equal)


def _texts(element: Element | None) -> frozenset[str]:
    return frozenset(value.text for value in element.values) if element else frozenset()


def _operator(condition: Condition) -> Operator:
    return condition.quantifier, condition.operator, condition.if_exists, condition.key


def _restorations(statement: Statement, ancestor: Statement, blamed_spans: Sequence[Span]) -> Iterator[_Restored]:
    """The statement with one part as it was, smallest first, and at last with all of them."""
    yield from _conditions(statement, ancestor)
    if principals_meaning(statement.principals) != principals_meaning(ancestor.principals):
        old_principals = (
            {(principal.type, principal.value.text) for principal in ancestor.principals.entries}
            if ancestor.principals
            else set()
        )
        entries = statement.principals.entries if statement.principals else ()
        new_spans = [
            principal.value.span
            for principal in entries
            if (principal.type, principal.value.text) not in old_principals
        ]
        principals_span = statement.principals.span if statement.principals else None
        place = _place(
            statement,
            ancestor,
            new_spans,
            principals_span,
            ancestor.principals.span if ancestor.principals else ancestor.span,
        )
        yield _Restored(replace(statement, principals=ancestor.principals), place)
    for name in ("resource", "action"):
        element, old_element = getattr(statement, name), getattr(ancestor, name)
        if _differ(element, old_element):
            old_texts = _texts(old_element)
            new_spans = [value.span for value in element.values if value.text not in old_texts] if element else []
            new_spans.sort(key=lambda span: span not in blamed_spans)
            place = _place(
                statement,
                ancestor,
                new_spans,
                element.span if element else None,
                old_element.span if old_element else ancestor.span,
            )
            yield _Restored(replace(statement, **{name: old_element}), place)
    if (difference := _changed_place(statement, ancestor.source, blamed_spans)) is not None:
        yield _Restored(ancestor, difference)


def _differ(new: Element | None, old: Element | None) -> bool:
    return _texts(new) != _texts(old) or (new and new.negated) != (old and old.negated)


def _conditions(statement: Statement, ancestor: Statement) -> Iterator[_Restored]:
    """The statement with one condition as it was: with other values, under another operator, or not there at all."""
    new_conditions, old_conditions = (
        {_operator(condition): condition for condition in side.conditions} for side in (statement, ancestor)
    )
    for operator in dict.fromkeys([*new_conditions, *old_conditions]):
        new_condition, old_condition = new_conditions.get(operator), old_conditions.get(operator)
        if (
            new_condition
            and old_condition
            and {v.text for v in new_condition.values} == {v.text for v in old_condition.values}
        ):
            continue
        old_condition = old_condition or next(
            (condition for condition in ancestor.conditions if new_condition and condition.key == new_condition.key),
            None,
        )
        conditions = tuple(condition for condition in statement.conditions if condition is not new_condition)
        old_texts = {value.text for value in old_condition.values} if old_condition else set()
        new_spans = (
            [value.span for value in new_condition.values if value.text not in old_texts] if new_condition else []
        )
        place = _place(
            statement,
            ancestor,
            new_spans,
            new_condition.span if new_condition else None,
            old_condition.span if old_condition else ancestor.span,
        )
        yield _Restored(
            replace(statement, conditions=(*conditions, *((old_condition,) if old_condition else ()))), place
        )


def _place(
    statement: Statement, ancestor: Statement, new_spans: list[Span], new_span: Span | None, old_span: Span
) -> Place:
    """The first value that is new, or else the line of the part that changed, or that stood next to what is gone."""
    if new_spans:
        return Place(statement.source, new_spans[0])
    lines = list(_changed_lines(statement, ancestor.source))
    part_lines = [line for line in lines if new_span and new_span.start <= line.start < new_span.end]
    if part_lines or new_span:
        return Place(statement.source, part_lines[0] if part_lines else new_span or statement.span)
    line = _line_after(ancestor.source, statement.source, ancestor.source.position(old_span.start).line)
    return Place(statement.source, _span_on_line(statement, line))


def _changed_lines(statement: Statement, old_source: Source) -> Iterator[Span]:
    """The lines of the statement that the change touched."""
    first, last = (statement.source.position(at).line for at in (statement.span.start, statement.span.end - 1))
    for run in differing(old_source.text, statement.source.text):
        start, end = run.start, run.end
        yield from (
            _span_on_line(statement, line) for line in range(max(start + 1, first), min(max(end, start + 1), last) + 1)
        )


def _span_on_line(statement: Statement, line: int) -> Span:
    """Return what is written on the line, as far as it belongs to the statement."""
    start, end = _line(statement.source, line)
    start = min(max(start, statement.span.start), statement.span.end - 1)
    return Span(start, max(start + 1, min(end, statement.span.end)))


def _line_after(old: Source, new: Source, line: int) -> int:
    """Return where a line of the old text would stand in the new one."""
    shift = 0
    for run in differing(old.text, new.text):
        if line <= run.old_start:
            break
        if line <= run.old_end:
            return min(run.start + line - run.old_start, max(run.end, run.start + 1))
        shift = run.end - run.old_end
    return max(1, line + shift)


class Heir(NamedTuple):
    """What stands in place of a statement that is gone: `statement` is None if nothing took its place."""

    statement: Statement | None
    place: Place


def heir(old_deny: Statement, new: Policy) -> Heir:
    """The Deny that a Deny of the old version became, by its Sid or because it is the most alike, and what changed."""
    match = _nearest_statement(old_deny, by_effect(new)[1])
    if match is not None:
        line = next(_changed_lines(match, old_deny.source), None)
        return Heir(match, Place(match.source, line or Span(match.span.start, match.span.start + 1)))
    return Heir(
        None, Place(new.source, _line(new.source, _line_after(old_deny.source, new.source, _first_line(old_deny))))
    )


def _first_line(statement: Statement) -> int:
    return statement.source.position(statement.span.start).line


def _line(source: Source, number: int) -> Span:
    """Return what is written on a line."""
    number = min(number, source.line_count())
    text = source.line(number)
    start = source.offset(number, 1)
    return Span(start + len(text) - len(text.lstrip()), start + max(len(text.rstrip()), 1))
