"""ArnEquals, which is ArnLike, and their negations: ARNs part by part, wildcards in each, colons only in the sixth.

Source: IAM User Guide, reference_policies_elements_condition_operators, Conditions_ARN.
"""

from __future__ import annotations

from policy_guard.condition import Operator, Unclear, language
from policy_guard.formula import Formula, member
from policy_guard.match import matches
from policy_guard.pattern import ARN_COLONS, Pattern, Wildcard, in_arn_parts
from policy_guard.readings import SHORT_ARN_PATTERNS_MATCH_NOTHING
from policy_guard.strings import Language, Slot


def _short(pattern: Pattern) -> bool:
    """Whether the pattern, which no variable or template completes, spells out fewer than six parts."""
    texts = [part if isinstance(part, str) else "" for part in pattern.parts if isinstance(part, str | Wildcard)]
    return len(texts) == len(pattern.parts) and sum(text.count(":") for text in texts) < ARN_COLONS


def _encode(slot: Slot, given: tuple[Pattern, ...]) -> Formula:
    return member(slot, language(given))


def _never(given: Pattern, value: str) -> bool:
    return False


def _nothing(slot: Slot, given: tuple[Pattern, ...]) -> Formula:
    return member(slot, Language(()))


def _operator(name: str, *, negated: bool = False) -> Operator:
    whole = Operator(name, matches, _encode, negated=negated, wild=True, prepared=in_arn_parts)
    short = Operator(name, _never, _nothing, negated=negated, wild=True)
    return whole._replace(unclear=Unclear(SHORT_ARN_PATTERNS_MATCH_NOTHING.name, _short, short))


OPERATORS = (
    _operator("ArnEquals"),
    _operator("ArnLike"),
    _operator("ArnNotEquals", negated=True),
    _operator("ArnNotLike", negated=True),
)
