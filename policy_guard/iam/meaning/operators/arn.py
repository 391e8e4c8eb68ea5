"""ArnEquals, which is ArnLike, and their negations: ARNs part by part, wildcards in each, colons only in the sixth.

Source: IAM User Guide, reference_policies_elements_condition_operators, Conditions_ARN.
"""

from __future__ import annotations

from dataclasses import replace

from policy_guard.iam.meaning.interpretations import ARN_PARTS_STAY, SHORT_ARN_PATTERNS_MATCH_NOTHING
from policy_guard.iam.meaning.matching import matches
from policy_guard.iam.meaning.operator import Ambiguity, Operator
from policy_guard.solver.formula import Formula, member
from policy_guard.solver.strings.glob import language
from policy_guard.solver.strings.language import Language, Slot
from policy_guard.solver.strings.pattern import (
    ARN_COLONS,
    Pattern,
    Unknown,
    Variable,
    Wildcard,
    in_arn_parts,
    spelled_out,
)


def _colons(pattern: Pattern) -> int:
    return sum(part.count(":") for part in pattern.parts if isinstance(part, str))


def _identity(pattern: Pattern) -> Pattern:
    return pattern


def _staying(pattern: Pattern) -> Pattern:
    parts = (part if isinstance(part, str | Variable) else replace(part, stays=True) for part in pattern.parts)
    return Pattern(tuple(parts))


def _encode(slot: Slot, patterns: tuple[Pattern, ...]) -> Formula:
    return member(slot, language(patterns))


def _match_nothing(pattern: Pattern, value: str) -> bool:
    return False


def _encode_nothing(slot: Slot, patterns: tuple[Pattern, ...]) -> Formula:
    return member(slot, Language(()))


def _operator(name: str, *, negated: bool = False) -> Operator:
    in_parts = Operator(name=name, holds=matches, encode=_encode, negated=negated, wild=True, prepared=in_arn_parts)
    free, staying = in_parts._replace(prepared=_identity), in_parts._replace(prepared=_staying)
    empty_operator = in_parts._replace(holds=_match_nothing, encode=_encode_nothing)
    short = Ambiguity(SHORT_ARN_PATTERNS_MATCH_NOTHING.name, empty_operator, free)

    def unclear(pattern: Pattern) -> Ambiguity | None:
        if _colons(pattern) >= ARN_COLONS:
            return Ambiguity(ARN_PARTS_STAY.name, in_parts, free) if _may_shift(in_arn_parts(pattern)) else None
        if all(isinstance(part, str | Wildcard) for part in pattern.parts):
            return short
        return Ambiguity(f"{ARN_PARTS_STAY.name} {spelled_out(pattern)}", staying, free)

    return in_parts._replace(unclear=unclear)


def _may_shift(pattern: Pattern) -> bool:
    """Tell whether a wildcard stays in its part that the text of a variable or unknown part may push into the last."""
    letters = [at for at, part in enumerate(pattern.parts) if isinstance(part, Variable | Unknown)]
    return any(isinstance(p, Wildcard) and p.stays for p in pattern.parts[letters[0] :]) if letters else False


OPERATORS = (
    _operator("ArnEquals"),
    _operator("ArnLike"),
    _operator("ArnNotEquals", negated=True),
    _operator("ArnNotLike", negated=True),
)
