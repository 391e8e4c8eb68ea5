"""What a finding says is new is all that is new, and nothing that was there before."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings

from policy_guard import check_no_new_access
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Prover, Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Request, Statement
from policy_guard.verify.check import Check, Claim, Question
from policy_guard.verify.checks import check
from policy_guard.verify.explain.difference import Terms, blame, terms
from policy_guard.verify.explain.difference_text import difference_facts
from policy_guard.verify.explain.lost_denies import narrow_to_denied
from policy_guard.verify.explain.statements import spell_denied
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.support.examples import examples
from tests.support.language import pairs, requests
from tests.support.policies import policy


def _any(statements: tuple[Statement, ...], request: Request) -> bool:
    return any(concrete.applies(statement, request) for statement in statements)


def told(claim: Claim, given: Terms, request: Request) -> bool:
    """Whether the terms tell the request."""
    before = (claim.all_before or _any(given.before, request)) and not _any(given.but, request)
    return _any(given.parts, request) and claim.is_within(request) and not _any(given.denied, request) and not before


@pytest.mark.parametrize("name", ["no-new-access", "no-lost-deny"])
@given(pairs(), requests(20))
@settings(max_examples=examples(15), deadline=None)
def test_the_terms_tell_the_whole_set_and_nothing_else(
    name: str, pair: tuple[dict[str, Any], dict[str, Any]], asked: list[Request]
) -> None:
    new, old = map(policy, pair)
    question = Question(new.kind, new, old, (), Access([new, old]))
    prover = prover_for(question)
    for claim in check(name).claims(question):
        if claim.statement is None:
            continue
        holds = partial(claim.holds, claim.statement)
        answer = prover.answer(claim.excess(claim.statement), holds)
        if isinstance(answer, Witness):
            actions, resources = (
                blame(claim, answer.request, prover, claim.statement, element) for element in ("action", "resource")
            )
            given_ = terms(claim, answer.request, actions, resources, question.access, prover)
            spell = partial(spell_denied, check(name), question, claim, prover=prover)
            narrow = narrow_to_denied(claim, given_, spell) if given_ else None
            told_before = claim if narrow is given_ else claim._replace(all_before=False)
            for request in [answer.request, *asked] if given_ else ():
                assert given_ is not None
                assert narrow is not None
                assert told(claim, given_, request) == holds(request)
                assert told(told_before, narrow, request) == holds(request)


def _facts(new: dict[str, Any], old: dict[str, Any], name: str = "no-new-access") -> list[tuple[str, str]]:
    one, two = policy(new), policy(old)
    question = Question(one.kind, one, two, (), Access([one, two]))
    asked: Check = check(name)
    (verdict,) = verdicts(asked, question, prover_for(question))
    assert verdict.difference is not None
    return list(difference_facts(verdict.difference, "lost" if asked.of_old else "new"))


def _statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": "*", **elements}


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


LOGS = "arn:aws:s3:::logs-*"
CASES = {
    "a wider action": (
        _policy(_statement(Action="s3:Delete*", Resource=LOGS)),
        _policy(_statement(Action="s3:DeleteObject")),
        [("new", f"s3:Delete* on {LOGS}"), ("before", "only s3:DeleteObject")],
    ),
    "a wider resource": (
        _policy(_statement(Resource=LOGS)),
        _policy(_statement(Resource="arn:aws:s3:::logs-a")),
        [("new", f"s3:GetObject on {LOGS}"), ("before", "only on arn:aws:s3:::logs-a")],
    ),
    "a condition is gone": (
        _policy(_statement()),
        _policy(_statement(Condition={"Bool": {"aws:SecureTransport": "true"}})),
        [("new", "s3:GetObject on *"), ("before", "only when Bool aws:SecureTransport true")],
    ),
    "a condition is weaker": (
        _policy(_statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
        _policy(_statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/16"}})),
        [
            ("new", "s3:GetObject on * when IpAddress aws:SourceIp 10.0.0.0/8"),
            ("before", "only when IpAddress aws:SourceIp 10.0.0.0/16"),
        ],
    ),
    "nothing of it was there": (
        _policy(_statement(), _statement(Action=["s3:PutObject", "s3:PutObjectAcl"], Resource=[LOGS, f"{LOGS}/*"])),
        _policy(_statement()),
        [("new", f"s3:PutObject, s3:PutObjectAcl on {LOGS}, {LOGS}/*")],
    ),
    "actions that are new on different resources": (
        _policy(_statement(Action=["s3:GetObject", "s3:PutObject"], Resource=["arn:aws:s3:::a", "arn:aws:s3:::b"])),
        _policy(_statement(Resource="arn:aws:s3:::a")),
        [("new", "s3:GetObject on arn:aws:s3:::b; s3:PutObject on arn:aws:s3:::a, arn:aws:s3:::b")],
    ),
    "a Deny is gone": (
        _policy(_statement(Action="s3:*")),
        _policy(_statement(Action="s3:*"), _statement("Deny", Action="s3:Delete*", Resource=LOGS)),
        [("new", f"s3:Delete* on {LOGS}")],
    ),
    "a Deny denies less": (
        _policy(_statement(Action="*"), _statement("Deny", Action="s3:DeleteBucket")),
        _policy(_statement(Action="*"), _statement("Deny", Action=["s3:DeleteBucket", "s3:DeleteObject"])),
        [("new", "s3:DeleteObject on *")],
    ),
    "a Deny of every other action denies less": (
        _policy(_statement(Action="*"), {"Effect": "Deny", "NotAction": ["iam:*", "s3:*"], "Resource": "*"}),
        _policy(_statement(Action="*"), {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}),
        [("new", "every action but iam:* on *"), ("but denied", "every action but iam:*, s3:*")],
    ),
    "a Deny that held back part of it is gone": (
        _policy(_statement(Action="s3:*")),
        _policy(_statement(), _statement("Deny", Resource=LOGS)),
        [("new", "s3:* on *"), ("before", f"only s3:GetObject, except s3:GetObject on {LOGS}, which was denied")],
    ),
    "a Deny still limits it": (
        _policy(_statement(Action="s3:*"), _statement("Deny", Action="s3:Delete*")),
        _policy(_statement(), _statement("Deny", Action="s3:Delete*")),
        [("new", "s3:* on *"), ("but denied", "s3:Delete*"), ("before", "only s3:GetObject")],
    ),
    "every action but some": (
        _policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        _policy(_statement()),
        [("new", "every action but iam:* on *"), ("before", "only s3:GetObject")],
    ),
    "another principal": (
        _policy(_statement(Principal={"AWS": ["111122223333", "444455556666"]})),
        _policy(_statement(Principal={"AWS": "111122223333"})),
        [("new", "s3:GetObject on * for 111122223333, 444455556666"), ("before", "only for 111122223333")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_new_is_told_in_the_policys_own_terms(case: str) -> None:
    new, old, facts = CASES[case]
    assert _facts(new, old) == facts
    assert check_no_new_access(new, old).result == "FAIL"


def test_what_is_no_longer_denied_is_told_with_what_still_is() -> None:
    old = _policy(_statement(), _statement("Deny", Action="s3:*", Resource=LOGS))
    new = _policy(_statement(), _statement("Deny", Action="s3:Delete*"))
    assert _facts(new, old, "no-lost-deny") == [("lost", f"s3:* on {LOGS}"), ("still denied", "only s3:Delete*")]


def test_telling_many_placeholders_asks_a_bounded_number_of_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question takes longer, the more texts there are to choose."""
    asked: list[int] = []
    answer = Prover.answer

    def counted(self: Prover, *given: Any) -> Any:
        asked.append(1)
        return answer(self, *given)

    monkeypatch.setattr(Prover, "answer", counted)
    many = [f"arn:aws:s3:::{{{{ b{number} }}}}" for number in range(400)]
    new = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": many}]}
    old = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a"}]}
    assert check_no_new_access(new, old).result == "FAIL"
    assert len(asked) < 40
