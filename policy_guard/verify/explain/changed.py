"""What a change did to make a finding: the smallest part whose old text would take the finding away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

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
from policy_guard.records import NamedTuple
from policy_guard.verify.check import Claim
from policy_guard.verify.explain.changed_lines import (
    Place,
    changed_lines,
    differing_values,
    line_after,
    span_on_line,
    written_on,
)
from policy_guard.verify.explain.without_document import is_other_access
from policy_guard.verify.requests import claimed_requests

_NEAR = 30
"""How many statements further on one is looked for that has changed."""

Operator: TypeAlias = "tuple[str, str, bool, str]"


class Cause(NamedTuple):
    """Where the change stands that made access new.

    `of_deny` tells that a Deny denies less there, or is gone, and `is_gone` that no statement took its place.
    """

    place: Place
    of_deny: bool
    is_gone: bool = False


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

    def cause_of(self, claim: Claim, request: Request, blamed_spans: Sequence[Span], prover: Prover) -> Cause | None:
        """Return where to look for what made the claim's access new, of which `request` is an example.

        `blamed_spans` are the values of the statement through which the access passes.

        That is the part of the statement whose old text alone would leave nothing of the claim, or else would not
        grant the example. A statement that is as it was is not to blame: then it is the Deny that denied the request
        before. None if neither is found.
        """
        statement = claim.statement
        if statement is None or not _are_comparable(self._new, self._old, statement.source.path):
            return None
        if statement_meaning(statement) in self._common_meanings:
            return self._lost_deny(request)
        ancestor = self._ancestor(statement)
        if ancestor is None or is_other_access(statement):
            place = _changed_place(statement, self._old.source, blamed_spans)
            return Cause(place, of_deny=False) if place else None
        if ancestor.effect != statement.effect:
            return Cause(_effect_place(statement, ancestor.source), of_deny=True)
        cause = self._changed_part(claim, ancestor, request, blamed_spans, prover)
        return _at_gone_line(cause, statement, ancestor) if cause else None

    def _changed_part(
        self, claim: Claim, ancestor: Statement, request: Request, blamed_spans: Sequence[Span], prover: Prover
    ) -> Cause | None:
        """Return the part of the claim's statement that changed since its ancestor and is to blame."""
        statement = claim.statement
        assert statement is not None
        restorations = _restorations(statement, ancestor, blamed_spans)
        suspects = [restored for restored in restorations if not claim.holds(restored.statement, request)]
        for suspect in suspects:
            if claimed_requests(claim, suspect.statement).is_empty(prover):
                return Cause(suspect.place, of_deny=False)
        if claim.holds(ancestor, request) and (cause := self._lost_deny(request)):
            return cause
        if suspects:
            return Cause(suspects[0].place, of_deny=False)
        place = _changed_place(statement, self._old.source, blamed_spans)
        return Cause(place, of_deny=False) if place else None

    def _lost_deny(self, request: Request) -> Cause | None:
        """Return where the Deny stands, or stood, that denied the request in the old version only."""
        deny_statements = (statement for statement in self._removed_statements if statement.effect == "Deny")
        deny_statement = next(
            (statement for statement in deny_statements if concrete.applies(statement, request)), None
        )
        if deny_statement is None or not _are_comparable(self._new, self._old, deny_statement.source.path):
            return None
        successor = heir(deny_statement, self._old, self._new, request)
        return Cause(successor.place, of_deny=True, is_gone=successor.statement is None)

    def _ancestor(self, statement: Statement) -> Statement | None:
        """The old statement that became this one: that of its Sid, or else the most alike that is gone."""
        return _nearest_statement(statement, self._removed_statements)


def _at_gone_line(cause: Cause, statement: Statement, ancestor: Statement) -> Cause:
    """Return the cause where its ancestor stood, if that line changed and none of the statement did.

    Such a statement is written nowhere: it stands for a boundary or a block that is gone.
    """
    source, old_source = statement.source, ancestor.source
    if source.path != old_source.path or any(True for _ in changed_lines(statement, old_source)):
        return cause
    line = old_source.position(ancestor.span.start).line
    if not any(run.old_start < line <= run.old_end for run in differing_values(old_source.text, source.text)):
        return cause
    place = Place(source, written_on(source, line_after(old_source, source, line)))
    return cause._replace(place=place, is_gone=True)


def _nearest_statement(statement: Statement, candidates: Sequence[Statement]) -> Statement | None:
    """Return that of the same Sid, or else of those nearby the one with the most in common."""
    namesakes = (other for other in candidates if other.sid is not None and other.sid == statement.sid)
    neighbours = (other for other in candidates if abs(other.index - statement.index) <= _NEAR)
    match = next(namesakes, None) or max(
        neighbours,
        key=lambda other: (_likeness(statement, other), other.effect == statement.effect),
        default=None,
    )
    if match is None or (match.sid is not None and match.sid == statement.sid):
        return match
    return match if _likeness(statement, match) > 1 else None


def _are_comparable(new: Policy, old: Policy, path: str) -> bool:
    """Tell whether the texts of both versions may be compared line by line: in a group that is one file of several."""
    return not new.group or new.source.path == old.source.path == path


