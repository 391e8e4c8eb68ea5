"""Values that are worked out once: only for truths that are the same to them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from policy_guard.documents.containers.choices import Need, Truths, free, settle
from policy_guard.documents.containers.memory import Memory
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.known import KNOWN
from policy_guard.documents.containers.terraform.units import root
from policy_guard.documents.containers.terraform.values import name_of
from policy_guard.documents.hcl.bodies import read_expression
from policy_guard.documents.source import Node, Source, Span

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


LOCALS = """locals {
  chosen = var.name == "a" ? local.rules : var.rules
  rules  = { a = "1", b = "2" }
}
"""


def evaluator(expression: str) -> Evaluator:
    folder = Folder("", {"main.tf": Source("main.tf", LOCALS)})
    return Evaluator(root(folder, lambda path: None, frozenset()), Source("x.tf", expression), {})


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("""{for k in keys(jsondecode("{\\"a\\":1,\\"b\\":2}")) : k => jsondecode("{\\"a\\":1,\\"b\\":2}")[k]}""", 2),
        ("""[for k in ["1", "2", "3"] : jsondecode(k)]""", 3),
    ],
)
def test_a_loop_reads_a_text_once_that_its_names_do_not_decide(
    expression: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    decode = KNOWN["jsondecode"]

    def counting(arguments: Sequence[Node], span: Span) -> Node | None:
        texts.append(arguments)
        return decode(arguments, span)

    monkeypatch.setitem(KNOWN, "jsondecode", counting)
    evaluator(expression).value(read_expression(expression))
    assert len(texts) == count


def test_what_a_part_of_a_local_comes_to_is_told_apart_once() -> None:
    expression = """lookup(local.chosen["a"], "b")"""
    inner, node = evaluator(expression), read_expression(expression)
    first_name, steps = name_of(inner.opaque(node)), inner.steps[0]
    assert name_of(inner.opaque(node)) == first_name
    assert inner.steps[0] == steps


def test_what_a_name_of_a_loop_decides_is_told_apart_for_each_item() -> None:
    expression = "local.chosen[k]"
    inner, node = evaluator(expression), read_expression(expression)
    keys = [inner.with_names({"k": inner.value(read_expression(f'"{key}"'))}) for key in "ab"]
    assert len({name_of(each.opaque(node)) for each in keys}) == 2
