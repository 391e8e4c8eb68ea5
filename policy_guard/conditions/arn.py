"""ArnEquals, which is ArnLike, and their negations: ARNs part by part, wildcards in each, colons only in the sixth.

Source: IAM User Guide, reference_policies_elements_condition_operators, Conditions_ARN.
"""

from __future__ import annotations

from dataclasses import replace

from policy_guard.condition import Operator, Unclear, language
from policy_guard.formula import Formula, member
from policy_guard.match import matches
from policy_guard.pattern import ARN_COLONS, Pattern, Variable, Wildcard, in_arn_parts
from policy_guard.readings import ARN_PARTS_STAY, SHORT_ARN_PATTERNS_MATCH_NOTHING
from policy_guard.strings import Language, Slot


def _colons(pattern: Pattern) -> int:
    return sum(part.count(":") for part in pattern.parts if isinstance(part, str))


def _staying(pattern: Pattern) -> Pattern:
    parts = (part if isinstance(part, str | Variable) else replace(part, stays=True) for part in pattern.parts)
    return Pattern(tuple(parts))


def _encode(slot: Slot, given: tuple[Pattern, ...]) -> Formula:
    return member(slot, language(given))


def _never(given: Pattern, value: str) -> bool:
    return False


def _nothing(slot: Slot, given: tuple[Pattern, ...]) -> Formula:
    return member(slot, Language(()))


def _operator(name: str, *, negated: bool = False) -> Operator:
    whole = Operator(name, matches, _encode, negated=negated, wild=True, prepared=in_arn_parts)
    nothing = Unclear(SHORT_ARN_PATTERNS_MATCH_NOTHING.name, whole._replace(holds=_never, encode=_nothing))
    staying = whole._replace(prepared=_staying)

    def unclear(pattern: Pattern) -> Unclear | None:
        """For a pattern that spells out fewer than six parts."""
        if _colons(pattern) >= ARN_COLONS:
            return None
        if all(isinstance(part, str | Wildcard) for part in pattern.parts):
            return nothing
        return Unclear(f"{ARN_PARTS_STAY.name} {pattern.parts}", staying)

    return whole._replace(unclear=unclear)


OPERATORS = (
    _operator("ArnEquals"),
    _operator("ArnLike"),
    _operator("ArnNotEquals", negated=True),
    _operator("ArnNotLike", negated=True),
)
