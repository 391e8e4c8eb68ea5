"""A quick look at a critical list, which spares most lists the schema: its library takes 0.2 s to import."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TOP = {"version", "permissions", "packs", "skip"}
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?")
_ACTION = re.compile(r"\*|[A-Za-z0-9_*?-]+:[A-Za-z0-9_*?-]+")
_RESOURCE = re.compile(r"[^$\n]+")
_PAGE = re.compile(r"https://[!-~]+")
MOST_SETS = 10


def surely_good(plain: Any) -> bool:
    """Whether the list has the plain shape that most lists have; False says nothing. True implies the schema."""
    return (
        isinstance(plain, dict)
        and plain.keys() <= _TOP
        and type(plain.get("version")) is int
        and plain["version"] == 1
        and ("permissions" in plain or "packs" in plain)
        and _list(plain.get("permissions", [{}]), dict)
        and all(map(_good, plain.get("permissions", ())))
        and ("packs" not in plain or _list(plain["packs"], str))
        and ("skip" not in plain or _texts(plain["skip"], _ID))
    )


def _good(entry: dict[str, Any]) -> bool:
    return (
        {"id", "reason"} <= entry.keys() <= _ENTRY.keys()
        and (bool({"actions", "resources"} & entry.keys()) or "all-of" in entry)
        and all(_ENTRY[key](value) for key, value in entry.items())
    )


def _good_set(plain: Any) -> bool:
    return (
        isinstance(plain, dict)
        and plain.keys() <= _SET.keys()
        and bool({"actions", "resources"} & plain.keys())
        and all(_SET[key](value) for key, value in plain.items())
    )


def _list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(each, kind) for each in value)


def _text(value: Any, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _texts(value: Any, form: re.Pattern[str]) -> bool:
    return isinstance(value, list) and value != [] and all(_text(each, form) for each in value)


def _blocks(value: Any) -> bool:
    return all(isinstance(each, dict) and each for each in value) if _list(value, dict) else _block(value)


def _block(value: Any) -> bool:
    return isinstance(value, dict) and value != {}


_SET: dict[str, Callable[[Any], bool]] = {
    "actions": lambda value: _texts(value, _ACTION),
    "resources": lambda value: _texts(value, _RESOURCE),
    "except": lambda value: _texts(value, _ACTION),
}
_ENTRY: dict[str, Callable[[Any], bool]] = {
    **_SET,
    "id": lambda value: _text(value, _ID),
    "reason": lambda value: isinstance(value, str) and value != "",
    "severity": lambda value: value in ("error", "warning", "note"),
    "source": lambda value: _text(value, _PAGE),
    "unless": _blocks,
    "principals": _block,
    "all-of": lambda value: isinstance(value, list) and 2 <= len(value) <= MOST_SETS and all(map(_good_set, value)),
}
