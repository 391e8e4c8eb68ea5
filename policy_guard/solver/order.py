"""What is true of numbers and moments because they stand in a row, told to the solver before it chooses any.

Without it the solver learns by trying that a number below 3 is below 5, too, once for each two bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeAlias

from policy_guard.solver.formula import (
    FALSE,
    TRUE,
    Formula,
    Member,
    choice,
    conjunction,
    disjunction,
    literals,
    member,
    negation,
)
from policy_guard.solver.strings.language import Language, Slot
from policy_guard.solver.strings.spans import FIRST, LAST, Cut, Line, Span

FEWEST = 4
"""From how many languages on a line it is told: what fewer have to do with each other is soon tried."""
_Row: TypeAlias = "tuple[str | Slot, Line]"


def facts_of_order(formula: Formula) -> Iterator[Formula]:
    """Return how the languages of numbers and moments in the formula lie to each other, whatever their text is."""
    rows: dict[_Row, dict[Language, Span]] = {}
    for literal in literals(formula):
        atom = literal.atom
        if isinstance(atom, Member) and (span := atom.language.span):
            rows.setdefault((atom.variable, span.line), {})[atom.language] = span
    for (variable, line), spans in rows.items():
        if len(spans) >= FEWEST:
            yield from _facts(variable, line, spans)


def _facts(variable: str | Slot, line: Line, spans: dict[Language, Span]) -> Iterator[Formula]:
    """Return the facts of one line: a text on it lies in a language just if its value lies in the stretches of that.

    `below` are made-up choices, one for each cut: whether the value lies before it.
    """
    cuts = sorted({cut for span in spans.values() for stretch in span.stretches for cut in stretch} - {FIRST, LAST})
    below: dict[Cut, Formula] = {cut: choice("order", f"{variable} below {line.name} {cut}") for cut in cuts}
    below |= {FIRST: FALSE, LAST: TRUE}
    for cut, next_cut in pairwise(cuts):
        yield disjunction([negation(below[cut]), below[next_cut]])
    usual = bool(line.needed or line.barred)
    on_line = _is_usual(variable, line) if usual else choice("order", f"{variable} is on {line.name}")
    for language, span in spans.items():
        lies_in = member(variable, language)
        within = disjunction(conjunction([negation(below[start]), below[end]]) for start, end in span.stretches)
        yield _implies([on_line, within], lies_in)
        if not language.late:
            yield _implies([on_line, lies_in], within)
            if not usual:
                yield _implies([lies_in], on_line)


def _is_usual(variable: str | Slot, line: Line) -> Formula:
    """State that the text is one that has a value on the line."""
    needed, barred = (
        [member(variable, language) for language in languages if isinstance(language, Language)]
        for languages in (line.needed, line.barred)
    )
    return conjunction([*needed, *map(negation, barred)])


def _implies(premises: Iterable[Formula], conclusion: Formula) -> Formula:
    return disjunction([*map(negation, premises), conclusion])
