"""Findings about policies that cannot be read, or are likely to mean something else than they seem to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from policy_guard.documents.source import Problem, Source, Span
from policy_guard.settings.severity import CheckId
from policy_guard.verify.finding import Finding, Related

if TYPE_CHECKING:
    from policy_guard.iam.policy import Policy

READABLE = CheckId("readable")


def unreadable_findings(source: Source, problems: Iterable[Problem]) -> Iterator[Finding]:
    """One finding for each thing that keeps the policy from being read."""
    for problem in problems:
        yield Finding(
            check=READABLE,
            outcome="unreadable",
            severity="error",
            message=problem.message,
            source=source,
            span=problem.span,
            facts=(("next", "nothing can be proved about a policy that cannot be read; correct it"),),
        )


def doubt_findings(policy: Policy) -> Iterator[Finding]:
    """One warning for each thing that is likely to mean something else than it seems to."""
    for doubt in policy.doubts:
        yield Finding(
            check=READABLE,
            outcome="violated",
            severity="warning",
            message=doubt.message,
            source=policy.source,
            span=doubt.span,
            facts=(("next", "write what is meant"),),
        )


def vanished_finding(source: Source, old: Source, reason: str) -> Finding:
    """Return the finding for a file that was a policy at the base and is no longer one."""
    return Finding(
        check=READABLE,
        outcome="unreadable",
        severity="error",
        message=f"was a policy at the base and is no longer checked as one: {reason}",
        source=source,
        span=Span(0, min(1, len(source.text))),
        facts=(("next", "delete the file, or keep it under a name and in a form that is checked"),),
        related=(Related(old, Span(0, min(1, len(old.text))), "the policy before"),),
    )
