"""Reporters as data: pure functions from a report to text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from policy_guard.documents.printable import counted
from policy_guard.documents.source import Position, Source, Span
from policy_guard.records import NamedTuple
from policy_guard.settings.severity import SEVERITIES, CheckId, FailOn
from policy_guard.verify.finding import Finding


class Skipped(NamedTuple):
    """A changed file that was not judged, and why."""

    path: str
    reason: str


class NotAsked(NamedTuple):
    """A check whose answer the settings do not want to hear, the setting, and of how many policies."""

    check: CheckId
    setting: str
    policies: int


class Reviewed(NamedTuple):
    """Access that is new or critical, and was accepted: in which policy, which, why, by which file, until which day."""

    policy: str
    checks: tuple[CheckId, ...]
    access: str
    reason: str
    file: str
    expires: str

    def __str__(self) -> str:
        return f"{self.policy}: {self.access}: {self.reason} (until {self.expires}, {self.file})"


class Part(NamedTuple):
    """One part of a run that several machines share, with what a merge of all parts has to know of it.

    `subject` names what all parts are about. `elsewhere` are the critical entries that are about none of its policies,
    `common` the unread files that other parts may count too, `gone` the policies that fail without being judged here,
    and `embedded` counts policies that are not looked at.
    """

    number: int
    total: int
    subject: Mapping[str, str]
    elsewhere: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    embedded: int = 0


Relation: TypeAlias = Literal["same", "narrower", "wider", "neither", "unknown"]
"""How a new version relates to the old one: by all that it allows, and by what it no longer denies."""


class Report(NamedTuple):
    """Everything a reader may be shown about one run.

    `base` names what the new versions were compared with ("main@3f9c2ab", "orders-old.json"), `policies` counts the
    policies judged, `refused` those with a finding that fails, `warned` those with findings none of which fails;
    `critical` counts the entries of the critical list, `critical_elsewhere` those of them that are about other files.
    `checks` are those that ran, so that a green line claims no more. `notes` are sentences about the run as a whole (a
    followed rename, embedded policies).
    `fails` is the verdict under `--fail-on`; `error` a set-up error, where nothing was checked. `seconds` is None in
    reports that must not change from run to run. `mode` is `changes`, `compare` (two files) or `all` (every policy;
    `changed` counts those that were also compared). `judged` names the policies, each by its path and label;
    `accepted` is what would be a finding and was reviewed. `settings` names the revision whose settings held, if not
    the working tree. `fail_on` is the least severity that fails, or `never`. `relation` is there in mode `compare`.
    `folder` is the working folder from the root, and empty at the root: people at a terminal stand there. Of the
    policies in mode `changes`, `unchanged` counts those that only share a file with what changed, and `planned` those
    that the `plan` changes. `beside` counts the findings that fail and are about no policy.

    `by_policy` are the findings about each of the `judged`, where the run kept which they are.

    `not_asked` are the checks that the settings switch off, and `withheld` counts the policies of which they leave
    out all that was found. `caps` counts the new policies that only cap what others grant, `by_reference` those
    that were compared with their references. `excluded` counts the files among the `skipped` that the settings
    exclude. `paths` are what the run was restricted to, and `outside` counts the files that changed elsewhere.
    `unmet` is the option that fails because of the `relation`. `part` is there if other machines judge the rest.
    """

    findings: tuple[Finding, ...] = ()
    policies: int = 0
    refused: int = 0
    base: str = ""
    critical: int = 0
    critical_elsewhere: int = 0
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    fails: bool = False
    error: str | None = None
    seconds: float | None = None
    warned: int = 0
    checks: tuple[CheckId, ...] = ()
    mode: str = "changes"
    changed: int = 0
    judged: tuple[str, ...] = ()
    fail_on: FailOn = "error"
    accepted: tuple[Reviewed, ...] = ()
    settings: str = ""
    relation: Relation | None = None
    folder: str = ""
    unchanged: int = 0
    planned: int = 0
    plan: str = ""
    beside: int = 0
    by_policy: tuple[tuple[Finding, ...], ...] = ()
    not_asked: tuple[NotAsked, ...] = ()
    withheld: int = 0
    caps: int = 0
    by_reference: int = 0
    excluded: int = 0
    paths: tuple[str, ...] = ()
    outside: int = 0
    unmet: str = ""
    part: Part | None = None


class Style(NamedTuple):
    """How a reporter may dress its words. With `wraps` no line is wider than `width`, unless it is one long word.

    Without `concludes` another reporter follows on the same terminal, and the last line is its.
    """

    color: bool = False
    quiet: bool = False
    width: int = 100
    environ: Mapping[str, str] = {}
    wraps: bool = False
    concludes: bool = True


class Reporter(NamedTuple):
    """Registered as the constant `REPORTER` of a module in `reporters/`.

    `merged`, if there is one, makes one report of those of all shards.
    """

    name: str
    render: Callable[[Report, Style], str]
    merged: Callable[[Sequence[dict[str, Any]]], dict[str, Any]] | None = None


class Place(NamedTuple):
    """The begin and end of a span; `end` stands right after its last character, on the line of that character."""

    start: Position
    end: Position


def place(source: Source, span: Span) -> Place:
    """Lines and columns of `span`; a span that reaches beyond the text ends with the text."""
    size = len(source.text)
    start = min(span.start, size)
    last = min(max(span.end - 1, start), size)
    end = source.position(last)
    return Place(source.position(start), Position(end.line, end.column + (span.end > span.start and last < size)))


def path_from(folder: str, path: str) -> str:
    """A path from the root, as one writes it in a folder; an absolute one stays."""
    if not folder or path.startswith("/"):
        return path
    import posixpath

    return posixpath.relpath(f"/{path}", f"/{folder}")


def accept_command(finding: Finding, folder: str = "") -> str:
    """The command that accepts a finding that can be accepted, to be run in a folder."""
    import shlex

    assert finding.acceptable is not None
    policy = finding.acceptable.policy
    path = finding.source.path if policy.grouped else policy.unit
    check = "" if finding.severity == "error" else f" --check {finding.check}"
    return f"policy-guard accept {shlex.quote(path_from(folder, path))}{check} --reason '...'"


def embedded_note(number: int) -> str:
    """Say how many policies of all changed files are not looked at."""
    return f"the changed files contain {embedded_policies(number)}"


def embedded_policies(number: int) -> str:
    """Say how many policies stand in values where no policy is looked for."""
    remedy = "this is not checked" if number == 1 else "these are not checked"
    return f"{counted(number, 'embedded policy', 'embedded policies')}; {remedy}"


def in_order(report: Report) -> tuple[Finding, ...]:
    """Return the findings to show, worst first, then by path and place; those of severity `off` are left out."""
    findings = (finding for finding in report.findings if finding.severity != "off")
    return tuple(sorted(findings, key=_rank))


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """Return a stable and unique text for each finding, whatever moves in its file."""
    import hashlib
    import json

    occurrences: dict[str, int] = {}
    marks: list[str] = []
    for finding in findings:
        statement = finding.statement or (None, None)
        entry = finding.critical_id if len(finding.critical_ids) <= 1 else None
        subject = (finding.check, finding.outcome, entry, finding.source.path, statement[1] or statement[0])
        message = finding.message if finding.statement is None else ""
        text = json.dumps([*subject, finding.actions, finding.resources, message])
        occurrences[text] = occurrences.get(text, 0) + 1
        marks.append(hashlib.sha256(f"{text}#{occurrences[text]}".encode()).hexdigest())
    return marks


def _rank(finding: Finding) -> tuple[int, str, int, int, str, str, str]:
    severity = SEVERITIES.index(finding.severity)
    return severity, finding.source.path, *finding.span, finding.check, finding.critical_id or "", finding.message
