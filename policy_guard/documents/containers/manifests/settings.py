"""Roles and managed policies in settings of programs and tools that are no manifests.

A key around them has to tell, such as `roleArn`, `executionRole`, `role-to-assume`, `roles` or `managedPolicies`, and
so has the ARN of a role or of a managed policy under it.
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

_BY_PATH = {":role/": "role", ":policy/": "polic"}
# Boundaries give nothing.
_BOUNDARY = "boundary"
# An ARN, or what may be filled in before one.
_BEGINNINGS, _OF_IAM = ("arn:", "$", "{", "%"), ":iam:"
_WORDS = (*_BY_PATH.values(), _BOUNDARY)
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
            words = f"the role {scalar.text.rpartition('/')[2][:_LONGEST]}" if is_role else label
            statements = (
                (by_text(scalar, words, action_of("acting-role")),)
                if is_role
                else tuple(granted_statements(scalar, words))
            )
            node = policy_of(statements, scalar.span)
            yield PolicyDocument(unique_label, node, source, kind="identity", by_name=True)


def _named(document: Node, prefix: str) -> Iterator[tuple[str, Scalar]]:
    """The ARNs under keys that tell what they are, each with its path."""
    stack: list[tuple[str, frozenset[str], Node]] = [(prefix, frozenset(), document)]
    while stack:
        label, words, node = stack.pop()
        if isinstance(node, Scalar):
            if _BOUNDARY not in words and _is_identity(node.text, words):
                yield label.rstrip("."), node
        elif isinstance(node, Array):
            stack += ((f"{label}[{identity(item, number)}].", words, item) for number, item in enumerate(node.items))
        elif not looks_like_policy(node):
            stack += (
                (f"{label}{entry.key.text[:_LONGEST]}.", words | _words(node, entry.key.text), entry.value)
                for entry in node.entries
            )


def _is_identity(text: str, words: frozenset[str]) -> bool:
    """Tell whether a text is the ARN of what the words speak of, or several with commas between them."""
    items = [item.strip() for item in text.split(",")] if words else []
    arns = [item for item in items if item.lower().startswith(_BEGINNINGS)]
    paths = [path for path, word in _BY_PATH.items() if word in words]
    return any(
        _OF_IAM in before and behind for path in paths for before, _, behind in (arn.partition(path) for arn in arns)
    )


def _words(node: Object, key: str) -> frozenset[str]:
    """Return of what a key speaks: what a parameter is called speaks for its value, if it stands beside it."""
    names = [node.get(each) for each in _NAME] if key in _VALUE else []
    text = without_style(next((name.text for name in names if isinstance(name, Scalar)), key))
    return frozenset(word for word in _WORDS if word in text)
