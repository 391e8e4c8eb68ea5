"""An answer that comes again takes the steps that it took the first time, and fails where it would have failed."""

from __future__ import annotations

import pytest

from policy_guard.solver.answers import Answers
from policy_guard.solver.strings.language import Budget, OverBudget


def test_work_is_done_once_and_paid_each_time() -> None:
    answers, whole = Answers(), Budget(100)
    budget = whole.part(80)
    calls: list[int] = []

    def work() -> int:
        calls.append(1)
        budget.part(50).spend(30, "work")
        return len(calls)

    assert [answers.answer("question", budget, work) for _ in range(2)] == [1, 1]
    assert (len(calls), budget.remainder, whole.remainder) == (1, 20, 40)
    with pytest.raises(OverBudget, match="work"):
        answers.answer("question", budget, work)
    assert len(calls) == 2


def test_work_that_takes_too_much_is_no_answer() -> None:
    answers = Answers()
    for steps, expected in ((5, None), (10, "done")):
        budget = Budget(steps)

        def work(budget: Budget = budget) -> str:
            budget.spend(10, "work")
            return "done"

        if expected is None:
            with pytest.raises(OverBudget):
                answers.answer("question", budget, work)
        else:
            assert answers.answer("question", budget, work) == expected


def test_other_questions_have_other_answers() -> None:
    answers, budget = Answers(), Budget(10)
    assert [answers.answer(each, budget, lambda each=each: each) for each in (1, 2, 1)] == [1, 2, 1]  # type: ignore[misc]
