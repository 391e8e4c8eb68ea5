"""Groups: files that serve one principal become one policy, old and new.

Which files belong together says the base's settings, on both sides: a change cannot put a file beside others that
hide what it grants. If the files themselves name several holders, the policies of each are judged as one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from policy_guard.documents.source import Problem
from policy_guard.iam.policy import (
    MADE_UP,
    Condition,
    Element,
    Policy,
    Principals,
    Statement,
    Value,
    of_one_kind,
)
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import File
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.records import NamedTuple
from policy_guard.settings.addresses import are_single_policies
from policy_guard.settings.config import Group
from policy_guard.solver.strings.pattern import Pattern, Unknown
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable_findings


class GroupResult(NamedTuple):
    """What came of one group: a pair for each holder, with the new policies in it, or findings that say why not."""

    name: str
    pairs: tuple[Pair, ...]
    members: tuple[Policy, ...]
    findings: tuple[Finding, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what is to be said if the files name several holders."""
        if len(self.pairs) < 2:
            return ()
        return (f"the files of the {self.name} name several holders, so that the policies of each are judged as one",)


class Trees(NamedTuple):
    """All files of both sides by path."""

    before: Mapping[str, File]
    after: Mapping[str, File]


def touched_groups(groups: Iterable[Group], changed: Iterable[Change]) -> Iterator[Group]:
    """The groups of which a file came, went or changed."""
    paths = {file.path for change in changed for file in (change.old, change.new) if file}
    yield from (group for group in groups if any(map(group.reaches, paths)))


def join_group(group: Group, reader: Reader, trees: Trees, comparison: Comparison) -> GroupResult:
    """The policies of all files of the group as one, old and new."""
    renamed = {c.old.path: c.new.path for c in comparison.changes if c.old and c.new}
    olds = _members(group, reader, trees.before, comparison.old)
    by_path = {renamed.get(version.source.path, version.source.path): version for version in olds}
    news = [
        (version.with_lost_limits(old) if (old := by_path.get(version.source.path)) else version).with_unresolved()
        for version in _members(group, reader, trees.after, comparison.new)
    ]
    findings = [
        *_unreadable_members(group, news, "a file of it cannot be read"),
        *_unreadable_members(group, olds, "the old version of a file of it cannot be read"),
    ]
    new_policies, old_policies = _in_group(group, news), _in_group(group, olds)
    findings += _kind_differences(group, [*new_policies, *old_policies])
    if findings:
        return GroupResult(f"group {group.name}", (), (), tuple(findings))
    if are_single_policies(group.files):
        old_policies, new_policies = _of_one_principal(old_policies, new_policies)
    old_by_holder, new_by_holder = (
        _group_by_holder(old_policies, old_policies),
        _group_by_holder(new_policies, [*old_policies, *new_policies]),
    )
    pairs = (
        Pair(
            path=group.name,
            old=_union(group, old_by_holder.get(holder, ()), renamed),
            new=_union(group, new_by_holder.get(holder, ()), {}),
            fresh=not olds,
        )
        for holder in dict.fromkeys([*old_by_holder, *new_by_holder])
    )
    return GroupResult(f"group {group.name}", tuple(pairs), tuple(new_policies), ())


def _members(group: Group, reader: Reader, files: Mapping[str, File], revision: Revision) -> list[FileVersion]:
    paths = [path for path in sorted(files) if group.reaches(path) and reader.grouped(path)]
    return [reader.version(files[path], path, revision) for path in paths]


def _in_group(group: Group, versions: Iterable[FileVersion]) -> list[Policy]:
    """The policies of some files that the group holds."""
    return [
        policy
        for version in versions
        for policy in version.policies.values()
        if group.holds(version.source.path, policy.addresses)
    ]


