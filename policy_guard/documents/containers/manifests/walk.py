"""Finds each policy in a manifest, and each thing that gives access, with its address and holder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.manifests import keys
from policy_guard.documents.containers.manifests.grants import by_text, granted, policy_of
from policy_guard.documents.containers.manifests.pulumi_document import statements_of
from policy_guard.documents.containers.manifests.resources import Resource, resource_of
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.recognition import is_policy_text, looks_like_policy
from policy_guard.documents.containers.unresolved import without_style
from policy_guard.documents.embedded import read_text
from policy_guard.documents.source import Array, Node, Object, Scalar, Source, scalars

_NAMES = ("namespace", "name", "policyName", "serviceAccountName")
_METADATA = "metadata"


class Found(NamedTuple):
    """A policy in a manifest; `own` is the node that stands there in the file.

    A policy that is not `written` stands for access that is known by its text.
    """

    label: str
    node: Node
    own: Node
    holder: str
    kind: Kind | None
    written: bool


class _Way(NamedTuple):
    """Where a node stands: its address, the resource around it, and the mappings on the way to it, outermost first."""

    label: str
    resource: Resource | None
    mappings: tuple[Object, ...]
    owners: _Owners
    key: str = ""


def policies_of(source: Source, documents: Sequence[Node]) -> Iterator[Found]:
    """The policies of the documents of a source. Raises `Unreadable` for one in a text that cannot be read."""
    owners = _Owners()
    for number, document in enumerate(documents):
        label = "" if isinstance(document, Object) and resource_of(document, "") else f"[{number}]" * (number > 0)
        yield from _at(source, document, _Way(label, None, (), owners))


def _at(source: Source, node: Node, way: _Way) -> Iterator[Found]:
    if isinstance(node, Scalar):
        yield from _in_text(source, node, way)
    elif looks_like_policy(node):
        yield _found(node, node, way)
    elif (statements := _statements(node)) is not None:
        yield _found(policy_of(statements, node.span), node, way)
    elif isinstance(node, Array):
        for number, item in enumerate(node.items):
            yield from _at(source, item, way._replace(label=f"{way.label}[{_identity(item, number)}]"))
    else:
        yield from _in_mapping(source, node, way)


def _in_mapping(source: Source, node: Object, way: _Way) -> Iterator[Found]:
    resource = resource_of(node, way.key, way.resource)
    if resource is not None:
        label = f"{way.label}.{resource.address}" if way.label and way.resource else resource.address
        way = way._replace(label=label, resource=resource, mappings=())
    way = way._replace(mappings=(*way.mappings, node))
    whole = resource is not None and _is_granting(resource)
    if resource is not None and whole:
        yield _standing((by_text(_said(node), resource.address),), node, way)
    for key, value in node.entries:
        inner = way._replace(label=f"{way.label}.{key.text}".lstrip("."), key=key.text)
        yield from _under(source, without_style(key.text), value, inner, whole)


def _under(source: Source, plain: str, value: Node, way: _Way, whole: bool) -> Iterator[Found]:
    """The policies under a key, which is `plain`; a `whole` resource is known by its text already."""
    inside = way.resource is not None and way.resource.aws
    if plain == _METADATA and not isinstance(value, Scalar):
        inside = False
    gives = plain in keys.ANYWHERE or _patches(value, way) or (inside and not whole and _gives(plain, way))
    repeats = _fills_in(way) or (inside and not whole and keys.REPEATED.fullmatch(way.key) and len(way.mappings) == 1)
    if (gives or repeats) and not _has_policy(value):
        if statements := tuple(granted(value, way.label)):
            yield _standing(statements, value, way)
        return
    found = tuple(_at(source, value, way))
    yield from found
    if not found and inside and plain in keys.POLICY and _is_more(value):
        yield _standing((by_text(value, way.label),), value, way)


def _fills_in(way: _Way) -> bool:
    """Tell whether variables stand there that fill in the tasks beside them."""
    return way.key == "vars" and not way.resource and any(way.mappings[-1].get(key) for key in ("tasks", "block"))


def _patches(value: Node, way: _Way) -> bool:
    """Tell whether what stands there is written into resources elsewhere, and may give access."""
    kind = way.resource.kind if way.resource else ""
    if not keys.PATCHING.fullmatch(way.key) or not keys.PATCHING_KIND.fullmatch(kind):
        return False
    return any(keys.PATCHED.search(scalar.text) for scalar in scalars(value))


def _gives(plain: str, way: _Way) -> bool:
    resource = way.resource
    if plain in keys.GRANTING or resource is None:
        return plain in keys.GRANTING
    if plain in keys.CLUSTER_GRANTING:
        return bool(keys.CLUSTER_KIND.fullmatch(resource.kind))
    return plain in keys.IAM_GRANTING and bool(keys.IAM_KIND.fullmatch(resource.kind))


def _is_granting(resource: Resource) -> bool:
    attaching = keys.ATTACHING_KIND.fullmatch(resource.kind) and resource.aws
    return resource.text or (resource.aws and not attaching and bool(keys.GRANTING_KIND.fullmatch(resource.kind)))


def _said(node: Object) -> Object:
    """A resource without what only names and describes it."""
    return node._replace(
        entries=tuple(e for e in node.entries if e.key.text not in (_METADATA, "apiVersion", "status"))
    )


def _in_text(source: Source, scalar: Scalar, way: _Way) -> Iterator[Found]:
    text = scalar.text.lstrip()
    if text.startswith("[") and "Effect" in text:
        node = read_text(scalar, source)
        if (statements := _statements(node)) is not None:
            yield _found(policy_of(statements, scalar.span), scalar, way)
    elif is_policy_text(text):
        if not text.startswith("{"):
            yield _standing((by_text(scalar, way.label),), scalar, way)
            return
        node = read_text(scalar, source)
        if looks_like_policy(node):
            yield _found(node, scalar, way)
        else:
            yield from _at(source, node, way)


def _statements(node: Node) -> tuple[Node, ...] | None:
    """The statements that a list or a call of Pulumi writes without a policy around them."""
    if isinstance(node, Object):
        return statements_of(node)
    if not isinstance(node, Array) or not node.items:
        return None
    stated = all(isinstance(item, Object) and item.get("Effect") is not None for item in node.items)
    return node.items if stated else None


def _found(node: Node, own: Node, way: _Way) -> Found:
    trust = without_style(way.key).startswith(("assumerole", "trust"))
    return Found(
        label=way.label, node=node, own=own, holder=_holder(way), kind="trust" if trust else None, written=True
    )


def _standing(statements: tuple[Object, ...], own: Node, way: _Way) -> Found:
    """The policy that stands for access without a document."""
    node = policy_of(statements, own.span)
    return Found(label=way.label, node=node, own=own, holder=_holder(way), kind="identity", written=False)


def standing_for(marks: Sequence[Scalar]) -> Iterator[Found]:
    """The policy that stands for the marks of a template around policies."""
    if marks:
        statements = tuple(by_text(mark, "the template") for mark in marks)
        yield _standing(statements, marks[0], _Way("the template", None, (), _Owners()))


def _holder(way: _Way) -> str:
    """Whose a policy is: a text that is another one for every other holder."""
    told = [
        text for depth, mapping in enumerate(reversed(way.mappings)) for text in way.owners.of(mapping, depth, way.key)
    ]
    return digest(told) if told else ""


class _Owners:
    """What says in mappings whose the policies in them are; each mapping is looked through once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool], tuple[Object, dict[str, str]]] = {}

    def of(self, node: Object, depth: int, key: str) -> Iterator[str]:
        """The entries that tell, but for that of the key itself; of the innermost mapping, at depth 0, more tell."""
        known = (id(node), depth == 0)
        if known not in self._known:
            telling = keys.OWNER.search if depth == 0 else keys.OUTER_OWNER.fullmatch
            entries = (entry for entry in node.entries if telling(entry.key.text) and _may_tell(*entry))
            told = {entry.key.text: f"{entry.key.text}={canonical(entry.value)}" for entry in entries}
            self._known[known] = node, dict(sorted(told.items()))
        told = self._known[known][1]
        yield from told.values() if depth or key not in told else (told[name] for name in told if name != key)


def _may_tell(key: Scalar, value: Node) -> bool:
    plain = without_style(key.text)
    known = plain in keys.POLICY or plain in keys.GRANTING or key.text in (_METADATA, "spec", "status")
    return not known and not _has_policy(value)


def _has_policy(node: Node) -> bool:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar):
            if is_policy_text(node.text):
                return True
        elif looks_like_policy(node) or _statements(node) is not None:
            return True
        else:
            waiting += node.items if isinstance(node, Array) else [entry.value for entry in node.entries]
    return False


def _is_more(node: Node) -> bool:
    if isinstance(node, Scalar):
        return node.kind != "null" and bool(node.text.strip())
    return bool(node.items if isinstance(node, Array) else node.entries)


def _identity(node: Node, number: int) -> str:
    """What tells an item of a list from the others, whatever stands before it."""
    if not isinstance(node, Object):
        return str(number)
    metadata = node.get(_METADATA)
    for mapping in (node, metadata):
        names = [mapping.get(key) for key in _NAMES] if isinstance(mapping, Object) else []
        known = [name.text for name in names if isinstance(name, Scalar)]
        if known:
            return f"name={'/'.join(known)}"
    return str(number)
