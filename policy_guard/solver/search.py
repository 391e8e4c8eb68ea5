"""The search for a point that makes a formula true: what is certain, likely texts for letters, then rounds with Z3."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TypeAlias, TypeVar

from policy_guard.records import NamedTuple
from policy_guard.solver.formula import (
    FALSE,
    And,
    Atom,
    Choice,
    Formula,
    Literal,
    Member,
    Present,
    conjunction,
    disjunction,
    literals,
    member,
    negation,
    present,
)
from policy_guard.solver.order import facts_of_order
from policy_guard.solver.simplify import Simplifier
from policy_guard.solver.strings.language import Budget, Language, Slot
from policy_guard.solver.strings.pattern import Unknown, Variable
from policy_guard.solver.strings.placeholders import Texts, substituted
from policy_guard.solver.theory import Impossible, Open, Point, Theory

MOST_ROUNDS = 2_000
MOST_OPEN = 8
MOST_ASSIGNMENTS = 40
"""Texts for the unknown parts and variables of one question that are tried in all of it."""

Outcome = TypeVar("Outcome")
Confirm: TypeAlias = "Callable[[Point], Outcome | None]"


class Empty(NamedTuple):
    """No point makes the formula true."""


class TooHard(NamedTuple):
    """Neither a point nor a proof was found; `part` says what was too hard."""

    part: str


class Search:
    """Finds a point of a formula that `confirm` confirms, and gives what it makes of it. Raises `OverBudget`."""

    def __init__(self, theory: Theory, simplifier: Simplifier) -> None:
        self._theory = theory
        self._simplifier = simplifier

    def point(self, formula: Formula, confirm: Confirm[Outcome], budget: Budget) -> Outcome | Empty | TooHard:
        """Decide a simplified formula, by its certain literals if there are no others or the others do not matter."""
        if formula == FALSE:
            return Empty()
        parts = formula.parts if isinstance(formula, And) else (formula,)
        facts = [part for part in parts if isinstance(part, Literal)]
        result = self._theory.point(facts, budget, explained=False)
        if isinstance(result, Impossible):
            return Empty()
        if isinstance(result, Point) and (len(facts) == len(parts) or _surely_true(formula, result)):
            return _confirmed(result, confirm)
        if len(facts) == len(parts):
            answer = self._with_letters_assigned(formula, confirm, budget)
            return TooHard(result.reason if isinstance(result, Open) else "") if answer is None else answer
        return self._in_rounds(formula, confirm, budget)

    def _in_rounds(self, formula: Formula, confirm: Confirm[Outcome], budget: Budget) -> Outcome | Empty | TooHard:
        """Let the solver choose which literals to make true, and tell it which of them have no common text."""
        from policy_guard.solver.sat import Solver

        solver = Solver(formula, budget)
        for fact in facts_of_order(formula):
            solver.add(fact)
        still_open: list[str] = []
        for _ in range(MOST_ROUNDS):
            budget.spend(1 + formula.size // 2, "the number of patterns that overlap")
            model = solver.model()
            if model is None:
                return TooHard(still_open[0]) if still_open else Empty()
            facts = _implicant(formula, model)
            result = self._theory.point(facts, budget)
            if isinstance(result, Point):
                return _confirmed(result, confirm)
            if isinstance(result, Open):
                answer = None if still_open else self._with_letters_assigned(formula, confirm, budget)
                if answer is not None:
                    return answer
                still_open.append(result.reason)
                if len(still_open) > MOST_OPEN:
                    return TooHard(result.reason)
            solver.learn(result.literals if isinstance(result, Impossible) else facts)
        return TooHard("the number of patterns that overlap")

    def _with_letters_assigned(self, formula: Formula, confirm: Confirm[Outcome], budget: Budget) -> Outcome | None:
        """Return what some likely texts for the letters show, if it is no proof."""
        all_literals = list(literals(formula))
        for texts in islice(self._theory.assignments(all_literals, budget), MOST_ASSIGNMENTS):
            budget.spend(len(all_literals), "the texts that unknown parts may become")
            unknowns = {letter.name: text for letter, text in texts.items() if isinstance(letter, Unknown)}

            def with_unknowns(point: Point, unknowns: dict[str, str] = unknowns) -> Outcome | None:
                return confirm(point._replace(unknowns=unknowns))

            plain = self._simplifier.simplify(_assigned(formula, texts), budget)
            answer = self.point(plain, with_unknowns, budget)
            if not isinstance(answer, (Empty, TooHard)):
                return answer
        return None


def _confirmed(point: Point, confirm: Confirm[Outcome]) -> Outcome | TooHard:
    answer = confirm(point)
    message = "a request that the two evaluations judge differently (please report this)"
    return TooHard(message) if answer is None else answer


def _assigned(formula: Formula, texts: Texts) -> Formula:
    """The formula where letters stand for these texts, which are then also the values of the variables' keys."""
    languages: dict[Language, Language] = {}

    def fill_in(part: Formula) -> Formula:
        if not isinstance(part, Literal):
            return (conjunction if isinstance(part, And) else disjunction)(map(fill_in, part.parts))
        atom = part.atom
        if not isinstance(atom, Member) or not atom.language.letters:
            return part
        if atom.language not in languages:
            languages[atom.language] = substituted(atom.language, texts)
        positive = member(atom.variable, languages[atom.language])
        return positive if part.positive else negation(positive)

    slots = [(Slot(letter.key, 0), text) for letter, text in texts.items() if isinstance(letter, Variable)]
    values = (disjunction([negation(present(slot)), member(slot, Language(texts=[text]))]) for slot, text in slots)
    return conjunction([fill_in(formula), *values])


def _implicant(formula: Formula, model: dict[Atom, bool]) -> tuple[Literal, ...]:
    """Literals that are true in the model and make the formula true by themselves."""
    chosen: dict[Literal, None] = {}
    stack = [formula]
    while stack:
        subformula = stack.pop()
        if isinstance(subformula, Literal):
            chosen[subformula] = None
        elif isinstance(subformula, And):
            stack += reversed(subformula.parts)
        else:
            stack.append(next(part for part in subformula.parts if _true(part, model)))
    return tuple(chosen)


def _surely_true(formula: Formula, point: Point) -> bool:
    """Tell whether the formula is true at the point, whatever is not fixed there."""
    if not isinstance(formula, Literal):
        test = all if isinstance(formula, And) else any
        return test(_surely_true(part, point) for part in formula.parts)
    atom = formula.atom
    if isinstance(atom, Present):
        return (atom.slot in point.texts) == formula.positive
    if isinstance(atom, Choice):
        return point.choices.get(atom.name) is formula.positive
    text = point.texts.get(atom.variable)
    if text is None:
        return isinstance(atom.variable, Slot) and not formula.positive
    return not atom.language.letters and (text in atom.language) == formula.positive


def _true(formula: Formula, model: dict[Atom, bool]) -> bool:
    if isinstance(formula, Literal):
        return model[formula.atom] == formula.positive
    test = all if isinstance(formula, And) else any
    return test(_true(part, model) for part in formula.parts)
