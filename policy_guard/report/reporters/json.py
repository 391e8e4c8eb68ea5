"""For programs: the report as one JSON object, as schema/report.json describes it; also that of all shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from policy_guard.documents.printable import in_json
from policy_guard.iam.policy import Request
from policy_guard.report.parts import part_fields, united, whole_result
from policy_guard.report.report import Report, Reporter, Style, embedded_note, in_order, place
from policy_guard.settings.severity import SEVERITIES
from policy_guard.verify.checks import checks
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
    fields["not_asked"] = sorted((each._asdict() for each in report.not_asked), key=_text)
    fields["paths"] = list(report.paths)
    fields["changed_elsewhere"] = report.outside
    fields["judged"] = sorted(report.judged)
    fields["notes"] = sorted(report.notes)
    accepted = (reviewed._asdict() | {"checks": list(reviewed.checks)} for reviewed in report.accepted)
    fields["accepted"] = sorted(accepted, key=_text)
    fields["skipped"] = sorted((skipped._asdict() for skipped in report.skipped), key=_text)
    findings = sorted(((_finding(finding), _mark(finding)) for finding in in_order(report)), key=_rank)
    fields["findings"] = [finding for finding, _ in findings]
    if report.part is not None:
        fields["shard"] = part_fields(report.part, result) | {"marks": [mark for _, mark in findings]}
    return fields


def _text(value: object) -> str:
    return str(value)


def _rank(marked_finding: tuple[Mapping[str, Any], str]) -> tuple[Any, ...]:
    finding, mark = marked_finding
    place_fields = (finding[name] for name in ("path", "line", "column", "end_line", "end_column", "check"))
    severity = SEVERITIES.index(finding["severity"])
    return severity, *place_fields, finding.get("critical_id", ""), finding["message"], mark, _text(finding)


def _mark(finding: Finding) -> str:
    """Return what tells two findings apart that say the same to programs: a digest of what they say to people."""
    from hashlib import sha256

    return sha256(repr(finding.facts).encode(errors="surrogateescape")).hexdigest()[:12]


def merged(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The report of a whole run, from those of all its shards."""
    parts = [report["shard"] for report in reports]
    elsewhere = set(parts[0]["elsewhere"]).intersection(*(part["elsewhere"] for part in parts))
    entries = reports[0]["critical_entries"] + reports[0]["critical_entries_elsewhere"]
    judged = _judged(reports)
    notes = {note for report in reports for note in report["notes"]}
    embedded = sum(part["embedded"] for part in parts)
    marked = [list(zip(report["findings"], report["shard"]["marks"], strict=True)) for report in reports]
    fields = {name: value for name, value in reports[0].items() if name != "shard"}
    return fields | {
        "result": whole_result(parts),
        "policies": len(judged),
        "checks": [each.id for each in checks() if any(each.id in report["checks"] for report in reports)],
        "critical_entries": entries - len(elsewhere),
        "critical_entries_elsewhere": len(elsewhere),
        "not_asked": _not_asked(reports),
        "judged": sorted(judged),
        "notes": sorted(notes | ({embedded_note(embedded)} if embedded else set())),
        "accepted": sorted(_accepted(reports), key=_text),
        "skipped": sorted(united(report["skipped"] for report in reports), key=_text),
        "findings": [finding for finding, _ in sorted(united(marked), key=_rank)],
    }


def _judged(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """The policies of all shards; what several of them count is one, and so is one that is gone and judged."""
    of_one: list[str] = []
    for report in reports:
        shared = Counter([*report["shard"]["common"], *report["shard"]["gone"]])
        of_one += (Counter(report["judged"]) - shared).elements()
    common = united(report["shard"]["common"] for report in reports)
    gone = {name for report in reports for name in report["shard"]["gone"]}
    return [*of_one, *common, *gone.difference(of_one)]


def _not_asked(reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    policies: Counter[tuple[str, str]] = Counter()
    for entry in (entry for report in reports for entry in report["not_asked"]):
        policies[entry["check"], entry["setting"]] += entry["policies"]
    entries = ({"check": check, "setting": setting, "policies": n} for (check, setting), n in policies.items())
    return sorted(entries, key=_text)


def _accepted(reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_file: dict[str, dict[str, Any]] = {}
    for entry in (entry for report in reports for entry in report["accepted"]):
        checks = [*by_file.get(entry["file"], entry)["checks"], *entry["checks"]]
        by_file[entry["file"]] = entry | {"checks": list(dict.fromkeys(checks))}
    return list(by_file.values())


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


REPORTER = Reporter("json", render, merged)
