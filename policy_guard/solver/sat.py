"""The SMT solver: which truth values of its atoms make a formula true."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from time import monotonic

import z3

from policy_guard.solver.formula import And, Atom, Formula, Literal
from policy_guard.solver.strings.language import Budget, OverBudget

STEPS_A_TERM = 10
"""What it costs to hand Z3 a literal."""
_HARD = "the number of conditions that depend on each other"


class Solver:
    """One formula and what has been learned about its atoms.

    It has a context of its own: in a shared one the model that Z3 finds depends on all that it was asked before. Terms
    are made by Z3's functions in C, since its classes for Python take several times as long; the context owns them.
    """

    def __init__(self, formula: Formula, budget: Budget) -> None:
        budget.spend(STEPS_A_TERM * formula.size, _HARD)
        self._budget = budget
        self._context = z3.Context()
        self._solver = z3.SimpleSolver(ctx=self._context)
        if budget.deadline < inf:
            self._solver.set("timeout", max(1, int(1000 * (budget.deadline - monotonic()))))
        self._sort = z3.BoolSort(self._context).ast
        self._variables: dict[Atom, z3.Ast] = {}
        self._declarations: dict[Atom, z3.FuncDecl] = {}
        self._add(self._term(formula))

    def add(self, formula: Formula) -> None:
        """From now on this formula is true, too. Raises `OverBudget`."""
        self._budget.spend(STEPS_A_TERM * formula.size, _HARD)
        self._add(self._term(formula))

    def learn(self, impossible: Iterable[Literal]) -> None:
        """From now on these literals are not all true together."""
        self._add(self._combination(False, [self._opposite(self._term(literal)) for literal in impossible]))

    def model(self) -> dict[Atom, bool] | None:
        """A truth value for every atom, or None if the formula cannot be true. Raises `OverBudget`."""
        self._solver.set("rlimit", max(1, self._budget.remainder))
        initial_effort = self._effort()
        answer = self._solver.check()
        self._budget.spend(self._effort() - initial_effort, _HARD)
        if answer == z3.unsat:
            return None
        if answer != z3.sat:
            raise OverBudget(_HARD)
        context, model = self._context.ref(), self._solver.model()
        return {atom: _is_true(context, model.model, variable) for atom, variable in self._declarations.items()}

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
            symbol = z3.Z3_mk_int_symbol(context, len(self._variables))
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
