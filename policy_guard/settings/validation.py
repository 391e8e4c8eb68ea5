"""A YAML file of settings, held against its JSON Schema; every error names its line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeAlias

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import shortened
from policy_guard.documents.source import Array, Node, Object, Scalar, Source, Span, Unreadable
from policy_guard.plugins import names
from policy_guard.settings.surely_valid import surely_valid

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | bool | None"
SCHEMAS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "schema")
# YAML 1.1 reads 010 as eight, YAML 1.2 as ten: neither is meant for sure.
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")


def schema_text(name: str) -> str:
    """The text of the schema of this name."""
    with open(os.path.join(SCHEMAS, f"{name}.json"), encoding="utf-8") as file:
        return file.read()


def load(source: Source, schema: str) -> tuple[Any, Node]:
    """The settings as plain values, and as the tree they stand in. Raises `SetupError` with file, line and remedy.

    jsonschema decides, and is asked only about what is not surely valid.
    """
    from policy_guard.documents.formats import yaml

    try:
        documents = yaml.FORMAT.read(source)
    except Unreadable as error:
        raise _error(source, error.problems[0].span, error.problems[0].message) from None
    if len(documents) != 1:
        at, wrong = Span(0, 0), 'the file is empty; it begins with "version: 1"'
        if documents:
            at, wrong = documents[1].span, "a second document begins here; keep all in one"
        raise _error(source, at, wrong)
    _refuse_odd(source, documents[0])
    plain = _plain(documents[0])
    rules = rules_of(schema)
    if not surely_valid(plain, rules):
        _validate(source, documents[0], plain, rules)
    return plain, documents[0]


def rules_of(schema: str) -> Any:
    """The schema; a severity can be set for all checks in their folder, and the schema lists them for editors."""
    with open(os.path.join(SCHEMAS, schema), encoding="utf-8") as file:
        rules = json.load(file)
    severities = rules["properties"].get("severity", {}).get("properties", {})
    for name in names("verify/checks"):
        severities.setdefault(name, {"$ref": "#/$defs/severity"})
    return rules


def node_at(node: Node, path: Iterable[str | int]) -> Node:
    """The node at a path of keys and indexes, or as far as it leads."""
    for step in path:
        child = node.items[step] if isinstance(node, Array) and isinstance(step, int) else None
        if isinstance(node, Object) and isinstance(step, str):
            child = node.get(step)
        if child is None:
            break
        node = child
    return node


def error_at(source: Source, node: Node, message: str) -> SetupError:
    """An error that stands at a node."""
    return _error(source, node.span, message)


def _error(source: Source, span: Span, message: str) -> SetupError:
    return SetupError(message, source, span)


def _refuse_odd(source: Source, node: Node) -> None:
    if node.tag is not None:
        raise _error(source, node.span, "a YAML tag has no meaning in the settings; leave it out")
    if isinstance(node, Array):
        for item in node.items:
            _refuse_odd(source, item)
    elif isinstance(node, Object):
        keys: set[str] = set()
        for key, value in node.entries:
            if key.text in keys:
                raise _error(source, key.span, f'"{shortened(key.text, 60)}" is written twice; keep one')
            keys.add(key.text)
            _refuse_odd(source, value)


def _plain(node: Node) -> Plain:
    if isinstance(node, Array):
        return [_plain(item) for item in node.items]
    if isinstance(node, Object):
        return {key.text: _plain(value) for key, value in node.entries}
    return _scalar(node)


def _scalar(node: Scalar) -> Plain:
    """Only `true` and `false` are truth values here, so that `off` stays a word."""
    if node.kind == "boolean" and node.text.lower() in ("true", "false"):
        return node.text.lower() == "true"
    if node.kind == "number" and _WHOLE.fullmatch(node.text):
        return int(node.text)
    return None if node.kind == "null" else node.text


def _validate(source: Source, node: Node, plain: Plain, schema: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    errors = list(Draft202012Validator(schema).iter_errors(plain))
    if not errors:
        return
    # Of mistakes at one depth the library would take the last of a list.
    depth = min(len(each.absolute_path) for each in errors)
    shallow = [each for each in errors if len(each.absolute_path) == depth]
    first = min(shallow, key=lambda each: node_at(node, each.absolute_path).span.start)
    error = best_match(each for each in shallow if each.absolute_path == first.absolute_path)
    assert error is not None
    place = node_at(node, error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(place, Object):
        keys = list(error.schema.get("properties", {}))
        key = next(entry.key for entry in place.entries if entry.key.text not in keys)
        raise _error(source, key.span, f'unknown key "{shortened(key.text, 60)}"{_suggestion(key.text, keys)}')
    name = next((str(step) for step in reversed(error.absolute_path) if isinstance(step, str)), "the file")
    raise _error(source, place.span, f"{name}: {_expectation(error)}")


def _suggestion(text: str, keys: list[str]) -> str:
    close_keys = get_close_matches(text, keys, 1)
    return f'; did you mean "{close_keys[0]}"?' if close_keys else f"; expected one of {', '.join(keys)}"


def _nearest_word(error: Any) -> str:
    """Return which of the allowed words is nearest to the one that is written."""
    close_words = get_close_matches(str(error.instance)[:60].lower(), error.validator_value, 1)
    return f'; did you mean "{close_words[0]}"?' if close_words else ""


def _expectation(error: Any) -> str:
    value = shortened(json.dumps(error.instance, ensure_ascii=True), 60)
    if error.validator == "enum":
        return f"expected one of {', '.join(map(str, error.validator_value))}, not {value}{_nearest_word(error)}"
    if error.validator == "const":
        return f"expected {error.validator_value}, not {value}"
    if error.validator == "type":
        return f"expected {_TYPES.get(error.validator_value, error.validator_value)}, not {value}{_hint(error)}"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f'the key "{missing[0]}" is missing'
    if error.validator == "anyOf":
        names = [each["required"][0] for each in error.validator_value]
        return f"expected at least one of {', '.join(names)}"
    if error.validator in _BOUNDS and error.instance:
        return f"expected {_BOUNDS[error.validator]} {error.validator_value} of them"
    if error.validator in ("minItems", "minLength", "minProperties"):
        return "this may not be empty"
    if error.validator == "pattern":
        return f"{value} is not of the expected form{_hint(error)}"
    return f"{value} is not what is expected there: {error.validator} {error.validator_value}"


_BOUNDS = {"minItems": "at least", "maxItems": "at most"}


def _hint(error: Any) -> str:
    """Return what the schema says one should write."""
    description = error.schema.get("description", "")
    return f"; {description}" if description.startswith("write ") else ""


_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
}
