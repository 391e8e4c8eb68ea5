"""The document that Pulumi's `aws:iam:getPolicyDocument` makes of its arguments.

Source: the Pulumi registry, aws.iam.getPolicyDocument, which is Terraform's data source of that name.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.source import Array, Entry, Node, Object, Scalar

_ELEMENTS = {
    "sid": "Sid",
    "effect": "Effect",
    "actions": "Action",
    "notActions": "NotAction",
    "resources": "Resource",
    "notResources": "NotResource",
}
_PRINCIPALS = {"principals": "Principal", "notPrincipals": "NotPrincipal"}
_KNOWN = {*_ELEMENTS, *_PRINCIPALS, "conditions"}


def statements_of(node: Object) -> tuple[Object, ...] | None:
    """Return the statements of a mapping with `statements` in Pulumi's words; None if it has others, too."""
    statements = node.get("statements")
    if not isinstance(statements, Array) or any(
        entry.key.text.startswith(("source", "override")) for entry in node.entries
    ):
        return None
    if not all(isinstance(item, Object) and is_in_words(item) for item in statements.items):
        return None
    return tuple(statement_in_words(item) for item in statements.items if isinstance(item, Object))


def is_in_words(item: Object) -> bool:
    """Tell whether a mapping is a statement in the words of Pulumi, and has no others."""
    parts = [part for key in (*_PRINCIPALS, "conditions") for part in _items_of(item.get(key))]
    return bool(item.entries) and all(e.key.text in _KNOWN for e in item.entries) and all(map(_is_mapping, parts))


def _is_mapping(node: Node) -> bool:
    return isinstance(node, Object) and all(
        isinstance(node.get(key), Scalar) for key in ("type", "test", "variable") if node.get(key) is not None
    )


def _items_of(node: Node | None) -> tuple[Node, ...]:
    if node is None:
        return ()
    return node.items if isinstance(node, Array) else (node,)


def statement_in_words(item: Object) -> Object:
    """The statement that such a mapping means."""
    entries = [Entry(key._replace(text=_ELEMENTS[key.text]), v) for key, v in item.entries if key.text in _ELEMENTS]
    if item.get("effect") is None:
        entries.insert(0, Entry(Scalar("Effect", item.span), Scalar("Allow", item.span)))
    for key, value in item.entries:
        if key.text in _PRINCIPALS:
            entries.append(Entry(key._replace(text=_PRINCIPALS[key.text]), _principals(value)))
        elif key.text == "conditions":
            entries.append(Entry(key._replace(text="Condition"), _conditions(value)))
    return item._replace(entries=tuple(entries))


def _principals(node: Node) -> Node:
    entries = tuple(_pairs(node, "type", "identifiers"))
    wildcards = [value for key, value in entries if key.text == "*"]
    if wildcards and len(entries) == 1:
        return Scalar("*", node.span)
    return Object(entries, node.span)


def _conditions(node: Node) -> Object:
    entries: list[Entry] = []
    for part in _items_of(node):
        test = part.get("test") if isinstance(part, Object) else None
        if isinstance(test, Scalar):
            entries.append(Entry(test, Object(tuple(_pairs(part, "variable", "values")), part.span)))
    merged_entries: dict[str, Entry] = {}
    for key, value in entries:
        previous_entry = merged_entries.get(key.text)
        if previous_entry is not None and isinstance(previous_entry.value, Object) and isinstance(value, Object):
            value = value._replace(entries=(*previous_entry.value.entries, *value.entries))
        merged_entries[key.text] = Entry(key, value)
    return Object(tuple(merged_entries.values()), node.span)


def _pairs(node: Node, name: str, values: str) -> Iterator[Entry]:
    for part in _items_of(node):
        key, value = (part.get(name), part.get(values)) if isinstance(part, Object) else (None, None)
        if isinstance(key, Scalar) and value is not None:
            yield Entry(key, value)
