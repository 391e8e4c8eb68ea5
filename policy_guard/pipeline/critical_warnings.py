"""Warnings about entries of the critical list that protect less than they seem to."""

from __future__ import annotations

from policy_guard.settings.load import Doubt
from policy_guard.verify.finding import Finding


def warning(doubt: Doubt) -> Finding:
    """The doubt as a finding at the entry."""
    from policy_guard.verify.checks.access_not_granted import CHECK

    return Finding(
        check=CHECK.id,
        outcome="violated",
        severity="warning",
        message=doubt.message,
        source=doubt.source,
        span=doubt.span,
        critical_id=doubt.entry,
        facts=(("next", doubt.remedy),),
    )
