"""Values in YAML and CSV as Terraform's `yamldecode` and `csvdecode` read them; None where that is not certain.

Sources: go-cty-yaml, decode.go and resolve.go; Terraform, "yamldecode" and "csvdecode"; Go, encoding/csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span
from policy_guard.regex import regex

if TYPE_CHECKING:
    from yaml.events import Event, ScalarEvent

_NOWHERE = Span(0, 0)
_MOST_DEEP = 50
_MOST_VALUES = 50_000
"""Values of one text, with those that aliases repeat."""
_STR = "tag:yaml.org,2002:str"
_NULL = ("", "~", "null", "Null", "NULL")
_TRUTHS = ("true", "True", "TRUE", "false", "False", "FALSE")
# Truth values in YAML 1.1 alone, and what merges mappings in some versions of the reader.
_UNSURE = regex(r"[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF|<<|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER = regex(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{0,14}[1-9])?")
_DAY = regex(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_LIKE_NUMBER = regex(r"[-+.0-9][-+.0-9a-fA-FxXoO_:TtZ ]*")
_OTHER_BREAKS = regex("[\x85\u2028\u2029\ufeff]|\r(?!\n)")
_FIELD = regex(r'(?:"((?:[^"\r]|"")*)"|([^",\r\n]*))(,|\r?\n|\Z)')


class _NotSureError(Exception):
    """Raised for what readers of YAML take for different values."""


@lru_cache(maxsize=16)
def yaml_value(text: str) -> Node | None:
    """The value of a text in YAML."""
    from yaml import YAMLError

    if _OTHER_BREAKS.search(text) or text.startswith("%"):
        return None
    try:
        return _Reader(text).document()
    except (YAMLError, _NotSureError, ValueError):
        return None


class _Reader:
    """Reads the only document of a text, event by event."""

    def __init__(self, text: str) -> None:
        import yaml

        self._events = iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def document(self) -> Node:
        from yaml.events import DocumentEndEvent, DocumentStartEvent, StreamEndEvent, StreamStartEvent

        self._expect(StreamStartEvent)
        self._expect(DocumentStartEvent)
        value = self._value(next(self._events), 0)
        self._expect(DocumentEndEvent)
        self._expect(StreamEndEvent)
        return value

    def _expect(self, kind: type[Event]) -> None:
        if not isinstance(next(self._events, None), kind):
            raise _NotSureError

    def _value(self, event: Event, depth: int) -> Node:
        from yaml.events import AliasEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

        before = self._count
        self._spend(1)
        if depth > _MOST_DEEP or not isinstance(
            event, AliasEvent | ScalarEvent | MappingStartEvent | SequenceStartEvent
        ):
            raise _NotSureError
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                raise _NotSureError
            value, count = self._anchors[event.anchor]
            self._spend(count)
            return value
        if isinstance(event, ScalarEvent):
            value = _scalar(event)
        elif event.tag is not None:
            raise _NotSureError
        elif isinstance(event, MappingStartEvent):
            value = Object(tuple(self._entries(depth)), _NOWHERE)
        else:
            value = Array(tuple(self._items(depth)), _NOWHERE)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._count - before
        return value

    def _spend(self, count: int) -> None:
        self._count += count
        if self._count > _MOST_VALUES:
            raise _NotSureError

    def _items(self, depth: int) -> Iterator[Node]:
        from yaml.events import SequenceEndEvent

        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._value(event, depth + 1)

    def _entries(self, depth: int) -> Iterator[Entry]:
        from yaml.events import MappingEndEvent, ScalarEvent

        keys: set[str] = set()
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = _scalar(event) if isinstance(event, ScalarEvent) and event.anchor is None else None
            if key is None or key.kind == "null" or key.text in keys:
                raise _NotSureError
            keys.add(key.text)
            yield Entry(Scalar(key.text, _NOWHERE, parts=(key.text,)), self._value(next(self._events), depth + 1))


def _scalar(event: ScalarEvent) -> Scalar:
    """The value of a scalar: what is written plainly may be null, a truth value, a number or a time."""
    text: str = event.value
    if event.tag not in (None, _STR):
        raise _NotSureError
    if event.tag == _STR or event.style:
        return Scalar(text, _NOWHERE, parts=(text,))
    if text in _NULL:
        return Scalar("", _NOWHERE, "null")
    if text in _TRUTHS:
        return Scalar(text.lower(), _NOWHERE, "boolean")
    if _NUMBER.fullmatch(text):
        if text == "-0":
            raise _NotSureError
        return Scalar(text, _NOWHERE, "number")
    if day := _DAY.fullmatch(text):
        date(*map(int, day.groups()))
        text = f"{text}T00:00:00Z"
    elif _UNSURE.fullmatch(text) or _LIKE_NUMBER.fullmatch(text):
        raise _NotSureError
    return Scalar(text, _NOWHERE, parts=(text,))


@lru_cache(maxsize=16)
def csv_value(text: str) -> Node | None:
    """The rows of a text in CSV, each as a mapping by the names in the first."""
    rows = _rows(text) if not _OTHER_BREAKS.search(text) else []
    if not rows or len(set(rows[0])) != len(rows[0]) or any(len(row) != len(rows[0]) for row in rows):
        return None
    if len(rows) * len(rows[0]) > _MOST_VALUES:
        return None
    keys = [_text(name) for name in rows[0]]
    mappings = (Object(tuple(map(Entry, keys, map(_text, row))), _NOWHERE) for row in rows[1:])
    return Array(tuple(mappings), _NOWHERE)


def _text(text: str) -> Scalar:
    return Scalar(text, _NOWHERE, parts=(text,))


def _rows(text: str) -> list[list[str]]:
    """The rows but empty ones; none if a quotation mark or a line break stands where it may not."""
    rows: list[list[str]] = []
    row: list[str] = []
    at = 0
    while at < len(text) or row:
        if (match := _FIELD.match(text, at)) is None:
            return []
        quoted, plain, end = match.groups()
        row.append(quoted.replace('""', '"') if quoted is not None else plain)
        at = match.end()
        if end != ",":
            rows += [row] if len(row) > 1 or row[0] or quoted is not None else []
            row = []
    return rows
