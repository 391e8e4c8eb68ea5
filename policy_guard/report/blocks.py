"""Findings that a person reads as one: what several checks found of the same access at the same place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from policy_guard.report.report import Report, in_order
from policy_guard.settings.severity import Severity
from policy_guard.verify.finding import Finding, Related

_LAST = ("next", "accept")


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
        """The headlines of all of them."""
        return "; ".join(dict.fromkeys(finding.message for finding in self.findings))

    @property
    def checks(self) -> str:
        """The ids of the checks."""
        return ", ".join(dict.fromkeys(finding.check for finding in self.findings))

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What the first says, and what the others add: neither the access again nor another example of it."""
        others = (fact for finding in self.findings[1:] for fact in _added(finding))
        every = dict.fromkeys((*self.first.facts, *others))
        return tuple(sorted(every, key=lambda fact: _LAST.index(fact[0]) if fact[0] in _LAST else -1))

    @property
    def related(self) -> tuple[Related, ...]:
        """The other places of all of them, each once."""
        every = (related for finding in self.findings for related in finding.related)
        return tuple({(each.source.at(each.span.start), each.message): each for each in every}.values())


def blocks(report: Report) -> tuple[Block, ...]:
    """Return the findings to show, in their order, those together that one block tells."""
    found: dict[object, list[Finding]] = {}
    for number, finding in enumerate(in_order(report)):
        found.setdefault(_cause(finding) or number, []).append(finding)
    return tuple(Block(tuple(each)) for each in found.values())


def _cause(finding: Finding) -> object:
    """Equal for findings that tell the same; None for one that stands alone, as each critical permission does."""
    from policy_guard.verify.checks import check

    kind = check(finding.check)
    access = dict(finding.facts).get(kind.what)
    if finding.outcome != "violated" or not access or kind.by_entry:
        return None
    return finding.severity, finding.source.path, finding.span, finding.statement, access


def _added(finding: Finding) -> Iterator[tuple[str, str]]:
    from policy_guard.verify.checks import check

    told = (check(finding.check).what, "example")
    return (fact for fact in finding.facts if fact[0] not in told)
