"""File patterns: `**` stands for any folders, `*` and `?` for characters of one name; from the root, `/` between."""

from __future__ import annotations

from functools import cache


def matches_path(pattern: str, path: str) -> bool:
    """Whether the whole path, relative to the root, matches. Linear in memory, never exponential in time."""
    parts = path.split("/")
    reached = {0}
    for step in _steps(pattern):
        if step == "**":
            reached = set(range(min(reached), len(parts) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(parts) and _matches_name(step, parts[at])}
    return len(parts) in reached and bool(parts)


@cache
def _steps(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("/"))


def _matches_name(pattern: str, name: str) -> bool:
    at = place = mark = 0
    star = -1
    while place < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", name[place]):
            at += 1
            place += 1
        elif star >= 0:
            mark += 1
            at, place = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")
