"""For scripts and editors: one line a finding, with its place first."""

from __future__ import annotations

from policy_guard.documents.printable import defused, printable
from policy_guard.report.blocks import Block
from policy_guard.report.report import Report, Reporter, Style, in_order, path_from
from policy_guard.report.sentences import title
from policy_guard.report.summary import summary
from policy_guard.verify.finding import Finding


def render(report: Report, style: Style) -> str:
    """Return a line for each finding, as in `policy.json:3:14: error[no-new-access] grants new access`, and the result.

    Under `quiet` there are the findings alone.
    """
    lines = [_line(finding, report.folder) for finding in in_order(report)]
    if report.error is not None or not style.quiet:
        lines += [*(f"note: {printable(note)}" for note in report.notes)]
        lines += [summary(report)] if style.concludes else []
    text = "".join(f"{line}\n" for line in lines)
    return defused(text) if style.environ.get("GITHUB_ACTIONS") == "true" else text


def _line(finding: Finding, folder: str) -> str:
    place = path_from(folder, finding.source.at(finding.span.start))
    return printable(f"{place}: {finding.severity}[{finding.check}] {title(Block((finding,)))}")


REPORTER = Reporter("concise", render)
