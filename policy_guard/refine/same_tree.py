"""Whether two texts hold the same values, but for the places that were to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from policy_guard.documents.source import Array, Node, Object, Scalar, Span


def same_but_for(
    old_documents: Sequence[Node],
    new_documents: Sequence[Node],
    actions: Mapping[Span, Sequence[str]],
    removed_spans: frozenset[Span],
) -> bool:
    """Tell whether new documents hold what old ones do, with other `actions` and without the `removed_spans`.

    What stands at such a place and is repeated elsewhere, by an alias, is no place alone: then the answer is no.
    """
    comparison = _Comparison(actions, removed_spans)
    equal = len(old_documents) == len(new_documents) and all(map(comparison.equal, old_documents, new_documents))
    return equal and all(comparison.seen[span] <= 1 for span in (*actions, *removed_spans))


class _Comparison:
    def __init__(self, actions: Mapping[Span, Sequence[str]], removed_spans: frozenset[Span]) -> None:
        self.actions = actions
        self.removed_spans = removed_spans
        self.inner = [*actions, *removed_spans]
        self.seen: Counter[Span] = Counter()

    def equal(self, old: Node, new: Node) -> bool:
        if old.span in self.actions:
            self.seen[old.span] += 1
            return _texts(new) == list(self.actions[old.span])
        if type(old) is not type(new) or old.tag != new.tag:
            return False
        if isinstance(old, Array) and isinstance(new, Array):
            return self.lists(old, new)
        if isinstance(old, Object) and isinstance(new, Object):
            keys = [entry.key.text for entry in old.entries] == [entry.key.text for entry in new.entries]
            return keys and all(self.equal(a.value, b.value) for a, b in zip(old.entries, new.entries, strict=True))
        return self.scalars(old, new)

    def lists(self, old: Array, new: Array) -> bool:
        staying_items = [item for item in old.items if item.span not in self.removed_spans]
        self.seen.update(item.span for item in old.items if item.span in self.removed_spans)
        return len(staying_items) == len(new.items) and all(map(self.equal, staying_items, new.items))

    def scalars(self, old: Node, new: Node) -> bool:
        """A text that itself holds a policy is compared as that policy, by others."""
        if isinstance(old, Scalar) and isinstance(new, Scalar) and (old.text, old.kind) == (new.text, new.kind):
            return True
        return any(old.span.start <= span.start and span.end <= old.span.end for span in self.inner)


def _texts(node: Node) -> list[str]:
    items = node.items if isinstance(node, Array) else (node,)
    return [item.text for item in items if isinstance(item, Scalar) and item.tag is None]
