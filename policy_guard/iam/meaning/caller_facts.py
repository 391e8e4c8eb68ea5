"""What is known of the callers of two versions of a policy from whom and what the versions name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from policy_guard.iam.meaning.symbolic_principal import WORD, join
from policy_guard.iam.policy import Principals, Statement, patterns_of
from policy_guard.iam.principal import FINER, PrincipalRef, principal_ref
from policy_guard.solver.formula import TRUE, Formula, conjunction, disjunction, member, negation
from policy_guard.solver.strings.glob import glob
from policy_guard.solver.strings.language import Language
from policy_guard.solver.strings.pattern import Pattern

_USUAL = "aws"
_CALLER = "aws:principalarn"
_ARN = re.compile(r"arn:([a-z0-9-]+):")


def partitions(
    old: Iterable[Statement], new: Iterable[Statement], subjects: Iterable[Principals] = ()
) -> frozenset[str]:
    """The partitions that callers may be of; none if the versions leave that open.

    Nobody of another partition can be named in a policy (AWS: IAM User Guide, reference_policies_elements_principal and
    reference-arns): the old version tells where the policy is, and `aws` is taken if it tells nothing. If the new
    version names other partitions, or the principals of the `subjects` are of others, their callers count, too.
    """
    old, new = list(old), list(new)
    if any(map(_left_open, (*old, *new))):
        return frozenset()
    patterns = (entry.value.pattern for principals in subjects for entry in principals.entries)
    return (_partitions(_patterns(old)) or frozenset([_USUAL])) | _partitions((*_patterns(new), *patterns))


def role_names(old: Iterable[Statement], statements: Iterable[Statement]) -> Formula:
    """State that named sessions are of the roles that the old version names, and of no role of another path.

    AWS: IAM API Reference, CreateRole: names of roles are unique within the account. An assumed-role ARN tells no path.
    No more than that follows: a role may be gone by now, and another one may have its name.
    """
    sessions = [session for session in _names(statements) if session.kind == "session"]
    if not sessions:
        return TRUE
    old_names, roles = set(_by_name(_names(old))), _by_name(_names(statements))
    pairs = [(session, roles[key]) for session in sessions if (key := _key(session)) in old_names]
    facts = [_limit_to_roles(session, namesakes) for session, namesakes in pairs]
    return conjunction(facts)


def _limit_to_roles(session: PrincipalRef, roles: set[str]) -> Formula:
    head = join("AWS arn:", glob(session.partition), ":iam::", glob(session.account), ":role/")
    tail = glob(session.session)
    paths = (join(head, glob(session.name)), join(head, WORD, "/", glob(session.name)))
    namesakes = member("principal", Language(join(path, ":", tail) for path in paths))
    role_sessions = member("principal", Language(join("AWS ", role, ":", tail) for role in sorted(roles)))
    return disjunction([negation(namesakes), role_sessions])


def _by_name(names: Iterable[PrincipalRef]) -> dict[tuple[str, ...], set[str]]:
    """The ARNs of roles by their partition, account and name without path."""
    arns: dict[tuple[str, ...], set[str]] = {}
    for name in names:
        if name.kind == "role" and (text := _plain(name.name)):
            _, partition, _, _, account, role = text.split(":", 5)
            arns.setdefault((partition, account, role.rpartition("/")[2]), set()).add(text)
    return arns


def _key(session: PrincipalRef) -> tuple[str, ...]:
    return tuple(_plain(pattern) or "" for pattern in (session.partition, session.account, session.name))


def _names(statements: Iterable[Statement]) -> Iterator[PrincipalRef]:
    for statement in statements:
        yield from map(principal_ref, statement.principals.entries if statement.principals else ())


def _plain(pattern: Pattern) -> str | None:
    """The text of a pattern that is nothing else."""
    return pattern.parts[0] if len(pattern.parts) == 1 and isinstance(pattern.parts[0], str) else None


def _partitions(patterns: Iterable[Pattern]) -> frozenset[str]:
    starts = (pattern.parts[0] for pattern in patterns if pattern.parts)
    return frozenset(match[1] for start in starts if isinstance(start, str) and (match := _ARN.match(start)))


def _patterns(statements: Iterable[Statement]) -> Iterator[Pattern]:
    for statement in statements:
        yield from patterns_of(statement)
        yield from (entry.value.pattern for entry in (statement.principals.entries if statement.principals else ()))


def _left_open(statement: Statement) -> bool:
    """Tell whether a template or wildcard leaves open of which partition someone is."""
    entries = statement.principals.entries if statement.principals else ()
    partition_parts = (
        principal.partition.parts for entry in entries if (principal := principal_ref(entry)).kind in FINER
    )
    values = (value for condition in statement.conditions for value in condition.values if condition.key == _CALLER)
    keys = (value.pattern.parts[:1] for value in values)
    return any(not isinstance(part, str) for parts in partition_parts for part in parts) or any(
        not isinstance(part, str) or not _ARN.match(part) for parts in keys for part in parts
    )
