"""For programs: the overview as one JSON object, which the page is made of, too."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from policy_guard.documents.printable import counted, in_json
from policy_guard.iam import catalog
from policy_guard.report.overview import Overview, Place, Row, counts
from policy_guard.report.overviews import OverviewFormat
from policy_guard.version import VERSION

MOST_COVERED = 300
"""How many actions of a wildcard are told."""
_TITLES = {
    "policies": "policies",
    "critical": "with critical permissions",
    "administrators": "of administrators",
    "public": "public",
    "wildcards": "with wildcards",
    "unreadable": "unreadable",
}


def _render(overview: Overview, root: str) -> str:
    return in_json(contents(overview, root))


def contents(overview: Overview, root: str) -> dict[str, Any]:
    """The overview as plain values. `root` leads from the file to the root of the repository."""
    base = overview.before
    now, before = counts(overview), counts(base) if base else None
    levels = _Levels()
    rows_before = {row.name: row for row in base.rows} if base else None
    policies = [_policy(overview, root, row, levels, rows_before) for row in overview.rows]
    patterns = dict.fromkeys(pattern for row in overview.rows for pattern in row.wildcards)
    return {
        "version": 1,
        "tool_version": VERSION,
        "revision": overview.revision,
        "base": base.revision if base else "",
        "day": overview.day,
        "catalogue": overview.catalogue,
        "cards": [
            {"title": _TITLES[name], "now": number, "before": getattr(before, name) if before else None}
            for name, number in now._asdict().items()
        ],
        "entries": [entry._asdict() for entry in overview.entries],
        "policies": policies,
        "levels": levels.all,
        "covered": dict(_covered(patterns)),
        "wildcards": list(_by_service(overview.rows)),
        "acceptances": [
            review._asdict() | {"file": _place(overview, root, Place(review.file, 0))} for review in overview.reviews
        ],
        "unread": list(_unread(overview, root)),
        "sum": total(overview),
        "notes": list(overview.notes),
    }


def total(overview: Overview) -> str:
    """A sentence of how many policies there are, and how far they are read."""
    extents = Counter(row.extent for row in overview.rows)
    parts = [f"{number} read {name}" for name, number in sorted(extents.items())]
    unreadable = overview.policies - len(overview.rows)
    parts += [f"{unreadable} unreadable"] if unreadable else []
    number = counted(len(overview.skipped), "file or module", "files or modules")
    skipped = f"; {number} not looked at" if overview.skipped else ""
    policies = counted(overview.policies, "policy", "policies")
    return f"{policies}: {', '.join(parts)}{skipped}." if parts else f"No policy{skipped}."


class _Levels:
    """Numbers of actions by service and level, each that several policies share once."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, row: Row) -> int:
        key = json.dumps(row.levels)
        if key not in self._numbers:
            self._numbers[key] = len(self.all)
            self.all.append(row.levels)
        return self._numbers[key]


def _policy(
    overview: Overview, root: str, row: Row, levels: _Levels, rows_before: dict[str, Row] | None
) -> dict[str, Any]:
    fields = row._asdict() | {"place": _place(overview, root, row.place), "levels": levels.number(row)}
    fields["read"] = fields.pop("extent")
    if rows_before is not None:
        fields["difference"] = _difference(row, rows_before.get(row.name))
    return fields


def _difference(row: Row, before: Row | None) -> dict[str, list[str]] | None:
    """Return what came, went and stayed of the grants as they are written; None where all stayed."""
    old = before.grants if before else ()
    if old == row.grants:
        return None
    return {
        "came": [grant for grant in row.grants if grant not in set(old)],
        "went": [grant for grant in old if grant not in set(row.grants)],
        "stayed": [grant for grant in row.grants if grant in set(old)],
    }


def _place(overview: Overview, root: str, place: Place) -> dict[str, Any]:
    from urllib.parse import quote

    path = quote(os.fsencode(place.path))
    line = f"#L{place.line}" if place.line else ""
    link = f"{overview.address}/{path}{line}" if overview.address else f"{root or './'}{path}"
    return place._asdict() | {"link": link}


def _covered(patterns: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    for pattern in patterns:
        actions = catalog.matching(pattern)
        if len(actions) <= MOST_COVERED:
            yield pattern, list(actions)


def _by_service(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    patterns: dict[str, Counter[str]] = {}
    policies: Counter[str] = Counter()
    for row in rows:
        services = {pattern: pattern.partition(":")[0] if ":" in pattern else "*" for pattern in row.wildcards}
        for pattern, service in services.items():
            name = "all but some" if pattern.startswith("all but ") else service
            patterns.setdefault(name, Counter())[pattern] += 1
        policies.update({"all but some" if p.startswith("all but ") else s for p, s in services.items()})
    for service in _by_number(policies):
        yield {"service": service, "policies": policies[service], "patterns": _by_number(patterns[service])}


def _by_number(numbers: Counter[str]) -> list[str]:
    """The names, the most frequent first."""
    return sorted(numbers, key=lambda name: (-numbers[name], name))


def _unread(overview: Overview, root: str) -> Iterator[dict[str, Any]]:
    for what, remarks in (("unreadable", overview.unreadable), ("not looked at", overview.skipped)):
        for remark in remarks:
            yield {"what": what, "place": _place(overview, root, remark.place), "reason": remark.reason}


FORMAT = OverviewFormat("json", _render)
