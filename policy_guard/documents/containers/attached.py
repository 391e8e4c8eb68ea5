"""Who has a policy of an account's dump: those that name its ARN or its group elsewhere in the same file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policy_guard.documents.containers.unresolved import without_style
from policy_guard.documents.source import Array, Node, Object, Scalar, scalars

# IAM API Reference, GetAccountAuthorizationDetails: RoleDetail, UserDetail, GroupDetail.
_ATTACHING = ("attachedmanagedpolicies", "attachedpolicies", "managedpolicyarns", "grouplist")
_ATTACHED_BY = ("arn", "policyarn", "groupname")
_WHO = ("arn", "rolename", "username", "groupname", "name")


class Attachments:
    """Who names what, in all documents of a file."""

    def __init__(self, documents: Sequence[Node], text: str) -> None:
        plain = without_style(text)
        self._by_name: dict[str, set[str]] = {}
        for principal, name in _attached_names(documents) if any(key in plain for key in _ATTACHING) else ():
            self._by_name.setdefault(name, set()).add(principal)

    def of(self, neighbors: Iterable[Object]) -> str:
        """Return to whom the policy with these mappings beside it is attached, in a line; nothing if to nobody."""
        if not self._by_name:
            return ""
        names = {text for node in neighbors for text in _texts(node, _ATTACHED_BY)}
        return "\n".join(sorted({who for name in names for who in self._by_name.get(name, ())}))


def _attached_names(documents: Sequence[Node]) -> Iterator[tuple[str, str]]:
    stack = list(documents)
    visited: set[int] = set()
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar) or id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, Array):
            stack += node.items
            continue
        principal = ",".join(_texts(node, _WHO))
        for key, value in node.entries:
            stack.append(value)
            if without_style(key.text) in _ATTACHING:
                yield from ((principal, scalar.text) for scalar in scalars(value))


def _texts(node: Object, keys: Sequence[str]) -> Iterator[str]:
    return (
        entry.value.text
        for entry in node.entries
        if without_style(entry.key.text) in keys and isinstance(entry.value, Scalar)
    )
