"""What a policy allows as a set of requests: a formula over action, resource, principal and condition keys.

The twin of `evaluate`, which decides one request: the same names in the same order, and neither imports the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from policy_guard.automaton import Glob
from policy_guard.callers import principal_matches
from policy_guard.condition import Operator, glob, globs
from policy_guard.conditions import operators
from policy_guard.formula import (
    FALSE,
    TRUE,
    Formula,
    choice,
    conjunction,
    disjunction,
    member,
    negation,
    present,
)
from policy_guard.match import folded
from policy_guard.pattern import STAR, Part, Pattern, Unknown, Variable
from policy_guard.policy import CAPS, ROLE, Condition, Element, Policy, Statement, as_written, patterns_of
from policy_guard.readings import ANY_VALUE_IF_EXISTS, PLAIN_NEEDS_ALL_VALUES, UNRESOLVED_DROPS_STATEMENT
from policy_guard.strings import Language, Slot

MOST_DEFAULTS = 4
A_ROLE = member("resource", Language([glob(ROLE)]))


class Access:
    """The sets of requests of some policies that are judged together.

    A key under ForAllValues or ForAnyValue in any of them has as many slots as conditions that speak of it and one
    more, every other key one: more values than that decide nothing (dropping the others keeps each condition as it
    is).
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        occurrences: dict[str, set[object]] = {}
        several: set[str] = set()
        for condition in (c for policy in policies for statement in policy.statements for c in statement.conditions):
            occurrences.setdefault(condition.key, set()).add(as_written(condition))
            if condition.quantifier:
                several.add(condition.key)
        self._slots = {key: len(occurrences[key]) + 1 for key in several}
        self._applies: dict[int, tuple[Statement, Formula]] = {}

    def allows(self, policy: Policy | None, kind: str) -> Formula:
        """The requests that the policy of this kind allows; None is no policy."""
        return conjunction([self.granted(policy, kind), negation(self.denied(policy))])

    def granted(self, policy: Policy | None, kind: str) -> Formula:
        """The requests to which some Allow applies. A cap that allows nothing leaves everything to others."""
        allowing = [s for s in policy.statements if s.effect == "Allow"] if policy else []
        if not allowing and kind in CAPS:
            return TRUE
        return disjunction(map(self.applies, allowing))

    def denied(self, policy: Policy | None) -> Formula:
        """The requests to which some Deny applies."""
        return disjunction(self.applies(s) for s in (policy.statements if policy else ()) if s.effect == "Deny")

    def applies(self, statement: Statement) -> Formula:
        """The requests to which the statement applies."""
        if id(statement) not in self._applies:
            self._applies[id(statement)] = statement, self._statement(statement)
        return self._applies[id(statement)][1]

    def _statement(self, statement: Statement) -> Formula:
        parts = [
            principal_matches(statement.principals) if statement.principals else TRUE,
            self.action_matches(statement.action),
            self.resource_matches(statement.resource) if statement.resource else A_ROLE,
        ]
        parts += map(self.condition_holds, statement.conditions)
        return conjunction([*parts, self._resolved(statement)])

    def action_matches(self, element: Element) -> Formula:
        unknown = [value for value in element.values if _holes(value.pattern)]
        known = [_folded_glob(value.pattern) for value in element.values if not _holes(value.pattern)]
        alternatives = [choice("unsupported", f'action "{value.text}" covers the one asked for') for value in unknown]
        return _element(element, [member("action", Language(known)), *alternatives])

    def resource_matches(self, element: Element) -> Formula:
        plain = [value.pattern for value in element.values if not _variables(value.pattern)]
        alternatives = [
            conjunction([given, member("resource", Language([glob(pattern)]))])
            for value in element.values
            for given, pattern in self._resolutions(value.pattern)
        ]
        return _element(element, [member("resource", Language(globs(plain))), *alternatives])

    def condition_holds(self, condition: Condition) -> Formula:
        operator = operators().get(condition.operator)
        if operator is None or (operator.encode is None and any(_holes(v.pattern) for v in condition.values)):
            return choice("unsupported", as_written(condition))
        slots = [Slot(condition.key, index) for index in range(self._slots.get(condition.key, 1))]
        here = disjunction(map(present, slots))
        if operator.encode is None:
            return self._of_presence(operator, condition, here)
        tests = [(present(slot), self._test(operator, condition, slot)) for slot in slots]
        some = disjunction(conjunction(each) for each in tests)
        every = conjunction(disjunction([negation(holds), test]) for holds, test in tests)
        if condition.quantifier == "ForAllValues":
            return every
        if condition.quantifier == "ForAnyValue":
            absent_too = choice("reading", ANY_VALUE_IF_EXISTS.name) if condition.if_exists else FALSE
            return disjunction([some, conjunction([negation(here), absent_too])])
        absent_holds = operator.negated or condition.if_exists
        if len(slots) > 1:
            some = _any_or_all(some, conjunction([here, every]))
        return disjunction([some, negation(here)]) if absent_holds else some

    def _of_presence(self, operator: Operator, condition: Condition, here: Formula) -> Formula:
        given = [value.pattern for value in condition.values]
        absent = TRUE if any(operator.holds(pattern, "true") for pattern in given) else FALSE
        there = TRUE if any(operator.holds(pattern, "false") for pattern in given) else FALSE
        return disjunction([conjunction([negation(here), absent]), conjunction([here, there])])

    def _test(self, operator: Operator, condition: Condition, slot: Slot) -> Formula:
        """What one value in the slot has to satisfy."""
        assert operator.encode is not None
        plain = tuple(value.pattern for value in condition.values if not _variables(value.pattern))
        alternatives = [operator.encode(slot, plain)] if plain else []
        for value in condition.values:
            for given, pattern in self._resolutions(value.pattern):
                alternatives.append(conjunction([given, operator.encode(slot, (pattern,))]))
        matched = disjunction(alternatives)
        return negation(matched) if operator.negated else matched

    def _resolutions(self, pattern: Pattern) -> Iterator[tuple[Formula, Pattern]]:
        """The patterns that one with variables turns into, and when: a default stands in for an absent key."""
        variables = _variables(pattern)
        optional = [variable for variable in variables if variable.default is not None]
        if len(optional) > MOST_DEFAULTS:
            yield choice("unsupported", "a text with many variables that have defaults matches"), Pattern((STAR,))
            return
        for absent in product((False, True), repeat=len(optional)) if variables else ():
            missing = {variable for variable, gone in zip(optional, absent, strict=True) if gone}
            given = conjunction(self._holds_a_value(v, v not in missing) for v in variables)
            yield given, Pattern(tuple(_filled(part, missing) for part in pattern.parts))

    def _holds_a_value(self, variable: Variable, wanted: bool) -> Formula:
        if self._slots.get(variable.key, 1) > 1:
            return choice("unsupported", f"the variable ${{{variable.key}}} of a key with several values")
        here = present(Slot(variable.key, 0))
        return here if wanted else negation(here)

    def _resolved(self, statement: Statement) -> Formula:
        """That every variable without a default has a value, in the reading that asks for it."""
        variables = {v for pattern in patterns_of(statement) for v in _variables(pattern) if v.default is None}
        if not variables:
            return TRUE
        free = negation(choice("reading", UNRESOLVED_DROPS_STATEMENT.name))
        return disjunction(
            [free, conjunction(self._holds_a_value(variable, True) for variable in sorted(variables, key=repr))]
        )


