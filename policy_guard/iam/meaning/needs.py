"""Which readings of AWS's pages a request needs to be in a set, if they may all turn out one way or the other."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, TypeAlias

from policy_guard.iam.meaning.interpretations import PLACEHOLDER_IS_UNRESOLVED
from policy_guard.iam.policy import Request
from policy_guard.solver.formula import Formula, choices

MOST_EVALUATIONS = 64

Holds: TypeAlias = "Callable[[Request], bool]"


class _ChoiceRecorder(dict[str, bool]):
    """Choices that keep a list of those of `names` that were asked for and are not there.

    The text that a placeholder has is a part of the request, so whether it is filled in at all is never asked.
    """

    def __init__(self, choices: Mapping[str, bool], names: Container[str]) -> None:
        super().__init__(choices)
        self._names = names
        self.missing: dict[str, None] = {}

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self and name in self._names and not name.startswith(PLACEHOLDER_IS_UNRESOLVED.name):
            self.missing[name] = None
            return False
        return super().get(name, default)


def choice_names(formula: Formula) -> frozenset[str]:
    """The choices on which it may depend whether a request is in the set."""
    return frozenset(choice.name for choice in choices(formula))


def holds_anyhow(request: Request, fixed: Mapping[str, bool], names: Container[str], holds: Holds) -> bool:
    """Tell whether it holds with these choices, whatever the others of `names` are; False if that takes too long."""
    stack = [dict(fixed)]
    for _ in range(MOST_EVALUATIONS):
        if not stack:
            return True
        recorder = _ChoiceRecorder(stack.pop(), names)
        if not holds(request._replace(choices=recorder)):
            return False
        assumed = dict(recorder)
        for name in recorder.missing:
            stack.append({**assumed, name: True})
            assumed[name] = False
    return not stack


def needed(request: Request, names: Container[str], holds: Holds) -> tuple[tuple[str, bool], ...]:
    """As few choices of the request as make it hold whatever the others are, each with its truth.

    It holds with all of them. If one of two is enough, one of them is given.
    """
    fixed = dict(sorted(request.choices.items()))
    if holds_anyhow(request, {}, names, holds):
        return ()
    for name in list(fixed):
        subset = {choice: truth for choice, truth in fixed.items() if choice != name}
        if holds_anyhow(request, subset, names, holds):
            fixed = subset
    return tuple(fixed.items())
