"""A policy has the same findings, to the byte, whatever the process judged before it, and in every process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from policy_guard.iam.meaning.prover import Proved
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check as named
from policy_guard.verify.messages import finding
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts
from tests.support.places import ROOT
from tests.support.policies import policy
from tests.support.repository import document

COUNT = 5
KEYS = ["aws:RequestedRegion", "aws:PrincipalArn", "ec2:Encrypted", "aws:PrincipalTag/a", "aws:PrincipalTag/b"]
OPERATORS = ["StringNotEquals", "StringNotLike", "StringEquals"]


def _deny(rng: random.Random) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    for _ in range(2):
        conditions.setdefault(rng.choice(OPERATORS), {})[rng.choice(KEYS)] = rng.sample(["a*", "b", "c", "ab"], 2)
    actions = rng.sample(["ec2:*", "ec2:Run*", "s3:*", "rds:Create*", "*"], 2)
    return {"Effect": "Deny", "Action": actions, "Resource": "*", "Condition": conditions}


def told(number: int) -> str:
    """All that is said of one change of a service control policy."""
    rng = random.Random(number)
    old, new = (policy(document(*(_deny(rng) for _ in range(4))), "scp") for _ in range(2))
    question = Question("scp", new, old, (), Access([new, old]))
    prover = prover_for(question)
    every = (
        finding(named(name), verdict, question, "error")
        for name in ("no-new-access", "no-lost-deny")
        for verdict in verdicts(named(name), question, prover)
        if not isinstance(verdict.answer, Proved)
    )
    return repr([(each.message, each.span, each.facts, each.witness) for each in every])


def all_told(numbers: Iterable[int]) -> dict[int, str]:
    return {number: told(number) for number in numbers}


def test_the_order_of_the_policies_does_not_matter() -> None:
    assert all_told(range(COUNT)) == all_told(reversed(range(COUNT)))


def test_the_process_does_not_matter() -> None:
    program = f"from tests.verify.test_order import all_told; print(all_told(range({COUNT})))"
    environ = {**os.environ, "PYTHONHASHSEED": "17", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, check=True)
    assert done.stdout.decode().strip() == str(all_told(range(COUNT)))
