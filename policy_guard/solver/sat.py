"""The SMT solver: which truth values of its atoms make a formula true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from math import inf
from time import monotonic
from typing import TypeAlias

import z3

from policy_guard.records import NamedTuple
from policy_guard.solver.formula import And, Atom, Formula, Literal
from policy_guard.solver.strings.language import Budget, OverBudget

STEPS_A_TERM = 10
"""What it costs to hand Z3 a literal."""
MOST_ANSWERS = 50_000
"""Answers that are kept."""
_HARD = "the number of conditions that depend on each other"


class _Answer(NamedTuple):
    """The truth values of the atoms in their order, None if they cannot be true together, and the steps of Z3."""

    truths: tuple[bool, ...] | None
    effort: int


_ANSWERS: dict[bytes, _Answer] = {}
"""What Z3 said, by the digest of all that it was told and asked before in the same context."""


class Solver:
    """One formula and what has been learned about its atoms.

    Z3 knows atoms by their numbers alone, and says the same of formulas of one shape: what it said is kept, since
    making and dropping a context takes longer than most answers.
    """

    def __init__(self, formula: Formula, budget: Budget) -> None:
        budget.spend(STEPS_A_TERM * formula.size, _HARD)
        self._budget = budget
        self._numbers: dict[Atom, int] = {}
        self._digest = sha256()
        self._told: list[_Told] = []
        self._context: _Context | None = None
        self._tell(formula)

    def add(self, formula: Formula) -> None:
        """From now on this formula is true, too. Raises `OverBudget`."""
        self._budget.spend(STEPS_A_TERM * formula.size, _HARD)
        self._tell(formula)

    def learn(self, impossible: Iterable[Literal]) -> None:
        """From now on these literals are not all true together."""
        self._tell(tuple(impossible))

    def model(self) -> dict[Atom, bool] | None:
        """A truth value for every atom, or None if the formula cannot be true. Raises `OverBudget`."""
        key = self._digest.digest()
        answer = _ANSWERS.get(key)
        if answer is None or answer.effort >= self._budget.remainder:
            answer = self._asked(key)
        self._tell(None)
        self._budget.spend(answer.effort, _HARD)
        return None if answer.truths is None else dict(zip(self._numbers, answer.truths, strict=True))

    def _tell(self, told: _Told) -> None:
        self._told.append(told)
        self._digest.update(self._shape(told).encode())

    def _shape(self, told: _Told) -> str:
        """Return what Z3 is told, with numbers for atoms."""
        if isinstance(told, Literal):
            number = self._numbers.setdefault(told.atom, len(self._numbers))
            return f"{number} " if told.positive else f"-{number} "
        if told is None:
            return "?"
        if isinstance(told, tuple):
            return f"~({''.join(map(self._shape, told))})"
        return f"{'&' if isinstance(told, And) else '|'}({''.join(map(self._shape, told.parts))})"

    def _asked(self, key: bytes) -> _Answer:
        """The answer of Z3. Raises `OverBudget`."""
        self._context = self._context or _Context(self._numbers, self._budget.deadline)
        self._context.hear(self._told)
        answer, effort = self._context.answer(self._budget.remainder)
        if answer not in (z3.sat, z3.unsat):
            self._budget.spend(effort, _HARD)
            raise OverBudget(_HARD)
        truths = self._context.truths() if answer == z3.sat else None
        if len(_ANSWERS) >= MOST_ANSWERS:
            _ANSWERS.clear()
        return _ANSWERS.setdefault(key, _Answer(truths, effort))


_Told: TypeAlias = "Formula | tuple[Literal, ...] | None"
"""A formula that holds, literals that are not all true together, or that a model was asked for."""


class _Context:
    """What Z3 was told and asked in one context, in order.

    In a shared context the model that Z3 finds would depend on all that it was asked before. Terms are made by Z3's
    functions in C, since its classes for Python take several times as long; the context owns them.
    """

    def __init__(self, numbers: dict[Atom, int], deadline: float) -> None:
        self._numbers = numbers
        self._heard = 0
        self._context = z3.Context()
        self._solver = z3.SimpleSolver(ctx=self._context)
        if deadline < inf:
            self._solver.set("timeout", max(1, int(1000 * (deadline - monotonic()))))
        self._sort = z3.BoolSort(self._context).ast
        self._variables: dict[Atom, z3.Ast] = {}
        self._declarations: dict[Atom, z3.FuncDecl] = {}

    def hear(self, told: Sequence[_Told]) -> None:
        """Take in all that was told, and answer again what was asked and answered from memory."""
        for each in told[self._heard :]:
            if each is None:
                self._check(0)
            elif isinstance(each, tuple):
                self._add(self._combination(False, [self._opposite(self._term(literal)) for literal in each]))
            else:
                self._add(self._term(each))
        self._heard = len(told)

    def answer(self, steps: int) -> tuple[z3.CheckSatResult, int]:
        """Tell whether all can be true, and what that took of so many steps."""
        self._heard += 1
        return self._check(max(1, steps))

    def _check(self, steps: int) -> tuple[z3.CheckSatResult, int]:
        self._solver.set("rlimit", steps)
        initial_effort = self._effort()
        return self._solver.check(), self._effort() - initial_effort

    def truths(self) -> tuple[bool, ...]:
        """The truth values of all atoms that make all true."""
        context, model = self._context.ref(), self._solver.model()
        return tuple(_is_true(context, model.model, self._declarations[atom]) for atom in self._numbers)

    def _effort(self) -> int:
        """Return what Z3 has spent so far, in units that are the same on every machine, each about a step."""
        return int(self._solver.statistics().get_key_value("rlimit count"))

    def _add(self, term: z3.Ast) -> None:
        z3.Z3_solver_assert(self._context.ref(), self._solver.solver, term)

    def _term(self, formula: Formula) -> z3.Ast:
        if isinstance(formula, Literal):
            variable = self._variable(formula.atom)
            return variable if formula.positive else self._opposite(variable)
        return self._combination(isinstance(formula, And), [self._term(part) for part in formula.parts])

    def _combination(self, every: bool, terms: list[z3.Ast]) -> z3.Ast:
        combine = z3.Z3_mk_and if every else z3.Z3_mk_or
        return self._kept(combine(self._context.ref(), len(terms), (z3.Ast * len(terms))(*terms)))

    def _opposite(self, term: z3.Ast) -> z3.Ast:
        return self._kept(z3.Z3_mk_not(self._context.ref(), term))

    def _variable(self, atom: Atom) -> z3.Ast:
        if atom not in self._variables:
            context = self._context.ref()
            symbol = z3.Z3_mk_int_symbol(context, self._numbers[atom])
            variable = self._variables[atom] = self._kept(z3.Z3_mk_const(context, symbol, self._sort))
            self._declarations[atom] = z3.Z3_get_app_decl(context, z3.Z3_to_app(context, variable))
        return self._variables[atom]

    def _kept(self, term: z3.Ast) -> z3.Ast:
        """The term, which is gone with its context and not before."""
        z3.Z3_inc_ref(self._context.ref(), term)
        return term


def _is_true(context: z3.ContextObj, model: z3.Model, declaration: z3.FuncDecl) -> bool:
    """Return `z3.is_true(model[...])` at a twentieth of the cost: it is asked for every atom in every round."""
    value = z3.Z3_model_get_const_interp(context, model, declaration)
    return bool(value) and bool(z3.Z3_get_bool_value(context, value) == z3.Z3_L_TRUE)
