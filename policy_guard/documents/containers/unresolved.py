"""What stands where a policy is expected and is none: a deployer fills it in, and nobody can tell with what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from policy_guard.documents.containers.recognition import looks_like_policy
from policy_guard.documents.source import Array, Node, Object, Problem, Scalar, Span
from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import holes, read_pattern

# Without case, underscores and hyphens. Under these stands a policy and nothing else.
_SURE_KEYS = ("policydocument", "assumerolepolicydocument")
_KEYS = (
    *(*_SURE_KEYS, "policy", "policytext", "policyinjson", "policycontent", "accesspolicies", "resourcepolicy"),
    *("inlinepolicy", "trustpolicy", "document"),
)
_DEPTH = 3
"""How far below a mapping or list with policies others are looked for."""


class Unresolved(NamedTuple):
    """`key` is spelled without case and signs; it is empty for what stands among policies under a name of its own.

    With `is_filled` it is surely nothing but what is filled in later.
    """

    key: str
    label: str
    span: Span
    is_filled: bool


def without_style(key: str) -> str:
    """The key without case, underscores and hyphens."""
    return key.lower().replace("_", "").replace("-", "")


def key_of(label: str) -> str:
    """The key under which the policy of a label stands."""
    return without_style(label.rpartition(".")[2].partition("[")[0].partition("#")[0])


def problems(candidates: Iterable[Unresolved], labels: Collection[str]) -> Iterator[Problem]:
    """Return what of it is to be a policy, in a file that has policies under these labels now, or had some before."""
    keys = set(map(key_of, labels))
    for candidate in candidates:
        if candidate.key in _SURE_KEYS or (candidate.is_filled and labels) or (candidate.key and candidate.key in keys):
            place = f'under "{candidate.label}"' if candidate.label else "among policies"
            words = f"what stands {place} is no policy but something that is resolved later; write the policy here"
            yield Problem(f"{words}, or leave the file out with exclude", candidate.span)


def unresolved(
    documents: Iterable[Node], policy_ids: Collection[int], templates: Collection[str]
) -> tuple[Unresolved, ...]:
    """All that may have to be a policy in the documents; `policy_ids` are the identities of nodes that are policies.

    Mappings with a key of `templates` have places of their own for policies. What looks like a policy lies
    deeper than is looked, and is told by its own count.
    """
    all_unresolved: list[Unresolved] = []
    for document in documents:
        search = _Search(policy_ids, templates)
        search.weigh(document)
        all_unresolved += search.unresolved_in(document, 1)
    return tuple(all_unresolved)


class _Search:
    def __init__(self, policy_ids: Collection[int], templates: Collection[str]) -> None:
        self._policy_ids = policy_ids
        self._templates = templates
        self._holding: set[int] = set()
        self._sought: set[int] = set()
        self._visited: set[tuple[int, int]] = set()

    def weigh(self, node: Node) -> bool:
        """Tell whether a policy is in the node; keeps in mind which nodes hold one."""
        if id(node) in self._policy_ids or id(node) in self._holding:
            return True
        if id(node) in self._sought:
            return False
        self._sought.add(id(node))
        if sum(map(self.weigh, _children(node))):
            self._holding.add(id(node))
        return id(node) in self._holding

    def unresolved_in(self, node: Node, depth: int) -> Iterator[Unresolved]:
        holds = id(node) in self._holding
        if isinstance(node, Scalar) or id(node) in self._policy_ids or (id(node), depth) in self._visited:
            return
        self._visited.add((id(node), depth))
        depth = _DEPTH if holds else depth
        if isinstance(node, Array):
            for item in node.items:
                if holds and (_is_filled(item) or _is_other_text(item)) and id(item) not in self._policy_ids:
                    yield Unresolved("", "", item.span, True)
                elif depth:
                    yield from self.unresolved_in(item, depth)
            return
        depth = 0 if any(node.get(key) for key in self._templates) else depth
        yield from self._entries(node, depth, holds)

    def _entries(self, node: Object, depth: int, holds: bool) -> Iterator[Unresolved]:
        by_name = any(
            id(value) in self._policy_ids and without_style(key.text) not in _KEYS for key, value in node.entries
        )
        for key, value in node.entries:
            plain = without_style(key.text)
            if id(value) in self._policy_ids or _is_null(value) or looks_like_policy(value):
                continue
            if id(value) in self._holding:
                yield from self.unresolved_in(value, depth)
            elif plain in _KEYS or (holds and _is_function(key.text)) or (by_name and _is_filled(value)):
                is_filled = _is_filled(value) or _is_function(key.text)
                yield Unresolved(plain if plain in _KEYS else "", key.text, value.span, is_filled)
            elif depth:
                yield from self.unresolved_in(value, depth - 1)


def _children(node: Node) -> list[Node]:
    if isinstance(node, Array):
        return list(node.items)
    return [entry.value for entry in node.entries] if isinstance(node, Object) else []


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.kind == "null" and node.tag is None


def _is_other_text(node: Node) -> bool:
    """Tell whether a text stands there that names no managed policy: those are attached by their ARNs."""
    return isinstance(node, Scalar) and not node.text.startswith("arn:")


def _is_filled(node: Node) -> bool:
    """Tell whether a function, a tag or a placeholder stands there."""
    if node.tag is not None:
        return True
    if isinstance(node, Object):
        return any(_is_function(entry.key.text) for entry in node.entries)
    return isinstance(node, Scalar) and _has_holes(node.text)


def _is_function(key: str) -> bool:
    return key == "Ref" or key.startswith("Fn::")


def _has_holes(text: str) -> bool:
    try:
        return holes(read_pattern(text, variables=False))
    except ValueError:
        return True
