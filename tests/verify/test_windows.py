"""Windows of numbers and of time are decided as every value between and at their bounds says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.prover import Undecided
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.policy import Policy, Request
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import unexplained_verdicts
from tests.support.examples import examples
from tests.support.policies import policy
from tests.support.repository import document

NUMBER, TIME = "s3:max-keys", "aws:CurrentTime"
_LAST = 6
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=timezone.utc)


def _day(number: float) -> str:
    return (_FIRST_DAY + timedelta(days=number)).isoformat().replace("+00:00", "Z")


def _number(number: float) -> str:
    return f"{number:g}"


Windows = list[tuple[str, int, str, int]]
BOUNDS = st.tuples(
    st.sampled_from(["GreaterThan", "GreaterThanEquals", "Equals", "NotEquals"]),
    st.integers(0, _LAST),
    st.sampled_from(["LessThan", "LessThanEquals"]),
    st.integers(0, _LAST),
)
WINDOWS = st.lists(BOUNDS, min_size=1, max_size=6)


def _policy(windows: Windows, key: str, spell: Callable[[float], str]) -> Policy:
    prefix = "Date" if key == TIME else "Numeric"
    blocks: list[dict[str, Any]] = [
        {prefix + lower: {key: spell(start)}, prefix + upper: {key: spell(end)}} for lower, start, upper, end in windows
    ]
    allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    return policy(document(*({**allow, "Condition": block} for block in blocks)))


def _values(spell: Callable[[float], str]) -> list[str]:
    halves = [spell(half / 2) for half in range(-2, 2 * _LAST + 3)]
    return [*halves, "2026-01-02", "2026-01-03T00:00:00.5Z", "2026", "-1", "+2", "2.0", "no value", ""]


def _is_decided_rightly(new: Policy, old: Policy, key: str, values: list[str]) -> None:
    question = Question(new.kind, new, old, (), Access([new, old]))
    answers = [
        verdict.answer for verdict in unexplained_verdicts(check("no-new-access"), question, prover_for(question))
    ]
    assert not any(isinstance(answer, Undecided) for answer in answers)
    requests = [Request(None, "s3:ListBucket", "arn:aws:s3:::a", {key.lower(): (value,)}) for value in values]
    expected = any(concrete.allows(new, new.kind, r) and not concrete.allows(old, old.kind, r) for r in requests)
    assert bool(answers) is expected


@given(WINDOWS, WINDOWS)
@example([("GreaterThanEquals", 0, "LessThan", 6)], [("GreaterThanEquals", n, "LessThan", n + 1) for n in range(6)])
@example([("GreaterThanEquals", 0, "LessThan", 6)], [("GreaterThan", n, "LessThan", n + 1) for n in range(6)])
@settings(max_examples=examples(12), deadline=None)
def test_windows_of_numbers(new: Windows, old: Windows) -> None:
    _is_decided_rightly(_policy(new, NUMBER, _number), _policy(old, NUMBER, _number), NUMBER, _values(_number))


@given(WINDOWS, WINDOWS)
@example([("GreaterThanEquals", 0, "LessThan", 6)], [("GreaterThanEquals", n, "LessThan", n + 1) for n in range(6)])
@example([("GreaterThanEquals", 0, "LessThan", 6)], [("GreaterThan", n, "LessThan", n + 1) for n in range(6)])
@settings(max_examples=examples(6), deadline=None)
def test_windows_of_time(new: Windows, old: Windows) -> None:
    _is_decided_rightly(_policy(new, TIME, _day), _policy(old, TIME, _day), TIME, _values(_day))
