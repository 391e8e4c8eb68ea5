"""Values that are worked out once: only for truths that are the same to them."""

from __future__ import annotations

import pytest

from policy_guard.documents.containers.choices import Need, Truths, free, settle
from policy_guard.documents.containers.memory import Memory

ATOM, OTHER = free("it is production"), free("it is large")


class Worker:
    """Returns which truth an atom has, and counts how often it is asked."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.count = 0

    def value(self, truths: Truths) -> bool:
        def work() -> bool:
            self.count += 1
            truth = settle(ATOM, truths)
            self.memory.note(ATOM, truth)
            if truth is None:
                raise Need(ATOM)
            return truth

        result: bool = self.memory.value("place", truths, work)
        return result


def test_a_value_is_worked_out_once_for_each_truth_that_it_takes() -> None:
    worker = Worker(Memory())
    for _ in range(3):
        assert worker.value({ATOM: True, OTHER: False})
        assert worker.value({ATOM: True})
        assert not worker.value({ATOM: False})
        with pytest.raises(Need):
            worker.value({OTHER: True})
    assert worker.count == 3


def test_what_a_kept_value_takes_is_taken_by_those_made_of_it() -> None:
    memory = Memory()
    worker = Worker(memory)
    worker.value({ATOM: True}), worker.value({ATOM: False})
    outer = [memory.value("outer", truths, lambda: worker.value(truths)) for truths in ({ATOM: True}, {ATOM: False})]  # noqa: B023
    assert outer == [True, False]


def test_what_depends_on_who_asks_is_not_kept() -> None:
    memory = Memory()
    memory.value("place", {}, memory.forgo)
    assert memory.value("place", {}, lambda: "another") == "another"


def test_a_value_that_saw_an_atom_with_two_truths_is_not_kept() -> None:
    memory = Memory()

    def work() -> str:
        memory.note(ATOM, None)
        memory.note(ATOM, True)
        return "one"

    memory.value("place", {ATOM: True}, work)
    assert memory.value("place", {}, lambda: "another") == "another"
