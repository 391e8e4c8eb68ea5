"""The straightforward encoding, for comparison: every pattern a regular expression over Z3's strings, one question.

It knows less than the engine: variables and unknown parts are read as `*`, a key has one value under set operators
too, and an operator it does not know is a free truth value.
"""

from __future__ import annotations

from collections.abc import Iterable
from multiprocessing import get_context
from typing import Any

import z3

from policy_guard.iam.policy import Condition, Element, Policy, Statement, Value
from policy_guard.solver.strings.pattern import Pattern

CUT_OFF = 20.0
"""Seconds for one question."""


class _Encoding:
    def __init__(self) -> None:
        self._free: dict[str, Any] = {}
        self._any = z3.Full(z3.ReSort(z3.StringSort()))
        self._one = z3.AllChar(z3.ReSort(z3.StringSort()))

    def allows(self, policy: Policy) -> Any:
        sides = {
            effect: z3.Or([self._applies(s) for s in policy.statements if s.effect == effect])
            for effect in ("Allow", "Deny")
        }
        return z3.And(sides["Allow"], z3.Not(sides["Deny"]))

    def _applies(self, statement: Statement) -> Any:
        parts = [self._element("action", statement.action, fold=True)]
        if statement.resource:
            parts.append(self._element("resource", statement.resource))
        return z3.And(parts + [self._condition(condition) for condition in statement.conditions])

    def _element(self, name: str, element: Element, fold: bool = False) -> Any:
        inside = self._inside(z3.String(name), element.values, fold)
        return z3.Not(inside) if element.negated else inside

    def _inside(self, variable: Any, values: Iterable[Value], fold: bool = False, wild: bool = True) -> Any:
        return z3.Or([z3.InRe(variable, self._expression(value.pattern, fold, wild)) for value in values])

    def _expression(self, pattern: Pattern, fold: bool, wild: bool) -> Any:
        parts = []
        for part in pattern.parts:
            if isinstance(part, str):
                parts.append(z3.Re(part.lower() if fold else part))
            elif getattr(part, "symbol", "*") == "?":
                parts.append(self._one if wild else z3.Re("?"))
            else:
                parts.append(self._any)
        return z3.Concat(parts) if len(parts) > 1 else parts[0] if parts else z3.Re("")

    def _condition(self, condition: Condition) -> Any:
        here, value = z3.Bool(f"has {condition.key}"), z3.String(condition.key)
        if condition.operator == "Null":
            return z3.Or([z3.Not(here) if each.text.lower() == "true" else here for each in condition.values])
        negated = "Not" in condition.operator
        if condition.operator.startswith(("String", "Arn")):
            wild = "Like" in condition.operator or condition.operator.startswith("Arn")
            holds = self._inside(value, condition.values, wild=wild)
        elif condition.operator == "Bool":
            holds = z3.Or([value == each.text.lower() for each in condition.values])
        else:
            holds = z3.Bool(f"{condition.operator} {condition.key} {[each.text for each in condition.values]}")
        absent_holds = negated or condition.if_exists or condition.quantifier == "ForAllValues"
        matched = z3.Not(holds) if negated else holds
        return z3.Or(z3.And(here, matched), z3.Not(here)) if absent_holds else z3.And(here, matched)


def _ask(new: Policy, old: Policy, answers: Any) -> None:
    encoding = _Encoding()
    solver = z3.Solver()
    solver.set("timeout", int(CUT_OFF * 1000))
    solver.add(encoding.allows(new), z3.Not(encoding.allows(old)))
    action = z3.String("action")
    solver.add(z3.InRe(action, z3.Concat(encoding._one, encoding._any, z3.Re(":"), encoding._one, encoding._any)))
    solver.add(z3.Length(z3.String("resource")) > 0)
    answers.put({"unsat": "PASS", "sat": "FAIL"}.get(str(solver.check()), "UNKNOWN"))


def no_new_access(new: Policy, old: Policy) -> str:
    """PASS, FAIL, or UNKNOWN if it takes too long. In a process of its own, since Z3 may not stop when told to."""
    context = get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=_ask, args=(new, old, answers))
    process.start()
    process.join(CUT_OFF + 5)
    if process.is_alive():
        process.kill()
        process.join()
        return "UNKNOWN"
    return "UNKNOWN" if answers.empty() else str(answers.get())
