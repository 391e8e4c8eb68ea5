"""What a check is: a set of requests that must be empty, laid at the door of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from policy_guard.documents.source import Span
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Kind, Policy, Request, Statement
from policy_guard.settings.acceptance import Accepted
from policy_guard.settings.critical import CriticalEntry, RequestSet
from policy_guard.solver.formula import TRUE, Formula


class Question(NamedTuple):
    """What a check is asked about: one policy, new and old; None is no policy. `kind` is that of both.

    `accepted` are the acceptances that count here, `reference` is what every version is held against, if anything;
    `access` knows all statements.
    """

    kind: Kind
    new: Policy | None
    old: Policy | None
    critical: tuple[CriticalEntry, ...]
    access: Access
    accepted: tuple[Accepted, ...] = ()
    reference: Policy | None = None


class Claim(NamedTuple):
    """One statement's part in the set that must be empty.

    `excess` gives that part for the statement as it stands, or for a part of it; `holds` decides the same for one
    request. `statement` is None where no statement grants the access, but the lack of one. `existing` marks access
    that the old version granted too.

    The set is what the statement applies to `within` a formula (`is_within` for one request), without what some
    statement of `denied` applies to, and without what some statement of `before`, or with `all_before` everything,
    and none of `but` applies to. Of that, what some statement of `accepted` and none of `unaccepted` applies to is
    left out. `meant` is the set of the critical entry that it is about. `at` is the
    place to look at, if it is neither an action nor a resource.
    """

    statement: Statement | None
    excess: Callable[[Statement | None], Formula]
    holds: Callable[[Statement | None, Request], bool]
    entry: CriticalEntry | None = None
    existing: bool = False
    within: Formula = TRUE
    is_within: Callable[[Request], bool] = lambda request: True
    denied: tuple[Statement, ...] = ()
    before: tuple[Statement, ...] = ()
    but: tuple[Statement, ...] = ()
    all_before: bool = False
    accepted: tuple[Statement, ...] = ()
    unaccepted: tuple[Statement, ...] = ()
    meant: RequestSet | None = None
    at: Span | None = None


class Part(NamedTuple):
    """One of the sets of a combination: the claims of all statements that may grant something of it.

    `granting` are those whatever the old version granted, `fresh`, in the same order, what it did not grant. `before`
    is all of the set that the old version granted (`was_before` for one request); None where there is no old version.
    """

    granting: tuple[Claim, ...]
    fresh: tuple[Claim, ...]
    before: Formula | None
    was_before: Callable[[Request], bool]


class Combination(NamedTuple):
    """Sets of which nothing is wrong unless something of each is granted."""

    parts: tuple[Part, ...]


class Check(NamedTuple):
    """Registered as the constant `CHECK` of a module in `checks/`, whose docstring is its manual page.

    `headline` says what a finding means; `advice` what to do about it. `of_old` tells that the statements are those
    of the old version. `what` says in a word what the requests of the set are. What an `advisory` check cannot
    decide is as severe as what it finds, and no error.
    """

    id: str
    headline: str
    advice: str
    claims: Callable[[Question], Iterator[Claim | Combination]]
    of_old: bool = False
    what: str = "new"
    advisory: bool = False
