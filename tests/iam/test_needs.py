"""The readings that a request needs are those of the request that is shown, and no more of them than it needs."""

from __future__ import annotations

from policy_guard.iam.meaning.interpretations import WILDCARDS_CROSS_AT_ENDS, WILDCARDS_STAY_IN_ARN_PARTS
from policy_guard.iam.meaning.needs import holds_anyhow, needed
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Request
from policy_guard.solver.formula import choice, disjunction, negation
from policy_guard.verify.check import Claim, Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import _recognisable_witness, verdicts
from tests.support.policies import policy
from tests.support.repository import allow, document

ONE, TWO, THREE = "one", "two", "three"
NAMES = (ONE, TWO, THREE)
STAY, CROSS = WILDCARDS_STAY_IN_ARN_PARTS.name, WILDCARDS_CROSS_AT_ENDS.name


def request(**choices: bool) -> Request:
    return Request(None, "s3:GetObject", "*", {}, {}, choices)


def either(asked: Request) -> bool:
    return asked.choices.get(ONE, False) or asked.choices.get(TWO, False)


def test_of_two_readings_of_which_one_is_enough_one_is_needed() -> None:
    asked = request(one=True, two=True)
    assert needed(asked, NAMES, either) == ((TWO, True),)
    assert not holds_anyhow(asked, {}, NAMES, either)
    assert holds_anyhow(asked, {ONE: True}, NAMES, either)


def test_the_text_of_a_placeholder_needs_no_reading() -> None:
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${bucket}/*"}
    new, old = policy(document({**read, "Action": "s3:*"})), policy(document(read))
    question = Question(new.kind, new, old, (), Access([new, old]))
    (verdict,) = verdicts(check("no-new-access"), question, prover_for(question))
    assert isinstance(verdict.answer, Witness)
    assert verdict.answer.readings == ()


def test_a_request_that_holds_anyhow_needs_no_reading() -> None:
    def anyhow(asked: Request) -> bool:
        return asked.choices.get(ONE, False) or not asked.choices.get(ONE, False)

    assert needed(request(one=True, two=False), NAMES, anyhow) == ()


def test_a_reading_that_nothing_chose_counts() -> None:
    def unless_three(asked: Request) -> bool:
        return not asked.choices.get(THREE, False)

    assert not holds_anyhow(request(), {}, NAMES, unless_three)
    assert holds_anyhow(request(), {}, (ONE, TWO), unless_three)


def test_a_witness_that_needs_one_of_two_readings_says_so() -> None:
    old, new = (policy(document(allow("s3:GetObject", resource=text))) for text in ("arn:aws:s3:::a", "*"))
    prover = prover_for(Question("identity", new, old, (), Access([old, new])))
    formula = disjunction(choice("reading", name) for name in (STAY, CROSS))

    def replay(asked: Request) -> bool:
        return asked.choices.get(STAY, False) or asked.choices.get(CROSS, False)

    answer = prover.answer(formula, replay)
    assert isinstance(answer, Witness)
    assert len(answer.readings) == 1
    assert prover.answer(disjunction([formula, negation(formula)]), lambda asked: True)


def test_a_request_in_place_of_one_that_needs_a_reading_does_not_keep_it() -> None:
    old, new = (policy(document(allow("*", resource=text))) for text in ("arn:aws:logs:*:1:a", "*"))
    question = Question("identity", new, old, (), Access([old, new]))
    (claim,) = check("no-new-access").claims(question)
    assert isinstance(claim, Claim)
    crossed = Request(None, "s3:putobject", "arn:aws:logs:x:y:1:a", {}, {}, {STAY: True})
    assert claim.holds(claim.statement, crossed)
    shown = _recognisable_witness(claim, Witness(crossed, ((STAY, True),)), prover_for(question))
    assert shown.readings == ()
    assert holds_anyhow(shown.request, {}, (STAY, CROSS), lambda asked: claim.holds(claim.statement, asked))
