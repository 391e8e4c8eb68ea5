"""What two statements have in common, spelled."""

from __future__ import annotations

from policy_guard.verify.explain.overlap import MOST_VALUES, overlap
from tests.support.policies import policy
from tests.support.repository import allow, document


def test_more_values_than_anybody_reads_are_not_spelled() -> None:
    few = _action_in_common(["s3:*a*"], ["s3:*b*"])
    assert few is not None
    assert 0 < len(few) <= MOST_VALUES
    firsts = [f"s3:*a{letter}*c{letter}*" for letter in "defghi"]
    seconds = [f"s3:*b{letter}*k{letter}*" for letter in "lmnopq"]
    assert _action_in_common(firsts, seconds) is None


def _action_in_common(first: list[str], second: list[str]) -> list[str] | None:
    statements = [policy(document(allow(*actions))).statements[0] for actions in (first, second)]
    spelled = overlap(statements[0], statements[1], lambda inner, outer: True)
    return [value.text for value in spelled.statements[0].action.values] if spelled else None