def _changed_place(statement: Statement, old_source: Source, blamed_spans: Sequence[Span] = ()) -> Place | None:
    """Return the first blamed value on a line of the statement that the change touched, or else such a line."""
    lines = list(changed_lines(statement, old_source))
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
        if statement.principals and ancestor.principals and statement.principals.negated != ancestor.principals.negated:
            place = (
                _word_place(statement, _NEGATED["principals"][statement.principals.negated], principals_span) or place
            )
        yield _Restored(replace(statement, principals=ancestor.principals), place)
    for name in ("resource", "action"):
        element, old_element = getattr(statement, name), getattr(ancestor, name)
        if _differ(element, old_element):
            old_texts = _texts(old_element)
            new_spans = [value.span for value in element.values if value.text not in old_texts] if element else []
            blamed_first = set(blamed_spans)
            new_spans.sort(key=lambda span: span not in blamed_first)
            place = _place(
                statement,
                ancestor,
                new_spans,
                element.span if element else None,
                old_element.span if old_element else ancestor.span,
            )
            if element and old_element and element.negated != old_element.negated:
                place = _word_place(statement, _NEGATED[name][element.negated], element.span) or place
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
        if new_condition and old_condition and not new_spans and _operator(new_condition) != _operator(old_condition):
            place = _word_place(statement, _operator_name(new_condition), new_condition.span) or place
        yield _Restored(
            replace(statement, conditions=(*conditions, *((old_condition,) if old_condition else ()))), place
        )


def _place(
    statement: Statement, ancestor: Statement, new_spans: list[Span], new_span: Span | None, old_span: Span
) -> Place:
    """The first value that is new, or else the line of the part that changed, or that stood next to what is gone."""
    if new_spans:
        return Place(statement.source, new_spans[0])
    lines = list(changed_lines(statement, ancestor.source))
    part_lines = [line for line in lines if new_span and new_span.start <= line.start < new_span.end]
    if part_lines or new_span:
        return Place(statement.source, part_lines[0] if part_lines else new_span or statement.span)
    line = line_after(ancestor.source, statement.source, ancestor.source.position(old_span.start).line)
    return Place(statement.source, span_on_line(statement, line))


_NEGATED = {
    "action": (r"not_?actions?|actions?", r"not_?actions?"),
    "resource": (r"not_?resources?|resources?", r"not_?resources?"),
    "principals": (r"not_?principals?|principals?", r"not_?principals?"),
}
"""What the key of an element is called in policies and in Terraform, and what it is called if it is negated."""


def _operator_name(condition: Condition) -> str:
    """Return an expression for the operator as it is written."""
    quantifier = f"{condition.quantifier}:" if condition.quantifier else ""
    return re.escape(f"{quantifier}{condition.operator}{'IfExists' * condition.if_exists}")


def _word_place(statement: Statement, word: str, span: Span | None) -> Place | None:
    """Return where a word stands last before what `span` holds, or else first in the statement."""
    if span is None:
        return None
    found = [
        Span(match.start() + statement.span.start, match.end() + statement.span.start)
        for match in re.finditer(rf"(?<![\w:])(?:{word})(?![\w:]*\w)", _text(statement), re.IGNORECASE)
    ]
    before = [each for each in found if each.end <= span.start]
    return Place(statement.source, (before[-1:] or found)[0]) if found else None


def _text(statement: Statement) -> str:
    return statement.source.text[statement.span.start : statement.span.end]


def _effect_place(statement: Statement, old_source: Source) -> Place:
    """Return where the statement says Allow or Deny, on a line that changed if it can be."""
    spans = [
        Span(match.start() + statement.span.start, match.end() + statement.span.start)
        for match in re.finditer(r"""["']?\beffect\b["']?\s*[:=]\s*["']?\w+["']?""", _text(statement), re.IGNORECASE)
    ]
    lines = list(changed_lines(statement, old_source))
    numbers = {statement.source.position(line.start).line for line in lines}
    changed = [span for span in spans if statement.source.position(span.start).line in numbers]
    return Place(statement.source, [*changed, *lines, *spans, statement.span][0])


class Heir(NamedTuple):
    """What stands in place of a statement that is gone: `statement` is None if nothing took its place."""

    statement: Statement | None
    place: Place


def heir(old_deny: Statement, old: Policy, new: Policy, request: Request | None) -> Heir:
    """Return what a Deny of the old version became, by its Sid or because it is the most alike, and what changed.

    That is a Deny that the old version does not have, or an Allow of the same. `request` is one that is no longer
    denied: of several changes the one is meant that let it through.
    """
    old_meanings = set(map(statement_meaning, old.statements))
    allowing, denying = ([s for s in each if statement_meaning(s) not in old_meanings] for each in by_effect(new))
    if match := _nearest_statement(old_deny, denying):
        return Heir(match, _shrunk_place(match, old_deny, request))
    reversal = next((s for s in allowing if _is_reversal(old_deny, s)), None)
    if reversal is not None:
        return Heir(reversal, _effect_place(reversal, old_deny.source))
    return Heir(
        None, Place(new.source, written_on(new.source, line_after(old_deny.source, new.source, _first_line(old_deny))))
    )


def _shrunk_place(deny: Statement, old_deny: Statement, request: Request | None) -> Place:
    """Return the part of a Deny that changed, so that the request is no longer denied."""
    restorations = list(_restorations(deny, old_deny, ()))
    for restored in restorations:
        if request and concrete.applies(restored.statement, request):
            return restored.place
    if restorations:
        return restorations[0].place
    return Place(deny.source, Span(deny.span.start, deny.span.start + 1))


def _is_reversal(old_deny: Statement, allow: Statement) -> bool:
    """Tell whether the statement allows what the Deny denied, or bears its name."""
    is_namesake = allow.sid is not None and allow.sid == old_deny.sid
    return is_namesake or statement_meaning(replace(allow, effect="Deny")) == statement_meaning(old_deny)


def _first_line(statement: Statement) -> int:
    return statement.source.position(statement.span.start).line
