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
from policy_guard.verify.requests import claimed

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
        now, before = (set(map(statement_meaning, each.statements)) for each in (new, old))
        self._gone = [each for each in old.statements if statement_meaning(each) not in now]
        self._kept = now & before

    def due(self, claim: Claim, request: Request, blamed: Sequence[Span], prover: Prover) -> Place | None:
        """Return where to look for what made the claim's access new, of which `request` is an example.

        `blamed` are the values of the statement through which the access passes.

        That is the part of the statement whose old text alone would leave nothing of the claim. A statement that is
        as it was is not to blame: then it is the Deny that denied the request before. None if neither is found.
        """
        statement = claim.statement
        if statement is None or not _comparable(self._new, self._old, statement.source.path):
            return None
        if statement_meaning(statement) in self._kept:
            return self._denied_before(request)
        before = self._ancestor(statement)
        for restored in _restorations(statement, before, blamed) if before else ():
            if claimed(claim, restored.statement).is_empty(prover):
                return restored.place
        if before and (denied := self._denied_before(request)):
            return denied
        return _in_difference(statement, self._old.source, blamed)

    def _denied_before(self, request: Request) -> Place | None:
        """Return where the Deny stands, or stood, that denied the request in the old version only."""
        denying = (statement for statement in self._gone if statement.effect == "Deny")
        deny = next((statement for statement in denying if concrete.applies(statement, request)), None)
        if deny is None or not _comparable(self._new, self._old, deny.source.path):
            return None
        return heir(deny, self._new).place

    def _ancestor(self, statement: Statement) -> Statement | None:
        """The old statement that became this one: that of its Sid, or else the most alike that is gone."""
        return _most_alike(statement, self._gone)


def _most_alike(statement: Statement, others: Sequence[Statement]) -> Statement | None:
    """Return that of the same Sid, or else of those nearby the one with the most in common."""
    same = (other for other in others if other.sid is not None and other.sid == statement.sid)
    near = (other for other in others if abs(other.index - statement.index) <= _NEAR)
    alike = next(same, None) or max(near, key=partial(_likeness, statement), default=None)
    if alike is None or (alike.sid is not None and alike.sid == statement.sid):
        return alike
    return alike if _likeness(statement, alike) > 1 else None


def _comparable(new: Policy, old: Policy, path: str) -> bool:
    """Tell whether the texts of both versions may be compared line by line: in a group that is one file of several."""
    return not new.group or new.source.path == old.source.path == path


def _in_difference(statement: Statement, before: Source, blamed: Sequence[Span] = ()) -> Place | None:
    """Return the first blamed value on a line of the statement that the change touched, or else such a line."""
    lines = list(_changed_lines(statement, before))
    numbers = {statement.source.position(line.start).line for line in lines}
    shown = next((span for span in blamed if statement.source.position(span.start).line in numbers), None)
    return Place(statement.source, shown or lines[0]) if lines else None


def _likeness(one: Statement, two: Statement) -> int:
    """Return how many elements are the same; a shared action counts for one."""
    equal = [
        _texts(one.action) == _texts(two.action),
        _texts(one.resource) == _texts(two.resource),
        principals_meaning(one.principals) == principals_meaning(two.principals),
        set(map(_operator, one.conditions)) == set(map(_operator, two.conditions)),
        bool(_texts(one.action) & _texts(two.action)),
        one.index == two.index,
    ]
    return sum(equal)


def _texts(element: Element | None) -> frozenset[str]:
    return frozenset(value.text for value in element.values) if element else frozenset()


def _operator(condition: Condition) -> Operator:
    return condition.quantifier, condition.operator, condition.if_exists, condition.key


