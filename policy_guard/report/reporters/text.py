"""For people at a terminal: each finding with its lines, its facts and what to do next, then one line of summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.documents.printable import cells, defused, printable, shortened
from policy_guard.report.blocks import Block, blocks
from policy_guard.report.excerpt import Line, excerpt
from policy_guard.report.report import Report, Reporter, Style
from policy_guard.report.sentences import see
from policy_guard.report.summary import summary
from policy_guard.verify.finding import Finding

GUTTER = 4
LABEL = 7
LONGEST_FACT = 2000
MOST_SKIPPED = 20
_COLORS = {"error": "1;31", "warning": "1;33", "note": "1;36", "mark": "31", "path": "1", "dim": "2", "pass": "32"}


def render(report: Report, style: Style) -> str:
    """The report as text ending with a line feed; under `quiet` the findings alone, so perhaps nothing."""
    parts = ["\n".join((*_block(block, style), "")) for block in blocks(report)]
    if report.error is not None or not style.quiet:
        parts.append("\n".join((*_notes(report), _verdict(report, style))))
    text = "\n".join(parts)
    text = text + "\n" if text and not text.endswith("\n") else text
    return defused(text) if style.environ.get("GITHUB_ACTIONS") == "true" else text


def _block(block: Block, style: Style) -> Iterator[str]:
    finding = block.first
    yield _headline(block, style)
    lines = excerpt(finding.source, finding.span, style.width - GUTTER - 3)
    margin = max([GUTTER, *(len(str(line.number)) + 2 for line in lines if line.number)])
    if lines:
        yield from _excerpt(finding, lines, margin, style)
    pairs = (*block.facts, *(("see", see(related)) for related in block.related))
    yield from _facts(pairs, margin + 1, style.width)


def _headline(block: Block, style: Style) -> str:
    finding = block.first
    where = _colored(printable(finding.source.at(finding.span.start)), "path", style)
    severity = _colored(finding.severity, finding.severity, style)
    outcome = "" if finding.outcome == "violated" else f", {finding.outcome}"
    check = _colored(f"[{block.checks}{outcome}]", "dim", style)
    return f"{where}: {severity}: {printable(block.message)} {check}"


def _excerpt(finding: Finding, lines: tuple[Line, ...], margin: int, style: Style) -> Iterator[str]:
    blank = _colored(f"{'':{margin}} |", "dim", style)
    yield blank
    for number, text in lines[:-1]:
        yield f"{_colored(f'{number:>{margin}} |', 'dim', style)} {text}".rstrip()
    mark, label = lines[-1].text, _statement(finding)
    marked = _colored(mark, "mark", style)
    if label and margin + 4 + len(mark) + cells(label) > style.width:
        yield f"{blank} {marked}"
        yield f"{blank} {label}"
    else:
        yield f"{blank} {marked} {label}".rstrip()
    yield blank


def _statement(finding: Finding) -> str:
    if finding.statement is None:
        return ""
    index, sid = finding.statement
    return f"statement {index}" if sid is None else f'statement {index}, "{shortened(sid, 64)}"'


def _facts(pairs: Iterable[tuple[str, str]], indent: int, width: int) -> Iterator[str]:
    facts = [(printable(name), shortened(value, LONGEST_FACT)) for name, value in pairs]
    column = max([LABEL, *(cells(name) for name, _ in facts)]) + 2
    for name, value in facts:
        first, *rest = _wrapped(value, width - indent - column)
        yield f"{'':{indent}}{name}{'':{column - cells(name)}}{first}".rstrip()
        yield from (f"{'':{indent + column}}{line}" for line in rest)


def _wrapped(text: str, width: int) -> list[str]:
    """Broken at blanks only: an ARN stays in one piece, to be copied."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and cells(lines[-1]) + 1 + cells(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _notes(report: Report) -> Iterator[str]:
    if report.error is not None:
        return
    yield from (f"note: {printable(note)}" for note in report.notes)
    yield from (f"accepted: {printable(str(each))}" for each in report.accepted)
    for path, reason in report.skipped[:MOST_SKIPPED]:
        yield f"not checked: {printable(path)}: {printable(reason)}"
    if len(report.skipped) > MOST_SKIPPED:
        yield f"not checked: {len(report.skipped) - MOST_SKIPPED} more files, all listed by --format json"


def _verdict(report: Report, style: Style) -> str:
    failed = report.error is not None or report.fails
    return _colored(summary(report), "error" if failed else "pass" if not report.findings else "warning", style)


def _colored(text: str, what: str, style: Style) -> str:
    return f"\x1b[{_COLORS[what]}m{text}\x1b[0m" if style.color else text


REPORTER = Reporter("text", render)
