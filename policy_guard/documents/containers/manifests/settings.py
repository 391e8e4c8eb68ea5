"""Roles and managed policies in settings of programs and tools that are no manifests.

Their key has to tell, such as `roleArn`, `executionRole`, `role-to-assume` or `managedPolicies`, and so has the ARN of
a role or of a managed policy under it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.manifests.grants import by_text, granted_statements
from policy_guard.documents.containers.manifests.resources import identity
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.recognition import looks_like_policy, policy_of
from policy_guard.documents.containers.unresolved import without_style
from policy_guard.documents.source import Array, Node, Object, Scalar, Source
from policy_guard.regex import regex

# Boundaries give nothing.
_BY_KEY = {
    ":role/": regex(r"(?!\w*boundary)\w*roles?(?:arns?|toassume)?"),
    ":policy/": regex(r"(?!\w*boundary)\w*polic(?:y|ies)(?:arns?)?"),
}
_ARN = regex(r"arn:[^\s:]*:iam::[^:]{0,90}(:role/|:policy/).+")
# Plans and states of Terraform, and answers of AWS about what there is.
_NO_SETTINGS = frozenset(("resource_changes", "planned_values", "terraform_version", "ResponseMetadata"))
_NAME, _VALUE = ("name", "Name", "ParameterKey"), ("value", "Value", "ParameterValue")
_LONGEST = 500


def named_policies(source: Source, documents: Sequence[Node]) -> Iterator[PolicyDocument]:
    """The policies that stand for the roles and managed policies in the documents of a file."""
    labels: set[str] = set()
    for number, document in enumerate(documents):
        if isinstance(document, Object) and any(entry.key.text in _NO_SETTINGS for entry in document.entries):
            continue
        for label, scalar in _named(document, f"[{number}]." if number else ""):
            unique_label = f"{label}#{len(labels)}" if label in labels else label
            labels.add(unique_label)
            is_role = ":role/" in scalar.text
            words = f"the role {scalar.text.rpartition('/')[2]}" if is_role else label
            statements = (
                (by_text(scalar, words, action_of("acting-role")),)
                if is_role
                else tuple(granted_statements(scalar, words))
            )
            node = policy_of(statements, scalar.span)
            yield PolicyDocument(unique_label, node, source, kind="identity", by_name=True)


def _named(document: Node, prefix: str) -> Iterator[tuple[str, Scalar]]:
    """The ARNs under keys that tell what they are, each with its path."""
    stack: list[tuple[str, str, Node]] = [(prefix, "", document)]
    while stack:
        label, key, node = stack.pop()
        if isinstance(node, Scalar):
            match = _ARN.fullmatch(node.text) if len(node.text) <= _LONGEST else None
            if match and _BY_KEY[match[1]].fullmatch(key):
                yield label.rstrip("."), node
        elif isinstance(node, Array):
            stack += ((f"{label}[{identity(item, number)}].", key, item) for number, item in enumerate(node.items))
        elif not looks_like_policy(node):
            stack += (
                (f"{label}{entry.key.text[:_LONGEST]}.", _key(node, entry.key.text), entry.value)
                for entry in node.entries
            )


def _key(node: Object, key: str) -> str:
    """The key of a value without case and style: what a parameter is called, if it stands beside its name."""
    names = [node.get(each) for each in _NAME] if key in _VALUE else []
    return without_style(next((name.text for name in names if isinstance(name, Scalar)), key))
