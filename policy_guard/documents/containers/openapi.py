"""APIs of Amazon API Gateway in files of OpenAPI and Swagger: who may call each method, and by which role it acts.

Sources: API Gateway Developer Guide, "OpenAPI extensions for API Gateway" and "x-amazon-apigateway-policy": without a
policy, and without an authorizer or a key, everybody may call a method. Whether `security` of the whole API counts
differs by the kind of API: a method that goes from its own to that of the API is one with another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.limits import Limit, Limits
from policy_guard.documents.containers.manifests.grants import by_text
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.containers.plain import PolicyDocument, Reading
from policy_guard.documents.containers.recognition import policy_of
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Source, Span, is_null
from policy_guard.regex import regex

EXTENSION = "x-amazon-apigateway-"
"""What the names of API Gateway's own keys begin with."""
_VERSIONS = ("openapi", "swagger")
_POLICY = f"{EXTENSION}policy"
_ANY = f"{EXTENSION}any-method"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_CLOSING = ("security", f"{EXTENSION}auth")
_CREDENTIALS = ("credentials", "authorizerCredentials")
# In a path, the names of variables decide nothing.
_VARIABLE = regex(r"\{[^{}]*\}")
_SILENT = ("description", "authorizerResultTtlInSeconds")
_OPEN = "NONE"
_LONGEST_KEY = 200


def with_api(source: Source, documents: Sequence[Node], reading: Reading) -> Reading:
    """The reading of a file, and what gives access in the APIs in it without a policy, or keeps it out."""
    policies = {each.label: each for each in reading.policies}
    limits = reading.limits or Limits({}, {})
    by_label, places = dict(limits.by_label), dict(limits.places)
    apis = [
        document
        for document in documents
        if isinstance(document, Object) and any(document.get(key) for key in _VERSIONS)
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
        stack += ((f"{outer_label}{number}.", is_inside, item) for number, item in enumerate(_items(node)))
        for key, value in node.entries if isinstance(node, Object) else ():
            label = f"{outer_label}{_short(key.text)}"
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
    """What keeps callers out of each method of an API; their places are put with the others."""
    schemes = dict(_schemes(document))
    whole = _closed_text(document, schemes)
    texts: dict[str, list[str]] = {}
    spans: dict[str, Span] = {}
    for label, method in _methods(document, prefix):
        is_own = any(method.get(key) is not None for key in _CLOSING)
        text = _closed_text(method, schemes) if is_own else whole and f"of the API: {digest(whole)}"
        texts.setdefault(label, []).append(text)
        spans[label] = places[label] = _telling_span(method)
    for label, several in texts.items():
        if any(several):
            yield Limit(f"{label}.callers", label, "endpoint", repr(several), spans[label])


def _methods(document: Object, prefix: str) -> Iterator[tuple[str, Object]]:
    """The methods of an API with their labels; one for any method stands for each that is not written."""
    for paths in _values(document, "paths"):
        for path, item in paths.entries if isinstance(paths, Object) else ():
            entries = item.entries if isinstance(item, Object) else ()
            methods = [(key.text.lower(), value) for key, value in entries if isinstance(value, Object)]
            written_names = {name for name, _ in methods}
            label = f"{prefix}paths.{_short(path.text)}"
            for name, method in methods:
                if name == _ANY:
                    yield from ((f"{label}.{each}", method) for each in _METHODS if each not in written_names)
                elif name in _METHODS:
                    yield f"{label}.{name}", method


def _closed_text(node: Object, schemes: Mapping[str, str]) -> str:
    """The text of what callers need; empty where they need nothing."""
    requirements = [item for value in _values(node, "security") for item in (_items(value) or (value,))]
    needs = [_need(item, schemes) for item in requirements]
    kinds = [canonical(_without(value)) for value in _values(node, f"{EXTENSION}auth") if not _is_open(value)]
    is_open = not needs or any(not need for need in needs)
    return "" if is_open and not kinds else repr((needs, kinds))


def _telling_span(method: Object) -> Span:
    """Where a method says who may call it: first that everybody may."""
    kinds, requirements = _values(method, f"{EXTENSION}auth"), _values(method, "security")
    nodes = (*filter(_is_open, kinds), *requirements, *kinds, method)
    return nodes[0].span


def _need(item: Node, schemes: Mapping[str, str]) -> str:
    """The text of one of the ways to be let in: what its schemes say, whatever these are called."""
    if not isinstance(item, Object):
        return canonical(item)
    texts = sorted((schemes.get(key.text, key.text), canonical(scopes)) for key, scopes in item.entries)
    return repr(texts) if texts else ""


def _schemes(document: Object) -> Iterator[tuple[str, str]]:
    """The text of each way to authorize, by its name, in OpenAPI 2 and 3."""
    components = document.get("components")
    sections = [*_values(document, "securityDefinitions")]
    sections += _values(components, "securitySchemes") if isinstance(components, Object) else ()
    for section in sections:
        for key, scheme in section.entries if isinstance(section, Object) else ():
            yield key.text, digest(canonical(_without(scheme)))


def _without(node: Node) -> Node:
    """A node without what decides nothing about callers."""
    if not isinstance(node, Object):
        return node
    entries = (Entry(key, _without(value)) for key, value in node.entries if key.text not in _SILENT)
    return node._replace(entries=tuple(entries))


def _is_open(value: Node) -> bool:
    kind = value.get("type") if isinstance(value, Object) else value
    return isinstance(kind, Scalar) and (is_null(kind) or kind.text.upper() == _OPEN)


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Array) else ()


def _short(key: str) -> str:
    """A key as labels show it, which are made for everything below it."""
    key = _VARIABLE.sub("{}", key)
    return key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}~{digest(key)}"


def _values(node: Object, key: str) -> tuple[Node, ...]:
    """All values of a key, which may be written twice."""
    return tuple(entry.value for entry in node.entries if entry.key.text == key)
