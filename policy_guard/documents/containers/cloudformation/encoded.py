"""Policies that a template holds in base64, or in the scripts of an instance, and scripts that call IAM."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.template import Template
from policy_guard.documents.containers.recognition import looks_like_policy_text
from policy_guard.documents.encoded import may_be_encoded
from policy_guard.documents.source import Array, Node, Object, Scalar, scalars
from policy_guard.regex import regex

# AWS CloudFormation User Guide, "cfn-init": what scripts of instances are told in the metadata of a resource.
_INIT = "AWS::CloudFormation::Init"
# AWS CLI Command Reference, "iam": options may stand before the service, which stands on the same line or a joined one.
_CALL = regex(r"\baws\b[^\n;|&]{0,99}?\biam\b")


def encoded_policies(resource: Object, template: Template) -> Iterator[tuple[str, Node]]:
    """The values of a resource that hold a policy in base64 or in a script, or call IAM there, each with its place."""
    text = template.source.text[slice(*resource.span)]
    may_be_plain = template.filled or any(part in text for part in ("tatement", "\\", "*", "<<", "iam"))
    if not (may_be_plain or may_be_encoded(text.encode("utf-8", "replace"))):
        return
    stack: list[tuple[str, Node]] = [(key.text, value) for key, value in resource.entries]
    while stack:
        place, node = stack.pop()
        script = _script(place, node)
        if script is not None and _has_access(script, template):
            yield place, node
        elif isinstance(node, Scalar):
            if may_be_encoded(node.text.encode("utf-8", "replace")):
                yield place, node
        elif isinstance(node, Array):
            stack += ((f"{place}[{number}]", item) for number, item in enumerate(node.items))
        else:
            stack += ((f"{place}.{key.text}", value) for key, value in node.entries)


def _script(place: str, node: Node) -> Node | None:
    """Return what a node hands to the scripts of an instance, if it does."""
    if place.endswith(f".{_INIT}"):
        return node
    function_call = call(node)
    return function_call.argument if function_call and function_call.name == "Fn::Base64" else None


def _has_access(script: Node, template: Template) -> bool:
    """Tell whether a script seems to hold a policy, or to call IAM; its texts may be parts of one line."""
    texts = [each.text for each in scalars(script)]
    written = template.source.text[slice(*script.span)]
    return bool(any(map(looks_like_policy_text, (*texts, written))) or _CALL.search(" ".join(texts)))
