"""The policies of manifests: Kubernetes (Crossplane, ACK, kops, eksctl, Cluster API), Pulumi YAML and Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_guard.documents.containers.limits import SWITCH, Limit, Limits
from policy_guard.documents.containers.manifests.branches import Branches
from policy_guard.documents.containers.manifests.grants import by_text
from policy_guard.documents.containers.manifests.keys import ANNOTATIONS
from policy_guard.documents.containers.manifests.limits import limits_of
from policy_guard.documents.containers.manifests.resources import is_manifest
from policy_guard.documents.containers.manifests.walk import CAP, ManifestPolicy, policies_of, standing_for
from policy_guard.documents.containers.plain import PolicyDocument, Reading
from policy_guard.documents.containers.recognition import policy_of
from policy_guard.documents.containers.value_files import UsedNames, decisions
from policy_guard.documents.marks import refused_marks
from policy_guard.documents.source import Array, Node, Problem, Source, Span, scalars


def are_manifests(source: Source, documents: Sequence[Node]) -> bool:
    """Tell whether there is a manifest among the documents of a file, or a role by annotation, as in values of Helm."""
    if any(map(is_manifest, documents)):
        return True
    if not any(part in source.text for part in (".com/", "\\")):
        return False
    return any(ANNOTATIONS.search(scalar.text) for document in documents for scalar in scalars(document))


def policies_in_template(source: Source) -> Reading | None:
    """The policies of manifests with marks of a template engine; None for any other file, and one without policies."""
    from policy_guard.documents.containers.manifests.marked import masked, unmasked
    from policy_guard.documents.formats import read

    masked_source = masked(source)
    if masked_source is None:
        return None
    documents = tuple(map(unmasked, read(masked_source)))
    if not are_manifests(source, documents):
        return None
    branches = Branches(source.text)
    manifest_policies = [*policies_of(source, documents, branches)]
    mark_problems = _problems_inside(refused_marks(source, documents, ()), manifest_policies)
    deciding_starts = branches.starts()
    problems = tuple(each for each in mark_problems if each.span.start not in deciding_starts)
    return _reading(source, documents, manifest_policies, branches, problems)


def policies_in(source: Source, documents: Sequence[Node]) -> Reading:
    """The policies in manifests. Raises `Unreadable` for one in a text that cannot be read.

    Marks that may be more than names are refused in policies, and known by their texts elsewhere; Ansible fills in
    values alone.
    """
    is_played = all(isinstance(document, Array) for document in documents)
    branches = None if is_played else Branches(source.text)
    manifest_policies = [*policies_of(source, documents, branches)]
    mark_problems = (
        refused_marks(source, documents, (each.node for each in manifest_policies), None) if manifest_policies else ()
    )
    problems = _problems_inside(mark_problems, manifest_policies)
    other_spans = [each.span for each in mark_problems if each not in problems] if branches else []
    return _reading(source, documents, manifest_policies, branches, problems, other_spans)


def policies_in_values(source: Source, documents: Sequence[Node], names: UsedNames, by_shape: Reading) -> Reading:
    """The policies and roles in a file of values, and the values that policies elsewhere use.

    `by_shape` is what the file holds whatever its name is.
    """
    reading = policies_in(source, documents)
    policies = {each.label: each for each in (*reading.policies, *by_shape.policies)}
    limits = reading.limits or Limits({}, {})
    by_label = dict(limits.by_label)
    told = tuple(policies.values())
    for document in documents:
        for path, node, by_item in decisions(source.path, document, names):
            if any(policy.node.span == node.span for policy in told):
                continue
            label = f"{path}{SWITCH}"
            items = node.items if by_item and isinstance(node, Array) else (node,)
            statements = tuple(by_text(item, f"the value {path} in a policy") for item in items)
            if statements:
                policy = policy_of(statements, node.span)
                policies[label] = PolicyDocument(label, policy, source, kind="identity")
            by_label[path] = Limit(path, "", "off", "given", node.span)
    places = {**limits.places, **({"": documents[0].span} if documents else {})}
    return by_shape._replace(policies=tuple(policies.values()), limits=Limits(by_label, places))


def _reading(
    source: Source,
    documents: Sequence[Node],
    manifest_policies: list[ManifestPolicy],
    branches: Branches | None,
    problems: tuple[Problem, ...],
    other_spans: Iterable[Span] = (),
) -> Reading:
    """The policies, and what marks write around them; `other_spans` are where marks of other engines stand."""
    from policy_guard.documents.containers.manifests.marked import in_lines, written_by

    if manifest_policies and branches:
        known_starts = branches.every_start()
        others = (span for span in other_spans if span.start not in known_starts)
        manifest_policies += standing_for((*written_by(source, documents, branches), *in_lines(source, others)))
    limits = limits_of(documents)
    # A cap of what stands in the same file may go with it.
    with_capped = {f"{label}{CAP}" for label, limit in limits.by_label.items() if limit.kind == "cap"}
    visible_policies = (each for each in manifest_policies if each.label not in with_capped)
    policies = _documents(source, visible_policies)
    return Reading(tuple(each._replace(problems=problems) for each in policies.values()), 0, limits=limits)


def _documents(source: Source, manifest_policies: Iterable[ManifestPolicy]) -> dict[str, PolicyDocument]:
    policies: dict[str, PolicyDocument] = {}
    for policy in manifest_policies:
        label = policy.label if policy.label not in policies else f"{policy.label}#{len(policies)}"
        policies[label] = PolicyDocument(
            label, policy.node, source, policy.holder, kind=policy.kind, owner=policy.owner
        )
    return policies


def _problems_inside(
    mark_problems: Iterable[Problem], manifest_policies: Iterable[ManifestPolicy]
) -> tuple[Problem, ...]:
    """The problems that stand inside of what is read as policies."""
    spans = [each.file_node.span for each in manifest_policies if each.is_written]
    return tuple(each for each in mark_problems if any(start <= each.span.start < end for start, end in spans))
