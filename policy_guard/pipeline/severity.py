"""The severity of a finding: what the settings say, and if they say nothing, what the check says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from policy_guard.settings.config import Config
from policy_guard.settings.severity import RANK, Severity

if TYPE_CHECKING:
    from policy_guard.iam.policy import Statement
    from policy_guard.settings.critical import CriticalEntry
    from policy_guard.verify.check import Check
    from policy_guard.verify.verdicts import Verdict

SEVERITY = "severity"
"""The setting that switches a check off for all policies."""
_KINDS = "other-access"


def severity(config: Config, check: Check, verdict: Verdict, fresh: bool, is_guard: Callable[[], bool]) -> Severity:
    """The severity of a finding of the check: that of its critical entry, or else that of the check.

    An entry of a pack is as severe as the settings say of the check, if that is more.

    What the old version granted too, and what is proved to be about no request that AWS has, is no more severe than the
    settings say of that; where those warn, what AWS writes into every such policy is a note. `fresh` tells that the
    file had no old version; `is_guard` tells whether the old policy is there to deny.
    """
    from policy_guard.documents.containers.other_access import most_severe
    from policy_guard.verify.check import Circumstances

    configured = config.severity(check.id)
    claim = verdict.claim
    kind = check.kind_of(claim)
    of_kind = config.kind_severity(kind)
    guards = partial(_guards, claim.statement, is_guard)
    circumstances = Circumstances(configured, config.new_files, fresh, guards, of_kind)
    of_entry = entry_severity(claim.entry, configured) if claim.entry else None
    proposed_severity = of_entry or check.severity(circumstances) or configured or check.default
    limits = [config.critical_existing] * claim.existing + [config.impossible] * verdict.impossible
    if claim.existing and claim.advice and config.critical_existing == "warning":
        limits.append("note")
    if kind and of_kind is None:
        limits.append(most_severe(kind))
    return min([proposed_severity, *limits], key=RANK.__getitem__)


def _guards(statement: Statement | None, is_guard: Callable[[], bool]) -> bool:
    from policy_guard.verify.explain.without_document import may_guard

    return may_guard(statement) or is_guard()


def entry_severity(entry: CriticalEntry, configured: Severity | None) -> Severity | None:
    """Return the severity that an entry brings, of a pack no less than what is configured; None if it brings none."""
    if entry.severity is None or entry.is_own or configured is None:
        return entry.severity
    return max(entry.severity, configured, key=RANK.__getitem__)


def switching_off(config: Config, check: Check, verdict: Verdict) -> str:
    """Return the setting by which a finding that is switched off is."""
    if config.critical_existing == "off" and verdict.claim.existing:
        return "critical-existing"
    if config.impossible == "off" and verdict.impossible:
        return "impossible"
    if config.kind_severity(check.kind_of(verdict.claim)) == "off":
        return _KINDS
    return SEVERITY if config.severity(check.id) == "off" else "new-files"
