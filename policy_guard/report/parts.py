"""What the report of a shard says for a merge, and how lists of several shards become one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from policy_guard.report.report import Part

T = TypeVar("T")


def part_fields(part: Part, result: str) -> dict[str, Any]:
    """What a merge has to know of a shard, for programs."""
    lists = {name: list(getattr(part, name)) for name in ("elsewhere", "common", "gone")}
    fields = {"number": part.number, "total": part.total, "result": result, "subject": dict(part.subject)}
    return {**fields, **lists, "embedded": part.embedded}


def whole_result(parts: Iterable[Mapping[str, Any]]) -> str:
    """The result of a run of which one part may fail."""
    return "fail" if any(part["result"] != "pass" for part in parts) else "pass"


def united(lists: Iterable[Iterable[T]]) -> list[T]:
    """The items of all lists, each as often as in the list that has it most: what concerns all shards is in each."""
    items: dict[str, T] = {}
    most: Counter[str] = Counter()
    for entries in lists:
        numbers: Counter[str] = Counter()
        for entry in entries:
            key = json.dumps(entry, sort_keys=True)
            items.setdefault(key, entry)
            numbers[key] += 1
        most |= numbers
    return [items[key] for key in most.elements()]
