"""Finds each policy in a manifest, and each thing that gives access, with its address and holder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.limits import SWITCH
from policy_guard.documents.containers.manifests import keys
from policy_guard.documents.containers.manifests.branches import Branches
from policy_guard.documents.containers.manifests.grants import BY_RESOURCE, by_text, granted_statements
from policy_guard.documents.containers.manifests.limits import cap_of, is_cap
from policy_guard.documents.containers.manifests.owners import METADATA, Owners, children
from policy_guard.documents.containers.manifests.resources import (
    Resource,
    identity,
    is_filled_in,
    is_operation,
    is_project,
    is_removed,
    key_label,
    resource_of,
)
from policy_guard.documents.containers.manifests.statements import reads_as_statement, statement_of, statements_in
from policy_guard.documents.containers.manifests.switches import giving
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.recognition import is_policy_text, looks_like_policy, policy_of
from policy_guard.documents.containers.unresolved import without_style
from policy_guard.documents.embedded import read_text
from policy_guard.documents.encoded import decoded, may_be_encoded
from policy_guard.documents.format import may_grant
from policy_guard.documents.formats import read
from policy_guard.documents.source import Array, Node, Object, Scalar, Source, Unreadable, scalars
from policy_guard.records import NamedTuple

CAP = ".cap"
"""What the label of a policy ends with that stands for what a resource keeps out."""
_PLAYED = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "roles")


class ManifestPolicy(NamedTuple):
    """A policy in a manifest; `file_node` is the node that stands there in the file.

    A policy that is not `is_written` stands for access that is known by its text. `owner` says in words whose it is.
    """

    label: str
    node: Node
    file_node: Node
    holder: str
    kind: Kind | None
    is_written: bool
    owner: str


class _Way(NamedTuple):
    """Where a node stands: its address, the resource around it, and the mappings on the way to it, outermost first.

    `outer` are the mappings around the resource. With `is_known` ARNs say nothing, or a text around it is known.
    """

    label: str
    resource: Resource | None
    mappings: tuple[Object, ...]
    owners: Owners
    key: str = ""
    outer: tuple[Object, ...] = ()
    is_known: bool = False


def policies_of(
    source: Source, documents: Sequence[Node], branches: Branches | None = None
) -> Iterator[ManifestPolicy]:
    """The policies of the documents of a source. Raises `Unreadable` for one in a text that cannot be read."""
    owners = Owners(documents, branches)
    for number, document in enumerate(documents):
        owners.weigh(document)
        label = "" if isinstance(document, Object) and resource_of(document, "") else f"[{number}]" * (number > 0)
        yield from _node_policies(source, document, _Way(label, None, (), owners))


def _node_policies(source: Source, node: Node, way: _Way) -> Iterator[ManifestPolicy]:
    if isinstance(node, Scalar):
        yield from _text_policies(source, node, way)
    elif looks_like_policy(node):
        yield _written_policy(node, node, way)
    elif (statements := statements_in(node)) is not None:
        yield _written_policy(policy_of(statements, node.span), node, way)
    elif reads_as_statement(node):
        yield _single_statement(node, way)
    elif isinstance(node, Array):
        for number, item in enumerate(node.items):
            yield from _node_policies(source, item, way._replace(label=f"{way.label}[{identity(item, number)}]"))
    else:
        yield from _mapping_policies(source, node, way)


def _single_statement(node: Node, way: _Way) -> ManifestPolicy:
    """The policy of a statement in a list with others that say something else, or by itself."""
    statement = statement_of(node)
    if statement is None:
        return _stand_in((by_text(node, way.label),), node, way)
    return _written_policy(policy_of((statement,), node.span), node, way)


def _mapping_policies(source: Source, node: Object, way: _Way) -> Iterator[ManifestPolicy]:
    resource = resource_of(node, way.key, way.resource)
    if resource is not None and is_removed(resource, node):
        return
    if resource is not None:
        label = f"{way.label}.{resource.address}" if way.label and way.resource else resource.address
        way = way._replace(label=label, resource=resource, mappings=(), outer=(*way.outer, *way.mappings))
    way = way._replace(mappings=(*way.mappings, node))
    is_granting = resource is not None and _is_granting(resource, node)
    is_known = way.is_known
    if resource is not None and is_cap(resource, node):
        cap = by_text(cap_of(node), resource.address, effect="Deny")
        yield _stand_in((cap,), node, way._replace(label=f"{way.label}{CAP}"))
        is_known = True
    if resource is not None and is_granting:
        yield _stand_in((by_text(_without_description(node), resource.address, BY_RESOURCE),), node, way)
        is_known = True
    elif _is_role(node) or _is_access_patch(node, way):
        yield _stand_in((by_text(node, way.label),), node, way)
        is_known = True
    elif resource is not None and resource.aws:
        yield from _switched_policies(resource, node, way)
    handed_on = way.owners.handed_on(node, way.key, way.mappings, way.resource)
    for key, value in node.entries:
        tells_nothing = _tells_nothing(key.text, value, way)
        inner = way._replace(
            label=f"{way.label}.{key_label(key.text)}".lstrip("."), key=key.text, is_known=is_known or tells_nothing
        )
        if id(value) in handed_on:
            yield from _access_policies(source, value, inner)
        else:
            yield from _key_policies(source, without_style(key.text), value, inner, is_granting)


def _switched_policies(resource: Resource, node: Object, way: _Way) -> Iterator[ManifestPolicy]:
    """The policies that stand for what switches of a resource give, for the resource as a whole."""
    for switch in giving(resource, node, way.label):
        told = switch.value if switch.is_by_text else Scalar("on", switch.value.span)
        statement = by_text(told, switch.label, BY_RESOURCE)
        outer_way = way._replace(label=f"{switch.label}{SWITCH}", mappings=(), outer=(*way.outer, node))
        yield _stand_in((statement,), switch.value, outer_way)


def _names_role(plain: str, value: Node) -> bool:
    """Tell whether under a key, which is `plain`, stands who acts or is let in; Ansible has modules of such names."""
    by_name = not isinstance(value, Object) and keys.ROLE_NAME.fullmatch(plain)
    return bool(by_name or keys.ANYWHERE.fullmatch(plain))


def _tells_nothing(key: str, value: Node, way: _Way) -> bool:
    """Tell whether ARNs under a key give nothing."""
    if keys.BOUNDARY.fullmatch(key):
        return True
    if isinstance(value, Scalar):
        return bool(keys.TELLING_NOTHING.fullmatch(key))
    if key in ("labels", "tags"):
        return all(isinstance(each, Scalar) for each in children(value))
    is_root = way.resource is not None and len(way.mappings) == 1
    return (key == "status" and is_root) or key == "openAPIV3Schema"


def _key_policies(source: Source, plain: str, value: Node, way: _Way, is_granting: bool) -> Iterator[ManifestPolicy]:
    """The policies under a key, which is `plain`; a resource that `is_granting` is known by its text already."""
    if isinstance(value, Array) and _patches(value, way) and not way.owners.holds(value):
        speaking = value._replace(items=tuple(item for item in value.items if _patches(item, way)))
        yield _stand_in(tuple(granted_statements(speaking, way.label)), value, way)
        return
    in_aws = way.resource is not None and way.resource.aws
    if plain == METADATA and not isinstance(value, Scalar):
        in_aws = False
    gives_access = (
        (_names_role(plain, value) and not way.is_known)
        or (way.resource is None and keys.ATTACHED.fullmatch(plain))
        or _patches(value, way)
        or (in_aws and not is_granting and _gives_access(plain, way))
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
    elif isinstance(value, Object) and not (
        looks_like_policy(value) or reads_as_statement(value) or statements_in(value) is not None
    ):
        inner = way._replace(mappings=(*way.mappings, value))
        for key, child in value.entries:
            yield from _access_policies(source, child, inner._replace(label=f"{way.label}.{key.text}", key=key.text))
    elif isinstance(value, Array) and statements_in(value) is None:
        for number, item in enumerate(value.items):
            yield from _access_policies(source, item, way._replace(label=f"{way.label}[{identity(item, number)}]"))
    else:
        yield from _node_policies(source, value, way)


def _fills_in(way: _Way) -> bool:
    """Tell whether variables stand there that fill in the tasks or the resources beside them."""
    if way.resource:
        return False
    if way.key in keys.VARIABLES:
        return is_project(way.mappings[-1])
    return way.key == "vars" and any(way.mappings[-1].get(key) for key in _PLAYED)


def _has_other_policies(way: _Way) -> bool:
    return way.resource is not None and bool(keys.OTHER_POLICY_KIND.fullmatch(way.resource.kind))


def _is_role(node: Object) -> bool:
    """Tell whether a parameter or a variable of the environment is given a role."""
    name, value = node.get("name"), node.get("value")
    return isinstance(name, Scalar) and isinstance(value, Scalar) and bool(keys.ROLE_PARAMETER.fullmatch(name.text))


def _is_access_patch(node: Object, way: _Way) -> bool:
    """Tell whether a JSON Patch writes into a resource elsewhere what may give access."""
    is_whole_file = not way.resource or keys.PATCHING_KIND.fullmatch(way.resource.kind)
    if not is_whole_file or not is_operation(node):
        return False
    return any(keys.PATCHED.search(scalar.text) for scalar in scalars(node))


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
    if plain in keys.CLUSTER_GRANTING and keys.CLUSTER_KIND.fullmatch(resource.kind):
        return True
    if keys.ACTING.fullmatch(plain) and not keys.IAM_KIND.fullmatch(resource.kind):
        beside = {without_style(entry.key.text) for entry in way.mappings[-1].entries}
        return beside.isdisjoint(keys.POLICY | keys.GRANTING)
    if plain == "profile":
        return resource.kind == keys.MACHINE_KIND
    return plain in keys.IAM_GRANTING and bool(keys.IAM_KIND.fullmatch(resource.kind))


def _is_granting(resource: Resource, node: Object) -> bool:
    kind = resource.kind
    if resource.text or resource.address.endswith(keys.ROLE_MAPS):
        return True
    if not resource.aws or keys.NETWORK_KIND.fullmatch(kind) or keys.CAP_KIND.fullmatch(kind):
        return False
    if keys.ATTACHING_KIND.fullmatch(kind):
        return not any(without_style(scalar.text) in keys.GRANTING for scalar in scalars(node))
    return is_filled_in(kind) or bool(keys.GRANTING_KIND.fullmatch(kind))


def _without_description(node: Object) -> Object:
    """A resource without what only names and describes it."""
    return node._replace(entries=tuple(e for e in node.entries if e.key.text not in (METADATA, "apiVersion", "status")))


def _text_policies(source: Source, scalar: Scalar, way: _Way) -> Iterator[ManifestPolicy]:
    text = scalar.text.lstrip()
    if may_be_encoded(text.encode("utf-8", "replace")):
        inner_text = decoded(text)
        if inner_text is None:
            yield _stand_in((by_text(scalar, way.label),), scalar, way)
        else:
            yield from _text_policies(source, scalar._replace(text=inner_text), way)
        return
    is_policy = is_policy_text(text)
    is_json = text.startswith(("[", "{")) and not text.startswith(("{{", "{%", "{#"))
    if is_json and (is_policy or "Effect" in text or _may_give(text)):
        try:
            node = read_text(scalar, source)
        except Unreadable:
            if is_policy or (text.startswith("[") and "Effect" in text):
                raise
        else:
            way.owners.weigh(node)
            yield from _node_policies(source, node, way)
            return
    if is_policy or _makes_something(text, way):
        yield _stand_in((by_text(_without_comments(scalar), way.label),), scalar, way)
    elif not way.is_known and (identities := _identities(scalar)):
        statements = [statement for each in identities for statement in granted_statements(each, way.label)]
        yield _stand_in(tuple(statements), scalar, way)


def _may_give(text: str) -> bool:
    """Tell whether a text in JSON speaks of what gives access."""
    return (
        "effect" in text.lower() or keys.IDENTITY.search(text) is not None or may_grant(text.encode("utf-8", "replace"))
    )


def _makes_something(text: str, way: _Way) -> bool:
    """Tell whether a text is a manifest or a program by which something in AWS is made, or seems to be one."""
    if "\n" in text and keys.CODE.search(text):
        return True
    if way.is_known or not any(sign in text for sign in ("\n", "{", "=")):
        return False
    if may_grant(text.replace("arn:aws:iam", "").encode("utf-8", "replace")):
        return True
    return may_grant(text.encode("utf-8", "replace")) and _is_data(text)


def _is_data(text: str) -> bool:
    """Tell whether a text is no program: a mapping or a list in YAML, perhaps with marks of a template."""
    if "{{" in text or "{%" in text:
        return True
    try:
        documents = read(Source("a.yaml", text))
    except Unreadable:
        return False
    return any(not isinstance(document, Scalar) for document in documents)


def _without_comments(scalar: Scalar) -> Scalar:
    """The text without what may only be a comment, whatever reads it."""
    lines = (line.strip() for line in scalar.text.split("\n"))
    code = (line for line in lines if line and ("{" in line or "<" in line or not line.startswith(("# ", "// "))))
    return scalar._replace(text="\n".join(code))


def _identities(scalar: Scalar) -> list[Scalar]:
    """The lines of a text in which a principal or a policy stands, each as a text."""
    lines = (line.strip() for line in scalar.text.split("\n"))
    return [scalar._replace(text=line) for line in dict.fromkeys(lines) if keys.IDENTITY.search(line)]


def _written_policy(node: Node, file_node: Node, way: _Way) -> ManifestPolicy:
    trust = without_style(way.key).startswith(("assumerole", "trust"))
    return ManifestPolicy(
        label=way.label,
        node=node,
        file_node=file_node,
        holder=_holder(way, file_node),
        kind="trust" if trust else None,
        is_written=True,
        owner=_owner(way),
    )


def _stand_in(statements: tuple[Object, ...], file_node: Node, way: _Way) -> ManifestPolicy:
    """The policy that stands for access without a document."""
    node = policy_of(statements, file_node.span)
    return ManifestPolicy(
        label=way.label,
        node=node,
        file_node=file_node,
        holder=_holder(way, file_node),
        kind="identity",
        is_written=False,
        owner=_owner(way),
    )


def standing_for(marks: Sequence[Scalar]) -> Iterator[ManifestPolicy]:
    """The policy that stands for the marks of a template around policies."""
    if marks:
        statements = tuple(by_text(mark, "the template") for mark in marks)
        yield _stand_in(statements, marks[0], _Way("the template", None, (), Owners(())))


def _holder(way: _Way, node: Node) -> str:
    """Return whose a policy is: a text that is another one for every other holder."""
    first = int(bool(keys.ANYWHERE.fullmatch(without_style(way.key))))
    owner_texts = [
        text
        for depth, mapping in enumerate(reversed(way.mappings), first)
        for text in way.owners.of(mapping, depth, way.key)
    ]
    owner_texts += way.owners.around(way.mappings[0]) if way.resource and way.mappings else ()
    for mapping in way.outer:
        owner_texts += (*way.owners.of(mapping, -1, way.key), *way.owners.notes(mapping))
    if way.owners.branches:
        resource = way.mappings[0].span if way.mappings else node.span
        owner_texts += way.owners.branches.around(resource, node.span.start)
    return digest(owner_texts) if owner_texts else ""


def _owner(way: _Way) -> str:
    """Return in words whose a policy is: what is said of a principal beside it, or else its resource."""
    for mapping in reversed(way.mappings):
        for key, value in mapping.entries:
            if keys.PRINCIPAL.fullmatch(key.text) and (name := _name_in(value)):
                return f"{key.text} {name}"
    return way.resource.address if way.resource else ""


def _name_in(node: Node) -> str:
    """Return a text, or the first in a mapping such as `{name: reader}`."""
    if isinstance(node, Object):
        return next((entry.value.text for entry in node.entries if isinstance(entry.value, Scalar)), "")
    return node.text if isinstance(node, Scalar) else ""


def _is_more(node: Node) -> bool:
    if isinstance(node, Scalar):
        return node.kind != "null" and bool(node.text.strip())
    return bool(node.items if isinstance(node, Array) else node.entries)
