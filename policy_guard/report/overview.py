"""Everything about all policies of a repository, compared with nothing: what a security engineer looks at first."""

from __future__ import annotations

from collections.abc import Mapping

from policy_guard.iam.policy import Kind
from policy_guard.records import NamedTuple
from policy_guard.settings.severity import Severity


class Place(NamedTuple):
    """A line of a file, by its path from the root."""

    path: str
    line: int


class Row(NamedTuple):
    """One policy.

    `name` is that of `check --all`. `extent` says how far it can be read: "exactly", "with unknown texts" or "with
    choices". `critical` are the ids of the critical entries that it grants, `administrator` those of the pack of that
    name. `callers` are those whom it names and who are not the account's own, `public` tells that strangers are let in.
    `wildcards` are the patterns of actions that it allows, `levels` how many actions of each service and access level
    it allows before what is denied. `unused` are the actions that findings call unused, `undecided` the questions that
    were left open. `grants` are its statements, each action pattern with its resources, as written.
    """

    name: str
    place: Place
    address: str
    holder: str
    kind: Kind
    extent: str
    statements: int
    critical: tuple[str, ...]
    administrator: tuple[str, ...]
    public: bool
    callers: tuple[str, ...]
    wildcards: tuple[str, ...]
    levels: Mapping[str, Mapping[str, int]]
    unused: tuple[str, ...]
    undecided: tuple[str, ...]
    grants: tuple[str, ...]


class Entry(NamedTuple):
    """An entry of the critical list."""

    id: str
    severity: Severity
    reason: str


class Remark(NamedTuple):
    """Something that could not be read, or was not looked at, and why."""

    place: Place
    reason: str


class Review(NamedTuple):
    """An acceptance: of what, why, and until which day."""

    policy: str
    checks: tuple[str, ...]
    reason: str
    file: str
    expires: str
    expired: bool


class Counts(NamedTuple):
    """How many policies there are, and of how many something is so, to be compared with another day."""

    policies: int
    critical: int
    administrators: int
    public: int
    wildcards: int
    unreadable: int


class Overview(NamedTuple):
    """`revision` names what was looked at; `address` is that of the commit on the web, or empty.

    `before` is the overview of a base, if one was asked for. `policies` are all that `check --all` counts, those too
    that cannot be read.
    """

    revision: str
    address: str
    day: str
    catalogue: str
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    unreadable: tuple[Remark, ...]
    skipped: tuple[Remark, ...]
    notes: tuple[str, ...]
    reviews: tuple[Review, ...]
    policies: int
    before: Overview | None = None


def counts(overview: Overview) -> Counts:
    """The counts of an overview."""
    rows = overview.rows
    return Counts(
        policies=len(rows),
        critical=sum(bool(row.critical) for row in rows),
        administrators=sum(bool(row.administrator) for row in rows),
        public=sum(row.public for row in rows),
        wildcards=sum(bool(row.wildcards) for row in rows),
        unreadable=len(overview.unreadable),
    )
