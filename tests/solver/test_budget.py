"""What a hostile policy can cost is bounded in steps, for each question and for the run."""

from __future__ import annotations

import random
import time
from itertools import combinations
from typing import Any

import pytest

from policy_guard.iam.meaning import matching
from policy_guard.iam.meaning.prover import Undecided, Unsupported, Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Statement
from policy_guard.solver.budget import STEPS_A_CHARACTER, Budgets
from policy_guard.solver.strings.affixes import surely_apart
from policy_guard.solver.strings.automaton import ANY, ANYTHING, Automaton, Caseless, Letter, Step, Verbatim, accepts
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import Budget, Language, OverBudget
from policy_guard.solver.strings.pattern import Unknown, Variable, Wildcard, plain_pattern
from policy_guard.verify import messages, request_text
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.support.examples import examples
from tests.support.policies import policy


def _allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **elements}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def pigeons(holes: int) -> dict[str, Any]:
    """What allows all requests, as nothing but a search shows: of n + 1 pigeons two are in one of n holes."""
    names = [[f"a:p{pigeon}h{hole}" for hole in range(holes)] for pigeon in range(holes + 1)]
    nowhere = [_allow(Condition={"Null": dict.fromkeys(own, "true")}) for own in names]
    together = [
        _allow(Condition={"Null": {one[hole]: "false", two[hole]: "false"}})
        for hole in range(holes)
        for one, two in combinations(names, 2)
    ]
    return _document(*nowhere, *together)


def asked(new: dict[str, Any], old: dict[str, Any] | None, budgets: Budgets) -> list[Any]:
    policies = policy(new), policy(old) if old else None
    question = Question(policies[0].kind, *policies, (), Access([each for each in policies if each]))
    return list(verdicts(check("no-new-access"), question, prover_for(question, budgets)))


def test_the_effort_of_the_solver_is_charged_to_the_run() -> None:
    budgets = Budgets()
    budgets.verdicts = Budget(400_000)
    before = budgets.verdicts.remainder
    assert asked(_document(_allow(Action="s3:a*")), pigeons(6), budgets) == []
    easy = before - budgets.verdicts.remainder
    found = asked(_document(_allow(Action="s3:a*")), pigeons(9), budgets)
    assert isinstance(found[0].answer, Undecided)
    assert budgets.verdicts.remainder <= 0 < easy < before // 4


def test_many_hard_questions_end_with_the_budget_of_the_run() -> None:
    budgets = Budgets()
    budgets.verdicts = Budget(500_000)
    start = time.process_time()
    found = asked(_document(*(_allow(Action=f"s3:a{number}*") for number in range(20))), pigeons(9), budgets)
    assert len(found) == 20 and all(isinstance(each.answer, Undecided) for each in found)
    assert time.process_time() - start < 30


def test_long_policies_make_room_for_themselves() -> None:
    budgets = Budgets()
    before = budgets.verdicts.remainder
    budgets.make_room(1000)
    assert budgets.verdicts.remainder == before + 1000 * STEPS_A_CHARACTER


def test_a_net_of_time_hangs_below_the_steps() -> None:
    whole = Budget(1_000_000, deadline=time.monotonic() - 1)
    whole.part(1_000_000).spend(100, "patterns")
    with pytest.raises(OverBudget, match="takes too long"):
        whole.part(1_000_000).spend(100_000, "patterns")


def test_findings_are_told_without_looking_through_all_statements_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Statement] = []
    known = request_text._variables
    monkeypatch.setattr(request_text, "_variables", lambda each: looked.append(each) or known(each))
    new = policy(_document(*(_allow(Action=f"s3:Get{number}") for number in range(40))))
    question = Question(new.kind, new, None, (), Access([new]))
    told = verdicts(check("no-new-access"), question, prover_for(question))
    assert len([messages.finding(check("no-new-access"), each, question, "error") for each in told]) == 40
    assert len(looked) == 40


def test_requests_are_tried_for_an_example_only_as_far_as_the_budget_goes() -> None:
    budgets = Budgets()
    budgets.aside = Budget(50)
    found = asked(_document(*(_allow(Action=f"s3:Get{number}*") for number in range(9))), None, budgets)
    assert len(found) == 9
    assert all(each.answer.request.action.startswith("s3:get") for each in found)


