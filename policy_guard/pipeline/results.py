"""Keeps what came of a run, and makes the report of it; it judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.critical_warnings import warning
from policy_guard.pipeline.judging import Judgement, SwitchedOff, Used
from policy_guard.pipeline.pairing import FileResult
from policy_guard.records import NamedTuple
from policy_guard.report.report import NotAsked, Part, Report, Reviewed, Skipped, embedded_note, embedded_policies
from policy_guard.settings.config import Config
from policy_guard.settings.load import Settings
from policy_guard.settings.severity import LEAST, RANK, CheckId, FailOn
from policy_guard.verify.finding import Finding, without_functions
from policy_guard.verify.readable import READABLE

if TYPE_CHECKING:
    from policy_guard.settings.critical import CriticalEntry

T = TypeVar("T")


class Step(NamedTuple):
    """How far a stage of a run is: the name of what is looked at, and its number among how many of which sort."""

    name: str
    number: int = 0
    total: int = 0
    sort: str = ""


Progress: TypeAlias = Callable[[Step], None]


def stepwise(items: Collection[T], sort: str, name: Callable[[T], str], progress: Progress) -> Iterator[T]:
    """The items one by one, each after `progress` heard of it."""
    for number, item in enumerate(items, 1):
        progress(Step(name(item), number, len(items), sort))
        yield item


class Results:
    """The findings, notes and counts of a run."""

    def __init__(
        self,
        settings: Settings,
        fail_on: FailOn,
        today: date,
        progress: Progress = lambda step: None,
        accepting: bool = False,
    ) -> None:
        """`fail_on` is the least severity that fails; `progress` hears of each step and policy.

        Findings can be accepted afterwards with `accepting` alone: what that takes is more than all else of a finding.
        """
        self._accepting = accepting
        self._settings = settings
        self._fail_on = fail_on
        self._least = LEAST[fail_on]
        self._today = today
        self._progress = progress
        self._step = Step("")
        self._findings: list[Finding] = list(map(warning, settings.doubts))
        self._beside = list(self._findings)
        self._places: dict[tuple[object, ...], int] = {}
        self._notes: list[str] = list(settings.notes)
        self._skipped: list[Skipped] = []
        self._reviewed: dict[str, Reviewed] = {}
        self._asked_checks: set[CheckId] = set()
        self._paths_judged: set[str] = set()
        self._ranks: list[int] = []
        self._names: list[str] = []
        self._numbers: list[list[int]] = []
        self._gone: dict[str, int] = {}
        self._compared = self._unchanged = self._planned = 0
        self._plan = ""
        self._embedded = self._withheld = self._caps = self._by_reference = self._excluded = self._outside = 0
        self._paths: tuple[str, ...] = ()
        self._switched_off: dict[SwitchedOff, int] = {}
        self._common: list[str] = []
        self._gone_names: tuple[str, ...] = ()
        self._part: Part | None = None

    @property
    def used_paths(self) -> Collection[str]:
        """The paths of the acceptances that were needed so far."""
        return self._reviewed.keys()

    def stepwise(self, items: Collection[T], sort: str, name: Callable[[T], str]) -> Iterator[T]:
        """The items of a stage one by one, while progress is told of."""
        yield from stepwise(items, sort, name, self._report_step)

    def _report_step(self, step: Step) -> None:
        self._step = step
        self._progress(step)

    def note(self, sentence: str) -> None:
        """Keeps a sentence about the run."""
        self._notes.append(sentence)

    def add_finding(self, finding: Finding) -> None:
        """Keeps a finding that is about no policy by itself."""
        self._findings.append(finding)
        self._beside.append(finding)

    def add_judgement(self, name: str, judgement: Judgement) -> None:
        """Keeps what came of a policy or group of this name."""
        self._asked_checks |= set(judgement.checks)
        for used in judgement.used:
            self._review(used)
        for switched_off in judgement.switched_off:
            self._switched_off[switched_off] = self._switched_off.get(switched_off, 0) + 1
        self._caps += judgement.caps
        self._by_reference += judgement.by_reference
        self._paths_judged |= judgement.paths
        self._withheld += bool(judgement.findings) and all(each.severity == "off" for each in judgement.findings)
        self._count(name, judgement.findings)

    def count_compared(self, differs: bool = True) -> None:
        """Counts a policy that is compared with an old version, from which it need not differ."""
        self._compared += differs
        self._unchanged += not differs

    @property
    def judged(self) -> int:
        """Return how many policies were judged so far."""
        return len(self._ranks)

    def planned(self, plan: str, policies: int) -> None:
        """Keeps how many of the policies a plan changes."""
        self._plan, self._planned = plan, policies

    def outcome(self, path: str, outcome: FileResult, is_common: bool = False) -> None:
        """Keeps what came of reading a changed file; with `is_common` other shards may say the same."""
        judged = len(self._names)
        self._notes += outcome.notes
        if outcome.embedded:
            self._embedded += outcome.embedded
            self.add_skipped(path, f"contains {embedded_policies(outcome.embedded)}")
        self.add_skipped(path, outcome.unread)
        self.add_unreadable(outcome.findings)
        if is_common:
            self._common += self._names[judged:]

    def add_skipped(self, path: str, reason: str) -> None:
        """Keeps why a file is not checked; without a reason, nothing."""
        if reason:
            self._skipped.append(Skipped(path, reason))

    def add_gone(self, names: Iterable[str], findings: Iterable[Finding]) -> None:
        """Keeps findings of which the first is about policies that fail with it, also if nothing else is wrong."""
        first, *others = findings
        self._gone |= dict.fromkeys(names, len(self._findings))
        self._findings.append(first)
        for finding in others:
            self.add_finding(finding)

    def add_excluded(self, path: str) -> None:
        """Keeps that the settings exclude a changed file."""
        self.add_skipped(path, "excluded by the settings")
        self._excluded += 1

    def restrict(self, paths: tuple[str, ...], outside: int) -> None:
        """Keeps what the run is restricted to, and how many files changed elsewhere."""
        self._paths, self._outside = paths, outside

    def add_unreadable(self, findings: Collection[Finding]) -> None:
        """Counts a policy that cannot be read, unless the settings allow all that is wrong with it for now."""
        if failing := [finding for finding in findings if not self._is_allowed(finding)]:
            self._count(failing[0].source.path, failing)
        elif findings:
            self.add_skipped(next(iter(findings)).source.path, "not readable, as the settings allow")

    def restrict_to(self, part: Part) -> None:
        """Keeps which part of the policies is judged here."""
        self._part = part

    def explain(self, explanation: Callable[[Finding], Finding]) -> None:
        """Lets findings be told with what is known only when all is judged."""
        self._findings = list(map(explanation, self._findings))

    def report(self, base: str, mode: str, is_empty: Callable[[], bool] = lambda: False) -> Report:
        """The report of the run. Raises `SetupError` if policies are required and there are none.

        `is_empty` tells whether there is no policy among all files; it is asked only where nothing was judged.
        """
        config = self._settings.config
        if config.require_policies and not self._ranks and is_empty():
            raise SetupError("require-policies is set, and there is no policy here. See policy-guard list.")
        self._count_gone()
        if self._embedded and self._part is None:
            self.note(embedded_note(self._embedded))
        return Report(
            findings=tuple(self._findings),
            policies=len(self._ranks),
            refused=sum(rank >= self._least for rank in self._ranks),
            base=base,
            critical=len(self._settings.critical),
            critical_elsewhere=sum(map(self._is_elsewhere, self._settings.critical)),
            skipped=tuple(self._skipped),
            notes=tuple(dict.fromkeys([*self._notes, *_expired_ignores(config, self._today)])),
            fails=any(RANK[finding.severity] >= self._least for finding in self._findings),
            warned=sum(0 < rank < self._least for rank in self._ranks),
            checks=tuple(self._checks()),
            mode=mode,
            changed=self._compared,
            judged=tuple(self._names),
            by_policy=tuple(tuple(self._findings[number] for number in numbers) for numbers in self._numbers),
            fail_on=self._fail_on,
            accepted=tuple(self._reviewed.values()),
            settings=self._settings.old_config[0] if self._settings.old_config else "",
            unchanged=self._unchanged,
            planned=self._planned,
            plan=self._plan,
            beside=sum(RANK[finding.severity] >= self._least for finding in self._beside),
            not_asked=tuple(NotAsked(*each, policies) for each, policies in self._switched_off.items()),
            withheld=self._withheld,
            caps=self._caps,
            by_reference=self._by_reference,
            excluded=self._excluded,
            paths=self._paths,
            outside=self._outside,
            part=self._finished_part(),
        )

    def _finished_part(self) -> Part | None:
        """What a merge has to know of the part that is judged here."""
        return self._part and self._part._replace(
            elsewhere=tuple(sorted({entry.id for entry in self._settings.critical if self._is_elsewhere(entry)})),
            common=tuple(sorted(self._common)),
            gone=tuple(sorted(self._gone_names)),
            embedded=self._embedded,
        )

    def _is_elsewhere(self, entry: CriticalEntry) -> bool:
        return not any(map(entry.reaches, self._paths_judged))

    def _count_gone(self) -> None:
        """Lets the policies fail in whose place is what nobody looks into, those too that were not judged."""
        for at, name in enumerate(self._names):
            if (number := self._gone.pop(name, None)) is not None:
                self._ranks[at] = max(self._ranks[at], RANK["error"])
                self._numbers[at].append(number)
        for name, number in self._gone.items():
            self._names.append(name)
            self._ranks.append(RANK["error"])
            self._numbers.append([number])
        self._gone_names = tuple(self._gone)
        self._gone = {}

    def _checks(self) -> Iterator[CheckId]:
        """The checks that were asked, and those that are asked of every change; nothing asked is nothing to claim."""
        if not self._ranks and not self._findings:
            return
        from policy_guard.verify.checks import checks

        for check in checks():
            is_on = self._settings.config.severity(check.id) != "off"
            if is_on and (check.compares or check.id in self._asked_checks):
                yield check.id

    def _review(self, used: Used) -> None:
        from policy_guard.verify.messages import requests

        accepted = used.accepted
        acceptance, path = accepted.acceptance, accepted.acceptance.source.path
        earlier = self._reviewed.get(path)
        self._reviewed[path] = Reviewed(
            policy=str(acceptance.policy),
            checks=tuple(dict.fromkeys([*(earlier.checks if earlier else ()), used.check])),
            access=requests(accepted.statements, accepted.without),
            reason=acceptance.reason,
            file=path,
            expires=acceptance.expires.isoformat(),
        )

    def _is_allowed(self, finding: Finding) -> bool:
        """Tell whether the line may be unreadable for now; notes it if so. What was denied there is another matter."""
        if finding.check != READABLE:
            return False
        line = finding.source.position(finding.span.start).line
        entry = self._settings.config.ignore_rule(finding.source.path, finding.source.line(line), self._today)
        if entry:
            self.note(f"{entry.file}:{line} need not be readable until {entry.expires}: {entry.reason}")
        return entry is not None

    def _count(self, name: str, findings: Iterable[Finding]) -> None:
        all_findings = list(findings if self._accepting else map(without_functions, findings))
        self._numbers.append([self._keep(finding) for finding in all_findings])
        self._names.append(name)
        self._progress(self._step._replace(name=name))
        self._ranks.append(max((RANK[finding.severity] for finding in all_findings), default=0))

    def _keep(self, finding: Finding) -> int:
        """Keeps a finding; one that says the same of the same place becomes a part of it. Returns which it is now."""
        key = (finding.check, finding.source.path, finding.span, finding.message, finding.facts)
        at = self._places.setdefault(key, len(self._findings))
        first = self._findings[at] if at < len(self._findings) else None
        if first is not None and finding.acceptable is None and _says_the_same(first, finding):
            return at
        if first is None or finding.acceptable is None:
            self._findings.append(finding)
            return len(self._findings) - 1
        self._findings[at] = first._replace(
            other_acceptables=(*first.other_acceptables, finding.acceptable, *finding.other_acceptables)
        )
        return at


def _says_the_same(first: Finding, second: Finding) -> bool:
    """Tell whether of two findings at one place in the same words, of two revisions perhaps, one is enough."""
    sides = ((each.severity, each.outcome, each.statement, each.related, each.acceptable) for each in (first, second))
    return next(sides) == next(sides)


def _expired_ignores(config: Config, today: date) -> Iterator[str]:
    for entry in config.ignores:
        if entry.expires is not None and entry.expires < today:
            yield f"ignore-unreadable for {entry.file} expired on {entry.expires}; remove it"
