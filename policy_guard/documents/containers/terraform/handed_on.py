"""What resources of Kubernetes, Helm and Vault are given that gives access, judged as manifests are.

A service account names a role, `aws-auth` who is let into a cluster, a release of Helm both in its values. What is
written as a policy is judged as one; this is the rest, which is known by its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from policy_guard.documents.containers.holes import visible
from policy_guard.documents.containers.manifests.grants import by_text
from policy_guard.documents.containers.manifests.walk import policies_of
from policy_guard.documents.containers.opaque import Opaque, digest
from policy_guard.documents.containers.terraform.elsewhere import ABSENT, policy_with, statements_of
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.values import parts, place_at
from policy_guard.documents.format import may_grant
from policy_guard.documents.formats import read
from policy_guard.documents.hcl.syntax import Argument, Block, Body
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Source, Span, Unreadable, scalars
from policy_guard.regex import regex

HANDED_ON = "manifest"
"""The name of the place."""
_PROVIDERS = ("kubernetes_", "kubectl_", "helm_", "vault_", "argocd_", "kustomization_", "k8s_")
_NO_NAME = regex(r"[^\w.:/-]")
_ACCESS = regex(r":iam::|role-arn|map(?:Roles|Users|Accounts)", re.IGNORECASE)
_META = ("count", "for_each", "depends_on", "provider", "lifecycle")


def may_hand_on(type_: str) -> bool:
    """Tell whether a type of resource hands on what it is given to a cluster or to Vault."""
    return type_.startswith(_PROVIDERS)


def handed_policy(evaluator: Evaluator, body: Body) -> Node:
    """The policy that stands for what a resource hands on. Raises `Need` and `Unreadable`."""
    tree = _content(evaluator, body)
    spans = {name: argument.value.span for name, argument in body.arguments.items()}
    statements = list(_statements((tree,), body.span, spans))
    for entry in tree.entries:
        for text in _long_texts(entry.value):
            statements += _statements_in(text, spans.get(entry.key.text, body.span))
    return policy_with(tuple(statements), body.span) if statements else ABSENT


def _statements(documents: Sequence[Node], span: Span, spans: Mapping[str, Span] = {}) -> Iterator[Node]:
    """The statements for what gives access by its text, at the span of the argument by which an address begins."""
    for policy in policies_of(Source("a.yaml", ""), documents):
        if not policy.is_written and isinstance(policy.node, Object):
            place = spans.get(policy.label.partition(".")[0], span)
            yield from (place_at(statement, place) for statement in statements_of(policy.node))


def _statements_in(text: Scalar, span: Span) -> Iterator[Node]:
    """The statements for what stands in a text in YAML; one that is none counts by its text, if it speaks of access."""
    try:
        yield from _statements(read(Source("a.yaml", text.text)), span)
    except Unreadable:
        if _ACCESS.search(text.text) or may_grant(text.text.encode("utf-8", "replace")):
            yield place_at(by_text(text, "a text that is no YAML"), span)


def _content(evaluator: Evaluator, body: Body) -> Object:
    """The arguments and blocks of a resource as a mapping, in which each text is written out with marks for holes."""
    entries = [
        Entry(Scalar(name, body.span), _written(_value(evaluator, argument)))
        for name, argument in body.arguments.items()
        if name not in _META
    ]
    by_type: dict[str, list[Node]] = {}
    for block in body.blocks:
        if block.type not in _META:
            label = block.labels[0] if block.type == "dynamic" and block.labels else block.type
            by_type.setdefault(label, []).append(_block(evaluator, block))
    for name, blocks in by_type.items():
        value = blocks[0] if len(blocks) == 1 else Array(tuple(blocks), body.span)
        entries.append(Entry(Scalar(name, body.span), value))
    return Object(tuple(entries), body.span)


def _block(evaluator: Evaluator, block: Block) -> Node:
    return _content(evaluator, block.body)


def _value(evaluator: Evaluator, argument: Argument) -> Node:
    try:
        return evaluator.value(argument.value)
    except Opaque:
        return evaluator.opaque(argument.value)


def _written(node: Node) -> Node:
    """The value with texts alone: what nobody knows is a word that is another one for every other value."""
    if isinstance(node, Array):
        return Array(tuple(map(_written, node.items)), node.span)
    if isinstance(node, Object):
        return Object(tuple(Entry(_text(key), _written(value)) for key, value in node.entries), node.span)
    return _text(node)


def _text(scalar: Scalar) -> Scalar:
    words = (part if isinstance(part, str) else _word(part) for part in parts(scalar))
    return Scalar("".join(words), scalar.span, scalar.kind)


def _word(part: Hole) -> str:
    return f"{_NO_NAME.sub('-', visible(part))}-{digest(part)}"


def _long_texts(node: Node) -> Iterator[Scalar]:
    """The texts of several lines in a tree."""
    return (scalar for scalar in scalars(node) if "\n" in scalar.text)
