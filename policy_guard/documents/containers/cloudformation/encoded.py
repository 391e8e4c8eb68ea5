"""Policies that a template holds in base64, or hands to `Fn::Base64` in the script of an instance."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.template import Template
from policy_guard.documents.containers.recognition import looks_like_policy_text
from policy_guard.documents.encoded import may_be_encoded
from policy_guard.documents.source import Array, Node, Object, Scalar, scalars


def encoded_policies(resource: Object, template: Template) -> Iterator[tuple[str, Node]]:
    """The values of a resource that hold a policy in base64 or make one so, each with its place."""
    text = template.source.text[slice(*resource.span)]
    may_be_plain = template.filled or any(part in text for part in ("tatement", "\\", "*", "<<"))
    if not (may_be_plain or may_be_encoded(text.encode("utf-8", "replace"))):
        return
    stack: list[tuple[str, Node]] = [(key.text, value) for key, value in resource.entries]
    while stack:
        place, node = stack.pop()
        if (function_call := call(node)) and function_call.name == "Fn::Base64":
            if any(looks_like_policy_text(each.text) for each in scalars(function_call.argument)):
                yield place, node
        elif isinstance(node, Scalar):
            if may_be_encoded(node.text.encode("utf-8", "replace")):
                yield place, node
        elif isinstance(node, Array):
            stack += ((f"{place}[{number}]", item) for number, item in enumerate(node.items))
        else:
            stack += ((f"{place}.{key.text}", value) for key, value in node.entries)
