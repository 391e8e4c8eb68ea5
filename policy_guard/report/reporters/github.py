"""For GitHub Actions: an annotation per finding within GitHub's limits, then the text for the step's log."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.printable import (
    ELLIPSIS,
    annotation_message,
    annotation_property,
    counted,
    defused,
    printable,
    shortened,
)
from policy_guard.report.blocks import Block, blocks
from policy_guard.report.report import Report, Reporter, Style, place
from policy_guard.report.reporters.text import render as render_text
from policy_guard.report.sentences import sentences, title
from policy_guard.report.summary import error_line

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
# Of each kind GitHub shows ten a step, and 4,096 characters of each message; the rest it drops without a word.
MOST_ANNOTATIONS = 10
MOST_NOTES = 3
LONGEST_MESSAGE = 4096
LONGEST_TITLE = 250


def render(report: Report, style: Style) -> str:
    """Workflow commands, worst first, then the text report; no text from a policy can act as a command.

    Of a set-up error there is the command alone: the log shows it.
    """
    if report.error is not None:
        return f"{_set_up_error(report.error)}\n"
    commands = (*_annotations(report), *_notices(report))
    return "".join(command + "\n" for command in commands) + defused(render_text(report, style))


def _set_up_error(error: str) -> str:
    return f"::error title=policy-guard::{_message(error_line(error))}"


def _annotations(report: Report) -> Iterator[str]:
    all_blocks = blocks(report)
    for severity in COMMANDS:
        severity_blocks = [block for block in all_blocks if block.severity == severity]
        for block in severity_blocks[: MOST_ANNOTATIONS - 1]:
            yield _annotation(block, "")
        for block in severity_blocks[MOST_ANNOTATIONS - 1 : MOST_ANNOTATIONS]:
            yield _annotation(block, _surplus_note(len(severity_blocks) - MOST_ANNOTATIONS, severity))


def _notices(report: Report) -> Iterator[str]:
    """The notes about the run, which a reviewer has to see: how many findings are not shown, what was accepted."""
    for severity in COMMANDS:
        number = sum(block.severity == severity for block in blocks(report))
        if number > MOST_ANNOTATIONS:
            words = f"{counted(number, severity)}, {MOST_ANNOTATIONS} of them shown here: the log of this step has all"
            yield f"::notice title=policy-guard::{words}"
    notes = (*(f"accepted: {each}" for each in report.accepted), *report.notes)
    yield from (f"::notice title=policy-guard::{_message(printable(note))}" for note in notes[:MOST_NOTES])


def _surplus_note(count: int, severity: str) -> str:
    if count <= 0:
        return ""
    return f"\n{counted(count, f'more {severity}')} not shown here: the log of this step has them all."


def _annotation(block: Block, suffix: str) -> str:
    finding = block.first
    start, end = place(finding.source, finding.span)
    properties = [f"file={annotation_property(_safe(finding.source.path))}", f"line={start.line}"]
    properties.append(f"endLine={end.line}")
    if start.line == end.line:
        properties += [f"col={start.column}", f"endColumn={end.column}"]
    properties.append(f"title={annotation_property(_safe(shortened(title(block), LONGEST_TITLE)))}")
    return f"::{COMMANDS[finding.severity]} {','.join(properties)}::{_message(sentences(block), suffix)}"


def _safe(text: str) -> str:
    return defused(printable(text))


def _message(text: str, suffix: str = "") -> str:
    room = LONGEST_MESSAGE - len(suffix)
    message = defused(text)
    return annotation_message((message if len(message) <= room else message[: room - 1] + ELLIPSIS) + suffix)


REPORTER = Reporter("github", render)