def _of_one_principal(olds: Sequence[Policy], news: Sequence[Policy]) -> tuple[list[Policy], list[Policy]]:
    """Policies that the settings name one by one as those of one principal, so that their holders do not part them.

    One whose holder changes keeps it: that it is given to another is for nobody to hide.
    """
    old_holders, new_holders = (
        {(policy.source.path, address, policy.holder) for policy in side for address in policy.addresses}
        for side in (olds, news)
    )

    def without_holder(policy: Policy, others: Collection[tuple[str, str, str]]) -> Policy:
        places = {(policy.source.path, address) for address in policy.addresses}
        is_same = all(holder == policy.holder for path, address, holder in others if (path, address) in places)
        return policy._replace(holder="") if is_same else policy

    return (
        [without_holder(policy, new_holders) for policy in olds],
        [without_holder(policy, old_holders) for policy in news],
    )


def _group_by_holder(policies: Iterable[Policy], policies_of_group: Iterable[Policy]) -> dict[str, list[Policy]]:
    """The policies of each holder. If the group names no more than one, policies without a holder are that one's.

    A change that brings another holder, or takes one out, leaves those without a holder to themselves.
    """
    holders = {policy.holder for policy in policies_of_group if policy.holder}
    policies_by_holder: dict[str, list[Policy]] = {}
    for policy in policies:
        policies_by_holder.setdefault(next(iter(holders)) if len(holders) == 1 else policy.holder, []).append(policy)
    return policies_by_holder


def _unreadable_members(group: Group, versions: Iterable[FileVersion], reason: str) -> Iterator[Finding]:
    """State that the group is not judged: a file left out may be the one whose Deny or Allow decides."""
    for version in versions:
        for problem in version.problems[:1]:
            message = f"the group {group.name} cannot be judged, because {reason}: {problem.message}"
            yield from unreadable_findings(version.source, [Problem(message, problem.span)])


def _kind_differences(group: Group, policies: list[Policy]) -> Iterator[Finding]:
    for policy in policies:
        if not of_one_kind(policy, policies[0]):
            message = f"the group {group.name} holds a policy of the kind {policies[0].kind}, and this is {policy.kind}"
            yield from unreadable_findings(policy.source, [Problem(message, policy.span)])


def _union(group: Group, policies: Sequence[Policy], renamed: Mapping[str, str]) -> Policy | None:
    """One policy of one holder with the statements of all, each with the place and Version of its own."""
    if not policies:
        return None
    first = policies[0]
    statements: list[Statement] = []
    for policy in policies:
        path = renamed.get(policy.source.path, policy.source.path)
        policy_statements = (
            policy.statements if group.same_holes else (_with_own_holes(s, path) for s in policy.statements)
        )
        statements += policy_statements
    names_resources = any(policy.names_resources for policy in policies)
    return first._replace(
        statements=tuple(statements),
        label="",
        doubts=(),
        group=group.name,
        holder=next((policy.holder for policy in policies if policy.holder), ""),
        names_resources=names_resources,
    )


def with_own_holes(policy: Policy, path: str, but: Collection[str] = ()) -> Policy:
    """The policy with its unknown parts named after its file: those of another file are other texts.

    The parts named in `but` are one text in all files.
    """
    return policy._replace(statements=tuple(_with_own_holes(statement, path, but) for statement in policy.statements))


def _with_own_holes(statement: Statement, path: str, but: Collection[str] = ()) -> Statement:
    """The statement with its unknown parts named after its file: those of another file are other texts."""

    def own_value(value: Value) -> Value:
        parts = (
            replace(part, name=f"{part.name} of {path}") if isinstance(part, Unknown) and part.name not in but else part
            for part in value.pattern.parts
        )
        return value._replace(pattern=Pattern(tuple(parts)))

    def key(condition: Condition) -> str:
        is_filled_in = condition.unknown_key or condition.key.startswith(MADE_UP)
        return f"{condition.key} of {path}" if is_filled_in else condition.key

    def element(original: Element) -> Element:
        return replace(original, values=tuple(map(own_value, original.values)))

    def principals(original: Principals) -> Principals:
        return original._replace(entries=tuple(e._replace(value=own_value(e.value)) for e in original.entries))

    return replace(
        statement,
        principals=principals(statement.principals) if statement.principals else None,
        action=element(statement.action),
        resource=element(statement.resource) if statement.resource else None,
        conditions=tuple(c._replace(key=key(c), values=tuple(map(own_value, c.values))) for c in statement.conditions),
    )
