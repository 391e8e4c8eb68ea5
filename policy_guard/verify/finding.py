"""A finding: what is wrong, how it was decided, where it stands, and one request that shows it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias, get_args

from policy_guard.documents.source import Source, Span
from policy_guard.records import NamedTuple
from policy_guard.settings.severity import CheckId, Severity

if TYPE_CHECKING:
    from policy_guard.iam.policy import Kind, PolicyId, Request, Statement
    from policy_guard.iam.prefix_tree import Branch

Outcome: TypeAlias = Literal["violated", "undecided", "unsupported", "unreadable"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Related(NamedTuple):
    """Another place that explains a finding: the statement in the base, the Deny that is gone."""

    source: Source
    span: Span
    message: str


class Cell(NamedTuple):
    """Actions and the resources on which each of them is new, or lost, as the policy spells them."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


class Piece(NamedTuple):
    """The overlap of another statement with the cells, in those of its terms that are narrower than theirs."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...]
    conditions: tuple[str, ...]


class Difference(NamedTuple):
    """Everything that is new, or lost, through one statement.

    That is the cells, for these principals and under these conditions, without the pieces of `denied`, without those
    of `accepted`, and without those of `before`, from which those of `but` are left out. With `all_before` everything
    stands in place of `before`. The values are what the statement leaves out where it says NotAction (`not_actions`)
    or NotResource (`not_resources`).
    """

    cells: tuple[Cell, ...]
    not_actions: bool
    not_resources: bool
    principals: tuple[str, ...]
    conditions: tuple[str, ...]
    denied: tuple[Piece, ...]
    before: tuple[Piece, ...]
    but: tuple[Piece, ...]
    all_before: bool
    accepted: tuple[Piece, ...] = ()


class Spelled(NamedTuple):
    """The requests that one of `statements` applies to, and none of `without`."""

    statements: tuple[Statement, ...]
    without: tuple[Statement, ...] = ()


class Part(NamedTuple):
    """The part of a policy's findings that one finding is about.

    `statement` tells statements apart, and is None for a combination, which is about several (`is_combination`).
    """

    check: CheckId
    entry: str | None
    statement: int | None
    existing: bool
    is_combination: bool


class Acceptable(NamedTuple):
    """The access that would have to be accepted for a finding to disappear.

    `old` gives the digest of the old version, and `requests` sets that hold all that was found together. `critical`
    are ids of the critical list. `standing` tells that the old version granted it too; `other_checks`
    would find the same.

    `part` is what the finding is about. `lies_within(requests, checks, parts)` tells whether the requests are proved
    to be what the checks found, and `suffices(every, parts)` whether nothing of the parts is left with all of them.
    """

    policy: PolicyId
    kind: Kind
    old: Callable[[], str]
    requests: Callable[[], tuple[Spelled, ...]]
    part: Part
    lies_within: Callable[[Spelled, Iterable[CheckId], Collection[Part]], bool]
    suffices: Callable[[Collection[Spelled], Collection[Part]], bool]
    critical: tuple[str, ...] = ()
    standing: bool = False
    other_checks: tuple[CheckId, ...] = ()


class Finding(NamedTuple):
    """One finding per check and statement, and where the reader wants each by itself, per critical entry.

    `message` is the headline without a final stop; `facts` are pairs such as `("new", "s3:Delete* on ...")` shown below
    the excerpt in their order. `statement` is the index as AWS counts, from 0, and the Sid; `marked` is there if the
    span lies outside of it, and holds the statement in which it lies, if any. `actions` and `resources` are the strings
    of the policy that are responsible, as spelled. `critical_ids` are all entries of the critical list that it tells
    of, `critical_id` the first, of which it tells more. `difference` is there if it is proved. `of_new_policy` tells
    that it may be told with all else that a policy without an old version grants, and `of_gone_policy` that the place
    is one of the old version, as there is no new one. `acceptable` is there if the finding can be accepted, and in
    `other_acceptables` that of each other entry. `trees` are, by the prefix of each service, those of a pattern of
    which some is unused.
    """

    check: CheckId
    outcome: Outcome
    severity: Severity
    message: str
    source: Source
    span: Span
    statement: tuple[int, str | None] | None = None
    marked: tuple[tuple[int, str | None], ...] | None = None
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    critical_id: str | None = None
    critical_ids: tuple[str, ...] = ()
    witness: Request | None = None
    facts: tuple[tuple[str, str], ...] = ()
    related: tuple[Related, ...] = ()
    difference: Difference | None = None
    trees: tuple[tuple[str, Branch], ...] = ()
    of_new_policy: bool = False
    of_gone_policy: bool = False
    acceptable: Acceptable | None = None
    other_acceptables: tuple[Acceptable, ...] = ()

    @property
    def statement_at_span(self) -> tuple[int, str | None] | None:
        """The statement in which the span lies."""
        return self.statement if self.marked is None else next(iter(self.marked), None)


def without_functions(finding: Finding) -> Finding:
    """The finding without the functions that spell the access to accept, which hold all that was asked of a policy.

    It can be shown, kept with thousands of others and sent elsewhere, and not be accepted.
    """
    if finding.acceptable is None:
        return finding
    acceptable, *others = map(_shown_alone, (finding.acceptable, *finding.other_acceptables))
    return finding._replace(acceptable=acceptable, other_acceptables=tuple(others))


def _shown_alone(acceptable: Acceptable) -> Acceptable:
    return acceptable._replace(old=_nothing, requests=_nothing, lies_within=_nothing, suffices=_nothing)


def _nothing(*arguments: object) -> NoReturn:
    raise NotImplementedError("a finding that is kept to be shown alone cannot be accepted")
