"""How grave a finding is: what the settings say, and where they say nothing, what the check and the policy ask for."""

from __future__ import annotations

from policy_guard.config import Config
from policy_guard.finding import RANK
from policy_guard.pairs import Pair
from policy_guard.policy import CAPS, Policy


def severity(config: Config, check: str, pair: Pair, own: str | None, existing: bool) -> str:
    """The severity of a finding of the check. `own` is that of its critical entry, if it has one.

    What the old version granted too (`existing`) is no graver than the settings say of that.
    """
    grave = own or _of_check(config, check, pair)
    return min(grave, config.critical_existing, key=RANK.__getitem__) if existing else grave


def _of_check(config: Config, check: str, pair: Pair) -> str:
    if check == "no-new-access" and pair.fresh:
        return config.new_files
    if check == "no-lost-deny" and config.severity(check) is None:
        return "error" if _denies_matter(pair.new, pair.old) else "warning"
    return config.severity(check) or "error"


def _denies_matter(new: Policy | None, old: Policy | None) -> bool:
    """Whether a lost Deny is grave: in caps, and where the policy is there to deny."""
    policy = old or new
    assert policy is not None
    return policy.kind in CAPS or all(statement.effect == "Deny" for statement in policy.statements)
