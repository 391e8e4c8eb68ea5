"""Describes new access in the policy's own terms: which actions on which resources, and which were there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from typing import TypeAlias

from policy_guard.documents.source import Span
from policy_guard.iam import catalog
from policy_guard.iam.meaning.prover import Proved, Prover, Witness
from policy_guard.iam.meaning.symbolic import Access, surely_apart
from policy_guard.iam.policy import Element, Request, Statement, Value, as_written, in_words, without_blanks
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import FILLERS, Language
from policy_guard.solver.strings.pattern import Pattern, folded, holes
from policy_guard.verify.check import Claim
from policy_guard.verify.explain.overlap import overlap
from policy_guard.verify.finding import Cell, Difference, Piece
from policy_guard.verify.requests import Requests, applied_requests, bounds, claimed_requests

MOST_QUESTIONS = 60
MOST_PIECES = 40
_STEPS_A_PLACEHOLDER = 100
"""What a question costs for each value with an unknown part: every one is a text of its own to choose."""

Cells: TypeAlias = "list[tuple[tuple[Value, ...], tuple[Value, ...]]]"


class Blame(NamedTuple):
    """The values through which some request of the set passes; `proved` if none passes through any other."""

    values: tuple[Value, ...]
    proved: bool


def blame(claim: Claim, request: Request, prover: Prover, statement: Statement, name: str) -> Blame:
    """The values of the statement's action or resource to blame, in the order written. `request` is in the set."""
    element = _element(statement, name)
    if element is None or len(element.values) == 1 or element.negated:
        return Blame(element.values if element else (), True)
    values: set[Value] = set()
    pending = list(element.values)
    example: Request | None = request
    proved = False
    for _ in range(MOST_QUESTIONS):
        if example:
            if not prover.may_replay(2 * len(pending), _STEPS_A_PLACEHOLDER * sum(map(_has_holes, pending))):
                return Blame(element.values, False)
            hit = {value for value in pending if _passes(claim, statement, name, value, example)}
            pending = [value for value in pending if value not in hit]
            values |= hit
        remainder = restrict_element(statement, name, tuple(pending))
        answer = claimed_requests(claim, remainder).answer(prover) if pending else Proved()
        proved = isinstance(answer, Proved)
        if not isinstance(answer, Witness):
            break
        example = answer.request
    return Blame(tuple(value for value in element.values if value in values), proved)


def _has_holes(value: Value) -> bool:
    return holes(value.pattern)


def _element(statement: Statement, name: str) -> Element | None:
    return statement.action if name == "action" else statement.resource


def restrict_element(statement: Statement, name: str, values: tuple[Value, ...]) -> Statement:
    """The statement with these values alone in place of its actions or resources."""
    if name == "action":
        return replace(statement, action=replace(statement.action, values=values))
    assert statement.resource is not None
    return replace(statement, resource=replace(statement.resource, values=values))


def _passes(claim: Claim, statement: Statement, name: str, value: Value, request: Request) -> bool:
    """Tell whether the request, or a similar one made from this value, gets through by this value."""
    restriction = restrict_element(statement, name, (value,))
    text = _sample(name, without_blanks(value.text) if name == "action" else value.text.strip(" "))
    similar_request = request._replace(action=text) if name == "action" else request._replace(resource=text)
    return claim.holds(restriction, request) or claim.holds(restriction, similar_request)


@lru_cache(maxsize=10_000)
def _sample(name: str, text: str) -> str:
    """One of the actions or resources that the text stands for."""
    if "*" not in text and "?" not in text:
        return text
    catalog_action = next(iter(catalog.matching(text)), None) if name == "action" else None
    return catalog_action or text.replace("*", FILLERS[0]).replace("?", FILLERS[0][0])


class Terms(NamedTuple):
    """The statements that a difference is told in.

    It is what one of `parts` applies to within the claim's bounds, without what one of `denied` applies to, and
    without what one of `before` (or everything, as the claim says) and none of `but` applies to, and without what one
    of `accepted` applies to. `partly` tells that the bounds leave less than the parts say.
    """

    parts: tuple[Statement, ...]
    denied: tuple[Statement, ...]
    before: tuple[Statement, ...]
    but: tuple[Statement, ...]
    accepted: tuple[Statement, ...] = ()
    partly: bool = False


