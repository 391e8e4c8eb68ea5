"""How grave a finding is: what the settings say, and where they say nothing, what the check and the policy ask for."""

from __future__ import annotations

from collections.abc import Callable

from policy_guard.pipeline.pairing import Pair
from policy_guard.settings.config import Config
from policy_guard.settings.severity import RANK, Severity


def severity(
    config: Config, check: str, pair: Pair, own: Severity | None, existing: bool, is_guard: Callable[[], bool]
) -> Severity:
    """The severity of a finding of the check. `own` is that of its critical entry, if it has one.

    What the old version granted too (`existing`) is no graver than the settings say of that. `is_guard` tells whether
    the old policy is there to deny.
    """
    grave = own or _of_check(config, check, pair, is_guard)
    return min(grave, config.critical_existing, key=RANK.__getitem__) if existing else grave


def _of_check(config: Config, check: str, pair: Pair, is_guard: Callable[[], bool]) -> Severity:
    if check == "no-new-access" and pair.fresh:
        return config.new_files
    if check == "no-lost-deny" and config.severity(check) is None:
        return "error" if is_guard() else "warning"
    if check == "no-new-direct-grant":
        return config.severity(check) or "warning"
    return config.severity(check) or "error"
