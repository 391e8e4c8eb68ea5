"""What is known of the callers of two versions of a policy from whom and what the versions name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from policy_guard.pattern import Pattern
from policy_guard.policy import Principals, Statement, patterns_of
from policy_guard.principals import FINER, named

_USUAL = "aws"
_CALLER = "aws:principalarn"
_ARN = re.compile(r"arn:([a-z0-9-]+):")


def partitions(old: Iterable[Statement], new: Iterable[Statement], asked: Iterable[Principals] = ()) -> frozenset[str]:
    """The partitions that callers may be of; none if the versions leave that open.

    Nobody of another partition can be named in a policy (AWS: IAM User Guide, reference_policies_elements_principal and
    reference-arns): the old version tells where the policy is, and `aws` is taken if it tells nothing. If the new
    version names other partitions, or the principals that are `asked` about are of others, their callers count, too.
    """
    old, new = list(old), list(new)
    if any(map(_left_open, (*old, *new))):
        return frozenset()
    others = (entry.value.pattern for each in asked for entry in each.entries)
    return (_partitions(_patterns(old)) or frozenset([_USUAL])) | _partitions((*_patterns(new), *others))


def _partitions(patterns: Iterable[Pattern]) -> frozenset[str]:
    starts = (pattern.parts[0] for pattern in patterns if pattern.parts)
    return frozenset(found[1] for start in starts if isinstance(start, str) and (found := _ARN.match(start)))


def _patterns(statements: Iterable[Statement]) -> Iterator[Pattern]:
    for statement in statements:
        yield from patterns_of(statement)
        yield from (entry.value.pattern for entry in (statement.principals.entries if statement.principals else ()))


def _left_open(statement: Statement) -> bool:
    """Whether a template or wildcard leaves open of which partition someone is."""
    entries = statement.principals.entries if statement.principals else ()
    every = (who.partition.parts for entry in entries if (who := named(entry)).kind in FINER)
    values = (value for condition in statement.conditions for value in condition.values if condition.key == _CALLER)
    keys = (value.pattern.parts[:1] for value in values)
    return any(not isinstance(part, str) for parts in every for part in parts) or any(
        not isinstance(part, str) or not _ARN.match(part) for parts in keys for part in parts
    )
