"""A formula that many questions have in common: each takes in only those parts that it does not make true itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

from policy_guard.solver.formula import FALSE, And, Formula, Literal, Member, Or, conjunction
from policy_guard.solver.strings.language import Budget, OverBudget, Slot

FEWEST = 8
"""From how many parts on they are looked at one by one."""
STEPS_A_LITERAL = 50
"""What may be spent on it for each literal of the formula; what is left of it then is taken in whole."""
_Places: TypeAlias = "int"


class Common:
    """The formula, and for each fact that was met the parts that it makes true, as the bits of an integer."""

    def __init__(self, formula: Formula) -> None:
        self._formula = formula
        self._parts = formula.parts if isinstance(formula, And) else (formula,)
        self._true: dict[Literal, _Places] = {}
        self._budget = Budget(STEPS_A_LITERAL * formula.size)

    def rest(self, formula: Formula) -> Formula:
        """Return this formula without the parts that the other makes true: together with that it says the same."""
        if formula == FALSE or len(self._parts) < FEWEST:
            return self._formula
        true = 0
        for fact in formula.parts if isinstance(formula, And) else (formula,):
            if isinstance(fact, Literal):
                true |= self._true_parts(fact)
        return conjunction(part for at, part in enumerate(self._parts) if not true >> at & 1) if true else self._formula

    def _true_parts(self, fact: Literal) -> _Places:
        if fact not in self._true:
            true = self._literals.get(fact, 0)
            for literal, places in self._alike(fact):
                if places & ~true and self._follows(literal, fact):
                    true |= places
            self._true[fact] = true
        return self._true[fact]

    def _alike(self, fact: Literal) -> Iterator[tuple[Literal, _Places]]:
        atom = fact.atom
        return iter(self._members.get(atom.variable, ()) if isinstance(atom, Member) else ())

    @cached_property
    def _literals(self) -> dict[Literal, _Places]:
        """The literals each of which makes a part true, with those parts."""
        places: dict[Literal, _Places] = {}
        for at, part in enumerate(self._parts):
            for literal in part.parts if isinstance(part, Or) else (part,):
                if isinstance(literal, Literal):
                    places[literal] = places.get(literal, 0) | 1 << at
        return places

    @cached_property
    def _members(self) -> dict[str | Slot, list[tuple[Literal, _Places]]]:
        """The same about one text, by what it is the text of."""
        members: dict[str | Slot, list[tuple[Literal, _Places]]] = {}
        for literal, places in self._literals.items():
            if isinstance(literal.atom, Member):
                members.setdefault(literal.atom.variable, []).append((literal, places))
        return members

    def _follows(self, literal: Literal, fact: Literal) -> bool:
        """Tell whether the literal, about the same text, surely follows from the fact."""
        assert isinstance(literal.atom, Member)
        assert isinstance(fact.atom, Member)
        language, certain = literal.atom.language, fact.atom.language
        try:
            self._budget.spend(1 + len(language) + len(certain), "")
            if not literal.positive:
                return certain.covers(language, self._budget) if not fact.positive else language.is_apart_from(certain)
            return fact.positive and language.covers(certain, self._budget)
        except OverBudget:
            return False
