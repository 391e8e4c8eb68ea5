"""The kind of a policy that an answer of `aws organizations describe-policy` tells, as it is saved.

Source: AWS Organizations API Reference, DescribePolicy, PolicySummary. An answer counts whole and with an ARN that says
the same as its type: control policies grant nothing, and beside less a file could call any policy one.
"""

from __future__ import annotations

from policy_guard.documents.containers import Kind
from policy_guard.documents.source import Node, Object, Scalar
from policy_guard.regex import regex

LABEL = "Policy.Content"
"""Where the policy stands in such an answer."""
_MEMBERS = {"PolicySummary", "Content"}
_SUMMARY = {"Id", "Arn", "Name", "Description", "Type", "AwsManaged"}
_KINDS: dict[str, Kind] = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}
_ARN = regex(
    r"arn:aws[a-z0-9-]*:organizations::[a-z0-9]+:policy/([a-z0-9-]+/)?(service|resource)_control_policy/p-[A-Za-z0-9]+"
)


def organizations_kind(document: Node) -> Kind | None:
    """The kind that such an answer tells; None for anything else."""
    policy = document.get("Policy") if isinstance(document, Object) and len(document.entries) == 1 else None
    if not isinstance(policy, Object) or policy.tag is not None or _names(policy) != sorted(_MEMBERS):
        return None
    summary = policy.get("PolicySummary")
    if not isinstance(summary, Object) or len(set(_names(summary))) < len(summary.entries):
        return None
    if not {"Arn", "Type"} <= set(_names(summary)) <= _SUMMARY:
        return None
    arn, type_ = _ARN.fullmatch(_text(summary.get("Arn"))), _text(summary.get("Type"))
    return _KINDS.get(type_) if arn and f"{arn[2]}_control_policy".upper() == type_ else None


def _names(node: Object) -> list[str]:
    return sorted(entry.key.text for entry in node.entries)


def _text(node: Node | None) -> str:
    is_plain = isinstance(node, Scalar) and node.tag is None and node.parts is None and not node.disputed
    return node.text if isinstance(node, Scalar) and is_plain else ""
