"""Ceilings: policies of the base that new files, or all versions of a file, are held against."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from policy_guard.documents.source import Problem, Source, Span
from policy_guard.iam.policy import Policy, of_one_kind
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.groups import with_own_holes
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import File
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.settings.config import Config
from policy_guard.verify.readable import unreadable_findings


class References(NamedTuple):
    """The references of a run. `files` gives all files of the base; `note` takes a sentence for the report."""

    config: Config
    reader: Reader
    base: Revision
    files: Callable[[], dict[str, File]]
    note: Callable[[str], None]

    def with_reference(self, pair: Pair) -> Pair:
        """The pair; a policy without an old version with its reference in place of one."""
        rule = self.config.policy_rule(pair.path)
        bounded = self.with_bound(pair, (pair.path,))
        if pair.old or not pair.fresh or not pair.new or not rule or not rule.reference or not self.base.commit:
            return bounded
        if policy := bounded.reference or self._policy(rule.reference, pair.path, pair.new):
            self.note(f"{pair.path} has no old version and is compared with {rule.reference}")
            return bounded._replace(old=policy)
        self.note(f"{rule.reference} {self._reason(rule.reference, pair.new)}: nothing is compared with it")
        return bounded

    def _reason(self, name: str, new: Policy) -> str:
        """Return why nothing can be compared with a reference."""
        return f"is not a single {new.kind} policy in the base" if name in self.files() else "is not there in the base"

    def with_bound(self, pair: Pair, paths: Iterable[str]) -> Pair:
        """The pair with the reference that every version of it is held against, if one of its files has such a one."""
        rules = (self.config.policy_rule(path) for path in paths)
        bounds = dict.fromkeys(rule.reference for rule in rules if rule and rule.bound and rule.reference)
        if not bounds or pair.new is None or not self.base.commit:
            return pair
        name = next(iter(bounds))
        policy = self._policy(name, pair.new.source.path, pair.new) if len(bounds) == 1 else None
        if policy is None:
            reason = self._reason(name, pair.new) if len(bounds) == 1 else "others too"
            problem = Problem(f"{name} bounds this policy, and {reason}", Span(0, 0))
            (finding,) = unreadable_findings(Source(pair.new.source.path, ""), [problem])
            remedy = "let the settings name one policy that is in the base, and merge that policy first if it is new"
            return pair._replace(unbounded=finding._replace(facts=(("next", remedy),)))
        return pair._replace(reference=policy)

    def _policy(self, reference: str, path: str, new: Policy) -> Policy | None:
        """The policy in the reference, as the base has it, read as what `path` is configured as.

        Its unknown parts are others than those of the same name in `path`.
        """
        file = self.files().get(reference)
        version = self.reader.version(file, path, self.base)
        policies = list(version.policies.values())
        if version.problems or len(policies) != 1 or not of_one_kind(policies[0], new):
            return None
        return _with_path(with_own_holes(policies[0], reference), reference)


def _with_path(policy: Policy, path: str) -> Policy:
    """The policy with the path of its own file: it was read under that of another."""
    source = Source(path, policy.source.text, policy.source.revision)
    return policy._replace(
        source=source, statements=tuple(replace(statement, source=source) for statement in policy.statements)
    )
