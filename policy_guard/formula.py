"""Boolean formulas over facts about a request, kept with negation at the leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from policy_guard.strings import Language, Slot


@dataclass(frozen=True, slots=True)
class Member:
    """The text of `variable` (`action`, `resource`, `principal`, or a slot of a condition key) lies in `language`."""

    variable: str | Slot
    language: Language


@dataclass(frozen=True, slots=True)
class Present:
    """The slot of a condition key holds a value."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Choice:
    """A truth value that nothing here fixes. `kind` is `reading` (AWS's pages allow both) or `unsupported`."""

    kind: str
    name: str


Atom: TypeAlias = "Member | Present | Choice"


class Literal(NamedTuple):
    atom: Atom
    positive: bool


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Formula, ...]


Formula: TypeAlias = "Literal | And | Or"

TRUE = And(())
FALSE = Or(())


def member(variable: str | Slot, language: Language) -> Formula:
    if not language:
        return FALSE
    return TRUE if language.universal else Literal(Member(variable, language), True)


def present(slot: Slot) -> Formula:
    return Literal(Present(slot), True)


def choice(kind: str, name: str) -> Formula:
    return Literal(Choice(kind, name), True)


def conjunction(formulas: Iterable[Formula]) -> Formula:
    parts: dict[Formula, None] = {}
    for formula in formulas:
        if formula == FALSE:
            return FALSE
        parts.update(dict.fromkeys(formula.parts if isinstance(formula, And) else (formula,)))
    return next(iter(parts)) if len(parts) == 1 else And(tuple(parts))


def disjunction(formulas: Iterable[Formula]) -> Formula:
    parts: dict[Formula, None] = {}
    for formula in formulas:
        if formula == TRUE:
            return TRUE
        parts.update(dict.fromkeys(formula.parts if isinstance(formula, Or) else (formula,)))
    return next(iter(parts)) if len(parts) == 1 else Or(tuple(parts))


def negation(formula: Formula) -> Formula:
    if isinstance(formula, Literal):
        return Literal(formula.atom, not formula.positive)
    if isinstance(formula, And):
        return disjunction(map(negation, formula.parts))
    return conjunction(map(negation, formula.parts))


def literals(formula: Formula) -> Iterator[Literal]:
    """Every literal of the formula, in order, repetitions included."""
    if isinstance(formula, Literal):
        yield formula
    else:
        for part in formula.parts:
            yield from literals(part)


def assuming(formula: Formula, name: str, truth: bool) -> Formula:
    """The formula with this truth in place of the choice of this name."""
    if isinstance(formula, Literal):
        if not isinstance(formula.atom, Choice) or formula.atom.name != name:
            return formula
        return TRUE if formula.positive == truth else FALSE
    combine = conjunction if isinstance(formula, And) else disjunction
    return combine(assuming(part, name, truth) for part in formula.parts)


def without_choices(formula: Formula, kinds: tuple[str, ...]) -> Formula:
    """The requests for which the formula holds whatever the choices of these kinds turn out to be."""
    if isinstance(formula, Literal):
        return FALSE if isinstance(formula.atom, Choice) and formula.atom.kind in kinds else formula
    combine = conjunction if isinstance(formula, And) else disjunction
    return combine(without_choices(part, kinds) for part in formula.parts)
