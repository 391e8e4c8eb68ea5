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

    It has a context of its own: in a shared one the model that Z3 finds depends on all that it was asked before.
    """

    def __init__(self, formula: Formula, budget: Budget) -> None:
        budget.spend(STEPS_A_TERM * formula.size, _HARD)
        self._budget = budget
        self._context = z3.Context()
        self._solver = z3.SimpleSolver(ctx=self._context)
        if budget.deadline < inf:
            self._solver.set("timeout", max(1, int(1000 * (budget.deadline - monotonic()))))
        self._variables: dict[Atom, z3.BoolRef] = {}
        self._declarations: dict[Atom, z3.FuncDeclRef] = {}
        self._solver.add(self._term(formula))

    def learn(self, impossible: Iterable[Literal]) -> None:
        """From now on these literals are not all true together."""
        self._solver.add(z3.Or([z3.Not(self._term(literal)) for literal in impossible] + [self._false()]))

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

    def _term(self, formula: Formula) -> z3.BoolRef:
        if isinstance(formula, Literal):
            variable = self._variable(formula.atom)
            return variable if formula.positive else z3.Not(variable)
        terms = [self._term(part) for part in formula.parts]
        if not terms:
            return z3.BoolVal(isinstance(formula, And), self._context)
        return z3.And(terms) if isinstance(formula, And) else z3.Or(terms)

    def _variable(self, atom: Atom) -> z3.BoolRef:
        if atom not in self._variables:
            variable = self._variables[atom] = z3.Bool(len(self._variables), self._context)
            self._declarations[atom] = variable.decl()
        return self._variables[atom]

    def _false(self) -> z3.BoolRef:
        return z3.BoolVal(False, self._context)


def _is_true(context: z3.ContextObj, model: z3.Model, declaration: z3.FuncDeclRef) -> bool:
    """Return `z3.is_true(model[...])` at a twentieth of the cost: it is asked for every atom in every round."""
    value = z3.Z3_model_get_const_interp(context, model, declaration.ast)
    return bool(value) and bool(z3.Z3_get_bool_value(context, value) == z3.Z3_L_TRUE)
