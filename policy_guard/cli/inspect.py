"""`policy-guard list --critical` and `catalog`: what the critical list and a pattern mean today."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import counted, printable
from policy_guard.iam import catalog
from policy_guard.iam.policy import in_words
from policy_guard.pipeline.repository import Repository
from policy_guard.report.report import Report, in_order, path_from
from policy_guard.settings.config import Config
from policy_guard.settings.critical import CriticalEntry, RequestSet, covered_actions
from policy_guard.settings.load import Settings, load_settings
from policy_guard.settings.severity import Severity
from policy_guard.verify.finding import Finding

_MOST_ACTIONS = 200
_NO_LIST = 'the configuration names no critical list. Add "critical: critical-permissions.yaml".'


def critical(config: str | None, folder: Path, environ: Mapping[str, str]) -> str:
    """Return what each entry of the critical list matches today."""
    settings = _settings(config, folder, environ)
    entries = counted(len(settings.critical), "entry", "entries")
    minor = sum(_severity(entry, settings.config) != "error" for entry in settings.critical)
    minor_words = f", {minor} of them no errors" if minor else ""
    lines = [f"{entries}{minor_words}; actions of {catalog.source()}"]
    for entry in settings.critical:
        lines += _entry(entry, _severity(entry, settings.config))
        lines += (f"  {doubt.message}; {doubt.remedy}" for doubt in settings.doubts if doubt.entry == entry.id)
    return "".join(f"{printable(line)}\n" for line in lines)


def critical_as_json(config: str | None, folder: Path, environ: Mapping[str, str]) -> str:
    """Return the same for programs: the entries, each with all actions that it covers today and its doubts."""
    settings = _settings(config, folder, environ)
    doubts = [(doubt.entry, f"{doubt.message}; {doubt.remedy}") for doubt in settings.doubts]
    entries = [
        {
            "id": entry.id,
            "severity": _severity(entry, settings.config),
            "reason": entry.reason,
            "source": entry.page,
            "shipped": not entry.is_own,
            "unless": [" and ".join(map(in_words, statement.conditions)) for statement in entry.unless],
            "principals": list(_principals(entry)),
            "kinds": list(entry.kinds),
            "files": list(entry.files),
            "sets": [_set_fields(request_set) for request_set in entry.sets],
            "doubts": [text for name, text in doubts if name == entry.id],
        }
        for entry in settings.critical
    ]
    return json.dumps({"entries": entries, "actions_of": catalog.source()}, indent=2) + "\n"


def critical_grants(report: Report) -> str:
    """Return a line for each critical permission that a statement grants, and what could not be told.

    Raises `SetupError` if there is no critical list.
    """
    if not report.critical:
        raise SetupError(_NO_LIST)
    findings = [each for each in in_order(report) if each.critical_ids or each.outcome != "violated"]
    lines = [_grant(each, report.folder) for each in findings]
    ids = {name for each in findings for name in each.critical_ids}
    total = counted(report.critical, "critical entry", "critical entries")
    return "".join(f"{printable(line)}\n" for line in (*lines, f"{len(ids)} of {total} granted"))


def _grant(finding: Finding, folder: str) -> str:
    at = path_from(folder, finding.source.at(finding.span.start))
    if not finding.critical_ids:
        return f"{at}: {finding.message}"
    grant = f"{', '.join(finding.actions)} on {', '.join(finding.resources)}"
    return f"{at}: {', '.join(finding.critical_ids)} ({finding.severity}): {grant}"


def _settings(config: str | None, folder: Path, environ: Mapping[str, str]) -> Settings:
    repository = Repository(folder, environ)
    repository.close()
    settings = load_settings(repository.root, config)
    if settings.config.critical is None:
        raise SetupError(_NO_LIST)
    return settings


def _severity(entry: CriticalEntry, config: Config) -> Severity:
    """Return how severe new access is that the entry means."""
    from policy_guard.pipeline.severity import entry_severity
    from policy_guard.verify.checks.access_not_granted import CHECK

    configured = config.severity(CHECK.id)
    return entry_severity(entry, configured) or configured or CHECK.default


def _set_fields(request_set: RequestSet) -> dict[str, Any]:
    patterns_by_key = zip(("actions", "resources", "except"), request_set, strict=True)
    return {key: [value.text for value in values] for key, values in patterns_by_key} | {
        "covers": list(covered_actions(request_set))
    }


def _principals(entry: CriticalEntry) -> Iterator[str]:
    if entry.principals:
        yield from (f"{principal.type} {principal.value.text}" for principal in entry.principals.entries)


def _entry(entry: CriticalEntry, severity: Severity) -> Iterator[str]:
    sets = entry.sets if entry.all_of else ()
    yield f"{entry.id}: {f'{len(sets)} sets, dangerous together' if sets else _size(entry.sets[0])}"
    if severity != "error":
        yield f"  severity {severity}"
    for statement in entry.unless:
        yield f"  unless {' and '.join(map(in_words, statement.conditions))}"
    if entry.principals:
        yield f"  for {', '.join(_principals(entry))}"
    if entry.kinds:
        yield f"  in policies of kind {', '.join(entry.kinds)}"
    if entry.files:
        yield f"  in {', '.join(entry.files)}"
    yield f"  reason {entry.reason}"
    if entry.page:
        yield f"  source {entry.page}"
    for number, request_set in enumerate(sets, 1):
        yield f"  set {number}: {_size(request_set)}"
        yield from (f"  {line}" for line in _covered(request_set))
    if not sets:
        yield from _covered(entry.sets[0])


def _size(request_set: RequestSet) -> str:
    number = len(covered_actions(request_set))
    resources = f" on {', '.join(value.text for value in request_set.resources)}" if request_set.resources else ""
    return f"{counted(number, 'action')}{resources}"


def _covered(request_set: RequestSet) -> Iterator[str]:
    names = covered_actions(request_set)
    yield from (f"  {action}" for action in names[:_MOST_ACTIONS])
    if len(names) > _MOST_ACTIONS:
        yield f"  and {len(names) - _MOST_ACTIONS} more"


def actions(pattern: str, long: bool = False) -> tuple[str, str]:
    """The actions that a pattern covers today, one a line; where there are none, a sentence that says so."""
    names = catalog.matching(pattern)
    if not names:
        suggestion = catalog.nearest(pattern)
        hint = f"; did you mean {suggestion}?" if suggestion else "" if ":" in pattern else '; write "service:Name"'
        return "", f'"{pattern}" covers no action of {catalog.source()}{hint}'
    if not long:
        return "".join(f"{name}\n" for name in names), ""
    width = max(map(len, names))
    described = map(catalog.described, names)
    rows = (f"{a.name:{width}}  {', '.join(a.levels):5}  {' '.join(a.resources) or '*'}\n" for a in described)
    return "".join(rows), ""
