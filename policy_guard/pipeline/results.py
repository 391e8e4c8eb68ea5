"""What has been judged in a run, and what came of it: pairs of policies in, a report out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timezone
from functools import cache, partial
from typing import TYPE_CHECKING

from policy_guard.errors import UserError
from policy_guard.iam.policy import BESIDE_FULL_ACCESS, SHARING, Policy, meaning
from policy_guard.pipeline.critical_warnings import warning
from policy_guard.pipeline.pairing import Outcome, Pair, Side
from policy_guard.report.report import Report, Reviewed, Skipped
from policy_guard.settings.config import Config
from policy_guard.settings.load import Settings
from policy_guard.settings.severity import RANK
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import doubtful, unreadable

if TYPE_CHECKING:
    from policy_guard.pipeline.acceptances import Acceptances
    from policy_guard.pipeline.pairing.groups import Joined
    from policy_guard.refine.attribution import Usage
    from policy_guard.settings.acceptance import Accepted
    from policy_guard.solver.budget import Budgets
    from policy_guard.verify.check import Question

COMPARING = ("no-new-access", "no-lost-deny")
CRITICAL = "access-not-granted"
PUBLIC = "no-public-access"
BOUND = "within-reference"
DIRECT = "no-new-direct-grant"


class Tally:
    """What has been judged so far, and what came of it."""

    def __init__(
        self,
        given: Settings,
        fail_on: str,
        usage: Callable[[], Usage] | None = None,
        progress: Callable[[str], None] = lambda name: None,
        accepted: Callable[[], Acceptances] | None = None,
    ) -> None:
        """`usage` gives the findings about unused access, if the settings name any; `progress` hears of each policy.

        `accepted` gives the acceptances, in runs that have any.
        """
        self._given = given
        self._today = datetime.now(timezone.utc).date()
        self._usage = usage
        self._progress = progress
        self._accepted = accepted
        self._reviewed: dict[str, Reviewed] = {}
        self._fail_on = fail_on
        self._least = RANK.get(fail_on, 9)
        self._findings: list[Finding] = list(map(warning, given.doubts))
        self._notes: list[str] = list(given.notes)
        self._skipped: list[Skipped] = []
        self._deeper = 0
        self._verdicts: list[int] = []
        self._compared = 0
        self._judged: list[str] = []
        self._also_asked: dict[str, None] = {}
        self._budgets: Budgets | None = None

    def note(self, sentence: str) -> None:
        """Keeps a sentence about the run for the report."""
        self._notes.append(sentence)

    def outcome(self, path: str, outcome: Outcome) -> None:
        """Takes in what came of a changed file, its pairs apart."""
        self._notes += outcome.notes
        if outcome.deeper:
            self._deeper += outcome.deeper
            self._skipped.append(Skipped(path, f"{_policies(outcome.deeper)} deeper inside than is looked"))
        self._unreadable(outcome.findings)

    def side(self, side: Side, held: Callable[[Pair], Pair] = lambda pair: pair) -> None:
        """Judges a version by itself: that it can be read, and that it grants nothing critical.

        `held` gives a pair its reference, if every version of it has one.
        """
        self._unreadable(tuple(unreadable(side.source, side.problems)))
        for policy in side.policies.values():
            found = self._pair(held(Pair(path=side.source.path, old=policy, new=policy)), comparing=False)
            self._count(_named(side.source.path, policy), list(found))

    def pair(self, pair: Pair) -> None:
        """Judges a policy, old and new."""
        self._compared += 1
        self._count(_named(pair.path, pair.new or pair.old), list(self._pair(pair, comparing=True)))

    def group(self, joined: Joined, comparing: bool = True) -> None:
        """Judges the files of a group as one policy."""
        self._compared += comparing
        if joined.findings:
            self._count(joined.name, list(joined.findings))
        if joined.pair:
            doubts = [finding for policy in joined.members for finding in doubtful(policy)]
            self._count(joined.name, [*doubts, *self._pair(joined.pair, comparing)])

    def _pair(self, pair: Pair, comparing: bool) -> Iterator[Finding]:
        policy = pair.new or pair.old
        assert policy is not None
        if pair.new:
            yield from doubtful(pair.new)
            yield from [pair.unbounded] if pair.unbounded else []
            yield from self._unused(pair.new)
        same = pair.old is not None and pair.new is not None and meaning(pair.old) == meaning(pair.new)
        paths = {pair.path, *(statement.source.path for statement in policy.statements)}
        listed = self._given.critical if policy.kind not in BESIDE_FULL_ACCESS else ()
        self._also_asked |= {CRITICAL: None} if listed else {}
        entries = tuple(each for each in listed if any(map(each.concerns, paths)))
        names_ = (
            *(COMPARING if comparing and not same else ()),
            *([CRITICAL] if entries and pair.new else []),
            *([PUBLIC] if pair.new and self._may_be_public(pair.new) else []),
        )
        if comparing and not same and pair.old and pair.new and policy.kind in SHARING and self._is_on(DIRECT):
            names_ = (*names_, DIRECT)
            self._also_asked[DIRECT] = None
        if pair.reference and pair.new:
            names_ = (*names_, BOUND)
            self._also_asked[BOUND] = None
        if not names_:
            return
        from policy_guard.iam.meaning.symbolic import Access
        from policy_guard.settings.critical import exceptions
        from policy_guard.verify.check import Question

        accepted = tuple(self._counting(pair, comparing and not same))
        others = [*exceptions(entries), *(s for each in accepted for s in (*each.statements, *each.without))]
        if pair.new and PUBLIC in names_:
            from policy_guard.verify.public import asked_besides

            others += asked_besides(pair.new)
        named = any(entry.principals for entry in entries)
        access = Access((p for p in (pair.new, pair.old, pair.reference) if p), others, named)
        question = Question(
            kind=policy.kind,
            new=pair.new,
            old=pair.old,
            critical=entries,
            access=access,
            accepted=accepted,
            reference=pair.reference,
        )
        yield from _told_once(self._asked(question, names_, pair))
        if comparing and not same:
            self._about_acceptances(pair)

    def _may_be_public(self, policy: Policy) -> bool:
        """Whether that takes a proof; where a look at the principals shows that it is not, it takes none."""
        if policy.kind not in SHARING or not self._is_on(PUBLIC):
            return False
        from policy_guard.verify.public import may_be_public

        self._also_asked[PUBLIC] = None
        return may_be_public(policy)

    def _unused(self, policy: Policy) -> Iterator[Finding]:
        if self._usage is None:
            return
        from policy_guard.refine.unused_access import UNUSED, unused_access

        yield from unused_access(policy, self._usage().of, self._given.config.severity(UNUSED) or "warning")

    def _asked(self, question: Question, names_: tuple[str, ...], pair: Pair) -> Iterator[Finding]:
        from policy_guard.iam.meaning.prover import Proved
        from policy_guard.pipeline.severity import severity
        from policy_guard.solver.budget import Budgets
        from policy_guard.verify.checks import check as named
        from policy_guard.verify.guarding import is_guard
        from policy_guard.verify.messages import finding
        from policy_guard.verify.verdicts import prover_for, verdicts

        self._budgets = self._budgets or Budgets()
        self._budgets.make_room(sum(each.span.end - each.span.start for each in (question.new, question.old) if each))
        prover = prover_for(question, self._budgets)
        guards = cache(partial(is_guard, question, prover))
        for name in names_:
            for verdict in verdicts(named(name), question, prover):
                self._review(name, verdict.accepted, question)
                if isinstance(verdict.answer, Proved):
                    continue
                entry = verdict.claim.entry
                own = entry.severity if entry else None
                grave = severity(self._given.config, name, pair, own, verdict.claim.existing, guards)
                yield self._acceptable(finding(named(name), verdict, question, grave), pair)

    def _counting(self, pair: Pair, comparing: bool) -> Iterator[Accepted]:
        """The acceptances that count for the pair."""
        if self._accepted is None or not (every := self._accepted()).counting:
            return
        from policy_guard.pipeline.acceptances.status import counting

        yield from counting(every, pair, comparing, self._today)

    def _review(self, name: str, used: Iterable[Accepted], question: Question) -> None:
        """Keeps for the report what was accepted."""
        from policy_guard.verify.messages import requests

        for each in used:
            given, file = each.acceptance, each.acceptance.source.path
            told = self._reviewed.get(file)
            checks = dict.fromkeys([*(told.checks if told else ()), name])
            access = requests(each.statements, each.without)
            self._reviewed[file] = Reviewed(
                policy=given.policy,
                checks=tuple(checks),
                access=access,
                reason=given.reason,
                file=file,
                expires=given.expires.isoformat(),
            )

    def _about_acceptances(self, pair: Pair) -> None:
        """Keeps what is to be said about the acceptances for a pair, once it has been judged."""
        if self._accepted is None or not ((every := self._accepted()).counting or every.here):
            return
        from policy_guard.pipeline.acceptances.status import left_over

        self._notes += [*every.told, *left_over(every, pair, self._reviewed.keys(), self._today)]

    def _acceptable(self, found: Finding, pair: Pair) -> Finding:
        """The finding, with the command that accepts it where there are acceptances."""
        if self._accepted is None or found.refusal is None:
            return found
        import shlex

        path = shlex.quote(found.refusal.path if not found.refusal.group else found.source.path)
        check = "" if found.severity == "error" else f" --check {found.check}"
        refusal = found.refusal._replace(old=pair.origin)
        facts = (*found.facts, ("accept", f"policy-guard accept {path}{check} --reason '...'"))
        return found._replace(facts=facts, refusal=refusal)

    def found(self, finding: Finding) -> None:
        """Keeps a finding that is about no policy by itself."""
        self._findings.append(finding)

    def _is_on(self, name: str) -> bool:
        return self._given.config.severity(name) != "off"

    def _ignored(self, found: Finding) -> bool:
        """Whether the line may be unreadable for now; says so where it may."""
        line = found.source.position(found.span.start).line
        entry = self._given.config.ignored(found.source.path, found.source.line(line), self._today)
        if entry:
            self._notes.append(f"{entry.file}:{line} need not be readable until {entry.expires}: {entry.reason}")
        return entry is not None

    def _unreadable(self, found: tuple[Finding, ...]) -> None:
        """Counts a policy that cannot be read, unless all that is wrong with it may be for now."""
        if failing := [each for each in found if not self._ignored(each)]:
            self._count(failing[0].source.path, failing)
        elif found:
            self._skipped.append(Skipped(found[0].source.path, "not readable, as the settings allow"))

    def _count(self, name: str, found: list[Finding]) -> None:
        self._findings += found
        self._judged.append(name)
        self._progress(name)
        self._verdicts.append(max((RANK[each.severity] for each in found), default=0))

    def _checks(self) -> Iterator[str]:
        yield from COMPARING
        yield from self._also_asked

    def report(self, base: str, mode: str) -> Report:
        """The report of the run. Raises `UserError` if policies are required and there are none."""
        if self._given.config.require_policies and not self._verdicts:
            raise UserError("require-policies is set, and there is no policy here. See policy-guard list.")
        if self._deeper:
            self.note(f"{_policies(self._deeper)} deeper inside changed files than is looked: not covered")
        return Report(
            findings=tuple(self._findings),
            policies=len(self._verdicts),
            refused=sum(verdict >= self._least for verdict in self._verdicts),
            base=base,
            critical=len(self._given.critical),
            skipped=tuple(self._skipped),
            notes=tuple(dict.fromkeys([*self._notes, *_expired(self._given.config, self._today)])),
            fails=any(RANK[each.severity] >= self._least for each in self._findings),
            warned=sum(0 < verdict < self._least for verdict in self._verdicts),
            checks=tuple(filter(self._is_on, self._checks())),
            mode=mode,
            changed=self._compared,
            judged=tuple(self._judged),
            fail_on=self._fail_on,
            accepted=tuple(self._reviewed.values()),
            settings=self._given.before[0] if self._given.before else "",
        )


def _named(path: str, policy: Policy | None) -> str:
    return f"{path} {policy.label}".rstrip() if policy else path


def _policies(number: int) -> str:
    return f"{number} policies" if number != 1 else "1 policy"


def _told_once(found: Iterable[Finding]) -> Iterator[Finding]:
    """Leaves out new access that no statement grants where an error about the lost Deny says the same."""
    every = list(found)
    same = {id(each) for each in every if each.check == "no-new-access" and each.statement is None}
    lost = any(each.check == "no-lost-deny" and each.severity == "error" for each in every)
    for each in every:
        if lost and same and each.check == "no-lost-deny" and each.refusal:
            yield each._replace(refusal=each.refusal._replace(also=("no-new-access",)))
        elif not (lost and id(each) in same):
            yield each


def _expired(config: Config, today: date) -> Iterator[str]:
    for each in config.ignores:
        if each.expires is not None and each.expires < today:
            yield f"ignore-unreadable for {each.file} expired on {each.expires}; remove it"
