"""How far a policy can be read: what of it nobody knows, and what decides which it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from policy_guard.documents.containers.opaque import is_digest
from policy_guard.iam.policy import MADE_UP, Policy, in_words, patterns_of
from policy_guard.solver.strings.pattern import HIDDEN, Unknown

_NOBODY = ("alone ", "statements of resources")
"""How holders begin that only tell policies apart which are attached to nobody where they stand."""
Extent: TypeAlias = Literal["exactly", "with unknown texts", "with choices"]


def extent(policy: Policy) -> Extent:
    """Tell how far the policy can be read."""
    return "with choices" if choices(policy) else "with unknown texts" if unknown_texts(policy) else "exactly"


def visible_text(text: str) -> str:
    """The text without what only tells unknown parts apart."""
    return text.partition(HIDDEN)[0]


def visible_holder(policy: Policy) -> str:
    """Return whose a policy is, for people; empty where a mark tells that, and no name."""
    text = policy.owner or visible_text(policy.holder)
    return "" if is_digest(text) or text.startswith(_NOBODY) else text


def unknown_texts(policy: Policy) -> tuple[str, ...]:
    """The names of the parts whose texts are not known."""
    patterns = [pattern for statement in policy.statements for pattern in patterns_of(statement)]
    patterns += [value.pattern for statement in policy.statements for value in statement.action.values]
    unknown = (part for pattern in patterns for part in pattern.parts if isinstance(part, Unknown))
    return tuple(sorted({visible_text(part.name) for part in unknown}))


def choices(policy: Policy) -> tuple[str, ...]:
    """The conditions that decide what the policy is, in words."""
    guards: Iterable[str] = (
        in_words(condition)
        for statement in policy.statements
        for condition in statement.conditions
        if condition.key.startswith(MADE_UP)
    )
    return tuple(dict.fromkeys(guards))
