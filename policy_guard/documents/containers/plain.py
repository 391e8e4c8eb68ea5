"""Which policies a file holds, and where: at the top, in a list, under a name, or where AWS's own answers have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.answers import LABEL as CONTENT
from policy_guard.documents.containers.answers import organizations_kind
from policy_guard.documents.containers.attached import Attachments
from policy_guard.documents.containers.holders import Holders
from policy_guard.documents.containers.limits import Limits
from policy_guard.documents.containers.recognition import (
    bare_statements,
    is_policy_text,
    looks_like_policy,
    looks_like_policy_text,
    policy_of,
)
from policy_guard.documents.containers.unresolved import Unresolved, unresolved, without_style
from policy_guard.documents.embedded import read_text
from policy_guard.documents.format import sniff
from policy_guard.documents.formats import read
from policy_guard.documents.marks import refused_marks
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, Unreadable, is_null
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

# The ends of names under which AWS's API and the CLI give a policy, without case and underscores: "Policy",
# "AssumeRolePolicyDocument", "policyText", "PolicyInJson". Source: the output shapes of botocore's service models.
_POLICY_KEYS = ("policy", "policydocument", "policytext", "policyinjson", "policycontent", "accesspolicies", "document")
# Of Organizations (Policy.Content) and OpenSearch (AccessPolicies.Options).
_POLICY_KEYS_ALONE = ("content", "options")
# What leads to such a key in those answers: "PolicyVersion.Document", "Attributes.Policy", "Policies[].Policy".
_CONTAINERS = (
    *("policy", "policies", "version", "versions", "versionlist", "policylist", "detaillist", "responselist"),
    *("role", "roles", "user", "group", "instanceprofile", "instanceprofiles", "profilelist", "attributes", "access"),
    *("domainstatus", "domainconfig", "domainstatuslist", "vpcendpoint", "vpcendpoints", "established", "proposed"),
    *("creationtemplate", "creationtemplates", "generatedpolicyresult"),
    *("recommendedsteps", "recommendedstep", "permissionsrecommendedstep", "unusedpermissions"),
)
# Whose policies stand at places of their own, which are counted only.
_TEMPLATES = ("apiVersion", "AWSTemplateFormatVersion", "Resources", "resource", "resource_changes", "planned_values")
# Of more mappings with policies of their own none is taken for the holder of another's.
_MOST_PARTS = 4
# What tells the entries of a list apart, without case and underscores; the last ones if there is none of the first.
_NAMES = ("policyname", "rolename", "username", "groupname", "name", "id", "arn")
_LESSER_NAMES = ("policyid", "resourcearn", "vpcendpointid", "versionid", "instanceprofilename", "domainname", "sid")
# The policy of the API that the mapping defines, whatever its paths and its title are. Source: Amazon API Gateway
# Developer Guide, "x-amazon-apigateway-policy".
_OF_API = "x-amazon-apigateway-policy"
_BETWEEN_DOCUMENTS = regex(r"^(?:---|\.\.\.)(?=\s|\Z)", re.MULTILINE)
_OWNER = regex(r"(?i)role|user|group|principal|account|boundar|polic|attach|^name$|^state$|^when$")
_NAME_ALONE = regex(r"arn:.*|[\w+=,@-]*", re.DOTALL)


class PolicyDocument(NamedTuple):
    """A policy document found in a file. `label` is empty where the file is the policy.

    `holder` is what stands beside it about whose it is or what it is attached to, as a text. `problems` are those of
    the whole file, such as what a template may put anywhere in it. `kind` is what the place of use says. With `bare` it
    is a list of statements, or one, without a policy around it. `owner` says in words whose it is, where `holder` does
    not. With `by_name` it is no document, but a role or a managed policy that settings name.
    """

    label: str
    node: Node
    source: Source
    holder: str = ""
    problems: tuple[Problem, ...] = ()
    kind: Kind | None = None
    bare: bool = False
    owner: str = ""
    by_name: bool = False


class _Place(NamedTuple):
    """The place of a policy: the node that holds it, and the mappings on the way to it without other policies.

    With None for the policy it is a place that holds something else.
    """

    label: str
    node: Node | None
    file_node: Node
    neighbors: tuple[Object, ...] = ()
    bare: bool = False


class _Look(Enum):
    """Where in a mapping to look for policies.

    `KEYS`: under the keys that AWS gives policies. `ANSWER`: under every name, and deeper where AWS's answers have
    policies. `NAMES`: as in an answer, and under AWS's keys in every mapping.
    """

    KEYS = 0
    ANSWER = 1
    NAMES = 2


class Reading(NamedTuple):
    """`deeper` counts the embedded policies, where no policy is looked for.

    `other_labels` are the labels where something else stands that may become a policy;
    "a[" is a list that holds such a thing. `unresolved` is what is filled in later, with its place. `limits` are what
    a manifest keeps out without a policy.
    """

    policies: tuple[PolicyDocument, ...]
    deeper: int
    other_labels: frozenset[str] = frozenset()
    unresolved: tuple[Unresolved, ...] = ()
    limits: Limits | None = None


def policies(source: Source) -> Reading:
    """The policies in a source. Raises `Unreadable` if its text cannot be read."""
    return policies_in(source, read(source))


def policies_in(source: Source, documents: Sequence[Node]) -> Reading:
    """The policies in the documents of a source. Raises `Unreadable` for one in a text that cannot be read."""
    by_label: dict[str, PolicyDocument] = {}
    policy_ids: set[int] = set()
    other_labels: set[str] = set()
    holders = Holders(Attachments(documents, source.text))
    for number, document in enumerate(documents):
        prefix = _prefix(document, number) if len(documents) > 1 else ""
        for place in _top_places(source, document, prefix):
            if place.node is None:
                other_labels.add(place.label)
                continue
            label = place.label if place.label not in by_label else f"{place.label}#{len(by_label)}"
            by_label[label] = PolicyDocument(
                label=label,
                node=place.node,
                source=source,
                holder=holders.text(place.neighbors),
                kind=organizations_kind(document) if label == CONTENT and len(documents) == 1 else None,
                bare=place.bare,
            )
            policy_ids.add(id(place.file_node))
    deeper = sum(_deeper(document, policy_ids) for document in documents)
    mark_problems = refused_marks(source, documents, (each.node for each in by_label.values())) if by_label else ()
    return Reading(
        tuple(each._replace(problems=mark_problems) for each in by_label.values()),
        deeper,
        frozenset(other_labels),
        unresolved(documents, policy_ids, _TEMPLATES),
    )


def holds_one_apart(source: Source) -> bool:
    """Tell whether one of several documents is a policy for a reader that gets no further than that one."""
    documents = _BETWEEN_DOCUMENTS.split(source.text)
    return len(documents) > 1 and any(_holds_one(Source(source.path, text)) for text in documents)


def _holds_one(source: Source) -> bool:
    try:
        return bool(policies(source).policies)
    except Unreadable:
        return False


def _prefix(document: Node, number: int) -> str:
    """Return how labels in one of several documents begin; the first keeps its label when another is added."""
    identity = _identity(document, number)
    return f"[{identity}]" if identity != "0" else ""


def _top_places(source: Source, document: Node, prefix: str) -> Iterator[_Place]:
    """Everything near enough to the top."""
    if statements := bare_statements(document):
        yield _Place(prefix, policy_of(statements, document.span), document, bare=True)
    elif isinstance(document, Array):
        for number, item in enumerate(document.items):
            yield from _node_places(source, item, f"{prefix}[{_identity(item, number)}]")
            yield from _open_places(item, f"{prefix}[")
    else:
        yield from _node_places(source, document, prefix)
        yield from _open_places(document, prefix)


def _is_more(node: Node | None) -> bool:
    """Tell whether there is a node that is no empty list or mapping."""
    if node is None or isinstance(node, Scalar):
        return node is not None
    return bool(node.items if isinstance(node, Array) else node.entries)


def _open_places(node: Node, label: str) -> Iterator[_Place]:
    """A place of anything, if a deployer puts something there."""
    text = isinstance(node, Scalar) and node.kind == "string" and not _NAME_ALONE.fullmatch(node.text)
    function = isinstance(node, Object) and any(_is_function(entry.key.text) for entry in node.entries)
    if node.tag is not None or text or function:
        yield _Place(label, None, node)


def _is_function(key: str) -> bool:
    return key == "Ref" or key.startswith("Fn::")


def _node_places(source: Source, node: Node, label: str) -> Iterator[_Place]:
    inner = _inside_text(source, node, is_policy_key=True)
    if inner is not None and looks_like_policy(inner):
        yield _Place(label, inner, node)
    elif isinstance(node, Object):
        template = any(map(_is_more, map(node.get, _TEMPLATES)))
        yield from _places_in_mapping(source, node, label, _Look.KEYS if template else _Look.NAMES)


def _places_in_mapping(source: Source, node: Object, label: str, look: _Look) -> Iterator[_Place]:
    """The policies in a mapping, each with what stands beside it there."""
    entry_places = [
        (entry, tuple(_entry_places(source, entry, f"{label}.{entry.key.text}".lstrip("."), look)))
        for entry in node.entries
    ]
    policy_keys = {entry.key.text for entry, places in entry_places if any(place.node for place in places)}
    if not policy_keys:
        yield from (place for _, places in entry_places for place in places)
        return
    _refuse_two_names(node, policy_keys)
    entries = tuple(entry for entry, _ in entry_places if entry.key.text not in policy_keys)
    mappings = (entry for entry, _ in entry_places if entry.key.text in policy_keys and isinstance(entry.value, Object))
    parts = [entry for entry in mappings if not looks_like_policy(entry.value)]
    parts = parts if len(parts) <= _MOST_PARTS else []
    shared_mapping = node._replace(entries=(*entries, *parts))
    for holding_entry, places in entry_places:
        if holding_entry.key.text == _OF_API:
            yield from places
            continue
        mapping = shared_mapping
        if any(part is holding_entry for part in parts):
            mapping = node._replace(entries=(*entries, *(part for part in parts if part is not holding_entry)))
        for place in places:
            neighbor = _owning(mapping) if place.bare else mapping
            yield place._replace(neighbors=(neighbor, *place.neighbors))


def _owning(mapping: Object) -> Object:
    """The entries beside statements that may say whose they are: files with such are settings of much else."""
    return mapping._replace(entries=tuple(entry for entry in mapping.entries if _OWNER.search(entry.key.text)))


def _entry_places(source: Source, entry: Entry, label: str, look: _Look) -> Iterator[_Place]:
    """The policy that is the value of an entry, or those that lie in it as in an answer of AWS's API."""
    key, value = without_style(entry.key.text), entry.value
    if statements := bare_statements(value):
        yield _Place(label, policy_of(statements, value.span), value, bare=True)
        return
    is_policy_key = key.endswith(_POLICY_KEYS) or key in _POLICY_KEYS_ALONE
    if not is_policy_key and look is _Look.KEYS:
        return
    inner = _inside_text(source, value, is_policy_key)
    if inner is not None and looks_like_policy(inner):
        yield _Place(label, inner, value)
        return
    leads = key.endswith(_CONTAINERS) and not isinstance(value, Scalar)
    if not (leads or is_null(value)) or any(_open_places(value, label)):
        yield _Place(label, None, value)
    if key.endswith(_CONTAINERS) and look is not _Look.KEYS:
        yield from _answer_places(source, value, label)
    elif isinstance(value, Object) and look is _Look.NAMES:
        yield from _places_in_mapping(source, value, label, _Look.KEYS)


