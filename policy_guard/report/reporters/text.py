"""For people at a terminal: each finding with its lines, its facts and what to do next, then one line of summary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from policy_guard.documents.printable import cells, defused, printable, shortened
from policy_guard.report.blocks import Block, blocks
from policy_guard.report.excerpt import Line, excerpt
from policy_guard.report.report import Report, Reporter, Style, accept_command, path_from
from policy_guard.report.sentences import revision, see
from policy_guard.report.summary import summary
from policy_guard.verify.finding import Finding

GUTTER = 4
LABEL = 7
INDENT = 4
LONGEST_FACT = 2000
MOST_SKIPPED = 20
_COPIED = ("accept",)
"""Facts that are commands to copy: a shell takes a broken one for two."""
_COLOR = re.compile(r"\x1b\[[\d;]*m")
_COLORS = {"error": "1;31", "warning": "1;33", "note": "1;36", "mark": "31", "path": "1", "dim": "2", "pass": "32"}


def render(report: Report, style: Style) -> str:
    """The report as text ending with a line feed; under `quiet` the findings alone, so perhaps nothing."""
    parts = ["\n".join((*_block(block, report.folder, style), "")) for block in blocks(report)]
    if report.error is not None or not style.quiet:
        notes = (line for note in _notes(report) for line in _fit(note, style))
        parts.append("\n".join((*notes, *_verdict(report, style))))
    text = "\n".join(parts)
    text = text + "\n" if text and not text.endswith("\n") else text
    return defused(text) if style.environ.get("GITHUB_ACTIONS") == "true" else text


def _block(block: Block, folder: str, style: Style) -> Iterator[str]:
    finding = block.first
    yield from _headline(block, folder, style)
    lines = excerpt(finding.source, finding.span, style.width - GUTTER - 3)
    margin = max([GUTTER, *(len(str(line.number)) + 2 for line in lines if line.number)])
    if lines:
        yield from _excerpt(finding, lines, margin, style)
    commands = {accept_command(each): accept_command(each, folder) for each in block.findings if each.acceptable}
    facts = ((name, commands.get(value, value)) for name, value in block.facts)
    pairs = (*facts, *(("see", see(related, finding, folder)) for related in block.related))
    yield from _facts(pairs, margin + 1, style.width)


def _headline(block: Block, folder: str, style: Style) -> list[str]:
    finding = block.first
    place = _color(printable(path_from(folder, finding.source.at(finding.span.start))), "path", style)
    severity = _color(finding.severity, finding.severity, style)
    outcome = "" if finding.outcome == "violated" else f", {finding.outcome}"
    check = _color(f"[{block.checks}{outcome}]", "dim", style)
    place += printable(revision(finding)) if finding.of_gone_policy else ""
    return _fit(f"{place}: {severity}: {printable(block.message)} {check}", style)


def _excerpt(finding: Finding, lines: tuple[Line, ...], margin: int, style: Style) -> Iterator[str]:
    blank = _color(f"{'':{margin}} |", "dim", style)
    yield blank
    for number, text in lines[:-1]:
        yield f"{_color(f'{number:>{margin}} |', 'dim', style)} {text}".rstrip()
    mark, label = lines[-1].text, _statement(finding)
    underline = _color(mark, "mark", style)
    if label and margin + 4 + len(mark) + cells(label) > style.width:
        yield f"{blank} {underline}"
        yield f"{blank} {label}"
    else:
        yield f"{blank} {underline} {label}".rstrip()
    yield blank


def _statement(finding: Finding) -> str:
    if finding.statement_at_span is None:
        return ""
    index, sid = finding.statement_at_span
    return f"statement {index}" if sid is None else f'statement {index}, "{shortened(sid, 64)}"'


def _facts(pairs: Iterable[tuple[str, str]], indent: int, width: int) -> Iterator[str]:
    facts = [(printable(name), shortened(value, LONGEST_FACT)) for name, value in pairs]
    column = max([LABEL, *(cells(name) for name, _ in facts)]) + 2
    for name, value in facts:
        first, *continuation = [value] if name in _COPIED else _wrap(value, width - indent - column)
        yield f"{'':{indent}}{name}{'':{column - cells(name)}}{first}".rstrip()
        yield from (f"{'':{indent + column}}{line}" for line in continuation)


def _wrap(text: str, width: int) -> list[str]:
    """Broken at blanks only: an ARN stays in one piece, to be copied."""
    lines, column = [""], 0
    for word in text.split(" "):
        size = cells(_COLOR.sub("", word))
        if lines[-1] and column + 1 + size > width:
            lines.append(word)
            column = size
        else:
            column += size + bool(lines[-1])
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _fit(text: str, style: Style) -> list[str]:
    """A sentence as it is, or in lines that fit the terminal, the second of them and those below indented."""
    if not style.wraps:
        return [text]
    first, *continuation = _wrap(text, style.width - INDENT)
    return [first, *(f"{'':{INDENT}}{line}" for line in continuation)]


def _notes(report: Report) -> Iterator[str]:
    if report.error is not None:
        return
    yield from (f"note: {printable(note)}" for note in report.notes)
    yield from (f"accepted: {printable(str(each))}" for each in report.accepted)
    for path, reason in report.skipped[:MOST_SKIPPED]:
        yield f"not checked: {printable(path_from(report.folder, path))}: {printable(reason)}"
    if len(report.skipped) > MOST_SKIPPED:
        yield f"not checked: {len(report.skipped) - MOST_SKIPPED} more files, all listed by --format json"


def _verdict(report: Report, style: Style) -> list[str]:
    failed = report.error is not None or report.fails
    color_name = "error" if failed else "pass" if not report.findings else "warning"
    return [_color(line, color_name, style) for line in _fit(summary(report), style)] if style.concludes else []


def _color(text: str, color_name: str, style: Style) -> str:
    return f"\x1b[{_COLORS[color_name]}m{text}\x1b[0m" if style.color else text


REPORTER = Reporter("text", render)
