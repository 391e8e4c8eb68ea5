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
from policy_guard.documents.format import may_grant
from policy_guard.documents.source import Array, Node, Object, Scalar, Source, scalars

_NAMES = ("namespace", "name", "policyName", "serviceAccountName")
_METADATA = "metadata"
_PLAYED = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "roles")


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
        owners.weigh(document)
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
    elif _is_role(node):
        yield _standing((by_text(node, way.label),), node, way)
    for key, value in node.entries:
        inner = way._replace(label=f"{way.label}.{key.text}".lstrip("."), key=key.text)
        yield from _under(source, without_style(key.text), value, inner, whole)


def _under(source: Source, plain: str, value: Node, way: _Way, whole: bool) -> Iterator[Found]:
    """The policies under a key, which is `plain`; a `whole` resource is known by its text already."""
    inside = way.resource is not None and way.resource.aws
    if plain == _METADATA and not isinstance(value, Scalar):
        inside = False
    gives = plain in keys.ANYWHERE or _patches(value, way) or (inside and not whole and _gives(plain, way))
    repeats = inside and not whole and keys.REPEATED.fullmatch(way.key) and len(way.mappings) == 1
    if gives or repeats or _fills_in(way):
        yield from _given(source, value, way)
        return
    found = tuple(_at(source, value, way))
    yield from found
    if not found and inside and plain in keys.POLICY and _is_more(value) and not _has_other_policies(way):
        yield _standing((by_text(value, way.label),), value, way)


def _given(source: Source, value: Node, way: _Way) -> Iterator[Found]:
    """What gives access: the policies in it, and all else by its text."""
    if not way.owners.holds(value):
        if statements := tuple(granted(value, way.label)):
            yield _standing(statements, value, way)
    elif isinstance(value, Object) and not looks_like_policy(value) and _statements(value) is None:
        inner = way._replace(mappings=(*way.mappings, value))
        for key, each in value.entries:
            yield from _given(source, each, inner._replace(label=f"{way.label}.{key.text}", key=key.text))
    elif isinstance(value, Array) and _statements(value) is None:
        for number, item in enumerate(value.items):
            yield from _given(source, item, way._replace(label=f"{way.label}[{_identity(item, number)}]"))
    else:
        yield from _at(source, value, way)


def _fills_in(way: _Way) -> bool:
    """Tell whether variables stand there that fill in the tasks or the resources beside them."""
    beside = _PLAYED if way.key == "vars" else ("resources",) if way.key in keys.VARIABLES else ()
    return not way.resource and any(way.mappings[-1].get(key) for key in beside)


def _has_other_policies(way: _Way) -> bool:
    return way.resource is not None and bool(keys.OTHER_POLICY_KIND.fullmatch(way.resource.kind))


def _is_role(node: Object) -> bool:
    """Tell whether a parameter or a variable of the environment is given a role."""
    name, value = node.get("name"), node.get("value")
    return isinstance(name, Scalar) and isinstance(value, Scalar) and bool(keys.ROLE_PARAMETER.fullmatch(name.text))


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
    kind = resource.kind
    if resource.text or resource.address.endswith(keys.ROLE_MAPS):
        return True
    other = keys.ATTACHING_KIND.fullmatch(kind) or keys.NETWORK_KIND.fullmatch(kind)
    return resource.aws and not other and bool(keys.GRANTING_KIND.fullmatch(kind))


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
            way.owners.weigh(node)
            yield from _at(source, node, way)
    elif "\n" in text and may_grant(text.encode("utf-8", "replace")):
        yield _standing((by_text(scalar, way.label),), scalar, way)


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
    told += way.owners.around(way.mappings[0]) if way.resource and way.mappings else ()
    return digest(told) if told else ""


class _Owners:
    """What says in mappings whose the policies in them are; each mapping is looked through once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool], dict[str, str]] = {}
        self._around: dict[int, tuple[str, ...]] = {}
        self._holding: dict[int, bool] = {}
        self._kept: list[Node] = []

    def weigh(self, node: Node) -> None:
        """Remembers which nodes of a tree hold a policy; nodes are known by their identity, and kept."""
        self._kept.append(node)
        self._weighed(node)

    def _weighed(self, node: Node) -> bool:
        if id(node) not in self._holding:
            self._holding[id(node)] = False
            inner = sum(map(self._weighed, _children(node)))
            own = is_policy_text(node.text) if isinstance(node, Scalar) else looks_like_policy(node)
            self._holding[id(node)] = bool(inner or own or _statements(node) is not None)
        return self._holding[id(node)]

    def holds(self, node: Node) -> bool:
        """Tell whether a node that was weighed is a policy or holds one."""
        return self._holding[id(node)]

    def of(self, node: Object, depth: int, key: str) -> Iterator[str]:
        """The entries that tell, but for that of the key itself; of the innermost mapping, at depth 0, more tell."""
        known = (id(node), depth == 0)
        if known not in self._known:
            telling = keys.OWNER.search if depth == 0 else keys.OUTER_OWNER.fullmatch
            entries = (entry for entry in node.entries if telling(entry.key.text) and self._may_tell(*entry))
            told = {entry.key.text: f"{entry.key.text}={canonical(entry.value)}" for entry in entries}
            self._known[known] = dict(sorted(told.items()))
        told = self._known[known]
        yield from told.values() if depth or key not in told else (told[name] for name in told if name != key)

    def _may_tell(self, key: Scalar, value: Node) -> bool:
        plain = without_style(key.text)
        known = plain in keys.POLICY or plain in keys.GRANTING or key.text in (_METADATA, "spec", "status")
        return not known and not self.holds(value)

    def around(self, resource: Object) -> tuple[str, ...]:
        """What a resource is called in AWS, and the boundaries in it that stand in no list."""
        if id(resource) not in self._around:
            metadata = resource.get(_METADATA)
            notes = metadata.get("annotations") if isinstance(metadata, Object) else None
            name = notes.get(keys.EXTERNAL_NAME) if isinstance(notes, Object) else None
            named = (canonical(name),) if name is not None else ()
            self._around[id(resource)] = (*named, *sorted(set(_boundaries(resource))))
        return self._around[id(resource)]


def _boundaries(resource: Object) -> Iterator[str]:
    waiting = [resource]
    while waiting:
        for key, value in waiting.pop().entries:
            if keys.BOUNDARY.fullmatch(key.text):
                yield canonical(value)
            elif isinstance(value, Object) and not looks_like_policy(value):
                waiting.append(value)


def _children(node: Node) -> Sequence[Node]:
    if isinstance(node, Scalar):
        return ()
    return node.items if isinstance(node, Array) else [entry.value for entry in node.entries]


def _is_more(node: Node) -> bool:
    if isinstance(node, Scalar):
        return node.kind != "null" and bool(node.text.strip())
    return bool(node.items if isinstance(node, Array) else node.entries)


def _identity(node: Node, number: int) -> str:
    """Return what tells an item of a list from the others, whatever stands before it."""
    if not isinstance(node, Object):
        return str(number)
    metadata = node.get(_METADATA)
    for mapping in (node, metadata):
        names = [mapping.get(key) for key in _NAMES] if isinstance(mapping, Object) else []
        known = [name.text for name in names if isinstance(name, Scalar)]
        if known:
            return f"name={'/'.join(known)}"
    return str(number)
