"""Whether two texts in HCL say the same, but for the places that were to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from policy_guard.documents.hcl.syntax import Body, List, Template, Text
from policy_guard.documents.source import Span


def same_hcl_but_for(
    old: Body, new: Body, actions: Mapping[Span, Sequence[str]], removed_spans: frozenset[Span]
) -> bool:
    """Tell whether a file says what another does, with other `actions` and without what stands at `removed_spans`.

    What stands in a heredoc is compared as the policy that it is, by others.
    """
    return _Comparison(actions, removed_spans).equal(old, new)


class _Comparison:
    def __init__(self, actions: Mapping[Span, Sequence[str]], removed_spans: frozenset[Span]) -> None:
        self.actions = actions
        self.removed_spans = removed_spans
        self.inner = (*actions, *removed_spans)

    def equal(self, old: object, new: object) -> bool:
        if isinstance(old, Span):
            return isinstance(new, Span)
        if isinstance(old, List | Template) and old.span in self.actions:
            return _texts(new) == list(self.actions[old.span])
        if type(old) is not type(new):
            return False
        if isinstance(old, Template) and any(old.span.start < s.start and s.end < old.span.end for s in self.inner):
            return True
        if isinstance(old, tuple) and isinstance(new, tuple):
            staying = [part for part in old if not self._is_removed(part)]
            return len(staying) == len(new) and all(map(self.equal, staying, new))
        if isinstance(old, dict) and isinstance(new, dict):
            return list(old) == list(new) and all(map(self.equal, old.values(), new.values()))
        if hasattr(old, "__dataclass_fields__"):
            names = [field.name for field in fields(old)]  # type: ignore[arg-type]  # it has some
            return all(self.equal(getattr(old, name), getattr(new, name)) for name in names)
        return old == new

    def _is_removed(self, node: object) -> bool:
        inside = getattr(getattr(node, "body", node), "span", None)
        return inside in self.removed_spans


def _texts(node: object) -> list[str] | None:
    """The texts of a list, or the one that stands alone; None for anything else."""
    items = node.items if isinstance(node, List) else (node,)
    texts: list[str] = []
    for item in items:
        if not isinstance(item, Template) or not all(isinstance(part, Text) for part in item.parts):
            return None
        texts.append("".join(part.value for part in item.parts if isinstance(part, Text)))
    return texts
