"""A finding: what is wrong, how it was decided, where it stands, and one request that shows it."""

from __future__ import annotations

from typing import NamedTuple

from policy_guard.policy import Request
from policy_guard.source import Source, Span

OUTCOMES = ("violated", "undecided", "unsupported", "unreadable")
SEVERITIES = ("error", "warning", "note", "off")


class Related(NamedTuple):
    """Another place that explains a finding: the statement in the base, the Deny that is gone."""

    source: Source
    span: Span
    message: str


class Finding(NamedTuple):
    """One finding per check, critical entry and statement.

    `message` is the headline without a final stop; `facts` are pairs such as `("new", "s3:Delete* on ...")` shown
    below the excerpt in their order. `statement` is the index as AWS counts, from 0, and the Sid. `actions` and
    `resources` are the strings of the policy that are responsible, as spelled.
    """

    check: str
    outcome: str
    severity: str
    message: str
    source: Source
    span: Span
    statement: tuple[int, str | None] | None = None
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    critical_id: str | None = None
    witness: Request | None = None
    facts: tuple[tuple[str, str], ...] = ()
    related: tuple[Related, ...] = ()
