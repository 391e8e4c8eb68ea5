"""What acceptances mean for one policy: those that count, those left over, those that would count again."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from policy_guard.documents.source import Source, Span, Unreadable
from policy_guard.iam.policy import Policy, PolicyId
from policy_guard.pipeline.acceptances import Acceptances
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.groups import Trees, joined
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository.changes import Comparison
from policy_guard.settings.acceptance import ACCEPTED, Acceptance, Accepted, accepted, digest
from policy_guard.settings.config import Group
from policy_guard.settings.severity import Severity
from policy_guard.verify.check import Question
from policy_guard.verify.finding import Finding, Outcome


def concerning(every: Iterable[Acceptance], pair: Pair) -> Iterator[Acceptance]:
    """The acceptances that are about this policy."""
    yield from (acceptance for acceptance in every if acceptance.policy == pair.id)


def counting(every: Acceptances, pair: Pair, comparing: bool, today: date) -> Iterator[Accepted]:
    """The acceptances that count for this pair; without `comparing` those alone that ask for no old version."""
    for acceptance in concerning(every.counting, pair):
        if today <= acceptance.expires and (acceptance.old is None or (comparing and acceptance.fits(pair.origin))):
            try:
                yield accepted(acceptance, pair.policy.kind)
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
            pairs = joined(group, self.reader, self.trees, self.comparison).pairs if group else ()
            own = (pair for pair in pairs if {side.holder for side in (pair.old, pair.new) if side} == {policy.holder})
            return next(((pair.old, pair.new) for pair in own), (None, None))
        before = self.reader.version(self.trees.before.get(policy.unit), policy.unit, self.comparison.old)
        after = self.reader.version(self.trees.after.get(policy.unit), policy.unit, self.comparison.new)
        return before.policies.get(policy.address), after.policies.get(policy.address)


class Stale(NamedTuple):
    """An acceptance that is not needed any more, and why."""

    path: str
    reason: str


def stale(given: Iterable[Acceptance], base: str, versions: Versions, today: date) -> Iterator[Stale]:
    """Return those of the acceptances that are expired, or done in the base."""
    known: dict[PolicyId, Policy | None] = {}
    for each in given:
        if each.policy not in known:
            known[each.policy] = versions.policies(each.policy)[0]
        if each.expires < today:
            yield Stale(each.source.path, f"expired on {each.expires}")
        elif each.old is not None and _is_done(each, known[each.policy]):
            yield Stale(each.source.path, f"done: {each.policy} has the access in {base}")


def _is_done(each: Acceptance, policy: Policy | None) -> bool:
    return policy is not None and not each.fits(digest(policy)) and is_merged(each, policy)


def rearmed(every: Acceptances, paths: Iterable[str], versions: Versions, today: date) -> Iterator[Finding]:
    """The acceptances of the new side that the change would make count again, for it goes back to their old version.

    `paths` are the files and groups that changed.
    """
    touched = set(paths)
    known: dict[PolicyId, list[str]] = {}
    for each in every.here:
        if each.old is None or each.expires < today or each.policy.unit not in touched:
            continue
        if each.policy not in known:
            known[each.policy] = [digest(policy) for policy in versions.policies(each.policy)]
        before, after = known[each.policy]
        if after == each.old != before:
            yield Finding(
                check=ACCEPTED,
                outcome="violated",
                severity="error",
                message="would accept the same access once more",
                source=each.source,
                span=_span_of(each, "from"),
                facts=(
                    ("why", f"the change takes {each.policy} back to the version that this was written against"),
                    ("next", f"remove it with the change: git rm {each.source.path}"),
                ),
            )


def unusable(every: Acceptances, paths: Iterable[str], files: Container[str]) -> Iterator[Finding]:
    """Return those among `paths` that cannot be read as acceptances, or are about none of the `files`."""
    wanted = set(paths)
    for each in every.wrong:
        if each.source.path in wanted:
            message = f"cannot be read as an acceptance: {each.message}"
            yield _amiss(each.source, each.span.start, "unreadable", "error", message)
    for given in every.here:
        if given.source.path in wanted and not given.policy.grouped and given.policy.unit not in files:
            at = _span_of(given, "policy").start
            yield _amiss(given.source, at, "violated", "warning", f"accepts nothing: there is no {given.policy.unit}")


def _amiss(source: Source, at: int, outcome: Outcome, severity: Severity, message: str) -> Finding:
    span = Span(at, min(at + 1, len(source.text)))
    facts = (("next", "correct it; policy-guard accept writes such files"),)
    return Finding(
        check=ACCEPTED, outcome=outcome, severity=severity, message=message, source=source, span=span, facts=facts
    )


def left_over(every: Acceptances, pair: Pair, used: Collection[str], today: date) -> Iterator[str]:
    """Return what is to be said about acceptances for this policy that were not used."""
    here = {each.source.path for each in every.here}
    for each in concerning(every.counting, pair):
        name = each.source.path
        if name in used or name not in here:
            continue
        if each.expires < today:
            yield f"{name} expired on {each.expires} and does not count. policy-guard accept --prune removes it"
        elif not each.fits(pair.origin) and pair.old and is_merged(each, pair.old):
            yield f"{name} is done: {each.policy} has the access. policy-guard accept --prune removes it"
        elif not each.fits(pair.origin):
            yield f"{name} was written against another version of {each.policy} and does not count"
        else:
            yield f"{name} accepts nothing that is found here"
    for each in concerning(every.waiting(), pair):
        if each.expires >= today and each.fits(pair.origin):
            yield f"{each.source.path} is not on {every.base} yet, so it does not count. Have it merged first"


def is_merged(each: Acceptance, policy: Policy) -> bool:
    """Tell whether the policy of the base is as it was accepted to become."""
    from policy_guard.iam.meaning.symbolic import Access
    from policy_guard.verify.proving import prover_for
    from policy_guard.verify.subtraction import is_done

    try:
        read = accepted(each, policy.kind)
    except Unreadable:
        return False
    known = policy._replace(statements=(*read.statements, *read.without))
    access = Access([policy, known])
    return is_done(
        read, policy, access, prover_for(Question(kind=policy.kind, new=policy, old=known, critical=(), access=access))
    )


def _span_of(each: Acceptance, key: str) -> Span:
    text = f"\n{key}: "
    at = each.source.text.find(text)
    start = at + len(text) if at >= 0 else 0
    end = each.source.text.find("\n", start)
    return Span(start, end if end >= 0 else len(each.source.text))
