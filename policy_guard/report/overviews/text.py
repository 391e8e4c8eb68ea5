"""For a terminal: the counts, and what to look at first."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.printable import printable
from policy_guard.report.overview import Overview
from policy_guard.report.overviews import OverviewFormat
from policy_guard.report.overviews.json import contents

MOST_ROWS = 20


def _render(overview: Overview, root: str) -> str:
    return "".join(f"{printable(line)}\n" for line in _lines(overview))


def _lines(overview: Overview) -> Iterator[str]:
    values = contents(overview, "")
    yield f"{values['revision']}, {values['day']}: {values['sum']}"
    for card in values["cards"][1:]:
        trend = f" ({card['now'] - card['before']:+d} since {values['base']})" if card["before"] is not None else ""
        yield f"{card['now']:6} {card['title']}{trend}"
    yield from _titled(
        "critical permissions", (f"{row.name}: {', '.join(row.critical)}" for row in overview.rows if row.critical)
    )
    yield from _titled("administrators", (row.name for row in overview.rows if row.administrator))
    yield from _titled("public", (row.name for row in overview.rows if row.public))
    yield from _titled("unreadable", (f"{r.place.path}:{r.place.line}: {r.reason}" for r in overview.unreadable))
    yield from _titled(
        "accepted",
        (f"{r.policy}: until {r.expires}{', over' if r.expired else ''}: {r.reason}" for r in overview.reviews),
    )


def _titled(title: str, lines: Iterator[str]) -> Iterator[str]:
    every = list(lines)
    if every:
        yield ""
        yield title
        yield from (f"  {line}" for line in every[:MOST_ROWS])
        if len(every) > MOST_ROWS:
            yield f"  and {len(every) - MOST_ROWS} more"


FORMAT = OverviewFormat("text", _render)
