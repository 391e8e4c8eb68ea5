"""The meaning of a set in the critical list: its requests as a formula, and a test for one request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from policy_guard.documents.source import Span
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Element, Request, Statement, Value
from policy_guard.settings.critical import CriticalEntry, RequestSet
from policy_guard.solver.formula import TRUE, Formula, Literal, Member, conjunction, negation

AllowStatements: TypeAlias = "list[tuple[Statement, Formula]]"
"""Allow statements, each with the formula of its actions alone."""


class Critical(NamedTuple):
    """One set of an entry; `formula` is all of it, `actions` its actions alone."""

    entry: CriticalEntry
    requests: RequestSet
    actions: Formula
    formula: Formula

    def holds(self, request: Request) -> bool:
        """Tell whether the request is in the set: `formula` for one request."""
        entry, requests = self.entry, self.requests
        return (
            (not requests.actions or concrete.action_matches(_element(requests.actions), request))
            and (not requests.resources or concrete.resource_matches(_element(requests.resources), request))
            and not concrete.action_matches(_element(requests.excepted), request)
            and (entry.principals is None or concrete.principal_matches(entry.principals, request))
            and not any(concrete.applies(statement, request) for statement in entry.unless)
        )

    def concerned_statements(self, allow_statements: AllowStatements) -> Iterator[Statement]:
        """The statements that may grant something of the set: a list of hundreds asks little of most policies."""
        return (statement for statement, actions in allow_statements if not _surely_apart(actions, self.actions))


def critical(entry: CriticalEntry, requests: RequestSet, access: Access) -> Critical:
    """The set of the entry that `requests` describes."""
    actions = access.action_matches(_element(requests.actions)) if requests.actions else TRUE
    parts = [
        actions,
        access.resource_matches(_element(requests.resources)) if requests.resources else TRUE,
        negation(access.action_matches(_element(requests.excepted))),
        access.principal_matches(entry.principals) if entry.principals else TRUE,
        *(negation(access.applies(statement)) for statement in entry.unless),
    ]
    return Critical(entry, requests, actions, conjunction(parts))


def _surely_apart(first: Formula, second: Formula) -> bool:
    """Tell whether two conditions on the action alone surely exclude each other."""
    if not isinstance(first, Literal) or not isinstance(second, Literal) or not (first.positive and second.positive):
        return False
    atoms = first.atom, second.atom
    return (
        isinstance(atoms[0], Member)
        and isinstance(atoms[1], Member)
        and atoms[0].language.is_apart_from(atoms[1].language)
    )


@lru_cache(maxsize=10_000)
def _element(values: tuple[Value, ...]) -> Element:
    return Element(False, values, Span(0, 0))
