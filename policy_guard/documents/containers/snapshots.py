"""The templates of CloudFormation in snapshots of tests, each as a template of its own.

A snapshot may hold a template, some resources of one, or a policy alone; what is less than a template is judged as one
that has nothing else. What CDK names after the content of an asset or a function is no change of the template.

Sources: AWS CDK, aws-cdk-lib/assertions (`Template.toJSON`, `findResources`); aws-cdk-lib/core/lib/stack-synthesizers,
`AssetParameters`; aws-lambda/lib/function-hash.ts, aws-apigateway/lib/deployment.ts.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.cloudformation.template import is_template, type_of
from policy_guard.documents.containers.holes import hole
from policy_guard.documents.containers.recognition import (
    bare_statements,
    is_policy_text,
    looks_like_policy,
    policy_of,
)
from policy_guard.documents.embedded import read_text
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Source, Span, Unreadable
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

_ASSET = regex(r"AssetParameters[0-9a-f]{64}(S3Bucket|S3VersionKey|ArtifactHash)[0-9A-F]{8}")
_CONTENT = regex(r"((?:CurrentVersion|Deployment)[0-9A-F]{8})[0-9a-f]{32}")

_RESOURCES = ("Resource", "NotResource")
# The short form of the ARN of an API is none that a test gave.
_MADE_UP = regex(r"(?!arn:|execute-api:/)[\w:.-]+")


class SnapshotTemplate(NamedTuple):
    """A template, and what it is called: the name of its snapshot, and where in it it stands."""

    name: str
    root: Object


def snapshot_templates(source: Source, document: Node) -> Iterator[SnapshotTemplate]:
    """The templates in the document of a file of snapshots. Raises `Unreadable` for one in a text that is none."""
    names: set[str] = set()
    for key, value in document.entries if isinstance(document, Object) else ():
        for place, root in _roots(source, value, ""):
            name = f"{key.text}{place}"
            name = name if name not in names else f"{name}#{len(names)}"
            names.add(name)
            yield SnapshotTemplate(name, root)


def _roots(source: Source | None, node: Node, place: str) -> Iterator[tuple[str, Object]]:
    """The templates in a node, and what stands for one; without a source, texts are not looked into."""
    if isinstance(node, Scalar):
        yield from _roots_in_text(source, node, place) if source is not None else ()
    elif is_template(node):
        assert isinstance(node, Object)
        yield place, _steady(node)
    elif looks_like_policy(node):
        yield place, _with_policy(node)
    elif statements := bare_statements(node):
        yield place, _with_policy(policy_of(statements, node.span))
    elif isinstance(node, Object):
        yield from _roots_in_mapping(source, node, place)
    else:
        for number, item in enumerate(node.items):
            yield from _roots(source, item, f"{place}[{number}]")


def _roots_in_mapping(source: Source | None, node: Object, place: str) -> Iterator[tuple[str, Object]]:
    if _is_resource(node):
        yield place, _template_of((Entry(Scalar("Resource", node.span), node),), node.span)
        return
    resources = tuple(entry for entry in node.entries if _is_resource(entry.value))
    if resources:
        yield place, _template_of(resources, node.span)
    for key, value in node.entries:
        if not _is_resource(value):
            yield from _roots(source, value, f"{place}.{key.text}")


def _is_resource(node: Node) -> bool:
    return isinstance(node, Object) and "::" in type_of(node)


def _roots_in_text(source: Source, scalar: Scalar, place: str) -> Iterator[tuple[str, Object]]:
    text = scalar.text.lstrip()
    if "AWS::" not in text and not is_policy_text(text):
        return
    if text.startswith(("{", "[")):
        yield from _roots(None, read_text(scalar, source), place)
    elif "\n" in text:
        for number, node in enumerate(_read_yaml(scalar)):
            yield from _roots(None, node, f"{place}[{number}]" if number else place)


def _read_yaml(scalar: Scalar) -> Iterator[Node]:
    """The YAML in a text, each value at the place of the whole text."""
    from policy_guard.documents.formats import read

    try:
        documents = read(Source("template.yaml", scalar.text))
    except Unreadable as error:
        raise Unreadable(*(each._replace(span=scalar.span) for each in error.problems)) from None
    for document in documents:
        yield _at(document, scalar.span)


def _at(node: Node, span: Span) -> Node:
    if isinstance(node, Scalar):
        return node._replace(span=span)
    if isinstance(node, Array):
        return node._replace(items=tuple(_at(item, span) for item in node.items), span=span)
    entries = tuple(Entry(key._replace(span=span), _at(value, span)) for key, value in node.entries)
    return node._replace(entries=entries, span=span)


def _with_policy(policy: Node) -> Object:
    """The template of a policy alone: of the kind that has what its statements say."""
    keys = {entry.key.text for statement in _statements(policy) for entry in statement.entries}
    if keys.isdisjoint(("Principal", "NotPrincipal")):
        type_, property_ = "AWS::IAM::ManagedPolicy", "PolicyDocument"
    elif keys.isdisjoint(("Resource", "NotResource")):
        type_, property_ = "AWS::IAM::Role", "AssumeRolePolicyDocument"
    else:
        type_, property_ = "AWS::SecretsManager::ResourcePolicy", "ResourcePolicy"
    properties = Object((Entry(Scalar(property_, policy.span), policy),), policy.span)
    entries = (
        Entry(Scalar("Type", policy.span), Scalar(type_, policy.span)),
        Entry(Scalar("Properties", policy.span), properties),
    )
    return _template_of((Entry(Scalar("Policy", policy.span), Object(entries, policy.span)),), policy.span)


def _statements(policy: Node) -> Iterator[Object]:
    node = policy.get("Statement") if isinstance(policy, Object) else None
    for statement in node.items if isinstance(node, Array) else (node,):
        if isinstance(statement, Object):
            yield statement


def _template_of(resources: tuple[Entry, ...], span: Span) -> Object:
    return _steady(Object((Entry(Scalar("Resources", span), Object(resources, span)),), span))


def _steady(node: Object) -> Object:
    """The node with names that do not tell the content of assets and functions."""
    steady_node = _steady_node(node)
    assert isinstance(steady_node, Object)
    return steady_node


def _steady_node(node: Node) -> Node:
    if isinstance(node, Scalar):
        return node._replace(text=_steady_text(node.text))
    if isinstance(node, Array):
        return node._replace(items=tuple(map(_steady_node, node.items)))
    entries: dict[str, Entry] = {}
    repeated_entries: list[Entry] = []
    for key, value in node.entries:
        text = _steady_text(key.text)
        if text not in entries:
            steady_value = _steady_node(value)
            is_named = text in _RESOURCES and node.get("Effect") is not None
            value_named = _with_made_up_names(steady_value) if is_named else steady_value
            entries[text] = Entry(key._replace(text=text), value_named)
        elif text == key.text or not _ASSET.fullmatch(key.text):
            repeated_entries.append(Entry(key, _steady_node(value)))
    return node._replace(entries=(*entries.values(), *repeated_entries))


def _with_made_up_names(node: Node) -> Node:
    """The resources of a statement; a text in place of an ARN is one that a test gave, and whatever its code has."""
    if isinstance(node, Array):
        return node._replace(items=tuple(map(_with_made_up_names, node.items)))
    name = _MADE_UP.match(node.text) if isinstance(node, Scalar) else None
    if name is None or not isinstance(node, Scalar):
        return node
    return node._replace(parts=(hole(f"{name[0]} in the test"), node.text[name.end() :]))


def _steady_text(text: str) -> str:
    if "AssetParameters" in text:
        text = _ASSET.sub(r"AssetParameters\1", text)
    return _CONTENT.sub(r"\1", text) if "CurrentVersion" in text or "Deployment" in text else text
