"""The policies of manifests: Kubernetes (Crossplane, ACK, kops, eksctl, Cluster API), Pulumi YAML and Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_guard.documents.containers.manifests.resources import is_manifest
from policy_guard.documents.containers.manifests.walk import Found, policies_of, standing_for
from policy_guard.documents.containers.plain import PolicyDocument, Reading
from policy_guard.documents.marks import refused_marks
from policy_guard.documents.source import Array, Node, Problem, Source

ROLE = "eks.amazonaws.com/role-arn"
"""The annotation that gives a service account a role, which values of Helm have, too."""


def are_manifests(source: Source, documents: Sequence[Node]) -> bool:
    """Tell whether there is a manifest among the documents of a file, or a service account's role."""
    return ROLE in source.text or any(map(is_manifest, documents))


def policies_in_template(source: Source) -> Reading | None:
    """The policies of manifests with marks of a template engine; None for any other file, and one without policies."""
    from policy_guard.documents.containers.manifests.marked import marks, masked, unmasked
    from policy_guard.documents.formats import read

    plain = masked(source)
    if plain is None:
        return None
    documents = tuple(map(unmasked, read(plain)))
    if not are_manifests(source, documents):
        return None
    found, alone = [*policies_of(source, documents)], marks(source)
    wrong = _inside(refused_marks(source, documents, ()), found)
    known = {mark.span.start for mark in alone}
    problems = tuple(each for each in wrong if each.span.start not in known)
    found += standing_for(alone) if found else ()
    return Reading(tuple(each._replace(problems=problems) for each in _documents(source, found).values()), 0)


def policies_in(source: Source, documents: Sequence[Node]) -> Reading:
    """The policies in manifests. Raises `Unreadable` for one in a text that cannot be read.

    Marks that may be more than names are refused in policies, and known by their lines elsewhere; Ansible fills in
    values alone.
    """
    from policy_guard.documents.containers.manifests.marked import in_lines

    found = [*policies_of(source, documents)]
    wrong = refused_marks(source, documents, (each.node for each in found)) if found else ()
    inside = _inside(wrong, found)
    if not all(isinstance(document, Array) for document in documents):
        found += standing_for(in_lines(source, (each.span for each in wrong if each not in inside)))
    return Reading(tuple(each._replace(problems=inside) for each in _documents(source, found).values()), 0)


def _documents(source: Source, found: Iterable[Found]) -> dict[str, PolicyDocument]:
    policies: dict[str, PolicyDocument] = {}
    for each in found:
        label = each.label if each.label not in policies else f"{each.label}#{len(policies)}"
        policies[label] = PolicyDocument(label, each.node, source, each.holder, kind=each.kind)
    return policies


def _inside(wrong: Iterable[Problem], found: Iterable[Found]) -> tuple[Problem, ...]:
    """The problems that stand inside of what is read as policies."""
    spans = [each.own.span for each in found if each.written]
    return tuple(each for each in wrong if any(start <= each.span.start < end for start, end in spans))
