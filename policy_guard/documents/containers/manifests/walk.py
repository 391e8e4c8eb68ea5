"""Finds each policy in a manifest, and each thing that gives access, with its address and holder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.manifests import keys
from policy_guard.documents.containers.manifests.ansible import Playbook
from policy_guard.documents.containers.manifests.grants import by_text, granted_statements
from policy_guard.documents.containers.manifests.pulumi import Program
from policy_guard.documents.containers.manifests.pulumi_document import statements_of
from policy_guard.documents.containers.manifests.resources import Resource, resource_of
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.recognition import is_policy_text, looks_like_policy, policy_of
from policy_guard.documents.containers.unresolved import without_style
from policy_guard.documents.embedded import read_text
from policy_guard.documents.format import may_grant
from policy_guard.documents.source import Array, Node, Object, Scalar, Source, scalars

_NAMES = ("namespace", "name", "policyName", "serviceAccountName")
_METADATA = "metadata"
_PLAYED = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "roles")


class ManifestPolicy(NamedTuple):
    """A policy in a manifest; `file_node` is the node that stands there in the file.

    A policy that is not `is_written` stands for access that is known by its text.
    """

    label: str
    node: Node
    file_node: Node
    holder: str
    kind: Kind | None
    is_written: bool


class _Way(NamedTuple):
    """Where a node stands: its address, the resource around it, and the mappings on the way to it, outermost first."""

    label: str
    resource: Resource | None
    mappings: tuple[Object, ...]
    owners: _Owners
    key: str = ""


def policies_of(source: Source, documents: Sequence[Node]) -> Iterator[ManifestPolicy]:
    """The policies of the documents of a source. Raises `Unreadable` for one in a text that cannot be read."""
    owners = _Owners(documents)
    for number, document in enumerate(documents):
        owners.weigh(document)
        label = "" if isinstance(document, Object) and resource_of(document, "") else f"[{number}]" * (number > 0)
        yield from _node_policies(source, document, _Way(label, None, (), owners))


def _node_policies(source: Source, node: Node, way: _Way) -> Iterator[ManifestPolicy]:
    if isinstance(node, Scalar):
        yield from _text_policies(source, node, way)
    elif looks_like_policy(node):
        yield _written_policy(node, node, way)
    elif (statements := _statements(node)) is not None:
        yield _written_policy(policy_of(statements, node.span), node, way)
    elif isinstance(node, Array):
        for number, item in enumerate(node.items):
            yield from _node_policies(source, item, way._replace(label=f"{way.label}[{_identity(item, number)}]"))
    else:
        yield from _mapping_policies(source, node, way)


def _mapping_policies(source: Source, node: Object, way: _Way) -> Iterator[ManifestPolicy]:
    resource = resource_of(node, way.key, way.resource)
    if resource is not None:
        label = f"{way.label}.{resource.address}" if way.label and way.resource else resource.address
        way = way._replace(label=label, resource=resource, mappings=())
    way = way._replace(mappings=(*way.mappings, node))
    is_granting = resource is not None and _is_granting(resource)
    if resource is not None and is_granting:
        yield _stand_in((by_text(_without_description(node), resource.address),), node, way)
    elif _is_role(node):
        yield _stand_in((by_text(node, way.label),), node, way)
    handed_on = way.owners.handed_on(node, way)
    for key, value in node.entries:
        inner = way._replace(label=f"{way.label}.{key.text}".lstrip("."), key=key.text)
        if id(value) in handed_on:
            yield from _access_policies(source, value, inner)
        else:
            yield from _key_policies(source, without_style(key.text), value, inner, is_granting)


def _key_policies(source: Source, plain: str, value: Node, way: _Way, is_granting: bool) -> Iterator[ManifestPolicy]:
    """The policies under a key, which is `plain`; a resource that `is_granting` is known by its text already."""
    in_aws = way.resource is not None and way.resource.aws
    if plain == _METADATA and not isinstance(value, Scalar):
        in_aws = False
    gives_access = (
        plain in keys.ANYWHERE or _patches(value, way) or (in_aws and not is_granting and _gives_access(plain, way))
    )
    repeats = in_aws and not is_granting and keys.REPEATED.fullmatch(way.key) and len(way.mappings) == 1
    if gives_access or repeats or _fills_in(way):
        yield from _access_policies(source, value, way)
        return
    policies = tuple(_node_policies(source, value, way))
    yield from policies
    if not policies and in_aws and plain in keys.POLICY and _is_more(value) and not _has_other_policies(way):
        yield _stand_in((by_text(value, way.label),), value, way)


def _access_policies(source: Source, value: Node, way: _Way) -> Iterator[ManifestPolicy]:
    """Return what gives access: the policies in it, and all else by its text."""
    if not way.owners.holds(value):
        if statements := tuple(granted_statements(value, way.label)):
            yield _stand_in(statements, value, way)
    elif isinstance(value, Object) and not looks_like_policy(value) and _statements(value) is None:
        inner = way._replace(mappings=(*way.mappings, value))
        for key, child in value.entries:
            yield from _access_policies(source, child, inner._replace(label=f"{way.label}.{key.text}", key=key.text))
    elif isinstance(value, Array) and _statements(value) is None:
        for number, item in enumerate(value.items):
            yield from _access_policies(source, item, way._replace(label=f"{way.label}[{_identity(item, number)}]"))
    else:
        yield from _node_policies(source, value, way)


def _fills_in(way: _Way) -> bool:
    """Tell whether variables stand there that fill in the tasks or the resources beside them."""
    sibling_keys = _PLAYED if way.key == "vars" else ("resources",) if way.key in keys.VARIABLES else ()
    return not way.resource and any(way.mappings[-1].get(key) for key in sibling_keys)


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


def _gives_access(plain: str, way: _Way) -> bool:
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
    is_excluded = keys.ATTACHING_KIND.fullmatch(kind) or keys.NETWORK_KIND.fullmatch(kind)
    return resource.aws and not is_excluded and bool(keys.GRANTING_KIND.fullmatch(kind))


def _without_description(node: Object) -> Object:
    """A resource without what only names and describes it."""
    return node._replace(
        entries=tuple(e for e in node.entries if e.key.text not in (_METADATA, "apiVersion", "status"))
    )


def _text_policies(source: Source, scalar: Scalar, way: _Way) -> Iterator[ManifestPolicy]:
    text = scalar.text.lstrip()
    if text.startswith("[") and "Effect" in text:
        node = read_text(scalar, source)
        if (statements := _statements(node)) is not None:
            yield _written_policy(policy_of(statements, scalar.span), scalar, way)
    elif is_policy_text(text):
        if not text.startswith("{") or text.startswith(("{{", "{%", "{#")):
            yield _stand_in((by_text(scalar, way.label),), scalar, way)
            return
        node = read_text(scalar, source)
        if looks_like_policy(node):
            yield _written_policy(node, scalar, way)
        else:
            way.owners.weigh(node)
            yield from _node_policies(source, node, way)
    elif "\n" in text and may_grant(text.encode("utf-8", "replace")):
        yield _stand_in((by_text(scalar, way.label),), scalar, way)


def _statements(node: Node) -> tuple[Node, ...] | None:
    """The statements that a list or a call of Pulumi writes without a policy around them."""
    if isinstance(node, Object):
        return statements_of(node)
    if not isinstance(node, Array) or not node.items:
        return None
    are_statements = all(isinstance(item, Object) and item.get("Effect") is not None for item in node.items)
    return node.items if are_statements else None


def _written_policy(node: Node, file_node: Node, way: _Way) -> ManifestPolicy:
    trust = without_style(way.key).startswith(("assumerole", "trust"))
    return ManifestPolicy(
        label=way.label,
        node=node,
        file_node=file_node,
        holder=_holder(way),
        kind="trust" if trust else None,
        is_written=True,
    )


def _stand_in(statements: tuple[Object, ...], file_node: Node, way: _Way) -> ManifestPolicy:
    """The policy that stands for access without a document."""
    node = policy_of(statements, file_node.span)
    return ManifestPolicy(
        label=way.label, node=node, file_node=file_node, holder=_holder(way), kind="identity", is_written=False
    )


def standing_for(marks: Sequence[Scalar]) -> Iterator[ManifestPolicy]:
    """The policy that stands for the marks of a template around policies."""
    if marks:
        statements = tuple(by_text(mark, "the template") for mark in marks)
        yield _stand_in(statements, marks[0], _Way("the template", None, (), _Owners(())))


def _holder(way: _Way) -> str:
    """Return whose a policy is: a text that is another one for every other holder."""
    owner_texts = [
        text for depth, mapping in enumerate(reversed(way.mappings)) for text in way.owners.of(mapping, depth, way.key)
    ]
    owner_texts += way.owners.around(way.mappings[0]) if way.resource and way.mappings else ()
    return digest(owner_texts) if owner_texts else ""


class _Owners:
    """What says in mappings whose the policies in them are; each mapping is looked through once."""

    def __init__(self, documents: Sequence[Node]) -> None:
        self._playbook, self._program = Playbook(documents), Program(documents)
        self._texts: dict[tuple[int, bool], dict[str, str]] = {}
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
            inner = sum(map(self._holds_policy, _children(node)))
            is_policy = is_policy_text(node.text) if isinstance(node, Scalar) else looks_like_policy(node)
            self._holding[id(node)] = bool(inner or is_policy or _statements(node) is not None)
        return self._holding[id(node)]

    def holds(self, node: Node) -> bool:
        """Tell whether a node that was weighed is a policy or holds one."""
        return self._holding[id(node)]

    def handed_on(self, node: Object, way: _Way) -> set[int]:
        """The values of a mapping that fill in what stands elsewhere, by their identity."""
        handed_on = self._playbook.handed_on(node, way.key, way.mappings, way.resource)
        return handed_on | self._program.handed_on(node, way.mappings)

    def of(self, node: Object, depth: int, key: str) -> Iterator[str]:
        """The entries that tell, but for that of the key itself; of the innermost mapping, at depth 0, more tell."""
        cache_key = (id(node), depth == 0)
        if cache_key not in self._texts:
            matches = keys.OWNER.search if depth == 0 else keys.OUTER_OWNER.fullmatch
            entries = [entry for entry in node.entries if matches(entry.key.text) and self._may_tell(*entry)]
            if any(keys.PRINCIPAL.fullmatch(entry.key.text) for entry in entries):
                entries = [entry for entry in entries if not keys.INLINE_NAME.fullmatch(entry.key.text)]
            texts = {entry.key.text: f"{entry.key.text}={canonical(entry.value)}" for entry in entries}
            self._texts[cache_key] = dict(sorted(texts.items()))
        texts = self._texts[cache_key]
        yield from texts.values() if depth or key not in texts else (texts[name] for name in texts if name != key)

    def _may_tell(self, key: Scalar, value: Node) -> bool:
        plain = without_style(key.text)
        is_excluded = plain in keys.POLICY or plain in keys.GRANTING or key.text in (_METADATA, "spec", "status")
        return not is_excluded and not self.holds(value)

    def around(self, resource: Object) -> tuple[str, ...]:
        """Return what a resource is called in AWS, and the boundaries in it that stand in no list."""
        if id(resource) not in self._around:
            metadata = resource.get(_METADATA)
            notes = metadata.get("annotations") if isinstance(metadata, Object) else None
            name = notes.get(keys.EXTERNAL_NAME) if isinstance(notes, Object) else None
            names = (canonical(name),) if name is not None else ()
            outer_texts = (*self._playbook.around(resource), *self._program.around(resource))
            self._around[id(resource)] = (*names, *sorted(set(_boundaries(resource))), *outer_texts)
        return self._around[id(resource)]


def _boundaries(resource: Object) -> Iterator[str]:
    stack = [resource]
    while stack:
        for key, value in stack.pop().entries:
            if keys.BOUNDARY.fullmatch(key.text):
                yield canonical(value)
            elif isinstance(value, Object) and not looks_like_policy(value):
                stack.append(value)


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
        texts = [name.text for name in names if isinstance(name, Scalar)]
        if texts:
            return f"name={'/'.join(texts)}"
    return str(number)
