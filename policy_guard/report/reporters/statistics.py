"""For an overview: how many findings there are of each severity and check, and the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policy_guard.documents.printable import defused
from policy_guard.report.report import Report, Reporter, Style, in_order
from policy_guard.report.summary import summary
from policy_guard.settings.severity import SEVERITIES


def render(report: Report, style: Style) -> str:
    """Return a line for each severity and check, as in `12  error    no-new-access`, worst first, and the result.

    Under `quiet` there are the counts alone.
    """
    lines = list(_counts(report))
    if report.error is not None or not style.quiet:
        lines.append(summary(report))
    text = "".join(f"{line}\n" for line in lines)
    return defused(text) if style.environ.get("GITHUB_ACTIONS") == "true" else text


def _counts(report: Report) -> Iterator[str]:
    counts = Counter((finding.severity, finding.check) for finding in in_order(report))
    width = max((len(str(number)) for number in counts.values()), default=0)
    worst_first = sorted(counts, key=lambda kind: (SEVERITIES.index(kind[0]), -counts[kind], kind[1]))
    for severity, check in worst_first:
        yield f"{counts[severity, check]:>{width}}  {severity:7}  {check}"


REPORTER = Reporter("statistics", render)