def test_long_texts_are_matched_as_short_ones() -> None:
    rng = random.Random(1)
    tokens = ("a", "b", ":", *(Wildcard(symbol, stays) for symbol in "*?" for stays in (True, False)))
    for _ in range(examples(1000)):
        pattern = [rng.choice(tokens) for _ in range(rng.randrange(7))]
        text = "".join(rng.choice("ab:") for _ in range(rng.randrange(8)))
        assert matching._matches_at_once(pattern, text) == matching._matches_in_parts(pattern, text)


def test_patterns_that_nearly_match_take_no_hours() -> None:
    start = time.process_time()
    tokens = [Wildcard("*"), *"a" * 20_000, "b"]
    assert not matching._matches_at_once(tokens, "a" * 30_000)
    assert time.process_time() - start < 5


def test_many_globs_are_told_apart_as_few_are() -> None:
    rng = random.Random(2)

    def several(most: int) -> Language:
        texts = ["".join(rng.choice("ab*") for _ in range(rng.randrange(1, 9))) for _ in range(rng.randrange(1, most))]
        return language(plain_pattern(f"{text}*") for text in texts)

    for _ in range(examples(200)):
        one, two = several(3), several(300)
        each = any(not surely_apart(mine, other) for mine in one.edges for other in two.edges)
        assert not each or any(two._may_meet(*edges) for edges in one.edges)
        if len(two) <= 200:
            assert each == any(two._may_meet(*edges) for edges in one.edges)


def test_thousands_of_patterns_are_decided() -> None:
    new = _document(_allow(Action=[f"s3:a{number:x}*" for number in range(2000)]))
    old = _document(_allow(Action=[f"s3:b{number:x}*" for number in range(2000)]))
    assert isinstance(asked(new, old, Budgets())[0].answer, Witness)


def test_conditions_on_one_key_with_several_values_are_bounded() -> None:
    """Each of them is asked of as many values as there are conditions: ten thousand lines would take all memory."""

    def document(count: int) -> dict[str, Any]:
        tests = ({"ForAllValues:StringLike": {"aws:TagKeys": [f"*a{number}*"]}} for number in range(count))
        return _document(*(_allow(Condition=each) for each in tests))

    few, many = document(5), document(300)
    assert asked(few, few, Budgets()) == []
    found = asked(_document(*many["Statement"][:-1], _allow(Action="s3:Get*")), many, Budgets())
    assert [type(each.answer) for each in found] == [Unsupported]
    assert all("too many conditions on this key" in part for part in found[0].answer.parts)
    clear = asked(_document(*many["Statement"], _allow(Action="s3:Get*")), _document(_allow(Action="ec2:*")), Budgets())
    assert any(isinstance(each.answer, Witness) for each in clear)


def test_letters_are_looked_up_and_not_looked_for() -> None:
    rng = random.Random(3)
    letters: list[Letter] = [Variable("a:b"), Verbatim("x"), Unknown("x"), Unknown("x", stays=True), Unknown("y")]
    letters += [Caseless(Verbatim("x")), Caseless(Variable("a:b")), Caseless(Unknown("x"))]
    steps = [ANY, ANYTHING, Step(frozenset(":"), outside=True, loop=True), Step(frozenset("a"))]
    steps += [Step(frozenset([letter])) for letter in letters]
    for _ in range(300):
        automaton = Automaton(tuple(rng.choice(steps) for _ in range(rng.randrange(5))) for _ in range(3))
        for letter in letters:
            places = [at for at, step in enumerate(automaton.steps) if step and accepts(step, letter)]
            assert automaton._accepting_places(letter) == automaton._bits(places)


def test_long_patterns_with_many_unknown_parts_end() -> None:
    new = _document(_allow(Resource="arn:aws:s3:::" + "".join(f"${{h{number}}}*" for number in range(300))))
    old = _document(_allow(Resource="arn:aws:s3:::" + "".join(f"*${{h{number}}}" for number in range(300))))
    start = time.process_time()
    assert asked(new, old, Budgets())
    assert time.process_time() - start < 30
