"""One report of those of all shards of a run; none where one is missing, doubled, or of another run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import counted, in_json, printable
from policy_guard.report.parts import whole_result
from policy_guard.report.reporters import reporter


def merged(texts: Mapping[str, str]) -> tuple[str, str]:
    """The report of a whole run from the texts of all its shards, by the names of their files, and its result.

    Raises `SetupError` if that is not all of one run, or if nothing was checked in a shard.
    """
    reports = {name: _read(name, text) for name, text in texts.items()}
    formats = {_format(report) for report in reports.values()}
    if len(formats) > 1:
        raise SetupError("the reports are of several formats. Merge those of one, JSON or SARIF, at a time.")
    form = formats.pop()
    parts = {name: _part(name, report, form) for name, report in reports.items()}
    _refuse_incomplete(parts)
    in_order = sorted(reports, key=lambda name: int(parts[name]["number"]))
    merge = reporter(form).merged
    assert merge is not None
    try:
        whole = merge([reports[name] for name in in_order])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise SetupError(f"one of the reports is not as policy-guard writes {form}. Run the shards again.") from None
    return in_json(whole), whole_result(parts.values())


def _read(name: str, text: str) -> dict[str, Any]:
    try:
        report = json.loads(text)
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict):
        raise SetupError(f"{name} is no JSON object. merge takes reports in JSON and SARIF.")
    return report


def _format(report: Mapping[str, Any]) -> str:
    return "sarif" if "runs" in report else "json"


def _part(name: str, report: Mapping[str, Any], form: str) -> Mapping[str, Any]:
    """What a report says of its shard."""
    try:
        if form == "sarif":
            (run,) = report["runs"]
            invocations = run["invocations"]
            is_checked = bool(invocations) and all(each["executionSuccessful"] is True for each in invocations)
            error = "" if is_checked else "nothing was checked"
            part = run.get("properties", {}).get("shard")
        else:
            error, part = report.get("error", ""), report.get("shard")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise SetupError(f"{name} is no report of policy-guard") from None
    if error:
        raise SetupError(f"{name} says of its shard: {printable(str(error))}")
    if part is None:
        raise SetupError(f"{name} is the report of a whole run. merge takes those of check --shard.")
    _validate(name, part if form == "sarif" else report, form)
    if part["number"] > part["total"] or report.get("result", part["result"]) != part["result"]:
        raise SetupError(f"{name} contradicts itself about its shard. Run its shard again.")
    fields: Mapping[str, Any] = part
    return fields


def _validate(name: str, value: Any, form: str) -> None:
    """Raises `SetupError` unless a report, or in SARIF what it says of its shard, has its shape."""
    from jsonschema import Draft202012Validator

    from policy_guard.settings.validation import schema_text

    schema = json.loads(schema_text("report"))
    rules = {"$ref": "#/$defs/shard", "$defs": schema["$defs"]} if form == "sarif" else schema
    if not Draft202012Validator(rules).is_valid(value):
        raise SetupError(f"{name} is no report of this policy-guard. Run its shard again, with the same version.")


def _refuse_incomplete(parts: Mapping[str, Mapping[str, Any]]) -> None:
    (first, part), *others = parts.items()
    for name, other in others:
        for field, value in part["subject"].items():
            if other["subject"].get(field) != value:
                raise SetupError(f"{first} and {name} are of two runs: they differ in {field}. Run all shards again.")
        if other["total"] != part["total"]:
            raise SetupError(f"{first} is one of {part['total']} shards, and {name} one of {other['total']}.")
    counts = Counter(part["number"] for part in parts.values())
    if doubled := [number for number, count in counts.items() if count > 1]:
        raise SetupError(f"shard {min(doubled)} is there twice. Give one report of each.")
    if missing := sorted(set(range(1, part["total"] + 1)).difference(counts)):
        shown = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        words = counted(len(missing), "shard is", "shards are")
        raise SetupError(f"{words} missing: {shown} of {part['total']}. Nothing is proved without them.")


def merged_line(shards: int, result: str) -> str:
    """Say what came of a merge."""
    return f"{counted(shards, 'shard')}: {'nothing fails' if result == 'pass' else 'at least one policy fails'}"
