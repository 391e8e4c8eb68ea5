"""What acceptances mean for one policy: those that count, those left over, those that would count again."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from datetime import date

from policy_guard.documents.source import Source, Span, Unreadable
from policy_guard.iam.policy import Policy, PolicyId
from policy_guard.pipeline.acceptances import Acceptances
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.groups import Trees, join_group
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository.changes import Comparison
from policy_guard.records import NamedTuple
from policy_guard.settings.acceptance import ACCEPTED, Acceptance, Accepted, digest, interpret_acceptance
from policy_guard.settings.config import Group
from policy_guard.settings.severity import Severity
from policy_guard.verify.check import Question
from policy_guard.verify.finding import Finding, Outcome


def acceptances_of(acceptances: Iterable[Acceptance], pair: Pair) -> Iterator[Acceptance]:
    """The acceptances that are about this policy."""
    yield from (acceptance for acceptance in acceptances if acceptance.policy == pair.id)


def counting_acceptances(acceptances: Acceptances, pair: Pair, comparing: bool, today: date) -> Iterator[Accepted]:
    """The acceptances that count for this pair; without `comparing` those alone that ask for no old version."""
    for acceptance in acceptances_of(acceptances.counting, pair):
        if today <= acceptance.expires and (acceptance.old is None or (comparing and acceptance.fits(pair.origin))):
            try:
                yield interpret_acceptance(acceptance, pair.policy.kind)
            except Unreadable:
                continue


class Versions(NamedTuple):
    """All files of both sides, by name, to look policies up in."""

    reader: Reader
    groups: tuple[Group, ...]
    trees: Trees
    comparison: Comparison

    def policies(self, policy: PolicyId) -> tuple[Policy | None, Policy | None]:
        """The policy before and after; that of a file, whoever holds it."""
        if policy.grouped:
            group = next((group for group in self.groups if group.name == policy.unit), None)
            pairs = join_group(group, self.reader, self.trees, self.comparison).pairs if group else ()
            holder_pairs = (
                pair for pair in pairs if {side.holder for side in (pair.old, pair.new) if side} == {policy.holder}
            )
            return next(((pair.old, pair.new) for pair in holder_pairs), (None, None))
        old = self.reader.version(self.trees.before.get(policy.unit), policy.unit, self.comparison.old)
        new = self.reader.version(self.trees.after.get(policy.unit), policy.unit, self.comparison.new)
        return old.policies.get(policy.address), new.policies.get(policy.address)


class Stale(NamedTuple):
    """An acceptance that is not needed any more, and why."""

    path: str
    reason: str


def stale_acceptances(acceptances: Iterable[Acceptance], base: str, versions: Versions, today: date) -> Iterator[Stale]:
    """Return those of the acceptances that are expired, or done in the base."""
    policies: dict[PolicyId, Policy | None] = {}
    for acceptance in acceptances:
        if acceptance.policy not in policies:
            policies[acceptance.policy] = versions.policies(acceptance.policy)[0]
        if acceptance.expires < today:
            yield Stale(acceptance.source.path, f"expired on {acceptance.expires}")
        elif acceptance.old is not None and _is_done(acceptance, policies[acceptance.policy]):
            yield Stale(acceptance.source.path, f"done: {acceptance.policy} has the access in {base}")


def _is_done(acceptance: Acceptance, policy: Policy | None) -> bool:
    return policy is not None and not acceptance.fits(digest(policy)) and is_merged(acceptance, policy)


def rearmed_acceptances(
    acceptances: Acceptances, paths: Iterable[str], versions: Versions, today: date
) -> Iterator[Finding]:
    """The acceptances of the new side that the change would make count again, for it goes back to their old version.

    `paths` are the files and groups that changed.
    """
    touched = set(paths)
    digests: dict[PolicyId, list[str]] = {}
    for acceptance in acceptances.new_side:
        if acceptance.old is None or acceptance.expires < today or acceptance.policy.unit not in touched:
            continue
        if acceptance.policy not in digests:
            digests[acceptance.policy] = [digest(policy) for policy in versions.policies(acceptance.policy)]
        old_digest, new_digest = digests[acceptance.policy]
        if new_digest == acceptance.old != old_digest:
            yield Finding(
                check=ACCEPTED,
                outcome="violated",
                severity="error",
                message="would accept the same access once more",
                source=acceptance.source,
                span=_span_of(acceptance, "from"),
                facts=(
                    ("why", f"the change takes {acceptance.policy} back to the version that this was written against"),
                    ("next", f"remove it with the change: git rm {acceptance.source.path}"),
                ),
            )


def unusable_acceptances(acceptances: Acceptances, paths: Iterable[str], files: Container[str]) -> Iterator[Finding]:
    """Return those among `paths` that cannot be read as acceptances, or are about none of the `files`."""
    path_set = set(paths)
    for wrong_file in acceptances.wrong:
        if wrong_file.source.path in path_set:
            message = f"cannot be read as an acceptance: {wrong_file.message}"
            yield _finding(wrong_file.source, wrong_file.span.start, "unreadable", "error", message)
    for acceptance in acceptances.new_side:
        if acceptance.source.path in path_set and not acceptance.policy.grouped and acceptance.policy.unit not in files:
            at = _span_of(acceptance, "policy").start
            yield _finding(
                acceptance.source, at, "violated", "warning", f"accepts nothing: there is no {acceptance.policy.unit}"
            )


def _finding(source: Source, at: int, outcome: Outcome, severity: Severity, message: str) -> Finding:
    span = Span(at, min(at + 1, len(source.text)))
    facts = (("next", "correct it; policy-guard accept writes such files"),)
    return Finding(
        check=ACCEPTED, outcome=outcome, severity=severity, message=message, source=source, span=span, facts=facts
    )


def unused_remarks(acceptances: Acceptances, pair: Pair, used_paths: Collection[str], today: date) -> Iterator[str]:
    """Return what is to be said about acceptances for this policy that were not used."""
    new_paths = {acceptance.source.path for acceptance in acceptances.new_side}
    for acceptance in acceptances_of(acceptances.counting, pair):
        name = acceptance.source.path
        if name in used_paths or name not in new_paths:
            continue
        if acceptance.expires < today:
            yield f"{name} expired on {acceptance.expires} and does not count. policy-guard accept --prune removes it"
        elif not acceptance.fits(pair.origin) and pair.old and is_merged(acceptance, pair.old):
            yield f"{name} is done: {acceptance.policy} has the access. policy-guard accept --prune removes it"
        elif not acceptance.fits(pair.origin):
            yield f"{name} was written against another version of {acceptance.policy} and does not count"
        else:
            yield f"{name} accepts nothing that is found here"
    for acceptance in acceptances_of(acceptances.waiting(), pair):
        if acceptance.expires >= today and acceptance.fits(pair.origin):
            name = acceptance.source.path
            yield f"{name} is not on {acceptances.base} yet, so it does not count. Have it merged first"


def is_merged(acceptance: Acceptance, policy: Policy) -> bool:
    """Tell whether the policy of the base is as it was accepted to become."""
    from policy_guard.iam.meaning.symbolic import Access
    from policy_guard.verify.proving import prover_for
    from policy_guard.verify.subtraction import is_done

    try:
        access_accepted = interpret_acceptance(acceptance, policy.kind)
    except Unreadable:
        return False
    accepted_policy = policy._replace(statements=(*access_accepted.statements, *access_accepted.without))
    access = Access([policy, accepted_policy])
    return is_done(
        access_accepted,
        policy,
        access,
        prover_for(Question(kind=policy.kind, new=policy, old=accepted_policy, critical=(), access=access)),
    )


def _span_of(acceptance: Acceptance, key: str) -> Span:
    text = f"\n{key}: "
    at = acceptance.source.text.find(text)
    start = at + len(text) if at >= 0 else 0
    end = acceptance.source.text.find("\n", start)
    return Span(start, end if end >= 0 else len(acceptance.source.text))
