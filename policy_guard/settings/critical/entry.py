"""What an entry of the critical list is: the requests that it speaks of, and what of them AWS has today."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from policy_guard.documents.source import Source, Span
from policy_guard.iam import catalog
from policy_guard.iam.policy import Kind, Principals, Statement, Value, principals_meaning, statement_meaning
from policy_guard.records import NamedTuple
from policy_guard.settings.addresses import name_file, name_policies_in, name_policy
from policy_guard.settings.severity import Severity

MOST_SUGGESTIONS = 5
"""How many misspelt actions of a list are told with the nearest that AWS has: looking for one takes long."""
MOST_LOOKED_AT = 2_000_000
"""Actions of AWS that the patterns of a list are held against: it takes a microsecond each."""


class RequestSet(NamedTuple):
    """Requests with one of the `actions` (any, if empty) on one of the `resources` (any, if empty), not `excepted`."""

    actions: tuple[Value, ...] = ()
    resources: tuple[Value, ...] = ()
    excepted: tuple[Value, ...] = ()

    def meaning(self) -> Hashable:
        """All of the set but its places."""
        return tuple(tuple(value.text for value in values) for values in self)


class CriticalEntry(NamedTuple):
    """Requests with one of the `actions` (any, if empty) on one of the `resources` (any, if empty), not `excepted`.

    `severity` is None where the check's holds. `files` limits the entry to some files, `kinds` to policies of some
    kinds. A request to which a statement of `unless` applies is not meant; those are about any action on any resource.
    With `principals` only requests of those callers are meant. With `all_of` the entry means those sets in place of
    one, and a policy only if it grants some request of each. `page` is the address of what describes the danger.
    `is_own` is false for entries of a pack.
    """

    id: str
    actions: tuple[Value, ...] = ()
    resources: tuple[Value, ...] = ()
    excepted: tuple[Value, ...] = ()
    reason: str = ""
    severity: Severity | None = None
    files: tuple[str, ...] = ()
    span: Span = Span(0, 0)
    unless: tuple[Statement, ...] = ()
    principals: Principals | None = None
    all_of: tuple[RequestSet, ...] = ()
    page: str = ""
    is_own: bool = True
    kinds: tuple[Kind, ...] = ()

    @property
    def sets(self) -> tuple[RequestSet, ...]:
        """The sets of requests that are dangerous together; of most entries one."""
        return self.all_of or (RequestSet(self.actions, self.resources, self.excepted),)

    def concerns(self, path: str, addresses: Iterable[str]) -> bool:
        """Tell whether the entry speaks of the policy of a file that has these addresses."""
        return not self.files or name_policy(self.files, path, addresses)

    def reaches(self, path: str) -> bool:
        """Tell whether the entry speaks of this file, or of policies in it."""
        return not self.files or name_file(self.files, path) or name_policies_in(self.files, path)

    def is_about(self, kind: Kind) -> bool:
        """Tell whether the entry speaks of policies of this kind."""
        return not self.kinds or kind in self.kinds

    def meaning(self) -> tuple[object, ...]:
        """All of the entry but its places, its reason and its page."""
        sets = tuple(each.meaning() for each in self.sets)
        unless = frozenset(map(statement_meaning, self.unless))
        about = self.files, frozenset(self.kinds)
        return self.id, sets, self.severity, about, unless, principals_meaning(self.principals)


class CriticalList(NamedTuple):
    """The entries of the packs and then those that are written in `source` itself."""

    entries: tuple[CriticalEntry, ...]
    source: Source | None = None


def exceptions(entries: Iterable[CriticalEntry]) -> Iterator[Statement]:
    """The statements that say which requests the entries do not mean: whoever judges them has to know of these."""
    return (statement for entry in entries for statement in entry.unless)


def checkable_part(critical_list: CriticalList) -> tuple[CriticalList, CriticalEntry | None]:
    """The list as far as its own patterns can be held against the actions of AWS, and the first entry left out."""
    budget = MOST_LOOKED_AT
    for number, entry in enumerate(critical_list.entries):
        values = [value for each in entry.sets for value in (*each.actions, *each.excepted)] if entry.is_own else []
        budget -= sum(catalog.looked_at(value.text) for value in values)
        if budget < 0:
            return critical_list._replace(entries=critical_list.entries[:number]), entry
    return critical_list, None


def unknown_actions(critical_list: CriticalList) -> Iterator[tuple[CriticalEntry, Value, str | None]]:
    """The actions that match nothing AWS has, the first few with the nearest that it has: they protect nothing."""
    suggestions = MOST_SUGGESTIONS
    for entry, value in _own_actions(critical_list):
        if not catalog.exists(value.text):
            yield entry, value, catalog.nearest(value.text) if suggestions > 0 else None
            suggestions -= 1


def _own_actions(critical_list: CriticalList) -> Iterator[tuple[CriticalEntry, Value]]:
    """All action patterns but those of packs, which are known to match."""
    for entry in critical_list.entries:
        for requests in entry.sets if entry.is_own else ():
            yield from ((entry, value) for value in (*requests.actions, *requests.excepted))


def covered_actions(requests: CriticalEntry | RequestSet) -> tuple[str, ...]:
    """The actions of AWS that an entry, or a set of one, speaks of today."""
    if isinstance(requests, CriticalEntry):
        return tuple(sorted({action for each in requests.sets for action in covered_actions(each)}))
    excepted_actions = {action for value in requests.excepted for action in catalog.matching(value.text)}
    patterns = [value.text for value in requests.actions] or ["*"]
    return tuple(sorted({action for pattern in patterns for action in catalog.matching(pattern)} - excepted_actions))
