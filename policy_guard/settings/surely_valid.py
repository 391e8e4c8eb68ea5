"""Whether settings surely fit their JSON Schema: right ones are spared the library that decides, slow to import.

It knows the keywords that the schemas of `schema/` use, and says no to any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

Schema: TypeAlias = "dict[str, Any]"

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda plain: isinstance(plain, dict),
    "array": lambda plain: isinstance(plain, list),
    "string": lambda plain: isinstance(plain, str),
    "boolean": lambda plain: isinstance(plain, bool),
    "integer": lambda plain: isinstance(plain, int) and not isinstance(plain, bool),
}
_SIZES: dict[str, tuple[type[list[Any]] | type[str] | type[dict[str, Any]], Callable[[int, int], bool]]] = {
    "minItems": (list, int.__ge__),
    "maxItems": (list, int.__le__),
    "minLength": (str, int.__ge__),
    "maxLength": (str, int.__le__),
    "minProperties": (dict, int.__ge__),
}
_ANNOTATIONS = ("$schema", "title", "description", "$defs", "then", "else")


def surely_valid(plain: Any, schema: Schema, root: Schema | None = None) -> bool:
    """Tell whether a plain value fits the schema, whose references lead into `root`; False says nothing."""
    root = schema if root is None else root
    return all(_holds(word, plain, schema, root) for word in schema)


def _holds(word: str, plain: Any, schema: Schema, root: Schema) -> bool:
    said = schema[word]
    if word in _ANNOTATIONS:
        return True
    if word in _SIZES:
        kind, compare = _SIZES[word]
        return not isinstance(plain, kind) or compare(len(plain), said)
    rule = _RULES.get(word)
    return rule is not None and rule(said, plain, schema, root)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _reference(said: str, plain: Any, schema: Schema, root: Schema) -> bool:
    return surely_valid(plain, root["$defs"][said.removeprefix("#/$defs/")], root)


def _properties(said: Schema, plain: Any, schema: Schema, root: Schema) -> bool:
    known = said.keys() & plain.keys() if isinstance(plain, dict) else ()
    return all(surely_valid(plain[key], said[key], root) for key in known)


def _additional(said: Any, plain: Any, schema: Schema, root: Schema) -> bool:
    others = plain.keys() - schema.get("properties", {}).keys() if isinstance(plain, dict) else ()
    return all(isinstance(said, dict) and surely_valid(plain[key], said, root) for key in others)


def _choice(said: Schema, plain: Any, schema: Schema, root: Schema) -> bool:
    """`if` of a type alone, which is decided both ways; anything else is left to the library."""
    if said.keys() != {"type"}:
        return False
    return surely_valid(plain, schema["then" if _TYPES[said["type"]](plain) else "else"], root)


_RULES: dict[str, Callable[[Any, Any, Schema, Schema], bool]] = {
    "$ref": _reference,
    "type": lambda said, plain, schema, root: _TYPES[said](plain),
    "const": lambda said, plain, schema, root: _same(said, plain),
    "enum": lambda said, plain, schema, root: any(_same(each, plain) for each in said),
    "required": lambda said, plain, schema, root: not isinstance(plain, dict) or plain.keys() >= set(said),
    "properties": _properties,
    "additionalProperties": _additional,
    "items": lambda said, plain, schema, root: (
        not isinstance(plain, list) or all(surely_valid(item, said, root) for item in plain)
    ),
    "anyOf": lambda said, plain, schema, root: any(surely_valid(plain, each, root) for each in said),
    "if": _choice,
    "minimum": lambda said, plain, schema, root: not _TYPES["integer"](plain) or plain >= said,
    "pattern": lambda said, plain, schema, root: not isinstance(plain, str) or re.search(said, plain) is not None,
}
