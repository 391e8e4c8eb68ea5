"""What the options of Pulumi's resources decide, and what resources in one program take from others.

Source: Pulumi, "Pulumi YAML reference" and "Resource options".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, scalars
from policy_guard.regex import regex

_OPTIONS = ("provider", "providers", "parent", "ignoreChanges", "urn")
_PROVIDER = "pulumi:providers:"
_OF_PROVIDER = regex(
    r"(?i)profile|assume\w*|access_?key|secret_?key|token|allowed\w+|forbidden\w+|shared\w+|endpoints?"
)
_SPEAKING = regex(r"(?i)polic|role|principal|arn|boundar|permission|grant|access|acl\b|iam|trust|public|membership")
_NO_ACCESS = regex(r"(?i)tags(?:All)?\b.*|description|label\w*")
"""Properties that only describe a resource."""

_GIVEN = ("arn", "id", "urn", "name", "uniqueId", "bucket")
"""What AWS makes of a resource that the program makes, whatever its properties are."""

_REFERENCE = regex(r"""\$\{\s*([\w-]+)(?:\.(\w+)|\[\s*["']?(\w+))?""")


class Program:
    """The documents of a file that are programs of Pulumi, and what their resources use of each other."""

    def __init__(self, documents: Sequence[Node]) -> None:
        self._resources: dict[str, Object] = {}
        for document in documents:
            resources = document.get("resources") if isinstance(document, Object) else None
            for key, value in resources.entries if isinstance(resources, Object) else ():
                if isinstance(value, Object) and _type(value):
                    self._resources.setdefault(key.text, value)
        self._names = {id(value): name for name, value in self._resources.items()}
        self._used = self._used_attributes() if self._resources else {}

    def around(self, resource: Object) -> tuple[str, ...]:
        """Return what the options of a resource decide about it."""
        options = resource.get("options")
        if id(resource) not in self._names or options is None:
            return ()
        if not isinstance(options, Object):
            return (canonical(options),)
        texts = [text for entry in options.entries if entry.key.text in _OPTIONS for text in _option_texts(entry)]
        return (digest(sorted(texts)),) if texts else ()

    def handed_on(self, node: Object, mappings: Sequence[Object]) -> set[int]:
        """The values of a mapping that other resources use, by their identity."""
        if not self._resources:
            return set()
        outer = mappings[-2] if len(mappings) > 1 else None
        if id(node) in self._names:
            return {id(entry.value) for entry in self._in_resource(node)}
        if outer is not None and id(outer) in self._names and outer.get("properties") is node:
            return {id(entry.value) for entry in self._in_properties(outer, node)}
        return set()

    def _in_resource(self, resource: Object) -> Iterator[Entry]:
        is_used = self._names[id(resource)] in self._used
        is_provider = _type(resource).startswith(_PROVIDER)
        for entry in resource.entries:
            if (entry.key.text == "get" and is_used) or (entry.key.text == "defaultProvider" and is_provider):
                yield entry

    def _in_properties(self, resource: Object, properties: Object) -> Iterator[Entry]:
        attributes = self._used.get(self._names[id(resource)], set())
        names = _attributes_used(resource, properties, attributes)
        is_provider = _type(resource).startswith(_PROVIDER)
        for entry in properties.entries:
            if _OF_PROVIDER.fullmatch(entry.key.text) if is_provider else entry.key.text in names:
                yield entry

    def _used_attributes(self) -> dict[str, set[str]]:
        """The attributes of resources that others use which speak of access, and what these use."""
        used: dict[str, set[str]] = {}
        pending: list[Node] = [each for each in self._resources.values() if _may_give_access(each)]
        seen = set(map(id, pending))
        while pending:
            for name, attribute in _references(pending.pop()):
                used.setdefault(name, set()).add(attribute)
                resource = self._resources.get(name)
                if resource is not None and id(resource) not in seen:
                    seen.add(id(resource))
                    pending.append(resource)
        return used


def _attributes_used(resource: Object, properties: Object, attributes: set[str]) -> set[str]:
    """The properties that decide what others use: those of that name, or all if it is made of them."""
    names = {entry.key.text for entry in properties.entries}
    made = attributes - names - set(_GIVEN)
    if _type(resource).startswith("aws"):
        named = (attributes & names) - set(_GIVEN)
    else:
        named, made = attributes & names, attributes - names - {"urn"}
    return {name for name in names if not _NO_ACCESS.fullmatch(name)} if made else named


def _option_texts(entry: Entry) -> Iterator[str]:
    if entry.key.text == "ignoreChanges" and isinstance(entry.value, Array):
        names = sorted(canonical(item) for item in entry.value.items if not _describes(item))
        yield from (f"ignoreChanges={name}" for name in names)
    else:
        yield f"{entry.key.text}={canonical(entry.value)}"


def _describes(item: Node) -> bool:
    return isinstance(item, Scalar) and bool(_NO_ACCESS.fullmatch(item.text))


def _may_give_access(resource: Object) -> bool:
    return any(_SPEAKING.search(scalar.text) for scalar in scalars(resource))


def _references(node: Node) -> Iterator[tuple[str, str]]:
    for scalar in scalars(node):
        for name, attribute, item in _REFERENCE.findall(scalar.text) if "${" in scalar.text else ():
            yield name, attribute or item


def _type(resource: Object) -> str:
    node = resource.get("type")
    return node.text if isinstance(node, Scalar) else ""
