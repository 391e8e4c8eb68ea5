"""How large a policy is to AWS, and which of its limits it passes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from policy_guard.documents.source import Array, Node, Object
from policy_guard.iam.policy import Kind
from policy_guard.records import NamedTuple


class Limit(NamedTuple):
    """The characters that AWS allows; `is_sum` tells that the limit is for the sum of all inline policies."""

    of: str
    characters: int
    is_sum: bool = False


# IAM User Guide, reference_iam-quotas: "IAM doesn't count white space when calculating the size of a policy".
_MANAGED = Limit("a managed policy", 6144)
_INLINE = (
    Limit("the inline policies of a user", 2048, True),
    Limit("the inline policies of a group", 5120, True),
    Limit("the inline policies of a role", 10240, True),
)
_LIMITS = {"identity": (_MANAGED, *_INLINE), "boundary": (_MANAGED,), "trust": (Limit("a trust policy", 2048),)}
LEAST = min(limit.characters for limits in _LIMITS.values() for limit in limits)
"""What no limit is below."""


def size(node: Node) -> int:
    """The characters of the policy as compact JSON."""
    return len(json.dumps(_plain(node), separators=(",", ":"), ensure_ascii=False))


def passed_limits(kind: Kind, old_size: int, new_size: int) -> Iterator[Limit]:
    """The limits that a policy of this size passes and did not pass before."""
    yield from (limit for limit in _LIMITS.get(kind, ()) if old_size <= limit.characters < new_size)


def fits(kind: Kind, characters: int) -> bool:
    """Tell whether there is a way to give AWS a policy of this size."""
    limits = _LIMITS.get(kind, ())
    return not limits or any(characters <= limit.characters for limit in limits)


def _plain(node: Node) -> object:
    if isinstance(node, Array):
        return [_plain(item) for item in node.items]
    if isinstance(node, Object):
        return {entry.key.text: _plain(entry.value) for entry in node.entries}
    return node.text
