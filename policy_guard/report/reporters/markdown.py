"""For a step summary or a comment: the verdict, a row for each finding with a link, and folded what adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from policy_guard.documents.printable import counted, defused, printable, shortened
from policy_guard.report.blocks import Block, blocks
from policy_guard.report.excerpt import excerpt
from policy_guard.report.markdown_escape import cell, code, fence, inline, inline_code
from policy_guard.report.prefix_tree import mermaid
from policy_guard.report.report import Report, Reporter, Style, place
from policy_guard.report.sentences import LONGEST_FACT, see
from policy_guard.report.summary import summary
from policy_guard.verify.checks import check
from policy_guard.verify.finding import Finding

# GitHub shows nothing of a summary above 1 MiB (1,024 KiB).
MOST_BYTES = 900 * 1024
MOST_ROWS = 200
_MARKS = {"error": "❌", "warning": "⚠️", "note": "ℹ️"}
_LONGEST = 300
_WIDEST = 90
"""Columns of an excerpt, so that it fits a page of 980 pixels."""
_REQUESTS = ("accept", "critical", "example", "lost", "new", "unused")
"""Facts that are requests or commands, and no sentences."""


def render(report: Report, style: Style) -> str:
    """The report, cut between its parts where it would be too long for GitHub, with a count of what is missing."""
    all_blocks = blocks(report)
    bad = any(block.severity == "error" for block in all_blocks)
    mark = "❌" if report.error is not None or report.fails else "⚠️" if bad else "✅"
    parts = [f"### {mark} policy-guard: {inline(summary(report))}\n"]
    if report.error is None:
        parts += [f"> {inline(note)}\n" for note in report.notes[:MOST_ROWS]]
        parts += [f"> and {len(report.notes) - MOST_ROWS} more notes\n"] if len(report.notes) > MOST_ROWS else []
        parts += [
            "\n".join(_table(all_blocks, style)),
            "\n".join(_acceptances(report)),
            *(_detail(block, style) for block in all_blocks),
        ]
    tail = "" if report.error is not None else "\n".join(_run_details(report))
    text = _cut([part for part in parts if part], tail)
    return defused(text) if style.environ.get("GITHUB_ACTIONS") == "true" else text


def _cut(parts: list[str], tail: str) -> str:
    room = MOST_BYTES - len(tail.encode()) - 200
    fitting_parts: list[str] = []
    for part in parts:
        room -= len(part.encode()) + 1
        if room < 0:
            break
        fitting_parts.append(part)
    missing = len(parts) - len(fitting_parts)
    surplus = [f"*{missing} more findings are left out here; the log of this step has them all.*\n"] if missing else []
    return "\n".join([*fitting_parts, *surplus, tail]).rstrip("\n") + "\n"


def _table(all_blocks: tuple[Block, ...], style: Style) -> Iterator[str]:
    if not all_blocks:
        return
    yield "| | where | what |"
    yield "|---|---|---|"
    for block in all_blocks[:MOST_ROWS]:
        finding = block.first
        location = "<br>".join(filter(None, (_place(finding, style), _statement(finding))))
        access = _access(block)
        description = f"{inline(block.message)}{': ' + inline_code(shortened(access, _LONGEST)) if access else ''}"
        row = (_MARKS[finding.severity], location, f"{description}<br><sub>{_checks(block)}</sub>")
        yield f"| {' | '.join(map(cell, row))} |"
    if len(all_blocks) > MOST_ROWS:
        yield f"| | and {len(all_blocks) - MOST_ROWS} more | |"
    yield ""


def _access(block: Block) -> str:
    """The access that a finding is about, in the words of the policy; empty if it is about none."""
    return dict(block.facts).get(check(block.first.check).label, "")


def _checks(block: Block) -> str:
    outcome = block.first.outcome
    return inline(block.checks + (f", {outcome}" if outcome != "violated" else ""))


def _acceptances(report: Report) -> Iterator[str]:
    if not report.accepted:
        return
    yield "| accepted in | access | reason |"
    yield "|---|---|---|"
    for record in report.accepted[:MOST_ROWS]:
        reason = f"{inline(shortened(record.reason, _LONGEST))}<br>until {record.expires}, {inline_code(record.file)}"
        row = (inline_code(record.policy), inline_code(shortened(record.access, _LONGEST)), reason)
        yield f"| {' | '.join(map(cell, row))} |"
    if len(report.accepted) > MOST_ROWS:
        yield f"| and {len(report.accepted) - MOST_ROWS} more | | |"
    yield ""


def _detail(block: Block, style: Style) -> str:
    """A finding folded: its lines, what its row does not say, and the trees of what is unused."""
    finding = block.first
    width = min(style.width, _WIDEST)
    lines = [f"{line.number or '':>4} | {line.text}" for line in excerpt(finding.source, finding.span, width)]
    body = [*fence("text", lines), ""] if lines else []
    body += [f"- {line}" for line in _facts(block)]
    if finding.trees:
        body += ["", *fence("mermaid", mermaid(finding.trees))]
    if not body:
        return ""
    head = f"{_MARKS[finding.severity]} <code>{_html(_location(finding))}</code> {_html(block.message)}"
    return "\n".join(["<details>", f"<summary>{head}</summary>", "", *body, "", "</details>", ""])


def _facts(block: Block) -> Iterator[str]:
    access = _access(block)
    for name, value in block.facts:
        # The row has the access; where it is one request, an example would only repeat it.
        if value != access:
            text = shortened(value, LONGEST_FACT)
            yield f"{inline(name)}: {inline_code(text) if name in _REQUESTS else inline(text)}"
    yield from (f"see: {inline(shortened(see(related, block.first), LONGEST_FACT))}" for related in block.related)


def _run_details(report: Report) -> Iterator[str]:
    yield "<details>"
    yield "<summary>What was checked</summary>"
    yield ""
    yield f"- compared with: {code(report.base or 'nothing')}"
    yield f"- settings: those of {code(report.settings) if report.settings else 'the working tree'}"
    yield f"- checks: {', '.join(report.checks) or 'none'}; {_critical(report)}"
    for check_id, setting, policies in report.not_asked:
        yield f"- not asked: {check_id} of {counted(policies, 'policy', 'policies')}, by {code(f'{setting}: off')}"
    if report.paths:
        elsewhere = counted(report.outside, "file")
        yield f"- looked at: {', '.join(map(code, report.paths[:MOST_ROWS]))} alone; {elsewhere} changed elsewhere"
    names = [inline_code(name) for name in report.judged[:MOST_ROWS]]
    surplus = f" and {len(report.judged) - MOST_ROWS} more" if len(report.judged) > MOST_ROWS else ""
    yield f"- policies: {', '.join(names) or report.policies}{surplus}"
    yield from (f"- not checked: {code(path)}: {inline(reason)}" for path, reason in report.skipped[:MOST_ROWS])
    if len(report.skipped) > MOST_ROWS:
        yield f"- and {len(report.skipped) - MOST_ROWS} more files not checked"
    yield ""
    yield "</details>"


def _critical(report: Report) -> str:
    elsewhere = f", {report.critical_elsewhere} of them only about other files" if report.critical_elsewhere else ""
    return f"entries of the critical list: {report.critical}{elsewhere}"


def _location(finding: Finding) -> str:
    return printable(finding.source.at(finding.span.start))


def _place(finding: Finding, style: Style) -> str:
    """A link to the line, where GitHub says which repository and commit this is."""
    server, repository, commit = (
        style.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "SHA")
    )
    location = inline_code(_location(finding))
    if not (server and repository and commit):
        return location
    line = place(finding.source, finding.span).start.line
    path = quote(finding.source.path.encode("utf-8", "surrogateescape"))
    return f"[{location}]({server}/{repository}/blob/{commit}/{path}#L{line})"


def _statement(finding: Finding) -> str:
    if finding.statement_at_span is None:
        return ""
    index, sid = finding.statement_at_span
    return f"statement {index}" + ("" if sid is None else f", {inline_code(shortened(sid, 64))}")


def _html(text: str) -> str:
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("@", "@\u200b").replace("#", "#\u200b")


REPORTER = Reporter("markdown", render)
