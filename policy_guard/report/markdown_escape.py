"""Untrusted text in Markdown: it cannot end a fence, a code span or a cell, and nothing in it is a tag or a mention."""

from __future__ import annotations

import re
from collections.abc import Iterable

from policy_guard.documents.printable import printable

_TICKS = re.compile("`+")


def code(text: str) -> str:
    """The text in a code span, between more backticks than it has itself."""
    safe = printable(text)
    ticks = "`" * (max([0, *map(len, _TICKS.findall(safe))]) + 1)
    return f"{ticks}{safe}{ticks}" if len(ticks) == 1 and safe.strip() else f"{ticks} {safe} {ticks}"


def cell(text: str) -> str:
    """Markdown as one cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def fenced(language: str, lines: Iterable[str]) -> list[str]:
    """Lines in a fence longer than any run of backticks in them."""
    inside = list(lines)
    fence = "`" * (max([2, *(len(run) for line in inside for run in _TICKS.findall(line))]) + 1)
    return [f"{fence}{language}", *inside, fence]
