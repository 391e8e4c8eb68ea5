"""What a condition operator is: what it means for one value, and for all values at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

from policy_guard.automaton import Caseless, Glob, Step, Symbol, Verbatim
from policy_guard.formula import Formula
from policy_guard.match import folded
from policy_guard.pattern import Pattern, Unknown, Variable, Wildcard
from policy_guard.strings import Slot


class Operator(NamedTuple):
    """Registered in the constant `OPERATORS` of a module in `conditions/`, under its name without `IfExists`.

    `holds(given, value)`: whether the value of a request matches the resolved pattern given in the policy.
    `encode(slot, given)`: the same for whatever value the slot has. Both speak of the positive operator; `negated`
    turns them round. `wild` says whether `*` and `?` are wildcards. Without `encode` the operator looks at the key
    itself: its value is `"true"` where the key is absent, `"false"` where it is present.
    """

    name: str
    holds: Callable[[Pattern, str], bool]
    encode: Callable[[Slot, tuple[Pattern, ...]], Formula] | None
    negated: bool = False
    wild: bool = False


def glob(pattern: Pattern, *, wild: bool = True, fold: bool = False, within: str = "") -> Glob:
    """The pattern as a set of texts, letters for its variables and unknown parts.

    `within` are characters that a wildcard does not stand for.
    """
    steps: list[Step] = []
    for part in pattern.parts:
        if isinstance(part, str):
            steps += [_character(c, fold) for c in part]
        elif not isinstance(part, Wildcard):
            steps.append(Step(frozenset([_letter(part, wild, fold)])))
        elif not wild:
            steps.append(_character(part.symbol, fold))
        else:
            step = Step(frozenset(within), outside=True, loop=part.symbol == "*")
            if not (step.loop and steps and steps[-1] == step):
                steps.append(step)
    return tuple(steps)


@cache
def _character(character: str, fold: bool) -> Step:
    return Step(frozenset(either_case(character) if fold else character))


def either_case(character: str) -> str:
    """The characters that equal this one when case is ignored."""
    lower = folded(character)
    upper = lower.upper()
    return lower + upper if len(upper) == 1 and upper != lower and folded(upper) == lower else lower


def _letter(part: Variable | Unknown, wild: bool, fold: bool) -> Symbol:
    letter = Variable(part.key) if isinstance(part, Variable) else Verbatim(part.name)
    if fold:
        return Caseless(letter)
    return Unknown(part.name) if wild and isinstance(part, Unknown) else letter


def globs(patterns: Iterable[Pattern], *, wild: bool = True, fold: bool = False) -> list[Glob]:
    return [glob(pattern, wild=wild, fold=fold) for pattern in patterns]
