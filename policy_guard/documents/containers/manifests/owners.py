"""What says in a manifest whose its policies are, and whether it is live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.manifests import keys
from policy_guard.documents.containers.manifests.ansible import Playbook
from policy_guard.documents.containers.manifests.branches import Branches
from policy_guard.documents.containers.manifests.pulumi import Program
from policy_guard.documents.containers.manifests.resources import Resource, values_of
from policy_guard.documents.containers.manifests.statements import reads_as_statement, statements_in
from policy_guard.documents.containers.recognition import is_policy_text, looks_like_policy
from policy_guard.documents.containers.unresolved import without_style
from policy_guard.documents.source import Array, Node, Object, Scalar

METADATA = "metadata"


class Owners:
    """The keys that say in mappings whose the policies in them are; each mapping is looked through once."""

    def __init__(self, documents: Sequence[Node], branches: Branches | None = None) -> None:
        """`branches` are what marks of a template decide."""
        self.branches = branches
        self._playbook, self._program = Playbook(documents), Program(documents)
        self._texts: dict[tuple[int, int], list[tuple[str, str]]] = {}
        self._around: dict[int, tuple[str, ...]] = {}
        self._holding: dict[int, bool] = {}
        self._nodes: list[Node] = []

    def weigh(self, node: Node) -> None:
        """Remembers which nodes of a tree hold a policy; nodes are known by their identity, and kept."""
        self._nodes.append(node)
        self._holds_policy(node)

    def _holds_policy(self, node: Node) -> bool:
        if id(node) not in self._holding:
            self._holding[id(node)] = False
            inner = sum(map(self._holds_policy, children(node)))
            is_policy = is_policy_text(node.text) if isinstance(node, Scalar) else looks_like_policy(node)
            is_statement = reads_as_statement(node) or statements_in(node) is not None
            self._holding[id(node)] = bool(inner or is_policy or is_statement)
        return self._holding[id(node)]

    def holds(self, node: Node) -> bool:
        """Tell whether a node that was weighed is a policy or holds one."""
        return self._holding[id(node)]

    def handed_on(self, node: Object, key: str, mappings: Sequence[Object], resource: Resource | None) -> set[int]:
        """The values of a mapping under `key` that fill in what stands elsewhere, by their identity."""
        handed_on = self._playbook.handed_on(node, key, mappings, resource)
        return handed_on | self._program.handed_on(node, mappings)

    def of(self, node: Object, depth: int, key: str) -> Iterator[str]:
        """The entries that tell, but for that of the key itself; of the innermost mapping, at depth 0, more tell.

        A negative depth is that of mappings around the whole resource.
        """
        kind = max(-1, min(depth, 1))
        cache_key = (id(node), kind)
        if cache_key not in self._texts:
            matches = (_names_owner, keys.OUTER_OWNER.fullmatch, keys.OUTERMOST_OWNER.fullmatch)[kind]
            entries = [entry for entry in node.entries if matches(entry.key.text) and self._may_tell(*entry)]
            if self._playbook.is_labelled(node):
                entries = [entry for entry in entries if entry.key.text != "name"]
            if any(keys.PRINCIPAL.fullmatch(entry.key.text) for entry in entries):
                entries = [entry for entry in entries if not keys.INLINE_NAME.fullmatch(entry.key.text)]
            texts = [(entry.key.text, f"{entry.key.text}={canonical(entry.value)}") for entry in entries]
            self._texts[cache_key] = sorted(texts)
        yield from (text for name, text in self._texts[cache_key] if depth or name != key)

    def _may_tell(self, key: Scalar, value: Node) -> bool:
        plain = without_style(key.text)
        is_excluded = plain in keys.POLICY or plain in keys.GRANTING or key.text in (METADATA, "spec", "status")
        return not is_excluded and not self.holds(value)

    def around(self, resource: Object) -> tuple[str, ...]:
        """Return what a resource is called in AWS, whether it is live, and the boundaries in it in no list."""
        if id(resource) not in self._around:
            outer_texts = (*self._playbook.around(resource), *self._program.around(resource))
            self._around[id(resource)] = (*_notes(resource), *sorted(set(_boundaries(resource))), *outer_texts)
        return self._around[id(resource)]

    def notes(self, resource: Object) -> tuple[str, ...]:
        """Return what a resource around another one is called, and whether it is live."""
        return tuple(_notes(resource))


def _names_owner(key: str) -> bool:
    return bool(keys.OWNER.search(key)) and not keys.NO_OWNER.match(key)


def _notes(resource: Object) -> Iterator[str]:
    """The annotations that say what a resource is called, whether somebody looks after it, and in which account."""
    for metadata in values_of(resource, METADATA):
        for notes in values_of(metadata, "annotations") if isinstance(metadata, Object) else ():
            for key, value in notes.entries if isinstance(notes, Object) else ():
                if keys.LIVE_NOTE.fullmatch(key.text):
                    yield f"{key.text}={canonical(value)}"


def _boundaries(resource: Object) -> Iterator[str]:
    stack = [resource]
    while stack:
        for key, value in stack.pop().entries:
            if keys.BOUNDARY.fullmatch(key.text):
                yield canonical(value)
            elif isinstance(value, Object) and not looks_like_policy(value):
                stack.append(value)


def children(node: Node) -> Sequence[Node]:
    """The values in a list or a mapping."""
    if isinstance(node, Scalar):
        return ()
    return node.items if isinstance(node, Array) else [entry.value for entry in node.entries]