def _answer_places(source: Source, node: Node, label: str) -> Iterator[_Place]:
    """Return what lies in a part of an answer, which is a mapping or a list."""
    if node.tag is not None:
        return
    if isinstance(node, Object):
        yield from _places_in_mapping(source, node, label, _Look.ANSWER)
    for number, item in enumerate(node.items if isinstance(node, Array) else ()):
        item_label = f"{label}[{_identity(item, number)}]"
        inner = _inside_text(source, item, is_policy_key=True)
        if inner is not None and looks_like_policy(inner):
            yield _Place(item_label, inner, item)
        elif isinstance(item, Object):
            yield from _places_in_mapping(source, item, item_label, _Look.ANSWER)
        yield from _open_places(item, f"{label}[")


def _refuse_two_names(node: Object, policy_keys: set[str]) -> None:
    """Refuse keys written twice: readers differ in which one they take, so that the holder of the policy is open."""
    names: set[str] = set()
    for key, value in node.entries:
        name = without_style(key.text) if without_style(key.text) in _NAMES else key.text
        if name in _NAMES or name in policy_keys:
            if name in names:
                raise Unreadable(Problem(f'"{key.text}" is written twice beside a policy; keep one', key.span))
            if isinstance(value, Scalar) and value.tag is not None and name in _NAMES:
                raise Unreadable(Problem(f'"{key.text}" has a tag beside a policy; write the name', value.span))
            names.add(name)


