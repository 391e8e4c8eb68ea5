"""The meaning of a set in the critical list: its requests as a formula, and a test for one request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from policy_guard.documents.source import Span
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.symbolic import Access, action_matches, surely_apart
from policy_guard.iam.policy import Element, Request, Statement, Value
from policy_guard.records import NamedTuple
from policy_guard.settings.critical import CriticalEntry, RequestSet
from policy_guard.solver.formula import TRUE, Formula, Literal, Member, conjunction, negation

Concern: TypeAlias = "tuple[CriticalEntry, tuple[ConcernedSet, ...]]"


class Critical(NamedTuple):
    """One set of an entry; `formula` is all of it."""

    entry: CriticalEntry
    requests: RequestSet
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


def critical(entry: CriticalEntry, requests: RequestSet, access: Access) -> Critical:
    """The set of the entry that `requests` describes."""
    parts = [
        _actions(requests),
        access.resource_matches(_element(requests.resources)) if requests.resources else TRUE,
        negation(action_matches(_element(requests.excepted))),
        access.principal_matches(entry.principals) if entry.principals else TRUE,
        *(negation(access.applies(statement)) for statement in entry.unless),
    ]
    return Critical(entry, requests, conjunction(parts))


class ConcernedSet(NamedTuple):
    """A set of an entry, and the statements that may grant something of it."""

    requests: RequestSet
    statements: tuple[Statement, ...]


class CriticalIndex:
    """The entries of a critical list by the services of their actions: a list of hundreds asks little of most policies.

    Of an entry of several sets the first decides, since it asks for something of each.
    """

    def __init__(self, entries: tuple[CriticalEntry, ...]) -> None:
        self._entries = entries
        self._actions = [tuple(map(_actions, entry.sets)) for entry in entries]
        self._places_by_service: dict[str, list[int]] = {}
        self._places_of_any_service: list[int] = []
        for place, (first, *_) in enumerate(self._actions):
            services = _services(first)
            if services is None:
                self._places_of_any_service.append(place)
            for service in services or ():
                self._places_by_service.setdefault(service, []).append(place)

    def concerned(self, allow_statements: Iterable[Statement]) -> Iterator[Concern]:
        """The entries of which each set may be granted in part, in their order, with the statements that may do so."""
        granted = [(statement, action_matches(statement.action)) for statement in allow_statements]
        for place in self._concerned_places(actions for _, actions in granted):
            sets = tuple(
                ConcernedSet(
                    requests, tuple(s for s, granted_actions in granted if not surely_apart(granted_actions, actions))
                )
                for requests, actions in zip(self._entries[place].sets, self._actions[place], strict=True)
            )
            if all(concerned.statements for concerned in sets):
                yield self._entries[place], sets

    def _concerned_places(self, granted_actions: Iterable[Formula]) -> Iterable[int]:
        places = {*self._places_of_any_service}
        for actions in granted_actions:
            services = _services(actions)
            if services is None:
                return range(len(self._entries))
            places.update(place for service in services for place in self._places_by_service.get(service, ()))
        return sorted(places)


_INDEXES: dict[tuple[int, ...], tuple[tuple[CriticalEntry, ...], CriticalIndex]] = {}
_MOST_INDEXES = 64


def critical_index(entries: tuple[CriticalEntry, ...]) -> CriticalIndex:
    """The index of the entries, made once for all policies that they are about."""
    key = tuple(map(id, entries))
    if key not in _INDEXES:
        if len(_INDEXES) >= _MOST_INDEXES:
            _INDEXES.clear()
        # The entries are kept, since the id of one that is gone may become that of another.
        _INDEXES[key] = entries, CriticalIndex(entries)
    return _INDEXES[key][1]


def _actions(requests: RequestSet) -> Formula:
    return action_matches(_element(requests.actions)) if requests.actions else TRUE


def _services(actions: Formula) -> frozenset[str] | None:
    """The services that the actions are surely of; None if they may be of any."""
    if not isinstance(actions, Literal) or not actions.positive or not isinstance(actions.atom, Member):
        return None
    return actions.atom.language.heads


@lru_cache(maxsize=10_000)
def _element(values: tuple[Value, ...]) -> Element:
    return Element(False, values, Span(0, 0))
