"""What is left out of a formula that questions have in common changes none of them, and is most of it."""

from __future__ import annotations

import random
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard.solver import common
from policy_guard.solver.common import Common
from policy_guard.solver.formula import Formula, conjunction, disjunction, member, negation
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.pattern import read_pattern
from tests.support.examples import examples
from tests.support.formulas import TEXTS, holds, some_formula, worlds


@given(st.integers(0, 2**32))
@settings(max_examples=examples(30), deadline=None)
def test_with_the_rest_a_question_is_the_same(seed: int) -> None:
    rng = random.Random(seed)
    with mock.patch.object(common, "FEWEST", 1):
        whole = conjunction([some_formula(rng, 2) for _ in range(6)])
        shared = Common(whole)
        for _ in range(3):
            question = conjunction([some_formula(rng, 1) for _ in range(3)])
            rest = shared.rest(question)
            for world in worlds(TEXTS[:15]):
                assert holds(conjunction([question, rest]), world) is holds(conjunction([question, whole]), world)


def test_statements_that_cannot_meet_the_question_are_left_out() -> None:
    def text(pattern: str) -> Formula:
        return member("action", language([read_pattern(pattern, variables=False)]))

    statements = [conjunction([text(f"s3:{letter}*"), text("*z")]) for letter in "abcdefghij"]
    shared = Common(negation(disjunction(statements)))
    assert shared.rest(text("s3:c?")) == negation(statements[2])
    assert shared.rest(text("ec2:*")) == conjunction([])
