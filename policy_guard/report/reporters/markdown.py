"""For a step summary or a comment: the verdict, a table of findings with links to their lines, and the details."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from policy_guard.documents.printable import defused, printable, shortened
from policy_guard.report.blocks import Block, blocks
from policy_guard.report.excerpt import excerpt
from policy_guard.report.markdown_escape import cell, code, fenced
from policy_guard.report.prefix_tree import mermaid
from policy_guard.report.report import Report, Reporter, Style, place
from policy_guard.report.sentences import sentences
from policy_guard.report.summary import summary
from policy_guard.verify.finding import Finding

# GitHub shows nothing of a summary above 1 MiB (1,024 KiB).
MOST_BYTES = 900 * 1024
MOST_ROWS = 200
_MARKS = {"error": "❌", "warning": "⚠️", "note": "ℹ️"}
_LONGEST = 300


def render(report: Report, style: Style) -> str:
    """The report, cut between its parts where it would be too long for GitHub, with a count of what is missing."""
    every = blocks(report)
    bad = any(block.severity == "error" for block in every)
    mark = "❌" if report.error is not None or report.fails else "⚠️" if bad else "✅"
    parts = [f"### {mark} policy-guard: {_inline(summary(report))}\n"]
    if report.error is None:
        parts += [f"> {_inline(note)}\n" for note in report.notes[:MOST_ROWS]]
        parts += [f"> and {len(report.notes) - MOST_ROWS} more notes\n"] if len(report.notes) > MOST_ROWS else []
        parts += [
            "\n".join(_table(every, style)),
            "\n".join(_accepted(report)),
            *(_detail(block, style) for block in every),
        ]
    tail = "" if report.error is not None else "\n".join(_about(report))
    text = _cut([part for part in parts if part], tail)
    return defused(text) if style.environ.get("GITHUB_ACTIONS") == "true" else text


def _cut(parts: list[str], tail: str) -> str:
    room = MOST_BYTES - len(tail.encode()) - 200
    kept: list[str] = []
    for part in parts:
        room -= len(part.encode()) + 1
        if room < 0:
            break
        kept.append(part)
    missing = len(parts) - len(kept)
    more = [f"*{missing} more findings are left out here; the log of this step has them all.*\n"] if missing else []
    return "\n".join([*kept, *more, tail]).rstrip("\n") + "\n"


def _table(every: tuple[Block, ...], style: Style) -> Iterator[str]:
    if not every:
        return
    yield "| | policy | statement | what | example |"
    yield "|---|---|---|---|---|"
    for block in every[:MOST_ROWS]:
        finding, facts = block.first, dict(block.first.facts)
        what = f"{_inline(block.message)} ({block.checks})"
        told = next((facts[name] for name in ("new", "lost", "unused") if name in facts), None)
        what += f": {code(shortened(told, _LONGEST))}" if told else ""
        example = code(shortened(facts["example"], _LONGEST)) if "example" in facts else ""
        row = (_MARKS[finding.severity], _place(finding, style), _statement(finding), what, example)
        yield f"| {' | '.join(map(cell, row))} |"
    if len(every) > MOST_ROWS:
        yield f"| | and {len(every) - MOST_ROWS} more | | | |"
    yield ""


def _accepted(report: Report) -> Iterator[str]:
    if not report.accepted:
        return
    yield "| accepted in | access | reason | until | by |"
    yield "|---|---|---|---|---|"
    for each in report.accepted[:MOST_ROWS]:
        access, reason = code(shortened(each.access, _LONGEST)), _inline(shortened(each.reason, _LONGEST))
        yield f"| {' | '.join(map(cell, (code(each.policy), access, reason, each.expires, code(each.file))))} |"
    if len(report.accepted) > MOST_ROWS:
        yield f"| and {len(report.accepted) - MOST_ROWS} more | | | | |"
    yield ""


def _detail(block: Block, style: Style) -> str:
    """A finding folded: its lines, its facts, and the trees of what is unused."""
    finding = block.first
    lines = [f"{line.number or '':>4} | {line.text}" for line in excerpt(finding.source, finding.span, style.width)]
    said = sentences(block).split("\n")
    body = [*fenced("text", [*lines, "", *map(printable, said)]), ""]
    if finding.trees:
        body += [*fenced("mermaid", mermaid(finding.trees)), ""]
    head = f"{_MARKS[finding.severity]} <code>{_html(_where(finding))}</code> {_html(block.message)}"
    return "\n".join(["<details>", f"<summary>{head}</summary>", "", *body, "</details>", ""])


def _about(report: Report) -> Iterator[str]:
    yield "<details>"
    yield "<summary>What was checked</summary>"
    yield ""
    yield f"- compared with: {code(report.base or 'nothing')}"
    yield f"- settings: those {f'of {code(report.settings)}' if report.settings else 'at hand'}"
    yield f"- checks: {', '.join(report.checks)}; entries of the critical list: {report.critical}"
    yield f"- policies: {report.policies}, of which {report.refused} failed"
    yield from (f"- not checked: {code(path)}: {_inline(reason)}" for path, reason in report.skipped[:MOST_ROWS])
    if len(report.skipped) > MOST_ROWS:
        yield f"- and {len(report.skipped) - MOST_ROWS} more files not checked"
    yield ""
    yield "</details>"


def _where(finding: Finding) -> str:
    return printable(finding.source.at(finding.span.start))


def _place(finding: Finding, style: Style) -> str:
    """A link to the line, where GitHub says which repository and commit this is."""
    server, repository, commit = (
        style.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "SHA")
    )
    if not (server and repository and commit):
        return code(_where(finding))
    line = place(finding.source, finding.span).start.line
    path = quote(finding.source.path.encode("utf-8", "surrogateescape"))
    return f"[{code(_where(finding))}]({server}/{repository}/blob/{commit}/{path}#L{line})"


def _statement(finding: Finding) -> str:
    if finding.statement is None:
        return ""
    index, sid = finding.statement
    return str(index) if sid is None else f"{index}, {code(shortened(sid, 64))}"


def _inline(text: str) -> str:
    """A sentence that may name things of a policy: in it nothing is markup."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~@!:.$&" else c for c in printable(text)).replace("\\@", "@\u200b")


def _html(text: str) -> str:
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("@", "@\u200b").replace("#", "#\u200b")


REPORTER = Reporter("markdown", render)
