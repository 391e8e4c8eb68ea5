"""One piece of a run's work as a pure function: values go in, judgements come out, in this process or in another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache, lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from policy_guard.documents.containers.revision_files import RevisionFiles
from policy_guard.pipeline.judging import Judge, Judgement, Steps
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.attached_documents import AttachedDocuments
from policy_guard.pipeline.pairing.file_version import FileVersion, glance_of
from policy_guard.pipeline.pairing.reader import PlainFile
from policy_guard.records import NamedTuple
from policy_guard.settings.load import Settings
from policy_guard.verify.finding import Finding, without_functions
from policy_guard.verify.readable import unreadable_findings

if TYPE_CHECKING:
    from policy_guard.iam.policy import Policy
    from policy_guard.pipeline.acceptances import Acceptances
    from policy_guard.refine.attribution import Usage

_PROTOCOL = 5
_ONE_AT_A_TIME = Lock()
"""A judge counts the steps of one run: of several threads of a worker, one judges."""


class Frame(NamedTuple):
    """All that the policies of a run are judged with; with `with_policies` those of files come back, too.

    `verbose` and `plain` are those of a judge.
    """

    settings: Settings
    today: date
    usage: Usage | None
    acceptances: Acceptances | None
    verbose: bool
    with_policies: bool
    plain: bool


class PairTask(NamedTuple):
    """A policy to judge, old and new; without `comparing` the new version alone."""

    pair: Pair
    comparing: bool


Task: TypeAlias = "PairTask | PlainFile"
"""A policy that is read already, or a file to read, whose policies are judged by themselves."""


class Judged(NamedTuple):
    """What came of a policy, and the steps of the run that were left before and after."""

    judgement: Judgement
    before: Steps
    after: Steps


class JudgedFile(NamedTuple):
    """What came of a file: why it was passed over, what cannot be read, and its policies by their labels."""

    passed_over: str
    unreadable: tuple[tuple[Finding, ...], ...]
    labels: tuple[str, ...]
    judged: tuple[Judged, ...]
    policies: tuple[Policy, ...]


Outcome: TypeAlias = "Judged | JudgedFile | None"
"""None says that the task takes more of the repository than it holds."""


class Refused(NamedTuple):
    """A worker judges with other versions than the one that asks: these."""

    marks: str


class _Elsewhere(Exception):
    """Raised when other files of the repository are needed."""


@cache
def marks() -> str:
    """The versions that decide verdicts: who has others answers other questions."""
    from importlib.metadata import version

    from policy_guard.version import VERSION

    return f"policy-guard {VERSION} with z3-solver {version('z3-solver')}"


def packed(value: Any) -> bytes:
    """A value of this module as bytes."""
    import pickle

    return pickle.dumps(value, _PROTOCOL)


def unpacked(data: bytes) -> Any:
    """The value of `packed` bytes, which come from this program alone."""
    import pickle

    return pickle.loads(data)  # noqa: S301


def judge_packed(asking: str, frame: bytes, steps: Steps, tasks: bytes) -> bytes:
    """Judges some tasks, one after the other, with so many steps left of the run; `asking` are the marks of who asks.

    Returns the outcomes, or `Refused`, as bytes.
    """
    if asking != marks():
        return packed(Refused(marks()))
    with _ONE_AT_A_TIME:
        settings, judge = _judge(frame)
        judge.allow(steps)
        return packed([_outcome(task, judge, settings) for task in unpacked(tasks)])


@lru_cache(maxsize=1)
def _judge(frame: bytes) -> tuple[Frame, Judge]:
    """Unpacks a frame once for all that is judged with it."""
    contents: Frame = unpacked(frame)
    usage, acceptances = contents.usage, contents.acceptances
    judge = Judge(
        contents.settings,
        contents.today,
        None if usage is None else lambda: usage,
        None if acceptances is None else lambda: acceptances,
        contents.verbose,
        contents.plain,
    )
    return contents, judge


def _outcome(task: Task, judge: Judge, frame: Frame) -> Outcome:
    if isinstance(task, PairTask):
        return _judged(task.pair, task.comparing, judge)
    try:
        return _judged_file(task, judge, frame)
    except _Elsewhere:
        return None


def _judged(pair: Pair, comparing: bool, judge: Judge) -> Judged:
    before = judge.steps
    judgement = judge.judge(pair, comparing)
    findings = tuple(map(without_functions, judgement.findings))
    return Judged(judgement._replace(findings=findings), before, judge.steps)


def _judged_file(file: PlainFile, judge: Judge, frame: Frame) -> JudgedFile:
    version = _version(file, frame.settings.config.placeholders)
    documents = AttachedDocuments(frame.settings.config.policies_by_arn, _elsewhere)
    judged = []
    for policy in version.policies.values():
        pair = documents.pair(Pair(path=version.source.path, old=policy, new=policy))
        judged.append(_judged(pair, False, judge))
    return JudgedFile(
        passed_over=version.passed_over,
        unreadable=tuple(
            tuple(unreadable_findings(version.source, problems)) for _, problems in version.problems_by_policy
        ),
        labels=tuple(policy.label for policy in version.policies.values()),
        judged=tuple(judged),
        policies=tuple(version.policies.values()) if frame.with_policies else (),
    )


def _version(file: PlainFile, placeholders: tuple[str, ...]) -> FileVersion:
    """Reads a file by itself. Raises `_Elsewhere` if others decide what it is, or what is in it."""
    siblings = RevisionFiles(_elsewhere, _elsewhere, _elsewhere, _elsewhere)
    version = glance_of(
        file.data, file.path, file.revision, file.configured, file.kind, placeholders, False, siblings
    ).completed(placeholders, grants=True)
    if not file.configured and version.template is None and (version.problems or version.bare):
        raise _Elsewhere
    return version


def _elsewhere(*arguments: Any) -> NoReturn:
    raise _Elsewhere


def steps_of(outcome: Outcome) -> Iterator[Judged]:
    """Return what was judged in an outcome, one policy after the other."""
    if outcome is not None:
        yield from outcome.judged if isinstance(outcome, JudgedFile) else (outcome,)
