"""How many policies grant what the critical list forbids, before anybody has changed one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from operator import itemgetter

from policy_guard.iam.meaning.prover import Proved
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import BESIDE_FULL_ACCESS, Policy
from policy_guard.pipeline.results import Progress, stepwise
from policy_guard.records import NamedTuple
from policy_guard.settings.critical import CriticalEntry, exceptions
from policy_guard.solver.budget import Budgets
from policy_guard.verify import combinations
from policy_guard.verify.check import Combination, Question
from policy_guard.verify.checks.access_not_granted import CHECK
from policy_guard.verify.proving import prover_for


class Granted(NamedTuple):
    """By the id of each entry how many policies grant it, or are not proved not to; and how many grant any."""

    entries: dict[str, int]
    policies: int


def count_grants(
    policies: Collection[tuple[str, Policy]], critical: tuple[CriticalEntry, ...], progress: Progress
) -> Granted:
    """Return what the policies grant, each given with its path, in bounded steps; `progress` hears of each."""
    counts: Counter[str] = Counter()
    budgets, number = Budgets(), 0
    asked_policies = [(path, policy) for path, policy in policies if policy.kind not in BESIDE_FULL_ACCESS]
    for path, policy in stepwise(asked_policies, "policies", itemgetter(0), progress):
        asked = (entry for entry in critical if entry.is_about(policy.kind))
        entries = tuple(entry for entry in asked if entry.concerns(path, policy.addresses))
        ids = set(_granted_entries(policy, entries, budgets))
        counts.update(ids)
        number += bool(ids)
    return Granted({entry.id: counts[entry.id] for entry in critical}, number)


def _granted_entries(policy: Policy, entries: tuple[CriticalEntry, ...], budgets: Budgets) -> Iterator[str]:
    with_principals = any(entry.principals for entry in entries)
    question = Question(
        kind=policy.kind,
        new=policy,
        old=None,
        critical=entries,
        access=Access([policy], exceptions(entries), with_principals),
    )
    prover = prover_for(question, budgets)
    for claim in CHECK.claims(question):
        if isinstance(claim, Combination):
            claims = [grant.claim for grant in combinations.find_grants(claim, prover)]
        else:
            claims = [] if isinstance(combinations.decide(claim, prover), Proved) else [claim]
        yield from (granted_claim.entry.id for granted_claim in claims if granted_claim.entry)
