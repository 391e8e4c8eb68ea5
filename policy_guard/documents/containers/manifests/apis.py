"""Files of OpenAPI and Swagger that describe APIs of Amazon API Gateway: their roles, and what keeps callers out.

Source: API Gateway Developer Guide, "OpenAPI extensions for API Gateway" and "x-amazon-apigateway-policy".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.cloudformation.openapi import (
    EXTENSION,
    VERSIONS,
    items_of,
    method_callers,
    shortened,
)
from policy_guard.documents.containers.limits import Limit, Limits
from policy_guard.documents.containers.manifests.grants import by_text
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.containers.plain import PolicyDocument, Reading
from policy_guard.documents.containers.recognition import policy_of
from policy_guard.documents.source import Array, Node, Object, Scalar, Source, Span, is_null

_POLICY = f"{EXTENSION}policy"
_CREDENTIALS = ("credentials", "authorizerCredentials")


def with_api(source: Source, documents: Sequence[Node], reading: Reading) -> Reading:
    """The reading of a file, and what gives access in the APIs in it without a policy, or keeps it out."""
    policies = {each.label: each for each in reading.policies}
    limits = reading.limits or Limits({}, {})
    by_label, places = dict(limits.by_label), dict(limits.places)
    apis = [
        document
        for document in documents
        if isinstance(document, Object) and any(document.get(key) for key in VERSIONS)
    ]
    for number, document in enumerate(apis):
        prefix = f"[{number}]." if number else ""
        places[prefix] = document.span
        method_limits = tuple(_method_limits(document, prefix, places))
        if _is_of_gateway(document):
            policies.update((each.label, each) for each in _roles(source, document, prefix))
            by_label.update((each.label, each) for each in (*_policy_limits(document, prefix), *method_limits))
    return reading._replace(policies=tuple(policies.values()), limits=Limits(by_label, places))


def _is_of_gateway(document: Object) -> bool:
    """Tell whether API Gateway's own keys stand anywhere in the description of an API."""
    stack: list[Node] = [document]
    while stack:
        node = stack.pop()
        stack += node.items if isinstance(node, Array) else ()
        for key, value in node.entries if isinstance(node, Object) else ():
            if key.text.startswith(EXTENSION):
                return True
            stack.append(value)
    return False


def _roles(source: Source, document: Object, prefix: str) -> Iterator[PolicyDocument]:
    """The roles by which integrations and authorizers act, as policies that are known by their text."""
    labels: set[str] = set()
    stack: list[tuple[str, bool, Node]] = [(prefix, False, document)]
    while stack:
        outer_label, is_inside, node = stack.pop()
        stack += ((f"{outer_label}{number}.", is_inside, item) for number, item in enumerate(items_of(node)))
        for key, value in node.entries if isinstance(node, Object) else ():
            label = f"{outer_label}{shortened(key.text)}"
            if is_inside and key.text in _CREDENTIALS and not is_null(value):
                label = f"{label}#{len(labels)}" if label in labels else label
                labels.add(label)
                statement = by_text(value, f"the role {_words(value)}", action_of("acting-role"))
                yield PolicyDocument(label, policy_of((statement,), value.span), source, kind="identity")
            stack.append((f"{label}.", is_inside or key.text.startswith(EXTENSION), value))


def _words(value: Node) -> str:
    return value.text.replace("${", "").replace("}", "") if isinstance(value, Scalar) else "that is chosen here"


def _policy_limits(document: Object, prefix: str) -> Iterator[Limit]:
    """The policy of an API, which counts at the top alone, as what keeps callers out by being there."""
    for key, value in document.entries:
        if key.text == _POLICY and not is_null(value):
            is_read = isinstance(value, Object) and value.get("Statement") is not None
            yield Limit(f"{prefix}{_POLICY}", prefix, "open-api", "" if is_read else canonical(value), key.span)


def _method_limits(document: Object, prefix: str, places: dict[str, Span]) -> Iterator[Limit]:
    """The limits that keep callers out of each method of an API; their places are put with the others."""
    for name, method in method_callers(document).items():
        label = f"{prefix}{name}"
        places[label] = method.span
        if method.text:
            yield Limit(f"{label}.callers", label, "endpoint", method.text, method.span)
