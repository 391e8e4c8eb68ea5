"""Whether a set of requests is empty, and if not, which request is in it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from copy import copy
from itertools import islice
from typing import NamedTuple, TypeAlias

from policy_guard.iam.meaning.interpretations import WILDCARDS_CROSS_AT_ENDS, WILDCARDS_STAY_IN_ARN_PARTS, reading
from policy_guard.iam.meaning.needs import choice_names, needed
from policy_guard.iam.meaning.operators.boolean import BOOLEANS
from policy_guard.iam.meaning.symbolic_principal import CALLERS, caller, callers
from policy_guard.iam.meaning.witness import likely
from policy_guard.iam.policy import Request
from policy_guard.iam.principal import NO_ACCOUNT, PRINCIPAL_TYPES
from policy_guard.solver.budget import STEPS_ASIDE, STEPS_IN_ALL, Budgets
from policy_guard.solver.formula import (
    FALSE,
    TRUE,
    And,
    Assumption,
    Atom,
    Choice,
    Formula,
    Literal,
    Member,
    Present,
    choices,
    conjunction,
    disjunction,
    literals,
    member,
    negation,
    present,
    without_choices,
)
from policy_guard.solver.simplify import Simplifier
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Budget, Language, OverBudget, Slot
from policy_guard.solver.strings.pattern import ONE, STAR, Pattern, Unknown, Variable, Wildcard
from policy_guard.solver.strings.placeholders import Texts, substituted
from policy_guard.solver.theory import Impossible, Open, Point, Theory

STEPS = 1_000_000
"""What one question may cost."""
STEPS_A_QUESTION = 300
MOST_ROUNDS = 2_000
MOST_OPEN = 8
MOST_ASSIGNMENTS = 40
"""Texts for the unknown parts and variables of one question that are tried in all of it."""

DOMAINS = {
    "action": Language([glob(Pattern((Wildcard("?", stays=True), Wildcard("*", stays=True), ":", ONE, STAR)))]),
    "resource": Language([glob(Pattern((ONE, STAR)))]),
    "principal": CALLERS,
    **{f"={text}": Language(texts=[text]) for text in ("true", "false", NO_ACCOUNT, *PRINCIPAL_TYPES.values())},
}


class Proved(NamedTuple):
    """No request is in the set."""


class Witness(NamedTuple):
    """A request in the set, confirmed by the one-request evaluator.

    `readings` are the readings that it needs, by name, each with whether it has to be true.
    """

    request: Request
    readings: tuple[tuple[str, bool], ...] = ()


class Unsupported(NamedTuple):
    """Whether a request is in the set depends on parts of the policy that are not understood: these."""

    parts: tuple[str, ...]


class Undecided(NamedTuple):
    """The question was too hard within its budget; `part` says what was."""

    part: str


Answer: TypeAlias = "Proved | Witness | Unsupported | Undecided"
Replay: TypeAlias = "Callable[[Request], bool]"


class _Way(NamedTuple):
    """A set that is asked about, and the choices that are made so."""

    access: Formula
    given: Mapping[str, bool]


class Prover:
    """Answers questions about the same few policies; what it learned from one helps with the next."""

    def __init__(
        self,
        places: Iterable[str] = ("action", "resource"),
        booleans: Container[str] = (),
        budgets: Budgets | None = None,
        partitions: frozenset[str] = frozenset(),
        steps_a_replay: Callable[[], int] = lambda: 1,
        facts: Formula = TRUE,
    ) -> None:
        """`places` are given a text in every witness; the keys `booleans` are true or false.

        Callers with an ARN are of one of the `partitions`, or if there are none, of any. `steps_a_replay` is what it
        costs to judge one request. The `facts` hold for every request.
        """
        self._simplifier = Simplifier()
        self._facts = facts
        self._budgets = budgets or Budgets()
        self._budget = self._budgets.verdicts.part(STEPS_IN_ALL)
        self._replays = self._budgets.aside.part(STEPS_ASIDE)
        self._steps_a_replay = steps_a_replay
        stay, cross = WILDCARDS_STAY_IN_ARN_PARTS.name, WILDCARDS_CROSS_AT_ENDS.name
        leave, at_ends = Assumption(stay, False), Assumption(cross, True)
        self._assumptions = ((leave, Assumption(cross, False)), (Assumption(stay, True), at_ends), (leave, at_ends))
        domains = {**DOMAINS, "principal": callers(partitions) if partitions else CALLERS}
        self._theory = Theory(domains, lambda key: BOOLEANS if key in booleans else None, likely, tuple(places))

    def aside(self, steps: int = STEPS_ASIDE) -> Prover:
        """The same with another budget, for questions on which no verdict hangs."""
        other = copy(self)
        other._budget = self._budgets.aside.part(steps)
        return other

    def is_spent(self) -> bool:
        """Tell whether nothing more can be asked."""
        return self._budget.left < STEPS_A_QUESTION

    def may_replay(self, times: int = 1, steps: int = 0) -> bool:
        """Tell whether so many more requests may be judged, and so many steps made besides, to tell a finding well."""
        try:
            self._replays.spend(self._steps_a_replay() * times + steps, "")
        except OverBudget:
            return False
        return True

    def answer(self, access: Formula, replay: Replay) -> Answer:
        """Proof that the set is empty, or a request in it for which `replay` is true.

        A request that is in it whatever the unclear parts mean is looked for first, then one that needs a reading.
        The readings of wildcards in resources, on which nearly every policy depends, are tried one by one.
        """
        access = conjunction([access, self._facts])
        ways: dict[Formula, dict[str, bool]] = {}
        for assumptions in self._assumptions:
            formula = access
            for assumption in assumptions:
                formula = assumption(formula)
            ways.setdefault(formula, {assumption.name: assumption.truth for assumption in assumptions})
        answer: Answer = Proved()
        for formula, given in ways.items():
            if isinstance(answer, Proved):
                answer = self._under(formula, _Way(access, given if len(ways) > 1 else {}), replay)
        return answer

    def _under(self, access: Formula, way: _Way, replay: Replay) -> Answer:
        """The answer where the choices given are made so."""
        try:
            budget = self._budget.part(STEPS)
            budget.spend(STEPS_A_QUESTION + access.size // 4, "the number of statements")
            replay = self._counted(replay, budget)
            formula = self._simplifier.simplify(access, budget)
            kinds = {each.kind for each in choices(formula)}
            for left_out in (("reading", "unsupported"), ("unsupported",)):
                if kinds.intersection(left_out):
                    firm = self._simplifier.simplify(without_choices(formula, left_out), budget)
                    if isinstance(answer := self._decide(firm, way, replay, budget), Witness):
                        return answer
            return self._decide(formula, way, replay, budget)
        except OverBudget as error:
            return Undecided(str(error))

    def _counted(self, replay: Replay, budget: Budget) -> Replay:
        def judge(request: Request) -> bool:
            budget.spend(self._steps_a_replay() // 3, "the number of statements")
            return replay(request)

        return judge

    def _decide(self, formula: Formula, way: _Way, replay: Replay, budget: Budget) -> Answer:
        if formula == FALSE:
            return Proved()
        parts = formula.parts if isinstance(formula, And) else (formula,)
        facts = [part for part in parts if isinstance(part, Literal)]
        found = self._theory.point(facts, budget, explained=False)
        if isinstance(found, Impossible):
            return Proved()
        if isinstance(found, Point) and (len(facts) == len(parts) or _surely_true(formula, found)):
            return _confirmed(found, way, replay)
        if len(facts) == len(parts):
            answer = self._with_letters_assigned(formula, way, replay, budget)
            return answer or Undecided(found.reason if isinstance(found, Open) else "")
        return self._in_rounds(formula, way, replay, budget)

    def _in_rounds(self, formula: Formula, way: _Way, replay: Replay, budget: Budget) -> Answer:
        """Lets the solver choose which literals to make true, and tells it which of them have no common text."""
        from policy_guard.solver.sat import Solver

        solver = Solver(formula, budget)
        still_open: list[str] = []
        for _ in range(MOST_ROUNDS):
            budget.spend(1 + formula.size // 2, "the number of patterns that overlap")
            model = solver.model()
            if model is None:
                return Undecided(still_open[0]) if still_open else Proved()
            facts = _implicant(formula, model)
            found = self._theory.point(facts, budget)
            if isinstance(found, Point):
                return _confirmed(found, way, replay)
            if isinstance(found, Open):
                if not still_open and (answer := self._with_letters_assigned(formula, way, replay, budget)):
                    return answer
                still_open.append(found.reason)
                if len(still_open) > MOST_OPEN:
                    return Undecided(found.reason)
            solver.learn(found.literals if isinstance(found, Impossible) else facts)
        return Undecided("the number of patterns that overlap")

    def _with_letters_assigned(self, formula: Formula, way: _Way, replay: Replay, budget: Budget) -> Answer | None:
        """Return what some likely texts for the letters show, if it is no proof."""
        size = sum(1 for _ in literals(formula))
        for texts in islice(self._theory.assignments(list(literals(formula)), budget), MOST_ASSIGNMENTS):
            budget.spend(size, "the texts that unknown parts may become")
            unknowns = {letter.name: text for letter, text in texts.items() if isinstance(letter, Unknown)}

            def with_unknowns(request: Request, unknowns: dict[str, str] = unknowns) -> bool:
                return replay(request._replace(unknowns=unknowns))

            plain = self._simplifier.simplify(_assigned(formula, texts), budget)
            answer = self._decide(plain, way, with_unknowns, budget)
            if isinstance(answer, Witness):
                return answer._replace(request=answer.request._replace(unknowns=unknowns))
            if isinstance(answer, Unsupported):
                return answer
        return None


def _assigned(formula: Formula, texts: Texts) -> Formula:
    """The formula where letters stand for these texts, which are then also the values of the variables' keys."""
    languages: dict[Language, Language] = {}

    def filled(one: Formula) -> Formula:
        if not isinstance(one, Literal):
            return (conjunction if isinstance(one, And) else disjunction)(map(filled, one.parts))
        atom = one.atom
        if not isinstance(atom, Member) or not atom.language.letters:
            return one
        if atom.language not in languages:
            languages[atom.language] = substituted(atom.language, texts)
        positive = member(atom.variable, languages[atom.language])
        return positive if one.positive else negation(positive)

    slots = [(Slot(letter.key, 0), text) for letter, text in texts.items() if isinstance(letter, Variable)]
    values = (disjunction([negation(present(slot)), member(slot, Language(texts=[text]))]) for slot, text in slots)
    return conjunction([filled(formula), *values])


