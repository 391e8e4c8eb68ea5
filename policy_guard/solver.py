"""The SMT solver: which truth values of its atoms make a formula true."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import z3

from policy_guard.formula import And, Atom, Formula, Literal
from policy_guard.strings import OverBudget

EFFORT = 20_000_000
"""Z3's own resource units for one question; it stops there on every machine alike."""


@cache
def _context() -> z3.Context:
    return z3.Context()


class Solver:
    """One formula and what has been learned about its atoms."""

    def __init__(self, formula: Formula) -> None:
        self._context = _context()
        self._solver = z3.SimpleSolver(ctx=self._context)
        self._solver.set("rlimit", EFFORT)
        self._variables: dict[Atom, z3.BoolRef] = {}
        self._solver.add(self._term(formula))

    def learn(self, impossible: Iterable[Literal]) -> None:
        """From now on these literals are not all true together."""
        self._solver.add(z3.Or([z3.Not(self._term(each)) for each in impossible] + [self._false()]))

    def model(self) -> dict[Atom, bool] | None:
        """A truth value for every atom, or None if the formula cannot be true. Raises `OverBudget`."""
        answer = self._solver.check()
        if answer == z3.unsat:
            return None
        if answer != z3.sat:
            raise OverBudget("the number of conditions that depend on each other")
        model = self._solver.model()
        return {atom: bool(z3.is_true(model[variable])) for atom, variable in self._variables.items()}

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
            self._variables[atom] = z3.Bool(len(self._variables), self._context)
        return self._variables[atom]

    def _false(self) -> z3.BoolRef:
        return z3.BoolVal(False, self._context)