def _identity(node: Node, number: int) -> str:
    """Return what tells an entry of a list from the others, whatever stands before it: its name, or else its number."""
    if isinstance(node, Object):
        scalars = {
            without_style(key.text): (key, value) for key, value in reversed(node.entries) if isinstance(value, Scalar)
        }
        for names in (_NAMES, _LESSER_NAMES):
            if identifiers := [f"{scalars[name][0].text}={scalars[name][1].text}" for name in names if name in scalars]:
                return ",".join(identifiers)
    return str(number)


def _deeper(document: Node, policy_ids: set[int]) -> int:
    """Return how many policies lie in a tree, not counting those with the `policy_ids`."""
    count, stack = 0, [document]
    while stack:
        node = stack.pop()
        if id(node) in policy_ids:
            continue
        if looks_like_policy(node) or (isinstance(node, Scalar) and is_policy_text(node.text)) or bare_statements(node):
            count += 1
        elif isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            stack += [entry.value for entry in node.entries]
    return count


def _inside_text(source: Source, node: Node, is_policy_key: bool) -> Node | None:
    """The JSON inside a string, its places those of the file; None if the string is no JSON mapping.

    Any other node is given back. Raises `Unreadable` for a text that was meant as a policy, if it stands under the
    `named` key of one.
    """
    scalar = _text_under_sub(node) or node
    if not isinstance(scalar, Scalar):
        return node
    text = scalar.text.lstrip()
    if scalar.tag not in (None, "!Sub") or not text.startswith(("{", "%7B", "%7b")) or not sniff(text.encode()):
        return None
    try:
        inner = read_text(scalar if text[0] == "{" else _decode(scalar), source)
    except Unreadable:
        if is_policy_key and looks_like_policy_text(scalar.text):
            raise
        return None
    return _with_sub(inner) if scalar.tag else inner


def _text_under_sub(node: Node) -> Scalar | None:
    """The text of `{"Fn::Sub": text}`, with the tag that is short for it."""
    if isinstance(node, Object) and len(node.entries) == 1 and node.entries[0].key.text == "Fn::Sub":
        text = node.entries[0].value
        return text._replace(tag="!Sub") if isinstance(text, Scalar) and text.tag is None else None
    return None


def _with_sub(node: Node) -> Node:
    """Return what stands in a text under `Fn::Sub`: each string with a place to fill in is under it, too."""
    if isinstance(node, Scalar):
        return node._replace(tag="!Sub") if "${" in node.text else node
    if isinstance(node, Array):
        return node._replace(items=tuple(map(_with_sub, node.items)))
    entries = (Entry(key._replace(tag="!Sub") if "${" in key.text else key, _with_sub(v)) for key, v in node.entries)
    return node._replace(entries=tuple(entries))


def _decode(scalar: Scalar) -> Scalar:
    """The string without percent-encoding, in which the API of IAM returns policies."""
    from urllib.parse import unquote

    return scalar._replace(text=unquote(scalar.text))
