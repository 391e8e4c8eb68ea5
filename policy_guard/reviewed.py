"""What acceptances mean for one policy: those that count, those left over, those that would count again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from policy_guard.acceptances import Acceptances, Wrong
from policy_guard.accepted import ACCEPTED, Acceptance, Accepted, accepted, digest
from policy_guard.check import Question
from policy_guard.finding import Finding
from policy_guard.pairs import Pair
from policy_guard.policy import Policy
from policy_guard.source import Span, Unreadable


def concerning(every: Iterable[Acceptance], pair: Pair) -> Iterator[Acceptance]:
    """The acceptances that are about this policy."""
    policy = pair.new or pair.old
    assert policy is not None
    yield from (each for each in every if each.concerns(policy, pair.path))


def counting(every: Acceptances, pair: Pair, comparing: bool, today: date) -> Iterator[Accepted]:
    """The acceptances that count for this pair; without `comparing` those alone that ask for no old version."""
    policy = pair.new or pair.old
    assert policy is not None
    for each in concerning(every.counting, pair):
        if today <= each.expires and (each.old is None or (comparing and each.fits(pair.old))):
            try:
                yield accepted(each, policy.kind, policy.version)
            except Unreadable:
                continue


def rearmed(every: Acceptances, pair: Pair) -> Iterator[Finding]:
    """The acceptances of the new side that the pair would make count again, for it goes back to their old version."""
    here = digest(pair.new)
    for each in concerning(every.here, pair):
        if each.old == here != digest(pair.old):
            yield Finding(
                ACCEPTED,
                "violated",
                "error",
                "would accept the same access once more",
                each.source,
                _span_of(each, "from"),
                facts=(
                    ("why", f"the change takes {each.policy} back to the version that this was written against"),
                    ("next", f"remove it with the change: git rm {each.source.path}"),
                ),
            )


def unusable(wrong: Iterable[Wrong], paths: Iterable[str]) -> Iterator[Finding]:
    """The files among `paths` that cannot be read as acceptances."""
    wanted = set(paths)
    for each in wrong:
        if each.source.path in wanted:
            message = each.message.removeprefix(each.source.path).lstrip(":0123456789 ")
            yield Finding(
                ACCEPTED,
                "unreadable",
                "error",
                f"cannot be read as an acceptance: {message}",
                each.source,
                Span(0, min(1, len(each.source.text))),
                facts=(("next", "correct it; policy-guard accept writes such files"),),
            )


def left_over(every: Acceptances, pair: Pair, used: Collection[str], today: date) -> Iterator[str]:
    """What is to be said about acceptances for this policy that were not used."""
    for each in concerning(every.counting, pair):
        name = each.source.path
        if name in used:
            continue
        if each.expires < today:
            yield f"{name} expired on {each.expires} and does not count. policy-guard accept --prune removes it"
        elif not each.fits(pair.old) and pair.old and is_merged(each, pair.old):
            yield f"{name} is done: {each.policy} has the access. policy-guard accept --prune removes it"
        elif not each.fits(pair.old):
            yield f"{name} was written against another version of {each.policy} and does not count"
        else:
            yield f"{name} accepts nothing that is found here"
    for each in concerning(every.waiting(), pair):
        if each.expires >= today and each.fits(pair.old):
            yield f"{each.source.path} is not on {every.base} yet, so it does not count. Have it merged first"


def is_merged(each: Acceptance, policy: Policy) -> bool:
    """Whether the policy of the base is as it was accepted to become."""
    from policy_guard.accepting import is_done
    from policy_guard.access import Access
    from policy_guard.judge import prover_for

    try:
        read = accepted(each, policy.kind, policy.version)
    except Unreadable:
        return False
    known = policy._replace(statements=(*read.statements, *read.without))
    access = Access([policy, known])
    return is_done(read, policy, access, prover_for(Question(policy.kind, policy, known, (), access)))


def _span_of(each: Acceptance, key: str) -> Span:
    text = f"\n{key}: "
    at = each.source.text.find(text)
    start = at + len(text) if at >= 0 else 0
    end = each.source.text.find("\n", start)
    return Span(start, end if end >= 0 else len(each.source.text))
