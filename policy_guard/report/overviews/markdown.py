"""For a step summary or a wiki: the counts and the rows to look at, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from policy_guard.report.markdown_escape import cell, inline, inline_code
from policy_guard.report.overview import Overview
from policy_guard.report.overviews import OverviewFormat
from policy_guard.report.overviews.json import contents

MOST_ROWS = 100


def _render(overview: Overview, root: str) -> str:
    return "".join(f"{line}\n" for line in _lines(overview, contents(overview, root)))


def _lines(overview: Overview, values: dict[str, Any]) -> Iterator[str]:
    yield "# Policies"
    yield ""
    yield inline(f"{values['revision']}, {values['day']}. {values['sum']}")
    yield ""
    yield from _table(
        ("", "now", *([f"since {values['base']}"] if overview.before else [])), map(_card, values["cards"])
    )
    critical = (row for row in values["policies"] if row["critical"])
    yield from _titled(
        "Critical permissions",
        ("policy", "whose", "grants"),
        ((_link(row), inline(row["holder"]), _codes(row["critical"])) for row in critical),
    )
    yield from _titled(
        "Administrators",
        ("policy", "whose"),
        ((_link(row), inline(row["holder"])) for row in values["policies"] if row["administrator"]),
    )
    yield from _titled(
        "Who is let in",
        ("policy", "public", "callers"),
        (
            (_link(row), "public" if row["public"] else "", _codes(row["callers"]))
            for row in values["policies"]
            if row["callers"] or row["public"]
        ),
    )
    accepted = ((r["expires"], inline(r["policy"]), inline(r["reason"])) for r in values["acceptances"])
    yield from _titled("Accepted", ("until", "policy", "reason"), accepted)
    unread = ((inline_code(r["place"]["path"]), r["what"], inline(r["reason"])) for r in values["unread"])
    yield from _titled("Not read, not looked at", ("where", "what", "why"), unread)


def _card(card: dict[str, Any]) -> tuple[str, ...]:
    change = () if card["before"] is None else (f"{card['now'] - card['before']:+d}",)
    return (card["title"], str(card["now"]), *change)


def _link(row: dict[str, Any]) -> str:
    place = row["place"]
    text = inline_code(f"{place['path']}:{place['line']}")
    return f"[{text}]({place['link']})" if place["link"].startswith("https://") else text


def _codes(texts: Sequence[str]) -> str:
    rest = [f"and {len(texts) - 8} more"] if len(texts) > 8 else []
    return ", ".join([*map(inline_code, texts[:8]), *rest])


def _titled(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    every = list(rows)
    if every:
        yield f"## {title}"
        yield ""
        yield from _table(heads, every[:MOST_ROWS])
        if len(every) > MOST_ROWS:
            yield f"and {len(every) - MOST_ROWS} more"
            yield ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(map(cell, row))} |" for row in rows)
    yield ""


FORMAT = OverviewFormat("markdown", _render)
