"""Whether a set of requests is empty, and if not, which request is in it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from copy import copy
from functools import partial
from typing import TypeAlias

from policy_guard.iam.meaning.interpretations import WILDCARDS_CROSS_AT_ENDS, WILDCARDS_STAY_IN_ARN_PARTS, reading
from policy_guard.iam.meaning.needs import choice_names, holds_anyhow, needed
from policy_guard.iam.meaning.operators.boolean import BOOLEANS
from policy_guard.iam.meaning.symbolic_principal import CALLERS, caller, callers
from policy_guard.iam.meaning.witness import likely
from policy_guard.iam.policy import Request
from policy_guard.iam.principal import NO_ACCOUNT, PRINCIPAL_TYPES
from policy_guard.records import NamedTuple
from policy_guard.solver.budget import STEPS, STEPS_A_QUESTION, STEPS_ASIDE, STEPS_IN_ALL, Budgets
from policy_guard.solver.formula import (
    TRUE,
    Assumption,
    Formula,
    choices,
    conjunction,
    without_choices,
)
from policy_guard.solver.search import Empty, Search, TooHard
from policy_guard.solver.simplify import Simplifier
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Budget, Language, OverBudget, Slot
from policy_guard.solver.strings.pattern import ONE, STAR, Pattern, Wildcard
from policy_guard.solver.theory import Point, Theory

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
    """A set that is asked about, and the truths of the choices that are made for it."""

    access: Formula
    truths: Mapping[str, bool]


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
        theory = Theory(domains, lambda key: BOOLEANS if key in booleans else None, likely, tuple(places))
        self._search = Search(theory, self._simplifier)

    def aside(self, steps: int = STEPS_ASIDE) -> Prover:
        """The same with another budget, for questions on which no verdict hangs."""
        prover = copy(self)
        prover._budget = self._budgets.aside.part(steps)
        return prover

    def is_spent(self) -> bool:
        """Tell whether nothing more can be asked."""
        return self._budget.remainder < STEPS_A_QUESTION

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
        for formula, truths in ways.items():
            if isinstance(answer, Proved):
                answer = self._answer_under(formula, _Way(access, truths if len(ways) > 1 else {}), replay)
        return answer

    def _answer_under(self, access: Formula, way: _Way, replay: Replay) -> Answer:
        """The answer under the choices of the way."""
        try:
            budget = self._budget.part(STEPS)
            budget.spend(STEPS_A_QUESTION + access.size // 4, "the number of statements")
            confirm = partial(_confirmed, way=way, replay=self._charge(replay, budget))
            formula = self._simplifier.simplify(access, budget)
            kinds = {choice.kind for choice in choices(formula)}
            for left_out in (("reading", "unsupported"), ("unsupported",)):
                if kinds.intersection(left_out):
                    firm = self._simplifier.simplify(without_choices(formula, left_out), budget)
                    if isinstance(answer := self._search.point(firm, confirm, budget), Witness):
                        return answer
            return _answer(self._search.point(formula, confirm, budget))
        except OverBudget as error:
            return Undecided(str(error))

    def _charge(self, replay: Replay, budget: Budget) -> Replay:
        def judge(request: Request) -> bool:
            budget.spend(self._steps_a_replay() // 3, "the number of statements")
            return replay(request)

        return judge


def _answer(result: Witness | Unsupported | Empty | TooHard) -> Answer:
    match result:
        case Empty():
            return Proved()
        case TooHard(part):
            return Undecided(part)
        case Witness() | Unsupported():
            return result


def _confirmed(point: Point, way: _Way, replay: Replay) -> Witness | Unsupported | None:
    """Return what a point shows; None if the request at it is not in the set after all."""
    request = _request(point._replace(choices={**way.truths, **point.choices}))
    parts = tuple(name for name in point.choices if reading(name) is None)
    names = choice_names(way.access)
    if not parts and holds_anyhow(request, {}, names, replay):
        return Witness(request)
    if not replay(request):
        return None
    return Unsupported(parts) if parts else Witness(request, needed(request, names, replay))


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