def terms(
    claim: Claim, request: Request, actions: Blame, resources: Blame, access: Access, prover: Prover
) -> Terms | None:
    """Return terms that describe exactly the set of the claim, to which this request belongs.

    None if that cannot be proved within the budget.
    """
    statement = claim.statement
    if statement is None or not actions.proved or not resources.proved:
        return None
    cells = _cells(claim, statement, request, actions.values, resources.values, prover)
    if cells is None:
        return None
    written_parts = tuple(_restrict(statement, *cell) for cell in cells)
    narrow_parts = _narrow(claim, written_parts, access, prover)
    parts = narrow_parts or written_parts
    overlapping = partial(_overlapping_statements, parts, access=access, prover=prover)
    requests = applied_requests(parts, access) & bounds(claim)
    denied = overlapping(requests, claim.denied)
    undenied_requests = requests - applied_requests(denied or (), access)
    before, but = (overlapping(undenied_requests, statements) for statements in (claim.before, claim.but))
    accepted, unaccepted = (overlapping(requests, statements) for statements in (claim.accepted, claim.unaccepted))
    if denied is None or before is None or but is None or accepted is None or unaccepted != ():
        return None
    partly = claim.within is not None and not narrow_parts
    return Terms(parts=parts, denied=denied, before=before, but=but, accepted=accepted, partly=partly)


def _narrow(claim: Claim, parts: tuple[Statement, ...], access: Access, prover: Prover) -> tuple[Statement, ...] | None:
    """The parts as far as the policy goes that counts together with the statement; None if that cannot be spelled."""
    if claim.within is None:
        return None
    requests = applied_requests(parts, access)
    statements = _overlapping_statements(parts, requests, claim.within, access, prover)
    pieces = [overlap(part, each, lambda inner, outer: False) for part in parts for each in statements or ()]
    spelled = [piece for piece in pieces if piece is not None]
    narrow_parts = tuple(dict.fromkeys(statement for piece in spelled for statement in piece.statements))
    conditions = {tuple(map(as_written, part.conditions)) for part in narrow_parts}
    if len(conditions) != 1 or len(narrow_parts) > MOST_PIECES or any(piece.without for piece in spelled):
        return None
    if len({(part.action.negated, bool(part.resource and part.resource.negated)) for part in narrow_parts}) != 1:
        return None
    if access.knowing(narrow_parts) is not access:
        return None
    remainder = requests & bounds(claim) - applied_requests(narrow_parts, access)
    return narrow_parts if remainder.is_empty(prover) else None


def _overlapping_statements(
    parts: Iterable[Statement], requests: Requests, statements: Iterable[Statement], access: Access, prover: Prover
) -> tuple[Statement, ...] | None:
    """Return the statements not proved to apply to none of the requests of the parts; None if there are too many."""
    sets = [(access.actions(part), access.applies(part)) for part in parts]
    overlapping_statements = (
        statement
        for statement in statements
        if not all(surely_apart(actions, access.actions(statement)) for actions, _ in sets)
        and not all(surely_apart(applies, access.applies(statement)) for _, applies in sets)
        and not (requests & applied_requests([statement], access)).is_empty(prover)
    )
    selection = tuple(islice(overlapping_statements, MOST_PIECES + 1))
    return selection if len(selection) <= MOST_PIECES else None


def spell_terms(terms: Terms, all_before: bool) -> Difference:
    """The terms as the policies spell them."""
    first = terms.parts[0]
    pieces = partial(_pieces, terms.parts)
    return Difference(
        cells=tuple(map(_cell, terms.parts)),
        not_actions=first.action.negated,
        not_resources=bool(first.resource and first.resource.negated),
        principals=_principals(first),
        conditions=tuple(map(in_words, first.conditions)),
        denied=pieces(terms.denied),
        before=pieces(terms.before),
        but=pieces(terms.but),
        all_before=all_before,
        accepted=pieces(terms.accepted),
    )


