"""The policies of manifests: Kubernetes (Crossplane, ACK, kops, eksctl, Cluster API), Pulumi YAML and Ansible."""

from __future__ import annotations

from collections.abc import Sequence

from policy_guard.documents.containers.manifests.resources import is_manifest
from policy_guard.documents.containers.manifests.walk import Found, policies_of
from policy_guard.documents.containers.plain import PolicyDocument, Reading
from policy_guard.documents.marks import refused_marks
from policy_guard.documents.source import Array, Node, Problem, Source


def are_manifests(documents: Sequence[Node]) -> bool:
    """Tell whether there is a manifest among the documents of a file."""
    return any(map(is_manifest, documents))


def policies_in(source: Source, documents: Sequence[Node]) -> Reading:
    """The policies in manifests. Raises `Unreadable` for one in a text that cannot be read."""
    policies: dict[str, PolicyDocument] = {}
    found = tuple(policies_of(source, documents))
    for each in found:
        label = each.label if each.label not in policies else f"{each.label}#{len(policies)}"
        policies[label] = PolicyDocument(label, each.node, source, each.holder, kind=each.kind)
    wrong = _refused(source, documents, found) if found else ()
    return Reading(tuple(each._replace(problems=wrong) for each in policies.values()), 0)


def _refused(source: Source, documents: Sequence[Node], found: Sequence[Found]) -> tuple[Problem, ...]:
    """The marks that may be more than names. Ansible fills in values alone, those that are read as policies."""
    wrong = refused_marks(source, documents, (each.node for each in found))
    if not all(isinstance(document, Array) for document in documents):
        return wrong
    spans = [each.own.span for each in found if each.written]
    return tuple(each for each in wrong if any(start <= each.span.start < end for start, end in spans))
