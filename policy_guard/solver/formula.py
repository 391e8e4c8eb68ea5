"""Boolean formulas over facts about a request, kept with negation at the leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from policy_guard.solver.strings.language import Language, Slot


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


class _Node:
    """Equal formulas are equal in structure. Hash, negation and choices are worked out once; `size` counts literals."""

    __slots__ = ("_choices", "_hash", "_negation", "size")

    _hash: int
    _negation: Formula | None
    _choices: frozenset[Choice] | None
    size: int

    def __hash__(self) -> int:
        return self._hash


class Literal(_Node):
    """The atom, or with `positive` false its negation."""

    __slots__ = ("atom", "positive")

    def __init__(self, atom: Atom, positive: bool) -> None:
        self.atom = atom
        self.positive = positive
        self._hash = hash((atom, positive))
        self._negation = None
        self._choices = None
        self.size = 1

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Literal)
            and self._hash == other._hash
            and self.positive == other.positive
            and self.atom == other.atom
        )

    __hash__ = _Node.__hash__


class _Parts(_Node):
    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Formula, ...]) -> None:
        self.parts = parts
        self._hash = hash((type(self), parts))
        self._negation = None
        self._choices = None
        self.size = 1 + sum(part.size for part in parts)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, _Parts)
            and type(self) is type(other)
            and self._hash == other._hash
            and self.parts == other.parts
        )

    __hash__ = _Node.__hash__


class And(_Parts):
    """All of the parts."""

    __slots__ = ()


class Or(_Parts):
    """At least one of the parts."""

    __slots__ = ()


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
    if formula._negation is None:
        if isinstance(formula, Literal):
            opposite: Formula = Literal(formula.atom, not formula.positive)
        else:
            combine = disjunction if isinstance(formula, And) else conjunction
            opposite = combine(map(negation, formula.parts))
        formula._negation = opposite
    return formula._negation


def choices(formula: Formula) -> frozenset[Choice]:
    """The choices that the formula depends on."""
    if formula._choices is None:
        if isinstance(formula, Literal):
            formula._choices = frozenset([formula.atom] if isinstance(formula.atom, Choice) else ())
        else:
            formula._choices = frozenset().union(*map(choices, formula.parts))
    return formula._choices


def literals(formula: Formula) -> Iterator[Literal]:
    """Every literal of the formula, in order, repetitions included."""
    if isinstance(formula, Literal):
        yield formula
    else:
        for part in formula.parts:
            yield from literals(part)


class Assumption:
    """That the choice of this name has this truth; remembers what formulas become under it."""

    def __init__(self, name: str, truth: bool) -> None:
        self.name = name
        self.truth = truth
        self._results: dict[Formula, Formula] = {}

    def __call__(self, formula: Formula) -> Formula:
        if isinstance(formula, Literal):
            if not isinstance(formula.atom, Choice) or formula.atom.name != self.name:
                return formula
            return TRUE if formula.positive == self.truth else FALSE
        if not any(choice.name == self.name for choice in choices(formula)):
            return formula
        if formula not in self._results:
            combine = conjunction if isinstance(formula, And) else disjunction
            parts = [self(part) for part in formula.parts]
            unchanged = all(part is old_part for part, old_part in zip(parts, formula.parts, strict=True))
            self._results[formula] = formula if unchanged else combine(parts)
        return self._results[formula]


def without_choices(formula: Formula, kinds: tuple[str, ...]) -> Formula:
    """The requests for which the formula holds whatever the choices of these kinds turn out to be."""
    if isinstance(formula, Literal):
        return FALSE if isinstance(formula.atom, Choice) and formula.atom.kind in kinds else formula
    if not any(each.kind in kinds for each in choices(formula)):
        return formula
    combine = conjunction if isinstance(formula, And) else disjunction
    return combine(without_choices(part, kinds) for part in formula.parts)
