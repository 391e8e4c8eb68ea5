"""Judges one policy: which checks apply, the question, the verdicts and their findings. It stores no result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache, partial
from typing import TYPE_CHECKING

from policy_guard.pipeline.changes_elsewhere import with_changes_elsewhere
from policy_guard.pipeline.pairing import Pair
from policy_guard.records import NamedTuple
from policy_guard.report.report import accept_command
from policy_guard.settings.load import Settings
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import doubt_findings

if TYPE_CHECKING:
    from policy_guard.iam.meaning.prover import Prover
    from policy_guard.iam.policy import Policy
    from policy_guard.pipeline.acceptances import Acceptances
    from policy_guard.refine.attribution import Usage
    from policy_guard.settings.acceptance import Accepted
    from policy_guard.settings.severity import CheckId, Severity
    from policy_guard.solver.budget import Budgets
    from policy_guard.verify.check import Check, Facts, Question
    from policy_guard.verify.verdicts import Verdict


class Used(NamedTuple):
    """An acceptance that a check needed."""

    check: CheckId
    accepted: Accepted


class SwitchedOff(NamedTuple):
    """A check whose answer the settings do not want to hear, and which of them."""

    check: CheckId
    setting: str


class Judgement(NamedTuple):
    """The findings about a policy, and the checks that were asked of it: a green line claims no others.

    `used` are the acceptances without which there would be more findings, `switched_off` the checks that would have
    been asked, or whose findings are not told. `caps` tells that the policy is new and only caps what others grant.
    `by_reference` that it is new and was compared with its reference. `paths` are those of its files.
    """

    findings: tuple[Finding, ...] = ()
    checks: tuple[CheckId, ...] = ()
    used: tuple[Used, ...] = ()
    switched_off: tuple[SwitchedOff, ...] = ()
    caps: bool = False
    by_reference: bool = False
    paths: frozenset[str] = frozenset()


class Steps(NamedTuple):
    """What is left of the budgets of a run: for verdicts, and for telling them."""

    verdicts: int
    aside: int


class Judge:
    """Judges the policies of a run, one by one; between them it keeps only the budget of the run and one digest."""

    def __init__(
        self,
        settings: Settings,
        today: date,
        usage: Callable[[], Usage] | None = None,
        acceptances: Callable[[], Acceptances] | None = None,
        verbose: bool = False,
        plain: bool = False,
    ) -> None:
        """`usage` gives the findings about unused access, if the settings name any.

        `acceptances` gives the acceptances, in runs that have any. With `verbose` every critical entry has a finding of
        its own; with `plain` what is granted is counted and not explained, which takes a part of the time.
        """
        self._settings = settings
        self._today = today
        self._usage = usage
        self._acceptances = acceptances
        self._verbose = verbose
        self._plain = plain
        self._budgets: Budgets | None = None
        self._latest_origin: tuple[Pair, str] | None = None

    def judge(self, pair: Pair, comparing: bool) -> Judgement:
        """Judges a pair; without `comparing` its new version alone."""
        from policy_guard.verify.checks import checks

        pair = self._undivided(pair)
        facts = self._facts(pair, comparing)
        findings = list(self._findings_without_proof(pair.new, pair.unbounded)) if pair.new else []
        applicable = [check for check in checks() if self._applies(check, facts)]
        ids = tuple(check.id for check in applicable)
        unclear = [check for check in applicable if not check.is_clear(facts)]
        judgement = Judgement(
            findings=tuple(findings),
            checks=ids,
            switched_off=tuple(self._switched_off(facts)),
            caps=facts.changed and _is_new_cap(pair),
            by_reference=facts.changed and pair.fresh and pair.old is not None,
            paths=frozenset(_paths(pair)),
        )
        if not unclear:
            return judgement
        used_acceptances: list[Used] = []
        switched_off = [*judgement.switched_off]
        question = self._question(pair, facts, unclear)
        violations = self._violations(question, unclear, pair, used_acceptances, switched_off)
        findings += _without_repetition(with_changes_elsewhere(pair, finding) for finding in violations)
        return judgement._replace(
            findings=tuple(findings),
            used=tuple(used_acceptances),
            switched_off=tuple(dict.fromkeys(switched_off)),
        )

    @property
    def steps(self) -> Steps:
        """The steps that are left of the run."""
        budgets = self._run_budgets()
        return Steps(budgets.verdicts.remainder, budgets.aside.remainder)

    def allow(self, steps: Steps) -> None:
        """Lets so many steps be left of the run."""
        budgets, left = self._run_budgets(), self.steps
        budgets.verdicts.add(steps.verdicts - left.verdicts)
        budgets.aside.add(steps.aside - left.aside)

    def _run_budgets(self) -> Budgets:
        from policy_guard.solver.budget import Budgets

        self._budgets = self._budgets or Budgets()
        return self._budgets

    def _undivided(self, pair: Pair) -> Pair:
        """The pair; of a boundary by itself, unless the settings grade what no policy uses that is known.

        So all that it lets go is one finding, which can be accepted.
        """
        from policy_guard.verify.explain.without_document import is_boundary

        if pair.within is None or self._settings.config.divides_boundaries or not is_boundary(_policy(pair)):
            return pair
        return pair._replace(within=None)

    def combined_entries(self) -> frozenset[str]:
        """The critical entries of several sets."""
        return frozenset(str(entry.id) for entry in self._settings.critical if entry.all_of)

    def _findings_without_proof(self, policy: Policy, unbounded: Finding | None) -> Iterator[Finding]:
        """The findings that take no proof."""
        if self._usage is not None:
            from policy_guard.refine.unused_access import UNUSED, unused_access

            refine = self._settings.config.refine
            paths = {policy.source.path, *(statement.source.path for statement in policy.statements)}
            has_principal = any(refine.has_principal(path, policy.addresses) for path in paths)
            yield from (
                ()
                if not has_principal
                else unused_access(policy, self._usage().unused_in, self._settings.config.severity(UNUSED) or "warning")
            )
        yield from doubt_findings(policy)
        yield from [unbounded] if unbounded else []

    def _facts(self, pair: Pair, comparing: bool) -> Facts:
        from policy_guard.iam.policy import BESIDE_FULL_ACCESS
        from policy_guard.verify.check import Facts

        policy = _policy(pair)
        critical_entries = self._settings.critical if policy.kind not in BESIDE_FULL_ACCESS else ()
        addresses = [address for side in (pair.new, pair.old) if side for address in side.addresses]
        places = [(path, addresses) for path in _paths(pair)]
        return Facts(
            kind=policy.kind,
            new=pair.new,
            old=pair.old,
            changed=comparing and not _means_same(pair),
            listed=bool(critical_entries),
            critical=tuple(
                each
                for each in critical_entries
                if each.is_about(policy.kind) and any(each.concerns(*place) for place in places)
            ),
            reference=pair.reference,
            within=pair.within,
        )

    def _applies(self, check: Check, facts: Facts) -> bool:
        return _concerns(check, facts) and (check.always_asked or not self._is_off(check))

    def _is_off(self, check: Check) -> bool:
        return self._settings.config.severity(check.id) == "off"

    def _switched_off(self, facts: Facts) -> Iterator[SwitchedOff]:
        """The checks that are about the policy and off."""
        from policy_guard.pipeline.severity import SEVERITY
        from policy_guard.verify.checks import checks

        for check in checks():
            told_anyway = check.by_entry and all(entry.severity for entry in facts.critical)
            if self._is_off(check) and _concerns(check, facts) and not check.is_clear(facts) and not told_anyway:
                yield SwitchedOff(check.id, SEVERITY)

    def _question(self, pair: Pair, facts: Facts, checks: Iterable[Check]) -> Question:
        from policy_guard.iam.meaning.symbolic import Access
        from policy_guard.settings.critical import exceptions
        from policy_guard.verify.check import Question

        accepted = tuple(self._counting_acceptances(pair, facts.changed))
        statements = [*exceptions(facts.critical), *(s for each in accepted for s in (*each.statements, *each.without))]
        statements += (statement for check in checks if facts.new for statement in check.extra_statements(facts.new))
        with_principals = any(entry.principals for entry in facts.critical)
        policies = facts.new, facts.old, facts.reference, pair.within
        access = Access((policy for policy in policies if policy), statements, with_principals)
        return Question(
            kind=facts.kind,
            new=facts.new,
            old=facts.old,
            critical=facts.critical,
            access=access,
            accepted=accepted,
            reference=facts.reference,
            by_reference=pair.fresh and pair.old is not None,
            within=pair.within,
        )

    def _violations(
        self,
        question: Question,
        checks: Iterable[Check],
        pair: Pair,
        used: list[Used],
        switched_off: list[SwitchedOff],
    ) -> Iterator[Finding]:
        """The findings of the checks; notes in `used` the acceptances that they needed, and what is `switched_off`."""
        from policy_guard.iam.meaning.prover import Witness
        from policy_guard.pipeline.severity import severity, switching_off
        from policy_guard.verify.guarding import is_guard
        from policy_guard.verify.messages import finding, plain_finding, unasked_finding
        from policy_guard.verify.proving import prover_for
        from policy_guard.verify.verdicts import Explanations

        budgets = self._run_budgets()
        budgets.make_room(sum(policy.span.end - policy.span.start for policy in (question.new, question.old) if policy))
        prover = prover_for(question, budgets)
        guards = cache(partial(is_guard, question, prover))
        for check in checks:
            explained = Explanations(check, question, prover.aside())
            level = partial(severity, self._settings.config, check, fresh=pair.fresh, is_guard=guards)
            for finding_severity, (first, *verdicts) in self._grouped_verdicts(check, question, prover, level, used):
                if self._plain and isinstance(first.answer, Witness):
                    yield from (plain_finding(check, each, question, finding_severity) for each in (first, *verdicts))
                    continue
                if finding_severity == "off":
                    switched_off.append(SwitchedOff(check.id, switching_off(self._settings.config, check, first)))
                acceptable = self._with_accept_command(
                    finding(check, explained(first), question, finding_severity, verdicts), pair
                )
                yield acceptable._replace(of_new_policy=acceptable.of_new_policy and not self._verbose)
            if prover.is_spent():
                yield unasked_finding(check, question)

    def _grouped_verdicts(
        self,
        check: Check,
        question: Question,
        prover: Prover,
        level: Callable[[Verdict], Severity],
        used: list[Used],
    ) -> Iterator[tuple[Severity, list[Verdict]]]:
        """The verdicts that are no proof, those together that one finding tells, each time with its severity."""
        from policy_guard.iam.meaning.prover import Proved
        from policy_guard.verify.verdicts import similarity_key, unexplained_verdicts

        verdicts_by_key: dict[tuple[Severity, object], list[Verdict]] = {}
        for verdict in unexplained_verdicts(check, question, prover):
            used += (Used(check.id, accepted) for accepted in verdict.accepted)
            if not isinstance(verdict.answer, Proved):
                finding_severity = level(verdict)
                key = id(verdict.claim) if self._verbose else similarity_key(verdict)
                verdicts_by_key.setdefault((finding_severity, key), []).append(verdict)
            if prover.is_spent():
                break
        for (finding_severity, _), verdicts in verdicts_by_key.items():
            yield finding_severity, sorted(verdicts, key=_is_shipped)

    def _counting_acceptances(self, pair: Pair, comparing: bool) -> Iterator[Accepted]:
        """The acceptances that count for the pair."""
        if self._acceptances is None or not (acceptances := self._acceptances()).counting:
            return
        from policy_guard.pipeline.acceptances.status import counting_acceptances

        yield from counting_acceptances(acceptances, pair, comparing, self._today)

    def unused_remarks(self, pair: Pair, used: Iterable[str]) -> Iterator[str]:
        """Sentences about acceptances for a judged pair whose paths are not in `used`."""
        if self._acceptances is None or _means_same(pair):
            return
        acceptances = self._acceptances()
        if not acceptances.counting and not acceptances.new_side:
            return
        from policy_guard.pipeline.acceptances.status import unused_remarks

        yield from (*acceptances.notes, *unused_remarks(acceptances, pair, set(used), self._today))

    def _with_accept_command(self, finding: Finding, pair: Pair) -> Finding:
        """The finding, with the command that accepts it if there are acceptances."""
        if self._acceptances is None or finding.acceptable is None:
            return finding
        command = [("accept", accept_command(finding))] if finding.severity != "note" else []
        facts = (*finding.facts, *command)
        acceptable, *other_acceptables = (
            acceptable._replace(old=partial(self._origin, pair))
            for acceptable in (finding.acceptable, *finding.other_acceptables)
        )
        return finding._replace(facts=facts, acceptable=acceptable, other_acceptables=tuple(other_acceptables))

    def _origin(self, pair: Pair) -> str:
        """The digest of the old version of a pair, of which several findings may tell."""
        if self._latest_origin is None or self._latest_origin[0] is not pair:
            self._latest_origin = pair, pair.origin
        return self._latest_origin[1]


def _is_shipped(verdict: Verdict) -> bool:
    """Tell whether the critical entry is one of a pack: those of the owners come first."""
    return verdict.claim.entry is not None and not verdict.claim.entry.is_own


def _paths(pair: Pair) -> set[str]:
    """The files that a policy stands in, under their new names."""
    return {pair.path, *(statement.source.path for statement in _policy(pair).statements)}


def _policy(pair: Pair) -> Policy:
    policy = pair.new or pair.old
    assert policy is not None
    return policy


def _concerns(check: Check, facts: Facts) -> bool:
    """Tell whether a check is about the policy, whatever the settings say."""
    return facts.changed if check.compares else check.applies(facts)


def _is_new_cap(pair: Pair) -> bool:
    """Tell whether the policy came, and only caps what others grant."""
    from policy_guard.iam.policy import CAPS

    return pair.new is not None and pair.old is None and pair.new.kind in CAPS


def _means_same(pair: Pair) -> bool:
    """Tell whether both versions are there and mean the same."""
    from policy_guard.iam.policy import meaning

    return pair.old is not None and pair.new is not None and meaning(pair.old) == meaning(pair.new)


def _without_repetition(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leaves out new access that no statement grants where an error about the lost Deny says the same."""
    from policy_guard.verify.checks.no_lost_deny import CHECK as NO_LOST_DENY
    from policy_guard.verify.checks.no_new_access import CHECK as NO_NEW_ACCESS

    all_findings = list(findings)
    repeated_ids = {id(f) for f in all_findings if f.check == NO_NEW_ACCESS.id and f.statement is None}
    has_lost_deny = any(f.check == NO_LOST_DENY.id and f.severity == "error" for f in all_findings)
    for finding in all_findings:
        if has_lost_deny and repeated_ids and finding.check == NO_LOST_DENY.id and finding.acceptable:
            yield finding._replace(acceptable=finding.acceptable._replace(other_checks=(NO_NEW_ACCESS.id,)))
        elif not (has_lost_deny and id(finding) in repeated_ids):
            yield finding
