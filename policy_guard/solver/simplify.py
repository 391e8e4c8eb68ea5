"""What follows for a formula from the literals that stand in it without alternative."""

from __future__ import annotations

from typing import TypeAlias

from policy_guard.solver.formula import FALSE, TRUE, And, Formula, Literal, Member, conjunction, disjunction, negation
from policy_guard.solver.strings.language import Budget, Language, Slot
from policy_guard.solver.strings.spans import relation

MOST_ROUNDS = 4
Relations: TypeAlias = "dict[tuple[Language, Language, bool], bool | None]"
"""How languages lie to each other, of all texts or of those alone that have a value on their line."""
_STEPS_A_LITERAL = 4
"""What it takes to look at a literal and to build what is left of the formula."""


class Simplifier:
    """Remembers how the languages it has met lie to each other."""

    def __init__(self) -> None:
        self._relations: Relations = {}

    def simplify(self, formula: Formula, budget: Budget) -> Formula:
        """An equivalent formula in which what is certain has been used; `FALSE` is a proof that it is empty.

        Raises `OverBudget`.
        """
        for _ in range(MOST_ROUNDS):
            simpler = self._round(formula, budget)
            if simpler == formula or not isinstance(simpler, And):
                return simpler
            formula = simpler
        return formula

    def _round(self, formula: Formula, budget: Budget) -> Formula:
        parts = formula.parts if isinstance(formula, And) else (formula,)
        facts = [part for part in parts if isinstance(part, Literal)]
        budget.spend(1 + len(parts), "the number of patterns and conditions")
        knowledge = _Knowledge(facts, {negation(part) for part in parts}, self._relations, budget)
        if any(knowledge.contradicted(fact) for fact in facts):
            return FALSE
        compounds = (part for part in parts if not isinstance(part, Literal))
        return conjunction([*facts, *(knowledge.rewrite(part, top=True) for part in compounds)])


class _Knowledge:
    """The literals that hold, and the formulas that do not."""

    def __init__(
        self,
        facts: list[Literal],
        refuted: set[Formula],
        relations: Relations,
        budget: Budget,
    ) -> None:
        self._budget = budget
        self._facts = set(facts)
        self._refuted = refuted
        self._relations = relations
        self._inside: dict[str | Slot, list[Language]] = {}
        self._outside: dict[str | Slot, list[Language]] = {}
        for fact in facts:
            if isinstance(fact.atom, Member):
                side = self._inside if fact.positive else self._outside
                side.setdefault(fact.atom.variable, []).append(fact.atom.language)

    def contradicted(self, fact: Literal) -> bool:
        """Tell whether one fact excludes another: a text inside a language and outside one that covers it."""
        if negation(fact) in self._facts:
            return True
        if not isinstance(fact.atom, Member) or not fact.positive:
            return False
        variable, language = fact.atom.variable, fact.atom.language
        inside, outside = self._inside.get(variable, ()), self._outside.get(variable, ())
        return any(self._relation(variable, barred, language) is True for barred in outside) or any(
            self._relation(variable, needed, language) is False for needed in inside if needed is not language
        )

    def rewrite(self, formula: Formula, top: bool = False) -> Formula:
        if isinstance(formula, Literal):
            truth = self._truth(formula)
            return formula if truth is None else TRUE if truth else FALSE
        if not top and formula in self._refuted:
            return FALSE
        combine = conjunction if isinstance(formula, And) else disjunction
        return combine(self.rewrite(part) for part in formula.parts)

    def _truth(self, literal: Literal) -> bool | None:
        self._budget.spend(_STEPS_A_LITERAL, "the number of patterns and conditions")
        if literal in self._facts:
            return True
        if negation(literal) in self._facts:
            return False
        if not isinstance(literal.atom, Member):
            return None
        truth = self._member(literal.atom)
        return truth if truth is None or literal.positive else not truth

    def _member(self, atom: Member) -> bool | None:
        for language in self._inside.get(atom.variable, ()):
            truth = self._relation(atom.variable, atom.language, language)
            if truth is not None:
                return truth
        if any(
            self._relation(atom.variable, outside, atom.language) is True
            for outside in self._outside.get(atom.variable, ())
        ):
            return False
        return None

    def _relation(self, variable: str | Slot, first: Language, second: Language) -> bool | None:
        """True if the first covers the second, False if they have nothing in common, None if neither is certain."""
        key = first, second, self._on_line(variable, first, second)
        if key not in self._relations:
            self._budget.spend(1 + len(first) + len(second), "the number of patterns")
            if first.span and second.span and key[2]:
                self._relations[key] = relation(first.span, second.span)
            else:
                self._relations[key] = (
                    True if first.covers(second, self._budget) else False if first.is_apart_from(second) else None
                )
        return self._relations[key]

    def _on_line(self, variable: str | Slot, first: Language, second: Language) -> bool:
        """Tell whether both languages say what values a text has on one line, on which it is known to lie."""
        span, other = first.span, second.span
        if span is None or other is None or span.line != other.line or first.late or second.late:
            return False
        inside, outside = self._inside.get(variable, ()), self._outside.get(variable, ())
        return span.line.needed.issubset(inside) and span.line.barred.issubset(outside)
