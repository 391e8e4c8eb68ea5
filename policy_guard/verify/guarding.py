"""Policies that are there to deny: a Deny that is lost from one is grave."""

from __future__ import annotations

from functools import partial

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Prover, Witness
from policy_guard.iam.policy import CAPS
from policy_guard.verify.check import Question


def is_guard(question: Question, prover: Prover) -> bool:
    """Tell whether the old version is a cap, or is not shown to allow anything.

    An Allow of nothing makes no other policy of a guard. If it cannot be decided what the policy allows, it is a guard.
    """
    old, kind = question.old, question.kind
    if old is None or kind in CAPS or all(statement.effect == "Deny" for statement in old.statements):
        return True
    answer = prover.answer(question.access.allows(old, kind), partial(concrete.allows, old, kind))
    return not isinstance(answer, Witness)
