"""Who may call each method of an API of Amazon API Gateway that is described in OpenAPI or Swagger.

Source: API Gateway Developer Guide, "OpenAPI extensions for API Gateway". Without an authorizer or a key, everybody may
call a method. Whether `security` of the whole API counts differs by the kind of API: a method that goes from its own to
that of the API is one with another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span, is_null
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

EXTENSION = "x-amazon-apigateway-"
"""What the names of API Gateway's own keys begin with."""
VERSIONS = ("openapi", "swagger")
"""The keys that say by which version of OpenAPI an API is described."""
_ANY = f"{EXTENSION}any-method"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_CLOSING = ("security", f"{EXTENSION}auth")
# In a path, the names of variables decide nothing.
_VARIABLE = regex(r"\{[^{}]*\}")
_SILENT = ("description", "authorizerResultTtlInSeconds")
_OPEN = "NONE"
_LONGEST_KEY = 200


class Callers(NamedTuple):
    """Who may call a method, as a text that is empty if everybody may, and where that stands."""

    text: str
    span: Span


def method_callers(document: Object) -> dict[str, Callers]:
    """Who may call each method of an API, by its path and name."""
    schemes = dict(_schemes(document))
    whole = _closed_text(document, schemes)
    callers: dict[str, Callers] = {}
    for label, method in _methods(document):
        is_own = any(method.get(key) is not None for key in _CLOSING)
        text = _closed_text(method, schemes) if is_own else whole and f"of the API: {digest(whole)}"
        if label in callers and (callers[label].text or text):
            text = digest((callers[label].text, text))
        callers[label] = Callers(text, _telling_span(method))
    return callers


def _methods(document: Object) -> Iterator[tuple[str, Object]]:
    """The methods of an API with their labels; one for any method stands for each that is not written."""
    for paths in _values(document, "paths"):
        for path, item in paths.entries if isinstance(paths, Object) else ():
            entries = item.entries if isinstance(item, Object) else ()
            methods = [(key.text.lower(), value) for key, value in entries if isinstance(value, Object)]
            written_names = {name for name, _ in methods}
            label = f"paths.{shortened(path.text)}"
            for name, method in methods:
                if name == _ANY:
                    yield from ((f"{label}.{each}", method) for each in _METHODS if each not in written_names)
                elif name in _METHODS:
                    yield f"{label}.{name}", method


def _closed_text(node: Object, schemes: Mapping[str, str]) -> str:
    """The text of what callers need; empty where they need nothing."""
    requirements = [item for value in _values(node, "security") for item in (items_of(value) or (value,))]
    needs = [_need(item, schemes) for item in requirements]
    kinds = [canonical(_without(value)) for value in _values(node, f"{EXTENSION}auth") if not _is_open(value)]
    is_open = not needs or any(not need for need in needs)
    return "" if is_open and not kinds else repr((needs, kinds))


def _telling_span(method: Object) -> Span:
    """The place where a method says who may call it: first that everybody may."""
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


def items_of(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Array) else ()


def shortened(key: str) -> str:
    """A key as labels show it, which are made for everything below it."""
    key = _VARIABLE.sub("{}", key)
    return key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}~{digest(key)}"


def _values(node: Object, key: str) -> tuple[Node, ...]:
    """All values of a key, which may be written twice."""
    return tuple(entry.value for entry in node.entries if entry.key.text == key)
