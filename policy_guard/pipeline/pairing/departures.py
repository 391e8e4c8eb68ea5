"""Policies that leave one file and come into another in the same change, where both say the same name of a holder.

Names of roles, users, groups and buckets are unique in an account or everywhere; logical ids say nothing beyond their
template. A role with a boundary is left out: whether the boundary came along is not a question about its policies.
Resources of Kubernetes whose file is divided into others of its folder are the same by kind, namespace and name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from policy_guard.documents.source import scalars
from policy_guard.pipeline.pairing import FileResult, Pair
from policy_guard.regex import regex

if TYPE_CHECKING:
    from policy_guard.documents.containers.cloudformation.template import Template
    from policy_guard.iam.policy import Policy

# AWS IAM User Guide, reference_iam-quotas; Amazon S3 User Guide, bucketnamingrules.
_OF_PRINCIPAL = regex(r"(?:Role|User|Group) [\w+=,.@-]+", re.ASCII)
_OF_BUCKET = regex(r"Bucket [a-z0-9.-]+")
# Kubernetes, "Object Names and IDs"; an address begins with the kind, and may end in a number among those of its file.
_OF_KUBERNETES = regex(r"[A-Z][A-Za-z0-9]*/[a-z0-9.-]+(?:/[a-z0-9.-]+)?\.[^#]+\Z")
_NAME = regex(r"[\w+=,.@-]+", re.ASCII)
_BOUNDARY = "PermissionsBoundary"
_ACCOUNT = "!Ref AWS::AccountId"


class Departures:
    """Holds policies of templates back that have no other side, until all files of a change are seen."""

    def __init__(self, has_same_rules: Callable[[str, str], bool]) -> None:
        self._has_same_rules = has_same_rules
        self._gone: dict[tuple[str, ...], list[Pair]] = {}
        self._fresh: dict[tuple[str, ...], list[Pair]] = {}

    def hold(self, result: FileResult, pair: Pair) -> bool:
        """Tell whether a pair is held back, since its other side may be in another template."""
        key = None if pair.instead_of or (pair.old and pair.new) else _key(result, pair)
        if key is None:
            return False
        side = self._fresh if pair.new else self._gone
        side.setdefault(key, []).append(pair)
        return True

    def pairs(self) -> Iterator[Pair]:
        """The pairs that were held back; two of one holder that fit are one."""
        joined_keys: set[tuple[str, ...]] = set()
        for key, news in self._fresh.items():
            olds = self._gone.get(key, [])
            if len(olds) == len(news) == 1 and self._has_same_rules(olds[0].path, news[0].path):
                joined_keys.add(key)
                yield _moved(olds[0], news[0])
        for side in (self._gone, self._fresh):
            yield from (pair for key, pairs in side.items() if key not in joined_keys for pair in pairs)

    def note(self, pair: Pair) -> str:
        """Say of a policy that came from another file what it is compared with."""
        assert pair.old is not None
        subject = pair.policy.label if _is_of_kubernetes(pair.policy) else f"a policy of {pair.policy.holder}"
        return f"{pair.path}: {subject} is compared with the one in {pair.old.source.path}"


def _is_of_kubernetes(policy: Policy) -> bool:
    return _OF_KUBERNETES.match(policy.label) is not None


def _key(result: FileResult, pair: Pair) -> tuple[str, ...] | None:
    """Return what a policy is known by in another file; None if that says nothing."""
    policy = pair.policy
    if result.in_template and _has_global_name(policy):
        return policy.kind, policy.holder
    if result.in_manifest and _is_of_kubernetes(policy):
        return policy.kind, policy.holder, policy.label, pair.path.rpartition("/")[0]
    return None


def _moved(old: Pair, new: Pair) -> Pair:
    """The policy in its new template beside what it was; what another template fills in is another text."""
    assert old.old is not None
    if _is_of_kubernetes(old.old):
        return new._replace(old=old.old, fresh=False)
    from policy_guard.pipeline.pairing.groups import with_own_holes

    return new._replace(old=with_own_holes(old.old, old.path, but=(_ACCOUNT,)), fresh=False)


def _has_global_name(policy: Policy) -> bool:
    """Tell whether a policy says whose it is by a name that means the same beyond its template."""
    if policy.kind == "identity":
        return _OF_PRINCIPAL.fullmatch(policy.holder) is not None
    if policy.kind == "trust":
        return policy.label.endswith(".AssumeRolePolicyDocument") and _NAME.fullmatch(policy.holder) is not None
    return policy.kind == "resource" and _OF_BUCKET.fullmatch(policy.holder) is not None


def hands_on(template: Template) -> bool:
    """Tell whether a template says all of its roles in their policies: no boundary, and nothing filled in elsewhere."""
    if template.filled or template.macros or template.unknown:
        return False
    return all(scalar.text != _BOUNDARY for scalar in scalars(template.root))
