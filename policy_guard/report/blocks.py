"""Findings that a person reads as one: the same access by several checks, and all that a new policy grants."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.records import NamedTuple
from policy_guard.report.report import Report, in_order
from policy_guard.settings.severity import Severity
from policy_guard.verify.finding import Finding, Related

_LAST = ("next", "accept")
_MOST_TOLD = 5
_OF_DENIES = ("before", "but denied")


class Block(NamedTuple):
    """Findings of one severity that are told together; the first of them says whose and where."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that speaks for all."""
        return self.findings[0]

    @property
    def severity(self) -> Severity:
        """The severity of all of them."""
        return self.first.severity

    @property
    def message(self) -> str:
        """The headlines of all of them, and by how many statements if they are about several."""
        alike = (finding for finding in self._speaking_findings if finding.check == self.first.check)
        statements = len({finding.statement for finding in alike})
        through = f" through {statements} statements" if statements > 1 else ""
        return "; ".join(self.headlines) + through

    @property
    def headlines(self) -> tuple[str, ...]:
        """The headline of each, those that are alike once."""
        return tuple(dict.fromkeys(finding.message for finding in self._speaking_findings))

    @property
    def _speaking_findings(self) -> tuple[Finding, ...]:
        """The findings whose words count: of a combination, whose parts tell of one another, the first."""
        return self.findings[:1] if _combination(self.first) else self.findings

    @property
    def checks(self) -> str:
        """The ids of the checks."""
        return ", ".join(dict.fromkeys(finding.check for finding in self.findings))

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return what the first says, and what the others add: all access, each once, and one example of it."""
        additions = (fact for finding in self.findings[1:] for fact in _added_facts(finding, self.first))
        first_facts = (self._access if fact[0] == _access_label(self.first) else fact for fact in self.first.facts)
        all_facts = dict.fromkeys(fact for fact in (*first_facts, *additions) if fact[0] not in self._unfitting)
        return tuple(sorted(all_facts, key=lambda fact: _LAST.index(fact[0]) if fact[0] in _LAST else -1))

    @property
    def _unfitting(self) -> tuple[str, ...]:
        """The names of facts that do not hold for all: a command cannot accept what one of them lets nobody accept."""
        return () if all(finding.acceptable for finding in self.findings) else ("accept",)

    @property
    def _access(self) -> tuple[str, str]:
        texts = dict.fromkeys(text for finding in self.findings for text in _accesses(finding))
        first_texts, surplus = list(texts)[:_MOST_TOLD], len(texts) - _MOST_TOLD
        end = [f"and {surplus} more, which --verbose tells"] if surplus > 0 else []
        return _access_label(self.first), "; ".join((*first_texts, *end))

    @property
    def related(self) -> tuple[Related, ...]:
        """The other places of all of them, each once."""
        relateds = (related for finding in self._speaking_findings for related in finding.related)
        return tuple({(each.source.at(each.span.start), each.message): each for each in relateds}.values())


def blocks(report: Report) -> tuple[Block, ...]:
    """Return the findings to show, in their order, those together that one block tells."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(in_order(report)):
        groups.setdefault(_cause(finding) or number, []).append(finding)
    return tuple(Block(tuple(findings)) for findings in groups.values())


def _cause(finding: Finding) -> object:
    """Equal for findings that tell the same; None for one that stands alone, as each critical permission does."""
    from policy_guard.verify.checks import check

    if finding.of_new_policy:
        return finding.severity, finding.source.path, finding.check, finding.acceptable and finding.acceptable.policy
    if parts := _combination(finding):
        is_standing = finding.acceptable is not None and finding.acceptable.standing
        return finding.severity, finding.check, finding.critical_id, is_standing, parts
    access = tuple(_accesses(finding))
    if finding.outcome != "violated" or not access or check(finding.check).by_entry:
        return None
    return finding.severity, finding.source.path, finding.span, finding.statement_at_span, access


def _combination(finding: Finding) -> frozenset[object]:
    """The places in one file of all that is dangerous together, if the finding is about part of it."""
    from policy_guard.verify.checks import check

    if finding.outcome != "violated" or not check(finding.check).by_entry:
        return frozenset()
    places = [(related.source.path, related.span) for related in finding.related if related.source == finding.source]
    return frozenset([(finding.source.path, finding.span), *places]) if places else frozenset()


def _access_label(finding: Finding) -> str:
    """Return the name of the fact that tells the access."""
    from policy_guard.verify.checks import check

    return check(finding.check).label


def _accesses(finding: Finding) -> Iterator[str]:
    return (text for name, text in finding.facts if name == _access_label(finding))


def _added_facts(finding: Finding, first: Finding) -> Iterator[tuple[str, str]]:
    """What a finding adds to the first one; that something was denied, and still is, a lost Deny tells itself."""
    from policy_guard.verify.checks import check

    told = (_access_label(finding), "example", *(_OF_DENIES if check(first.check).of_old else ()))
    return (fact for fact in finding.facts if fact[0] not in told)
