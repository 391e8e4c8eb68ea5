"""What a condition operator is: what it means for one value, and for all values at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product

from policy_guard.records import NamedTuple
from policy_guard.solver.formula import Formula
from policy_guard.solver.strings.automaton import Glob
from policy_guard.solver.strings.language import Deferred, Language, Slot
from policy_guard.solver.strings.pattern import Pattern, as_text, holes
from policy_guard.solver.strings.spans import Line, Span, Stretch


class Operator(NamedTuple):
    """Registered in the constant `OPERATORS` of a module in `operators/`, under its name without `IfExists`.

    `holds(pattern, value)`: whether the value of a request matches the resolved pattern of the policy.
    `encode(slot, patterns)`: the same for whatever value the slot has. Both speak of the positive operator; `negated`
    turns them round. `wild` says whether `*` and `?` are wildcards. Without `encode` the operator looks at the key
    itself: its value is `"true"` where the key is absent, `"false"` where it is present.

    `prepared` is what a pattern becomes before its variables and unknown parts are filled in. `unclear` tells for a
    pattern whether a reading gives it another meaning. `spellings` is there if the operator compares what a text stands
    for, and that has several spellings: `encode` then speaks of the usual one.
    """

    name: str
    holds: Callable[[Pattern, str], bool]
    encode: Callable[[Slot, tuple[Pattern, ...]], Formula] | None
    negated: bool = False
    wild: bool = False
    prepared: Callable[[Pattern], Pattern] = lambda pattern: pattern
    unclear: Callable[[Pattern], Ambiguity | None] = lambda pattern: None
    spellings: Spellings | None = None


class Ambiguity(NamedTuple):
    """A choice by the reading of this name: `if_true` or `if_false` takes the operator's place."""

    reading: str
    if_true: Operator
    if_false: Operator


class Spellings(NamedTuple):
    """The texts that are spelled otherwise than usual, as a formula and for one text.

    Given are the patterns of the policy: some have no such texts at all.
    """

    encode: Callable[[Slot, tuple[Pattern, ...]], Formula]
    unusual: Callable[[tuple[Pattern, ...], str], bool]


def text_of(pattern: Pattern) -> str:
    """A resolved pattern as the text it is for an operator without wildcards."""
    return "".join(map(as_text, pattern.parts))


class Way(NamedTuple):
    """One way in which a value can match a text: what a `Deferred` says beside its pattern."""

    build: Callable[[str], Iterable[Glob]]
    order: str = ""
    towards: Callable[[str], str] = str
    line: Line | None = None
    stretch: Callable[[str], Stretch | None] = lambda text: None


def typed(patterns: Iterable[Pattern], ways: Iterable[Way]) -> Language:
    """The values that match texts which stand for a number, a date or the like, in one of the ways."""
    globs, late, stretches, line = [], [], [], None
    for pattern, way in product(patterns, tuple(ways)):
        line = way.line
        if holes(pattern):
            late.append(Deferred(pattern, *way))
        else:
            text = text_of(pattern)
            globs += list(way.build(text))
            stretches += [stretch] if (stretch := way.stretch(text)) else []
    return Language(globs, late=late, span=Span(line, tuple(stretches)) if line else None)
