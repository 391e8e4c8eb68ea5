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
    constraint = schema[word]
    if word in _ANNOTATIONS:
        return True
    if word in _SIZES:
        kind, compare = _SIZES[word]
        return not isinstance(plain, kind) or compare(len(plain), constraint)
    rule = _RULES.get(word)
    return rule is not None and rule(constraint, plain, schema, root)


def _equal(first: Any, second: Any) -> bool:
    return type(first) is type(second) and bool(first == second)


def _reference(constraint: str, plain: Any, schema: Schema, root: Schema) -> bool:
    return surely_valid(plain, root["$defs"][constraint.removeprefix("#/$defs/")], root)


def _properties(constraint: Schema, plain: Any, schema: Schema, root: Schema) -> bool:
    keys = constraint.keys() & plain.keys() if isinstance(plain, dict) else ()
    return all(surely_valid(plain[key], constraint[key], root) for key in keys)


def _additional(constraint: Any, plain: Any, schema: Schema, root: Schema) -> bool:
    extra_keys = plain.keys() - schema.get("properties", {}).keys() if isinstance(plain, dict) else ()
    return all(isinstance(constraint, dict) and surely_valid(plain[key], constraint, root) for key in extra_keys)


def _choice(constraint: Schema, plain: Any, schema: Schema, root: Schema) -> bool:
    """`if` of a type alone, which is decided both ways; anything else is left to the library."""
    if constraint.keys() != {"type"}:
        return False
    return surely_valid(plain, schema["then" if _TYPES[constraint["type"]](plain) else "else"], root)


_RULES: dict[str, Callable[[Any, Any, Schema, Schema], bool]] = {
    "$ref": _reference,
    "type": lambda constraint, plain, schema, root: _TYPES[constraint](plain),
    "const": lambda constraint, plain, schema, root: _equal(constraint, plain),
    "enum": lambda constraint, plain, schema, root: any(_equal(each, plain) for each in constraint),
    "required": lambda constraint, plain, schema, root: not isinstance(plain, dict) or plain.keys() >= set(constraint),
    "properties": _properties,
    "additionalProperties": _additional,
    "items": lambda constraint, plain, schema, root: (
        not isinstance(plain, list) or all(surely_valid(item, constraint, root) for item in plain)
    ),
    "anyOf": lambda constraint, plain, schema, root: any(surely_valid(plain, each, root) for each in constraint),
    "if": _choice,
    "minimum": lambda constraint, plain, schema, root: not _TYPES["integer"](plain) or plain >= constraint,
    "pattern": lambda constraint, plain, schema, root: (
        not isinstance(plain, str) or re.search(constraint, plain) is not None
    ),
}
