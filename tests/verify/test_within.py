"""Two policies that count together, such as what a principal has and its boundary, against requests decided by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from policy_guard import api
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy, Request
from policy_guard.verify.check import Question
from policy_guard.verify.checks.no_new_access import CHECK as NO_NEW_ACCESS
from policy_guard.verify.explain.statements import described_requests
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.support.examples import examples
from tests.support.language import documents, requests
from tests.support.policies import policy

_EXAMPLES = 8


def _question(old: Policy, new: Policy, within: Policy) -> Question:
    access = Access([old, new, within])
    return Question(kind="identity", new=new, old=old, critical=(), access=access, within=within)


def _allows(request: Request, *policies: Policy) -> bool:
    return all(concrete.allows(each, "identity", request) for each in policies)


@given(documents(False), documents(False), documents(False), documents(False), requests(25))
@settings(max_examples=examples(_EXAMPLES), deadline=None)
def test_what_a_principal_gains_is_what_its_policies_and_its_boundary_both_allow(
    old: dict[str, Any], new: dict[str, Any], old_bound: dict[str, Any], new_bound: dict[str, Any], asked: list[Request]
) -> None:
    old_policy, new_policy, old_boundary, new_boundary = map(policy, (old, new, old_bound, new_bound))
    questions = _question(old_policy, new_policy, new_boundary), _question(old_boundary, new_boundary, new_policy)

    def is_gained(request: Request) -> bool:
        return _allows(request, new_policy, new_boundary) and not _allows(request, old_policy, old_boundary)

    results = [api.Result(NO_NEW_ACCESS, question) for question in questions]
    if all(result.result == "PASS" for result in results):
        assert not any(map(is_gained, asked))
    for question in questions:
        prover = prover_for(question)
        for verdict in verdicts(NO_NEW_ACCESS, question, prover):
            if isinstance(verdict.answer, Witness):
                assert is_gained(verdict.answer.request)
            spelled = [described_requests(each, question.access.knowing(each.statements)) for each in verdict.spell()]
            assert not any(each.holds(r) and not is_gained(r) for each in spelled for r in asked)


BOUND = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}


@pytest.mark.parametrize(
    ("action", "told"),
    [("s3:GetObject", ("s3:GetObject",)), ("*", ("s3:Get*", "s3:List*")), ("s3:*", ("s3:Get*", "s3:List*"))],
)
def test_what_is_new_is_told_as_far_as_the_boundary_leaves_it(action: str, told: tuple[str, ...]) -> None:
    documents_ = [
        {"Version": "2012-10-17", "Statement": statement}
        for statement in ({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}, {**BOUND, "Action": action}, BOUND)
    ]
    question = _question(*map(policy, documents_))
    (verdict,) = verdicts(NO_NEW_ACCESS, question, prover_for(question))
    assert verdict.difference is not None
    assert [cell.actions for cell in verdict.difference.cells] == [told]
