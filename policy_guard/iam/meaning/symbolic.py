"""What a policy allows as a set of requests: a formula over action, resource, principal and condition keys.

The twin of `concrete`, which decides one request: the same names in the same order, and neither imports the other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import product

from policy_guard.iam import catalog
from policy_guard.iam.meaning.interpretations import (
    ANY_VALUE_IF_EXISTS,
    BLANKS_AROUND_ACTIONS_COUNT,
    EMPTY_TEXT_IS_NO_VALUE,
    NO_VALUES_NEVER_HOLD,
    NULL_BY_VALUES,
    PLACEHOLDER_IS_UNRESOLVED,
    PLAIN_NEEDS_ALL_VALUES,
    UNRESOLVED_DROPS_STATEMENT,
    VARIABLES_ONLY_AFTER_FIFTH_COLON,
    WILDCARDS_CROSS_AT_ENDS,
    WILDCARDS_STAY_IN_ARN_PARTS,
)
from policy_guard.iam.meaning.operator import Operator
from policy_guard.iam.meaning.operators import operators
from policy_guard.iam.meaning.symbolic_caller_keys import by_caller, constant, facts, is_implied
from policy_guard.iam.meaning.symbolic_principal import principal_matches
from policy_guard.iam.policy import (
    ROLE,
    Condition,
    Element,
    Kind,
    Policy,
    Principals,
    Statement,
    as_written,
    by_effect,
    crowded,
    leaves_all,
    patterns_of,
    placeholders_of,
)
from policy_guard.solver.common import Common
from policy_guard.solver.formula import (
    FALSE,
    TRUE,
    And,
    Formula,
    Literal,
    Member,
    choice,
    conjunction,
    disjunction,
    member,
    negation,
    present,
)
from policy_guard.solver.strings.automaton import Caseless, Glob, Step
from policy_guard.solver.strings.glob import glob, language
from policy_guard.solver.strings.language import Language, Slot
from policy_guard.solver.strings.pattern import (
    STAR,
    Part,
    Pattern,
    Unknown,
    Variable,
    folded,
    has_early_variable,
    holes,
    in_arn_parts,
)

MOST_DEFAULTS = 4
MOST_TESTS = 50_000
"""How often a condition may be asked of a value, in all formulas about keys with several values."""
# Of identity providers that AWS does not list: the claim that holds several values by its standard (RFC 8176).
_SEVERAL = ":amr"
A_ROLE = member("resource", Language([glob(ROLE)]))


class Access:
    """The sets of requests of some policies that are judged together.

    A key that may hold several values has as many slots as conditions that speak of it and one more, every other key
    one: more values than that decide nothing (dropping the others keeps each condition as it is). One more is for its
    variable, which stands for the value in the first slot. Whether it may, AWS's list of keys says, and for a key that
    is not in there, whether a set operator is used on it or a template fills in a part of it.
    """

    def __init__(
        self, policies: Iterable[Policy], extra_statements: Iterable[Statement] = (), with_principals: bool = False
    ) -> None:
        """`extra_statements` are asked about besides those of the policies.

        With `with_principals`, or if a statement names principals, condition keys hold what follows from the caller.
        """
        statements = [*(statement for policy in policies for statement in policy.statements), *extra_statements]
        self._statements = statements
        occurrences: dict[str, set[str]] = {}
        with_several: set[str] = set()
        self._variables = {variable.key for statement in statements for variable in _all_variables(statement)}
        self._verbatim = set(self._variables)
        for condition in (condition for statement in statements for condition in statement.conditions):
            occurrences.setdefault(condition.key, set()).add(as_written(condition))
            if condition.quantifier or condition.unknown_key:
                with_several.add(condition.key)
            operator = operators()[condition.operator]
            if operator.encode and not operator.spellings:
                self._verbatim.add(condition.key)
        self._with_principals = with_principals or any(statement.principals for statement in statements)
        self._by_caller = self._with_principals and any(map(is_implied, {*occurrences, *self._variables}))
        self._written = occurrences
        self._slots = {
            key: len(conditions) + 1 + (key in self._variables)
            for key, conditions in occurrences.items()
            if _is_multivalued(key, otherwise=key in with_several)
        }
        self._crowded = frozenset(_excess_keys(MOST_TESTS, {key: slots**2 for key, slots in self._slots.items()}))
        self._actions: dict[int, tuple[Element, Formula]] = {}
        self._applies: dict[int, tuple[Statement, Formula]] = {}
        self._allows: dict[tuple[int, str], tuple[Policy | None, Formula]] = {}
        self._holds: dict[Hashable, Formula] = {}
        self._undenied: dict[int, tuple[Policy | None, Common]] = {}
        self._ungranted: dict[tuple[int, str], tuple[Policy | None, Common]] = {}

    def knowing(self, statements: Iterable[Statement]) -> Access:
        """These sets, or if they do not know all conditions of the statements, others that do."""
        missing = [s for s in statements if not all(map(self._covers, s.conditions)) or self._verbatim_in(s)]
        return Access((), [*self._statements, *missing], self._with_principals) if missing else self

    def _covers(self, condition: Condition) -> bool:
        return as_written(condition) in self._written.get(condition.key, ())

    def _verbatim_in(self, statement: Statement) -> bool:
        """Tell whether the statement has variables whose keys are not known to be compared as texts by variables."""
        return any(variable.key not in self._variables for variable in _all_variables(statement))

    def facts(self) -> Formula:
        """Return what is true of every request, beyond what the conditions say."""
        keys = sorted(filter(is_implied, self._variables)) if self._by_caller else ()
        return conjunction(facts(Variable(key)) for key in keys)

    def allows(self, policy: Policy | None, kind: Kind) -> Formula:
        """The requests that the policy of this kind allows; None is no policy."""
        key = id(policy), kind
        if key not in self._allows:
            allowed = conjunction([self.granted(policy, kind), negation(self.denied(policy))])
            self._allows[key] = policy, allowed
        return self._allows[key][1]

    def granted(self, policy: Policy | None, kind: Kind) -> Formula:
        """The requests to which some Allow applies, or all where everything is left to others."""
        if leaves_all(policy, kind):
            return TRUE
        return disjunction(map(self.applies, by_effect(policy)[0]))

    def denied(self, policy: Policy | None) -> Formula:
        """The requests to which some Deny applies."""
        return disjunction(map(self.applies, by_effect(policy)[1]))

    def undenied(self, requests: Formula, policy: Policy | None) -> Formula:
        """Those of the requests that the policy does not deny."""
        return conjunction([requests, self._undenied_by(policy).rest(requests)])

    def disallowed(self, requests: Formula, policy: Policy | None, kind: Kind) -> Formula:
        """Those of the requests that the policy of this kind does not allow."""
        key = id(policy), kind
        if key not in self._ungranted:
            self._ungranted[key] = policy, Common(negation(self.granted(policy, kind)))
        ungranted = self._ungranted[key][1].rest(requests)
        return conjunction([requests, disjunction([ungranted, negation(self._undenied_by(policy).rest(requests))])])

    def _undenied_by(self, policy: Policy | None) -> Common:
        if id(policy) not in self._undenied:
            self._undenied[id(policy)] = policy, Common(negation(self.denied(policy)))
        return self._undenied[id(policy)][1]

    def applies(self, statement: Statement) -> Formula:
        """The requests to which the statement applies."""
        if id(statement) not in self._applies:
            self._applies[id(statement)] = statement, self._statement(statement)
        return self._applies[id(statement)][1]

    def _statement(self, statement: Statement) -> Formula:
        parts = [
            self.principal_matches(statement.principals) if statement.principals else TRUE,
            self.actions(statement),
            self.resource_matches(statement.resource) if statement.resource else A_ROLE,
        ]
        parts += map(self._condition_holds, statement.conditions)
        formula = conjunction([*parts, self._resolved(statement)])
        return by_caller(formula) if self._by_caller else formula

    def actions(self, statement: Statement) -> Formula:
        """The requests for an action of the statement."""
        element = statement.action
        if id(element) not in self._actions:
            self._actions[id(element)] = element, action_matches(element)
        return self._actions[id(element)][1]

    def principal_matches(self, principals: Principals) -> Formula:
        return principal_matches(principals, {*self._written, *self._variables} if self._by_caller else ())

    def resource_matches(self, element: Element) -> Formula:
        plain = [value.pattern for value in element.values if not _variables(value.pattern)]
        alternatives = [
            conjunction([premise, _resource([pattern]), _filled_in(value.pattern)])
            for value in element.values
            for premise, pattern in self._resolutions(value.pattern)
        ]
        return _element(element, [_resource(plain), *alternatives])

    def condition_holds(self, condition: Condition) -> Formula:
        """The requests for which the condition holds."""
        holds = self._condition_holds(condition)
        return by_caller(holds) if self._by_caller else holds

    def _condition_holds(self, condition: Condition) -> Formula:
        """The same, worked out once for all conditions that are written alike."""
        values = tuple((value.text, value.pattern) for value in condition.values)
        key = condition.quantifier, condition.operator, condition.if_exists, condition.key, values
        if key not in self._holds:
            self._holds[key] = self._encoded(condition)
        return self._holds[key]

    def _encoded(self, condition: Condition) -> Formula:
        # With a condition that was not counted, too few values would be looked at, and too much proved.
        assert as_written(condition) in self._written[condition.key]
        if condition.key in self._crowded:
            return choice("unsupported", crowded(condition))
        operator = operators()[condition.operator]
        slots = [Slot(condition.key, index) for index in range(self._slots.get(condition.key, 1))]
        if operator.encode is None:
            return self._presence_holds(condition, disjunction(map(present, slots)))
        usual = self._values_hold(operator, condition, slots)
        if operator.spellings is None or not condition.values or condition.key not in self._verbatim:
            return usual
        patterns = tuple(value.pattern for value in condition.values)
        unusual = disjunction(conjunction([present(s), operator.spellings.encode(s, patterns)]) for s in slots)
        unclear = choice("unsupported", as_written(condition))
        return disjunction([conjunction([unusual, unclear]), conjunction([negation(unusual), usual])])

    def _values_hold(self, operator: Operator, condition: Condition, slots: list[Slot]) -> Formula:
        key_presence = disjunction(map(present, slots))
        tests = [(present(slot), self._test(operator, condition, slot)) for slot in slots]
        if condition.quantifier:
            # Without values, ForAllValues holds only if the key is missing (access-analyzer-reference-policy-checks).
            no_value = choice("reading", EMPTY_TEXT_IS_NO_VALUE.name) if condition.values else FALSE
            empty = [conjunction([no_value, member(slot, Language(texts=[""]))]) for slot in slots]
        if condition.quantifier == "ForAllValues":
            tests = [(presence, disjunction([test, each])) for (presence, test), each in zip(tests, empty, strict=True)]
        elif condition.quantifier == "ForAnyValue":
            tests = [
                (presence, conjunction([test, negation(e)])) for (presence, test), e in zip(tests, empty, strict=True)
            ]
        any_holds = disjunction(conjunction(each) for each in tests)
        all_hold = conjunction(disjunction([negation(presence), test]) for presence, test in tests)
        if condition.quantifier == "ForAllValues":
            return all_hold
        if condition.quantifier == "ForAnyValue":
            absent_too = choice("reading", ANY_VALUE_IF_EXISTS.name) if condition.if_exists else FALSE
            return disjunction([any_holds, conjunction([negation(key_presence), absent_too])])
        if len(slots) > 1:
            any_holds = _any_or_all(any_holds, conjunction([key_presence, all_hold]))
        return disjunction([any_holds, conjunction([negation(key_presence), self._absent_holds(operator, condition)])])

    def _absent_holds(self, operator: Operator, condition: Condition) -> Formula:
        if condition.if_exists or not operator.negated:
            return TRUE if condition.if_exists else FALSE
        return TRUE if condition.values else negation(choice("reading", NO_VALUES_NEVER_HOLD.name))

    def _presence_holds(self, condition: Condition, key_presence: Formula) -> Formula:
        values = language((value.pattern for value in condition.values), wild=False, fold=True)
        if_absent, if_present = (constant(text, values) for text in ("true", "false"))
        usual = disjunction([conjunction([negation(key_presence), if_absent]), conjunction([key_presence, if_present])])
        if not condition.quantifier:
            return usual
        by_values = TRUE if condition.quantifier == "ForAllValues" else conjunction([key_presence, if_present])
        return _by_reading(NULL_BY_VALUES.name, by_values, usual)

    def _test(self, operator: Operator, condition: Condition, slot: Slot) -> Formula:
        """Return what one value in the slot has to satisfy."""
        assert operator.encode is not None
        patterns = [value.pattern for value in condition.values]
        alternatives = [self._value_matches(operator, slot, [p for p in patterns if not operator.unclear(p)])]
        for pattern in patterns:
            if unclear := operator.unclear(pattern):
                encodings = (
                    self._value_matches(alternative, slot, [pattern])
                    for alternative in (unclear.if_true, unclear.if_false)
                )
                alternatives.append(_by_reading(unclear.reading, *encodings))
        if operator.negated and not patterns:
            return negation(choice("reading", NO_VALUES_NEVER_HOLD.name))
        matched = disjunction(alternatives)
        return negation(matched) if operator.negated else matched

    def _value_matches(self, operator: Operator, slot: Slot, patterns: list[Pattern]) -> Formula:
        """State that the value in the slot matches one of the patterns."""
        assert operator.encode is not None
        plain = tuple(operator.prepared(pattern) for pattern in patterns if not _variables(pattern))
        alternatives = [operator.encode(slot, plain)] if plain else []
        for pattern in patterns:
            for premise, resolution in self._resolutions(operator.prepared(pattern)):
                alternatives.append(conjunction([premise, operator.encode(slot, (resolution,))]))
        return disjunction(alternatives)

    def _resolutions(self, pattern: Pattern) -> Iterator[tuple[Formula, Pattern]]:
        """The patterns that one with variables turns into, and when: a default stands in for an absent key."""
        variables = _variables(pattern)
        optional = [variable for variable in variables if variable.default is not None]
        if len(optional) > MOST_DEFAULTS:
            yield choice("unsupported", "a text with many variables that have defaults matches"), Pattern((STAR,))
            return
        for absent in product((False, True), repeat=len(optional)) if variables else ():
            missing = {variable for variable, gone in zip(optional, absent, strict=True) if gone}
            premise = conjunction(self._holds_a_value(v, v not in missing) for v in variables)
            yield premise, Pattern(tuple(_fill_in(part, missing) for part in pattern.parts))

    def _holds_a_value(self, variable: Variable, expected: bool) -> Formula:
        presence = present(Slot(variable.key, 0))
        literal = presence if expected else negation(presence)
        if self._slots.get(variable.key, 1) == 1:
            return literal
        unclear = choice("unsupported", f"the variable ${{{variable.key}}} of a key with several values")
        return conjunction([unclear, literal])

    def _resolved(self, statement: Statement) -> Formula:
        """State that variables without a default and placeholders have values, in the reading that asks for it."""
        variables = {variable for variable in _all_variables(statement) if variable.default is None}
        placeholders = sorted(placeholders_of(statement))
        if not variables and not placeholders:
            return TRUE
        free = negation(choice("reading", UNRESOLVED_DROPS_STATEMENT.name))
        resolved = [self._holds_a_value(variable, True) for variable in sorted(variables, key=repr)]
        resolved += (negation(choice("reading", f"{PLACEHOLDER_IS_UNRESOLVED.name} {name}")) for name in placeholders)
        return disjunction([free, conjunction(resolved)])


def surely_apart(first: Formula, second: Formula) -> bool:
    """Tell whether two sets of requests surely exclude each other, as one text shows by itself."""
    languages: dict[str | Slot, list[Language]] = {}
    for atom in _certain_members(first):
        languages.setdefault(atom.variable, []).append(atom.language)
    return any(
        language.is_apart_from(atom.language)
        for atom in _certain_members(second)
        for language in languages.get(atom.variable, ())
    )


def _certain_members(formula: Formula) -> Iterator[Member]:
    for part in formula.parts if isinstance(formula, And) else (formula,):
        if isinstance(part, Literal) and part.positive and isinstance(part.atom, Member):
            yield part.atom


def action_matches(element: Element) -> Formula:
    """The requests for an action of the element."""
    plain = element.plain_in_lower_case
    tight = member("action", Language((_action_glob(v.pattern) for v in element.other_values if not v.padded), plain))
    padded = member("action", Language(_action_glob(v.pattern) for v in element.other_values if v.padded))
    trimmed = negation(choice("reading", BLANKS_AROUND_ACTIONS_COUNT.name))
    return _element(element, [tight, conjunction([padded, trimmed])])


def _excess_keys(limit: int, costs: Mapping[str, int]) -> Iterator[str]:
    """The keys that do not fit when the cheap ones are taken first."""
    for key, cost in sorted(costs.items(), key=lambda item: (item[1], item[0])):
        limit -= cost
        if limit < 0:
            yield key


def _is_multivalued(key: str, otherwise: bool) -> bool:
    """Tell whether a request may hold several values of the key."""
    key_type = catalog.key_type(key)
    return key_type.multivalued if key_type else otherwise or key.endswith(_SEVERAL)


def _filled_in(pattern: Pattern) -> Formula:
    """State that the variables of a resource are filled in, though one stands before the fifth colon."""
    return negation(choice("reading", VARIABLES_ONLY_AFTER_FIFTH_COLON.name)) if has_early_variable(pattern) else TRUE


def _action_glob(pattern: Pattern) -> Glob:
    """The pattern of an action, which is compared in lower case."""
    lower = glob(Pattern(tuple(folded(part) if isinstance(part, str) else part for part in pattern.parts)))
    return tuple(map(_caseless, lower)) if holes(pattern) else lower


def _caseless(step: Step) -> Step:
    return step._replace(symbols=frozenset(Caseless(s) if isinstance(s, Unknown) else s for s in step.symbols))


def _resource(patterns: Iterable[Pattern]) -> Formula:
    free = list(patterns)
    at_ends = [in_arn_parts(pattern, but_at_ends=True) for pattern in free]
    in_parts = list(map(in_arn_parts, free))
    crossing = member("resource", language(free))
    if free != at_ends:
        crossing = _by_reading(WILDCARDS_CROSS_AT_ENDS.name, member("resource", language(at_ends)), crossing)
    if free == in_parts:
        return crossing
    return _by_reading(WILDCARDS_STAY_IN_ARN_PARTS.name, member("resource", language(in_parts)), crossing)


def _by_reading(name: str, if_true: Formula, if_false: Formula) -> Formula:
    reading = choice("reading", name)
    return disjunction([conjunction([reading, if_true]), conjunction([negation(reading), if_false])])


def _element(element: Element, alternatives: list[Formula]) -> Formula:
    matched = disjunction(alternatives)
    return negation(matched) if element.negated else matched


def _any_or_all(any_holds: Formula, all_hold: Formula) -> Formula:
    return _by_reading(PLAIN_NEEDS_ALL_VALUES.name, all_hold, any_holds)


def _variables(pattern: Pattern) -> list[Variable]:
    return list(dict.fromkeys(part for part in pattern.parts if isinstance(part, Variable)))


def _fill_in(part: Part, missing: set[Variable]) -> Part:
    if not isinstance(part, Variable):
        return part
    return part.default or "" if part in missing else Variable(part.key)


def _all_variables(statement: Statement) -> Iterator[Variable]:
    return (variable for pattern in patterns_of(statement) for variable in _variables(pattern))
