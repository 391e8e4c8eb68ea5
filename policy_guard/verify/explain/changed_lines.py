"""Which lines of a text a change touched, and where those of the old text stand in the new one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

from policy_guard.documents.line_diff import Run, differing
from policy_guard.documents.source import Source, Span
from policy_guard.iam.policy import Statement
from policy_guard.records import NamedTuple


class Place(NamedTuple):
    source: Source
    span: Span


def changed_lines(statement: Statement, old_source: Source) -> Iterator[Span]:
    """The lines of the statement that the change touched."""
    first, last = (statement.source.position(at).line for at in (statement.span.start, statement.span.end - 1))
    for run in _runs_between(statement.source, old_source, first, last):
        start, end = (run.start + 1, run.end) if run.end > run.start else (_line_near(statement.source, run.start),) * 2
        yield from (span_on_line(statement, line) for line in range(max(start, first), min(end, last) + 1))


def _runs_between(source: Source, old_source: Source, first: int, last: int) -> Iterator[Run]:
    """The runs at some lines of the new text, and those beside them."""
    runs = differing_values(old_source.text, source.text)
    number = bisect_left(runs, first - 1, key=lambda run: run.end)
    while number < len(runs) and runs[number].start <= last:
        yield runs[number]
        number += 1


@lru_cache(maxsize=8)
def differing_values(old: str, new: str) -> tuple[Run, ...]:
    """The runs of lines that differ in more than the comma after their last value."""
    return differing(*("\n".join(line.rstrip(" \t,") for line in text.splitlines()) for text in (old, new)))


def is_on_changed_line(source: Source, span: Span, old_source: Source) -> bool:
    """Tell whether the line on which the span begins is one that the change touched."""
    line = source.position(span.start).line
    return any(run.start < line <= run.end for run in _runs_between(source, old_source, line, line))


def is_beside_removed_lines(source: Source, span: Span, old_source: Source) -> bool:
    """Tell whether lines were taken out before or behind the line on which the span begins."""
    line = source.position(span.start).line
    runs = _runs_between(source, old_source, line, line)
    return any(run.start == run.end and run.start in (line - 1, line) for run in runs)


def changed_places(source: Source, old_source: Source, within: Span) -> Iterator[Span]:
    """Return what is written on the first line of each run of lines that changed, at a stretch of the text."""
    first, last = (source.position(at).line for at in within)
    for run in _runs_between(source, old_source, first, last):
        yield written_on(source, run.start + 1 if run.end > run.start else _line_near(source, run.start))


def span_on_line(statement: Statement, line: int) -> Span:
    """Return what is written on the line, as far as it belongs to the statement."""
    start, end = written_on(statement.source, line)
    start = min(max(start, statement.span.start), statement.span.end - 1)
    return Span(start, max(start + 1, min(end, statement.span.end)))


def line_after(old: Source, new: Source, line: int) -> int:
    """Return where a line of the old text would stand in the new one."""
    shift = 0
    for run in differing_values(old.text, new.text):
        if line <= run.old_start:
            break
        if line <= run.old_end:
            inside = min(run.start + line - run.old_start, run.end)
            return inside if run.end > run.start else _line_near(new, run.start)
        shift = run.end - run.old_end
    return max(1, line + shift)


def _line_near(source: Source, number: int) -> int:
    """Return the line after so many, below which something was taken out, or the one above if it only closes."""
    after = source.line(number + 1) if number < source.line_count() else ""
    return number if number and not after.strip(" \t,;]})") else number + 1


def written_on(source: Source, number: int) -> Span:
    """Return what is written on a line."""
    number = min(number, source.line_count())
    text = source.line(number)
    start = source.offset(number, 1)
    return Span(start + len(text) - len(text.lstrip()), start + max(len(text.rstrip()), 1))