def _confirmed(point: Point, way: _Way, replay: Replay) -> Answer:
    request = _request(point._replace(choices={**way.given, **point.choices}))
    if not replay(request):
        return Undecided("a request that the two evaluations judge differently (please report this)")
    parts = tuple(name for name in point.choices if reading(name) is None)
    return Unsupported(parts) if parts else Witness(request, needed(request, choice_names(way.access), replay))


def _implicant(formula: Formula, model: dict[Atom, bool]) -> tuple[Literal, ...]:
    """Literals that are true in the model and make the formula true by themselves."""
    chosen: dict[Literal, None] = {}
    waiting = [formula]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Literal):
            chosen[one] = None
        elif isinstance(one, And):
            waiting += reversed(one.parts)
        else:
            waiting.append(next(part for part in one.parts if _true(part, model)))
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


def _request(point: Point) -> Request:
    context: dict[str, tuple[str, ...]] = {}
    for place, text in point.texts.items():
        if isinstance(place, Slot):
            context[place.key] = tuple(dict.fromkeys([*context.get(place.key, ()), text]))
    principal = point.texts.get("principal")
    return Request(
        principal=caller(principal) if principal is not None else None,
        action=point.texts["action"],
        resource=point.texts["resource"],
        context=context,
        unknowns=point.unknowns,
        choices=point.choices,
    )
