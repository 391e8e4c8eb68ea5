"""Answers to questions that come again, each for the steps that it took the first time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from policy_guard.solver.strings.language import Budget

Answer = TypeVar("Answer")


class Answers:
    """Keeps the answers to questions about the same few policies."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[Any, int]] = {}

    def answer(self, question: Hashable, budget: Budget, work: Callable[[], Answer]) -> Answer:
        """Return what `work` returns, which spends of this budget. Raises `OverBudget`.

        Where not enough is left for an answer that is kept, `work` says what it was that took too much.
        """
        if question in self._answers:
            answer: Answer
            answer, steps = self._answers[question]
            if steps <= budget.remainder:
                budget.spend(steps, "")
                return answer
        initial_balance = budget.balance
        answer = work()
        self._answers[question] = answer, initial_balance - budget.balance
        return answer