def _cell(part: Statement) -> Cell:
    resources = part.resource.values if part.resource else ()
    return Cell(tuple(value.text.strip() for value in part.action.values), tuple(value.text for value in resources))


def _cells(
    claim: Claim,
    statement: Statement,
    request: Request,
    actions: tuple[Value, ...],
    resources: tuple[Value, ...],
    prover: Prover,
) -> Cells | None:
    """Actions with the resources on which each is new, those together that have the same; None if it is too much."""
    if len(actions) <= 1 or len(resources) <= 1 or statement.action.negated:
        return [(actions, resources)]
    if len(actions) > MOST_QUESTIONS:
        return None
    actions_by_resources: dict[tuple[Value, ...], list[Value]] = {}
    for action in actions:
        restriction = _restrict(statement, (action,), resources)
        resource_blame = blame(claim, request, prover, restriction, "resource")
        if not resource_blame.proved or not resource_blame.values:
            return None
        actions_by_resources.setdefault(resource_blame.values, []).append(action)
    return [(tuple(values), on) for on, values in actions_by_resources.items()]


def _restrict(statement: Statement, actions: tuple[Value, ...], resources: tuple[Value, ...]) -> Statement:
    restriction = restrict_element(statement, "action", actions)
    return restrict_element(restriction, "resource", resources) if statement.resource else restriction


def _pieces(parts: tuple[Statement, ...], statements: Iterable[Statement]) -> tuple[Piece, ...]:
    return tuple(dict.fromkeys(_piece(parts, statement) for statement in statements))


@lru_cache(maxsize=MOST_PIECES)  # Each is spelled, and a place in it shown.
def _piece(parts: tuple[Statement, ...], statement: Statement) -> Piece:
    part_conditions = {as_written(condition) for condition in parts[0].conditions}
    principals = _principals(statement)
    return Piece(
        tuple(_narrower_texts([part.action for part in parts], statement.action, fold=True)),
        tuple(_narrower_texts([part.resource for part in parts if part.resource], statement.resource)),
        principals if principals != _principals(parts[0]) else (),
        tuple(
            in_words(condition) for condition in statement.conditions if as_written(condition) not in part_conditions
        ),
    )


def narrower_span(parts: tuple[Statement, ...], statement: Statement) -> Span:
    """Return where a statement says that it covers less than the parts: at the first such element of it."""
    piece = _piece(parts, statement)
    conditions = [each for each in statement.conditions if in_words(each) in piece.conditions]
    spans = (
        statement.resource.span if statement.resource and piece.resources else None,
        statement.principals.span if statement.principals and piece.principals else None,
        conditions[0].span if conditions else None,
    )
    return next((span for span in spans if span and not piece.actions), statement.action.span)


def _narrower_texts(elements: list[Element], counterpart: Element | None, fold: bool = False) -> Iterator[str]:
    """The values of a counterpart that cover less than `elements` do; nothing if they cover all of it."""
    if counterpart is None or not elements:
        return
    covered_texts = _language((value.pattern for element in elements for value in element.values), fold)
    if counterpart.negated:
        yield f"{'every action' if fold else 'everything'} but {_listed(v.text.strip() for v in counterpart.values)}"
    elif elements[0].negated or not _language((value.pattern for value in counterpart.values), fold).covers(
        covered_texts
    ):
        is_in_all = elements[0].negated or covered_texts.universal
        yield from (
            value.text.strip()
            for value in counterpart.values
            if is_in_all or not _language([value.pattern], fold).is_apart_from(covered_texts)
        )


def _language(patterns: Iterable[Pattern], fold: bool) -> Language:
    spell = folded if fold else str
    return language(
        Pattern(tuple(spell(part) if isinstance(part, str) else part for part in pattern.parts)) for pattern in patterns
    )


def _principals(statement: Statement) -> tuple[str, ...]:
    if statement.principals is None:
        return ()
    names = tuple(entry.value.text for entry in statement.principals.entries)
    return (f"everyone but {_listed(names)}",) if statement.principals.negated else names


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
