"""For code scanning: SARIF 2.1.0, a rule for each check with its manual page, an alert for each finding."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from policy_guard.documents.printable import in_json, printable
from policy_guard.documents.source import Source, Span
from policy_guard.report.blocks import Block
from policy_guard.report.parts import part_fields, united
from policy_guard.report.report import Report, Reporter, Style, fingerprints, in_order, place
from policy_guard.report.sentences import revision_suffix, sentences
from policy_guard.report.summary import error_line
from policy_guard.verify.checks import check, manual, names
from policy_guard.verify.finding import Finding, Related
from policy_guard.version import PAGES, VERSION

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def render(report: Report, style: Style) -> str:
    """Return one run. If nothing was checked, it says so as a notification and has no results."""
    rules = names()
    findings = in_order(report)
    marks = fingerprints(findings)
    run: dict[str, Any] = {
        "tool": {"driver": {**_DRIVER, "semanticVersion": VERSION, "rules": [_rule(name) for name in rules]}},
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": "policy-guard/"},
        "invocations": [_invocation(report)],
        "results": sorted(
            (_result(finding, rules, mark) for finding, mark in zip(findings, marks, strict=True)), key=_rank
        ),
    }
    if report.part is not None:
        run["properties"] = {"shard": part_fields(report.part, "fail" if report.fails else "pass")}
    return in_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rank(result: Mapping[str, Any]) -> tuple[Any, ...]:
    """The order of findings, worst first, then by path and place."""
    location = result["locations"][0]["physicalLocation"]
    region = (location["region"][name] for name in ("startLine", "startColumn", "endLine", "endColumn"))
    entry = result.get("properties", {}).get("criticalIds", [""])[0]
    path = os.fsencode(unquote(location["artifactLocation"]["uri"], errors="surrogateescape"))
    severity = [*LEVELS.values()].index(result["level"])
    return severity, path, *region, result["ruleId"], entry, result["message"]["text"], str(result)


def merged(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The report of a whole run, from those of all its shards."""
    runs = [report["runs"][0] for report in reports]
    invocation = runs[0]["invocations"][0]
    notifications = united(run["invocations"][0].get("toolExecutionNotifications", ()) for run in runs)
    invocation = {name: value for name, value in invocation.items() if name != "toolExecutionNotifications"}
    if notifications:
        invocation["toolExecutionNotifications"] = sorted(notifications, key=str)
    run = {name: value for name, value in runs[0].items() if name != "properties"}
    run["invocations"] = [invocation]
    run["results"] = sorted(united(run["results"] for run in runs), key=_rank)
    return reports[0] | {"runs": [run]}


_DRIVER = {"name": "policy-guard", "organization": "policy-guard", "informationUri": f"{PAGES}/"}


def _rule(name: str) -> dict[str, Any]:
    head, _, page = manual(name).strip().partition("\n\n")
    kind = check(name)
    short_text = head.partition(": ")[2]
    short_text = short_text[:1].upper() + short_text[1:]
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": short_text},
        "fullDescription": {"text": " ".join(page.partition("\n\n")[0].split())},
        "helpUri": f"{PAGES}/checks/{name}/",
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": kind.default},
        "properties": {"security-severity": kind.security, "precision": "very-high", "tags": ["security", "iam"]},
    }


def _invocation(report: Report) -> dict[str, Any]:
    if report.error is None:
        texts = sorted(_message(f"accepted: {reviewed}") for reviewed in report.accepted)
        notifications = [{"level": "note", "message": {"text": text}} for text in texts]
        return {"executionSuccessful": True} | ({"toolExecutionNotifications": notifications} if notifications else {})
    notification = {"level": "error", "message": {"text": error_line(report.error)}}
    return {"executionSuccessful": False, "toolExecutionNotifications": [notification]}


def _result(finding: Finding, rules: tuple[str, ...], fingerprint: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": rules.index(finding.check),
        "level": LEVELS[finding.severity],
        "message": {"text": _message(sentences(Block((finding,))))},
        "locations": [{"physicalLocation": _location(finding.source, finding.span)}],
        "partialFingerprints": {"policyGuard/v1": fingerprint},
    }
    if finding.critical_ids:
        result["properties"] = {"criticalIds": list(finding.critical_ids)}
    if finding.related:
        result["relatedLocations"] = [
            _related(number, related, finding) for number, related in enumerate(finding.related, 1)
        ]
    return result


def _message(text: str) -> str:
    """Square brackets before round ones would be a link (SARIF 2.1.0, 3.11.6)."""
    return "\n".join(printable(line) for line in text.split("\n")).replace("](", "] (")


def _related(number: int, related: Related, finding: Finding) -> dict[str, Any]:
    return {
        "id": number,
        "physicalLocation": _location(related.source, related.span),
        "message": {"text": _message(f"{related.message}{revision_suffix(related, finding)}")},
    }


def _location(source: Source, span: Span) -> dict[str, Any]:
    start, end = place(source, span)
    region = {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}
    return {"artifactLocation": _artifact(source.path), "region": region}


def _artifact(path: str) -> dict[str, str]:
    uri = quote(os.fsencode(path))
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}


REPORTER = Reporter("sarif", render, merged)
