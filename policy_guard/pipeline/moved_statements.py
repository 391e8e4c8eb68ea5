"""Statements that left one policy and came into another in one change: new access there, and nothing new as a whole."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from policy_guard.documents.nesting import Nesting
from policy_guard.documents.printable import shortened
from policy_guard.documents.source import Span
from policy_guard.records import NamedTuple

if TYPE_CHECKING:
    from policy_guard.iam.policy import Policy, Statement
    from policy_guard.pipeline.pairing import Pair
    from policy_guard.verify.finding import Finding

_LONGEST = 80
_TERRAFORM = (".tf", ".tofu", ".tf.json", ".tofu.json")


class _Arrival(NamedTuple):
    """A statement that is new in a policy, with the name of that policy."""

    statement: Statement
    name: str


class _Moved(NamedTuple):
    """The statements that came into a file from another policy, with their new one and where they came from."""

    arrivals: dict[Span, tuple[Statement, str, str]]
    nesting: Nesting


class MovedStatements:
    """Remembers which statements the pairs of a run lost and gained; what moved is told when all is seen."""

    def __init__(self) -> None:
        self._departures: dict[Hashable, str] = {}
        self._arrivals: dict[str, list[_Arrival]] = {}
        self._moved: dict[str, _Moved] = {}

    def see(self, pair: Pair) -> None:
        """Note what the new version lacks of the old one, and has beside it."""
        from policy_guard.iam.policy import statement_meaning

        old, new = (_by_meaning(policy) for policy in (pair.old, pair.new))
        if pair.old and pair.old.group:
            return
        for meaning in old.keys() - new.keys():
            self._departures.setdefault(meaning, _name(pair.old))
        for statement in pair.new.statements if pair.new else ():
            if statement_meaning(statement) not in old:
                self._arrivals.setdefault(statement.source.path, []).append(_Arrival(statement, _name(pair.new)))

    def with_origin(self, finding: Finding) -> Finding:
        """Return a finding of new access, with a word on where the statement was before if it came from elsewhere."""
        from policy_guard.verify.checks.no_new_access import CHECK
        from policy_guard.verify.checks.other_access import CHECK as OTHER_ACCESS

        if finding.check not in (CHECK.id, OTHER_ACCESS.id) or finding.outcome != "violated" or not self._departures:
            return finding
        path = finding.source.path
        if path not in self._moved:
            self._moved[path] = self._moved_into(path)
        moved = self._moved[path]
        for span in moved.nesting.around(finding.span.start):
            statement, name, origin = moved.arrivals[span]
            if statement.source == finding.source:
                return finding._replace(facts=(*finding.facts, ("moved", _sentence(origin, name))))
        return finding

    def _moved_into(self, path: str) -> _Moved:
        """The statements that came into a file from another policy."""
        from policy_guard.iam.policy import statement_meaning

        arrivals: dict[Span, tuple[Statement, str, str]] = {}
        for statement, name in self._arrivals.get(path, ()):
            origin = self._departures.get(statement_meaning(statement))
            if origin not in (None, name):
                arrivals.setdefault(statement.span, (statement, name, origin or ""))
        return _Moved(arrivals, Nesting(arrivals))


def _by_meaning(policy: Policy | None) -> dict[Hashable, Statement]:
    from policy_guard.iam.policy import statement_meaning

    return {statement_meaning(statement): statement for statement in policy.statements} if policy else {}


def _name(policy: Policy | None) -> str:
    return str(policy.id) if policy else ""


def _sentence(origin: str, name: str) -> str:
    sentence = f"the same statement left {shortened(origin, _LONGEST)} in this change"
    if any(each.partition(" ")[0].endswith(_TERRAFORM) for each in (origin, name)):
        return sentence
    return f"{sentence}; a group of both compares them together once it is in the settings of the base"
