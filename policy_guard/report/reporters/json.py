"""For programs: the report as one JSON object, as schema/report.json describes it."""

from __future__ import annotations

from typing import Any

from policy_guard.documents.printable import in_json
from policy_guard.iam.policy import Request
from policy_guard.report.report import Report, Reporter, Style, in_order, place
from policy_guard.verify.finding import Cell, Difference, Finding, Piece, Related
from policy_guard.version import VERSION


def render(report: Report, style: Style) -> str:
    """The object, indented, in ASCII; never a workflow command, never half a character."""
    return in_json(_report(report))


def witness(request: Request) -> dict[str, Any]:
    """A request as a mapping: `unknowns` is there where the verdict needs a text for a template's hole."""
    fields: dict[str, Any] = {} if request.principal is None else {"principal": str(request.principal)}
    fields["action"] = request.action
    fields["resource"] = request.resource
    fields["context"] = {key: list(values) for key, values in sorted(request.context.items())}
    if request.unknowns:
        fields["unknowns"] = dict(sorted(request.unknowns.items()))
    return fields


def _report(report: Report) -> dict[str, Any]:
    result = "error" if report.error is not None else "fail" if report.fails else "pass"
    fields: dict[str, Any] = {"version": 1, "tool_version": VERSION, "result": result}
    if report.error is not None:
        fields["error"] = report.error
    fields["base"] = report.base
    if report.relation is not None:
        fields["relation"] = report.relation
    if report.unmet:
        fields["unmet"] = report.unmet
    fields["policies"] = report.policies
    fields["checks"] = list(report.checks)
    fields["critical_entries"] = report.critical - report.critical_elsewhere
    fields["critical_entries_elsewhere"] = report.critical_elsewhere
    fields["not_asked"] = [not_asked._asdict() for not_asked in report.not_asked]
    fields["paths"] = list(report.paths)
    fields["changed_elsewhere"] = report.outside
    fields["judged"] = list(report.judged)
    fields["notes"] = list(report.notes)
    fields["accepted"] = [reviewed._asdict() | {"checks": list(reviewed.checks)} for reviewed in report.accepted]
    fields["skipped"] = [skipped._asdict() for skipped in report.skipped]
    fields["findings"] = [_finding(finding) for finding in in_order(report)]
    return fields


def _finding(finding: Finding) -> dict[str, Any]:
    start, end = place(finding.source, finding.span)
    fields: dict[str, Any] = {"check": finding.check, "outcome": finding.outcome, "severity": finding.severity}
    fields |= {"path": finding.source.path, "line": start.line, "column": start.column}
    fields |= {"end_line": end.line, "end_column": end.column, "statement": _statement(finding)}
    fields |= {"actions": list(finding.actions), "resources": list(finding.resources)}
    if finding.critical_id is not None:
        fields["critical_id"] = finding.critical_id
    if finding.critical_ids:
        fields["critical_ids"] = list(finding.critical_ids)
    fields["message"] = finding.message
    fields["witness"] = None if finding.witness is None else witness(finding.witness)
    fields["difference"] = None if finding.difference is None else _difference(finding.difference)
    fields["related"] = [_related(related) for related in finding.related]
    return fields


def _difference(difference: Difference) -> dict[str, Any]:
    pieces = {
        name: [_lists(piece) for piece in getattr(difference, name)] for name in ("denied", "before", "but", "accepted")
    }
    fields = difference._asdict() | pieces | {"cells": [_lists(cell) for cell in difference.cells]}
    return fields | {name: list(fields[name]) for name in ("principals", "conditions")}


def _lists(record: Cell | Piece) -> dict[str, list[str]]:
    return {name: list(texts) for name, texts in record._asdict().items()}


def _statement(finding: Finding) -> dict[str, Any] | None:
    if finding.statement is None:
        return None
    index, sid = finding.statement
    return {"index": index, "sid": sid}


def _related(related: Related) -> dict[str, Any]:
    line = place(related.source, related.span).start.line
    return {"path": related.source.path, "revision": related.source.revision, "line": line}


REPORTER = Reporter("json", render)