def _restorations(statement: Statement, before: Statement, blamed: Sequence[Span]) -> Iterator[_Restored]:
    """The statement with one part as it was, smallest first, and at last with all of them."""
    yield from _conditions(statement, before)
    if principals_meaning(statement.principals) != principals_meaning(before.principals):
        known = (
            {(principal.type, principal.value.text) for principal in before.principals.entries}
            if before.principals
            else set()
        )
        entries = statement.principals.entries if statement.principals else ()
        fresh = [principal.value.span for principal in entries if (principal.type, principal.value.text) not in known]
        own = statement.principals.span if statement.principals else None
        place = _place(statement, before, fresh, own, before.principals.span if before.principals else before.span)
        yield _Restored(replace(statement, principals=before.principals), place)
    for name in ("resource", "action"):
        element, was = getattr(statement, name), getattr(before, name)
        if _differ(element, was):
            known_texts = _texts(was)
            fresh = [value.span for value in element.values if value.text not in known_texts] if element else []
            fresh.sort(key=lambda span: span not in blamed)
            place = _place(
                statement, before, fresh, element.span if element else None, was.span if was else before.span
            )
            yield _Restored(replace(statement, **{name: was}), place)
    if (touched := _in_difference(statement, before.source, blamed)) is not None:
        yield _Restored(before, touched)


def _differ(one: Element | None, two: Element | None) -> bool:
    return _texts(one) != _texts(two) or (one and one.negated) != (two and two.negated)


def _conditions(statement: Statement, before: Statement) -> Iterator[_Restored]:
    """The statement with one condition as it was: with other values, under another operator, or not there at all."""
    now, was = ({_operator(condition): condition for condition in side.conditions} for side in (statement, before))
    for operator in dict.fromkeys([*now, *was]):
        here, there = now.get(operator), was.get(operator)
        if here and there and {v.text for v in here.values} == {v.text for v in there.values}:
            continue
        there = there or next(
            (condition for condition in before.conditions if here and condition.key == here.key), None
        )
        conditions = tuple(condition for condition in statement.conditions if condition is not here)
        known = {value.text for value in there.values} if there else set()
        fresh = [value.span for value in here.values if value.text not in known] if here else []
        place = _place(statement, before, fresh, here.span if here else None, there.span if there else before.span)
        yield _Restored(replace(statement, conditions=(*conditions, *((there,) if there else ()))), place)


def _place(statement: Statement, before: Statement, fresh: list[Span], own: Span | None, gone: Span) -> Place:
    """The first value that is new, or else the line of the part that changed, or that stood next to what is gone."""
    if fresh:
        return Place(statement.source, fresh[0])
    lines = list(_changed_lines(statement, before.source))
    inside = [line for line in lines if own and own.start <= line.start < own.end]
    if inside or own:
        return Place(statement.source, inside[0] if inside else own or statement.span)
    line = _line_after(before.source, statement.source, before.source.position(gone.start).line)
    return Place(statement.source, _within(statement, line))


def _changed_lines(statement: Statement, before: Source) -> Iterator[Span]:
    """The lines of the statement that the change touched."""
    first, last = (statement.source.position(at).line for at in (statement.span.start, statement.span.end - 1))
    for run in differing(before.text, statement.source.text):
        start, end = run.start, run.end
        yield from (
            _within(statement, line) for line in range(max(start + 1, first), min(max(end, start + 1), last) + 1)
        )


def _within(statement: Statement, line: int) -> Span:
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


def heir(gone: Statement, new: Policy) -> Heir:
    """The Deny that a Deny of the old version became, by its Sid or because it is the most alike, and what changed."""
    alike = _most_alike(gone, by_effect(new)[1])
    if alike is not None:
        line = next(_changed_lines(alike, gone.source), None)
        return Heir(alike, Place(alike.source, line or Span(alike.span.start, alike.span.start + 1)))
    return Heir(None, Place(new.source, _line(new.source, _line_after(gone.source, new.source, _first_line(gone)))))


def _first_line(statement: Statement) -> int:
    return statement.source.position(statement.span.start).line


def _line(source: Source, number: int) -> Span:
    """Return what is written on a line."""
    number = min(number, source.line_count())
    text = source.line(number)
    start = source.offset(number, 1)
    return Span(start + len(text) - len(text.lstrip()), start + max(len(text.rstrip()), 1))
