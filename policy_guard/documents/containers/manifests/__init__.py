"""The policies of manifests: Kubernetes (Crossplane, ACK, kops, eksctl, Cluster API), Pulumi YAML and Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_guard.documents.containers.manifests.resources import is_manifest
from policy_guard.documents.containers.manifests.walk import ManifestPolicy, policies_of, standing_for
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

    masked_source = masked(source)
    if masked_source is None:
        return None
    documents = tuple(map(unmasked, read(masked_source)))
    if not are_manifests(source, documents):
        return None
    manifest_policies, line_marks = [*policies_of(source, documents)], marks(source)
    mark_problems = _problems_inside(refused_marks(source, documents, ()), manifest_policies)
    mark_starts = {mark.span.start for mark in line_marks}
    problems = tuple(each for each in mark_problems if each.span.start not in mark_starts)
    manifest_policies += standing_for(line_marks) if manifest_policies else ()
    return Reading(
        tuple(each._replace(problems=problems) for each in _documents(source, manifest_policies).values()), 0
    )


def policies_in(source: Source, documents: Sequence[Node]) -> Reading:
    """The policies in manifests. Raises `Unreadable` for one in a text that cannot be read.

    Marks that may be more than names are refused in policies, and known by their lines elsewhere; Ansible fills in
    values alone.
    """
    from policy_guard.documents.containers.manifests.marked import in_lines

    manifest_policies = [*policies_of(source, documents)]
    mark_problems = (
        refused_marks(source, documents, (each.node for each in manifest_policies)) if manifest_policies else ()
    )
    policy_problems = _problems_inside(mark_problems, manifest_policies)
    if not all(isinstance(document, Array) for document in documents):
        manifest_policies += standing_for(
            in_lines(source, (each.span for each in mark_problems if each not in policy_problems))
        )
    return Reading(
        tuple(each._replace(problems=policy_problems) for each in _documents(source, manifest_policies).values()), 0
    )


def _documents(source: Source, manifest_policies: Iterable[ManifestPolicy]) -> dict[str, PolicyDocument]:
    policies: dict[str, PolicyDocument] = {}
    for policy in manifest_policies:
        label = policy.label if policy.label not in policies else f"{policy.label}#{len(policies)}"
        policies[label] = PolicyDocument(label, policy.node, source, policy.holder, kind=policy.kind)
    return policies


def _problems_inside(
    mark_problems: Iterable[Problem], manifest_policies: Iterable[ManifestPolicy]
) -> tuple[Problem, ...]:
    """The problems that stand inside of what is read as policies."""
    spans = [each.file_node.span for each in manifest_policies if each.is_written]
    return tuple(each for each in mark_problems if any(start <= each.span.start < end for start, end in spans))