def _element(element: Element, alternatives: list[Formula]) -> Formula:
    matched = disjunction(alternatives)
    return negation(matched) if element.negated else matched


def _any_or_all(some: Formula, every: Formula) -> Formula:
    needs_all = choice("reading", PLAIN_NEEDS_ALL_VALUES.name)
    return disjunction([conjunction([needs_all, every]), conjunction([negation(needs_all), some])])


def _folded_glob(pattern: Pattern) -> Glob:
    """The pattern of an action, which is compared in lower case."""
    return glob(Pattern(tuple(folded(part) if isinstance(part, str) else part for part in pattern.parts)))


def _variables(pattern: Pattern) -> list[Variable]:
    return list(dict.fromkeys(part for part in pattern.parts if isinstance(part, Variable)))


def _holes(pattern: Pattern) -> bool:
    return any(isinstance(part, Unknown) for part in pattern.parts)


def _filled(part: Part, missing: set[Variable]) -> Part:
    if not isinstance(part, Variable):
        return part
    return part.default or "" if part in missing else Variable(part.key)


def _patterns(statement: Statement) -> Iterator[Pattern]:
    yield from (value.pattern for value in (statement.resource.values if statement.resource else ()))
    yield from (value.pattern for condition in statement.conditions for value in condition.values)
