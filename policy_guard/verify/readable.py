"""Findings about policies that cannot be read, or are likely to mean something else than they seem to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from policy_guard.documents.source import Problem, Source, Span
from policy_guard.settings.severity import CheckId
from policy_guard.verify.finding import Finding, Related

if TYPE_CHECKING:
    from policy_guard.iam.policy import Policy

READABLE = CheckId("readable")
_CORRECT = "nothing can be proved about a policy that cannot be read; correct it"
_BY_HAND = "nothing can be proved about it: have it reviewed, and name its line under ignore-unreadable in the settings"
MOST_NAMED, MOST_SHOWN = 50, 3
"""How many policies are named that were where something else is now, and of how many the old version is shown."""


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
            facts=(("next", _BY_HAND if problem.message.endswith("by hand") else _CORRECT),),
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


def replaced_finding(source: Source, olds: Sequence[Source]) -> Finding:
    """Return the finding for something in whose place policies were at the base, and that is not looked into."""
    number = len(olds)
    subject = f"{olds[0].path} was a policy" if number == 1 else f"{number} policies were here"
    verb = "is no longer checked as one" if number == 1 else "are no longer checked"
    names = [old.path for old in olds[:MOST_NAMED]] + [f"and {number - MOST_NAMED} more"] * (number > MOST_NAMED)
    facts = (("gone", ", ".join(names)), ("next", "keep the files themselves here, or delete them by themselves"))
    return Finding(
        check=READABLE,
        outcome="unreadable",
        severity="error",
        message=f"{subject} at the base and {verb}: what replaces {'it' if number == 1 else 'them'} is not checked",
        source=source,
        span=Span(0, 0),
        facts=facts[number == 1 :],
        related=tuple(Related(old, Span(0, min(1, len(old.text))), "the policy before") for old in olds[:MOST_SHOWN]),
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
