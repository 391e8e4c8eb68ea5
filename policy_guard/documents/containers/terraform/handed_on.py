"""What resources of Kubernetes, Helm and Vault are given that gives access, judged as manifests are.

A service account names a role, `aws-auth` who is let into a cluster, a release of Helm both in its values. What is
written as a policy is judged as one; this is the rest, which is known by its text.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.holes import visible
from policy_guard.documents.containers.manifests.walk import policies_of
from policy_guard.documents.containers.opaque import Opaque, digest
from policy_guard.documents.containers.terraform.elsewhere import ABSENT, policy_with, statements_of
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.values import parts, place_at
from policy_guard.documents.formats import read
from policy_guard.documents.hcl.syntax import Argument, Block, Body
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Source, Unreadable
from policy_guard.regex import regex

HANDED_ON = "manifest"
"""The name of the place."""
_PROVIDERS = ("kubernetes_", "kubectl_", "helm_", "vault_", "argocd_", "kustomization_", "k8s_")
_NO_NAME = regex(r"[^\w.:/-]")
_META = ("count", "for_each", "depends_on", "provider", "lifecycle")


def may_hand_on(type_: str) -> bool:
    """Tell whether a type of resource hands on what it is given to a cluster or to Vault."""
    return type_.startswith(_PROVIDERS)


def handed_policy(evaluator: Evaluator, body: Body) -> Node:
    """The policy that stands for what a resource hands on. Raises `Need` and `Unreadable`."""
    tree = _content(evaluator, body)
    documents = (tree, *_texts(tree))
    statements = [
        place_at(statement, body.span)
        for each in policies_of(Source("a.yaml", ""), documents)
        if not each.is_written and isinstance(each.node, Object)
        for statement in statements_of(each.node)
    ]
    return policy_with(tuple(statements), body.span) if statements else ABSENT


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


def _texts(node: Node) -> Iterator[Node]:
    """The documents of YAML that are written in texts of a tree."""
    stack: list[Node] = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, Scalar):
            if "\n" in each.text:
                try:
                    yield from read(Source("a.yaml", each.text))
                except Unreadable:
                    continue
        else:
            stack += each.items if isinstance(each, Array) else (value for _, value in each.entries)
