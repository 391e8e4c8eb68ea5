"""For GitLab's merge requests: a Code Quality report, an entry for each finding."""

from __future__ import annotations

from typing import Any

from policy_guard.documents.printable import in_json, shortened
from policy_guard.report.blocks import Block
from policy_guard.report.report import Report, Reporter, Style, fingerprints, in_order, place
from policy_guard.report.sentences import sentences
from policy_guard.report.summary import error_line
from policy_guard.verify.finding import Finding

LONGEST = 600
SEVERITIES = {"error": "critical", "warning": "minor", "note": "info"}


def render(report: Report, style: Style) -> str:
    """The JSON that https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format describes."""
    findings = in_order(report)
    entries = [_entry(finding, mark) for finding, mark in zip(findings, fingerprints(findings), strict=True)]
    if report.error is not None:
        entries = [_issue(error_line(report.error), "set-up", "set-up", "blocker", ".policy-guard.yaml", 1)]
    return in_json(entries)


def _entry(finding: Finding, fingerprint: str) -> dict[str, Any]:
    line = place(finding.source, finding.span).start.line
    severity = SEVERITIES[finding.severity]
    description = shortened(" ".join(sentences(Block((finding,))).split("\n")), LONGEST)
    return _issue(description, finding.check, fingerprint, severity, finding.source.path, line)


def _issue(text: str, check: str, fingerprint: str, severity: str, path: str, line: int) -> dict[str, Any]:
    return {
        "description": text,
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    }


REPORTER = Reporter("gitlab", render)
