"""Patterns as globs: the steps of an automaton, letters for variables and unknown parts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from policy_guard.solver.strings.automaton import Caseless, Glob, Step, Symbol, Verbatim
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import Pattern, Unknown, Variable, Wildcard, folded


def glob(pattern: Pattern, *, wild: bool = True, fold: bool = False) -> Glob:
    """The pattern as a set of texts, letters for its variables and unknown parts."""
    steps: list[Step] = []
    for part in pattern.parts:
        if isinstance(part, str):
            steps += [_character(c, fold) for c in part]
        elif not isinstance(part, Wildcard):
            steps.append(Step(frozenset([_letter(part, wild, fold)])))
        elif not wild:
            steps.append(_character(part.symbol, fold))
        else:
            step = Step(frozenset(part.spared), outside=True, loop=part.symbol == "*")
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
    return part if wild and isinstance(part, Unknown) and not part.verbatim else letter


def language(patterns: Iterable[Pattern], *, wild: bool = True, fold: bool = False) -> Language:
    """The texts that match one of the patterns."""
    globs, texts = [], []
    for pattern in patterns:
        text = pattern.parts[0] if len(pattern.parts) == 1 else None
        if isinstance(text, str) and not fold:
            texts.append(text)
        else:
            globs.append(glob(pattern, wild=wild, fold=fold))
    return Language(globs, texts)
