"""For GitHub Actions: an annotation per finding within GitHub's limits, then the text for the step's log."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.finding import Finding
from policy_guard.printable import ELLIPSIS, annotation_message, annotation_property, defused, printable, shortened
from policy_guard.reporter import Report, Reporter, Style, in_order, place
from policy_guard.reporters.text import render as render_text
from policy_guard.summary import error_line

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
# Of each kind GitHub shows ten a step, and 4,096 characters of each message; the rest it drops without a word.
MOST_ANNOTATIONS = 10
LONGEST_MESSAGE = 4096
LONGEST_TITLE = 250
LONGEST_FACT = 700
_TITLES = {"no-new-access": "New access", "no-lost-deny": "Lost Deny", "access-not-granted": "Critical permission"}
_VERBS = {"no-new-access": "now allows", "access-not-granted": "allows"}


def render(report: Report, style: Style) -> str:
    """Workflow commands, worst first, then the text report; no text from a policy can act as a command."""
    commands = [_set_up(report.error)] if report.error is not None else list(_annotations(report))
    return "".join(command + "\n" for command in commands) + defused(render_text(report, style))


def _set_up(error: str) -> str:
    return f"::error title=policy-guard::{_message(error_line(error))}"


def _annotations(report: Report) -> Iterator[str]:
    findings = in_order(report)
    for severity in COMMANDS:
        alike = [finding for finding in findings if finding.severity == severity]
        for finding in alike[: MOST_ANNOTATIONS - 1]:
            yield _annotation(finding, "")
        for finding in alike[MOST_ANNOTATIONS - 1 : MOST_ANNOTATIONS]:
            yield _annotation(finding, _more(len(alike) - MOST_ANNOTATIONS, severity))


def _more(count: int, severity: str) -> str:
    if count <= 0:
        return ""
    return f"\n{count} more {severity}{'s' if count > 1 else ''} not shown here: the log of this step has them all."


def _annotation(finding: Finding, more: str) -> str:
    start, end = place(finding.source, finding.span)
    properties = [f"file={annotation_property(_safe(finding.source.path))}", f"line={start.line}"]
    properties.append(f"endLine={end.line}")
    if start.line == end.line:
        properties += [f"col={start.column}", f"endColumn={end.column}"]
    properties.append(f"title={annotation_property(_safe(shortened(_title(finding), LONGEST_TITLE)))}")
    return f"::{COMMANDS[finding.severity]} {','.join(properties)}::{_message(_text(finding), more)}"


def _safe(text: str) -> str:
    return defused(printable(text))


def _message(text: str, more: str = "") -> str:
    room = LONGEST_MESSAGE - len(more)
    whole = defused(text)
    return annotation_message((whole if len(whole) <= room else whole[: room - 1] + ELLIPSIS) + more)


def _title(finding: Finding) -> str:
    new = dict(finding.facts).get("new")
    if finding.outcome == "violated" and finding.check in _TITLES and new:
        return f"{_TITLES[finding.check]}: {new}"
    return finding.message[:1].upper() + finding.message[1:]


def _text(finding: Finding) -> str:
    """The finding in sentences, one fact a line."""
    facts = dict(finding.facts)
    verb = _VERBS.get(finding.check) if finding.outcome == "violated" else None
    example = facts.pop("example", None) if verb else None
    who, said = _who(finding), shortened(finding.message, LONGEST_FACT)
    if example:
        lead = f"{who or 'This'} {verb}, for example, {shortened(example, LONGEST_FACT)}."
        lead = lead if finding.check == "no-new-access" else f"{_sentence(said)} {lead}"
    else:
        lead = _sentence(f"{who}: {said}" if who else said)
    lines = (f"{_upper(printable(name))}: {shortened(value, LONGEST_FACT)}" for name, value in facts.items())
    return "\n".join((lead, *lines))


def _who(finding: Finding) -> str:
    if finding.statement is None:
        return ""
    index, sid = finding.statement
    return f"Statement {index}" if sid is None else f"Statement {index} ({shortened(sid, 64)})"


def _sentence(text: str) -> str:
    return _upper(text) if text.endswith((".", "!", "?", ELLIPSIS)) else _upper(text) + "."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


REPORTER = Reporter("github", render)
