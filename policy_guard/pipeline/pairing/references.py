"""Ceilings: policies of the base that new policies, or all versions of a policy, are held against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from policy_guard.documents.source import Problem, Source, Span
from policy_guard.iam.policy import Policy, of_one_kind
from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.groups import with_own_holes
from policy_guard.pipeline.pairing.reader import TERRAFORM, Reader
from policy_guard.pipeline.repository import File
from policy_guard.pipeline.repository.changes import Comparison
from policy_guard.records import NamedTuple
from policy_guard.settings.addresses import parted
from policy_guard.settings.config import Config, PolicyFiles
from policy_guard.verify.checks.no_new_access import CHECK as NO_NEW_ACCESS
from policy_guard.verify.readable import unreadable_findings

if TYPE_CHECKING:
    from policy_guard.pipeline.pairing.terraform import Tree
    from policy_guard.verify.finding import Finding

_MERGE_FIRST = "let the settings name one policy that is in the base, and merge that policy first if it is new"
_NAME_IT = "let the settings name its address, as policy-guard list shows it, and merge that first"
_OTHER_KIND = "take the kind out of the settings, or let them name a policy of that kind"


class References(NamedTuple):
    """The references of a run. `files` gives all files of the base, and `terraform` what is in its Terraform.

    `note` takes a sentence for the report.
    """

    config: Config
    reader: Reader
    comparison: Comparison
    files: Callable[[], dict[str, File]]
    terraform: Callable[[], Tree]
    note: Callable[[str], None]

    def with_reference(self, pair: Pair) -> Pair:
        """The pair; a policy without an old version with its reference in place of one."""
        bounded = self.with_bound(pair)
        rule = self._rule(pair.new) if pair.new else None
        if not pair.new or not rule or not rule.reference or not self._is_new(pair, rule) or bounded.unbounded:
            return bounded
        if policy := bounded.reference or self._policy(rule, rule.reference, pair.new):
            name = pair.path if rule.name(pair.path) else str(pair.id)
            self.note(f"{name} has no old version and is compared with {rule.reference}")
            return bounded._replace(old=policy, fresh=True)
        self.note(f"{rule.reference} {self._reason(rule.reference, pair.new)}: nothing is compared with it")
        return bounded

    def with_bound(self, pair: Pair, members: Sequence[Policy] = ()) -> Pair:
        """The pair with the reference that every version of it is held against, if one of its policies has such a one.

        `members` are the policies that are judged as the pair.
        """
        if pair.new is None or not self.comparison.old.commit:
            return pair
        rules = [rule for policy in members or (pair.new,) if (rule := self._rule(policy))]
        if finding := self._finding_about_names(pair, rules):
            return pair._replace(unbounded=finding)
        bounds = {rule.reference: rule for rule in rules if rule.bound and rule.reference}
        if not bounds:
            return pair
        (name, rule), *others = bounds.items()
        assert name is not None
        policy = self._policy(rule, name, pair.new) if not others else None
        if policy is None and not others and self._is_for_others(rule, name, pair):
            return pair
        if policy is None:
            reason = "others too" if others else self._reason(name, pair.new)
            return pair._replace(unbounded=_finding(pair.new, f"{name} bounds this policy, and {reason}", _MERGE_FIRST))
        return pair._replace(reference=policy)

    def _rule(self, policy: Policy) -> PolicyFiles | None:
        return self.config.policy_rule(policy.source.path, policy.addresses)

    def _is_new(self, pair: Pair, rule: PolicyFiles) -> bool:
        """Tell whether there is no old version: of the file where the settings name that, or else of the policy."""
        if pair.old or not self.comparison.old.commit:
            return False
        return pair.fresh or (not rule.name(pair.path) and pair.instead_of is None)

    def _finding_about_names(self, pair: Pair, rules: Sequence[PolicyFiles]) -> Finding | None:
        """Return what is wrong with how the settings name a policy: by no address beside others, or as another kind."""
        new, path = pair.new, pair.path
        if new is None or new.group or not self.config.policy_rules_in(path):
            return None
        if not rules and not (pair.old and not self._rule(pair.old) and self._was_there(new)):
            words = (
                "the settings name policies of this file by their addresses, and none of them is the address of this"
            )
            return _finding(new, f"{words} one: {new.addresses[0]}", _NAME_IT)
        kind = next((rule.kind for rule in rules if rule.kind and not rule.name(path)), None)
        if kind and kind != new.kind:
            words = f"the settings say that this policy is of the kind {kind}, and where it stands it is {new.kind}"
            return _finding(new, words, _OTHER_KIND)
        return None

    def _was_there(self, policy: Policy) -> bool:
        """Tell whether the base has a policy at the same address, whichever the old version is."""
        path = policy.source.path
        if path.endswith(TERRAFORM):
            from policy_guard.pipeline.pairing.terraform import policies_in_file

            old_policies: Iterable[Policy] = policies_in_file(self.terraform(), path).policies
        else:
            base = self.comparison.old
            old_policies = self.reader.version(self.files().get(path), path, base).policies.values()
        return any(policy.addresses[0] in old.addresses for old in old_policies)

    def _reason(self, name: str, new: Policy) -> str:
        """Return why nothing can be compared with a reference."""
        path, address = parted(name)
        if path not in self.files():
            return "is not there in the base"
        return f"is no {new.kind} policy in the base" if address else f"is not a single {new.kind} policy in the base"

    def _is_for_others(self, rule: PolicyFiles, reference: str, pair: Pair) -> bool:
        """Tell whether a policy stands beside those that the reference is for, and is asked what it newly grants."""
        assert pair.new is not None
        policies = self._policies(rule, reference)
        if not policies or any(of_one_kind(policy, pair.new) for policy in policies):
            return False
        is_asked = "off" not in (self.config.new_files, self.config.severity(NO_NEW_ACCESS.id))
        return rule.name(pair.path) and self._holds_many(pair) and (is_asked or pair.old is not None)

    def _holds_many(self, pair: Pair) -> bool:
        """Tell whether a policy stands where each is of the kind that its place says: in a template and the like."""
        assert pair.new is not None
        path, new = pair.new.source.path, self.comparison.new
        if path.endswith(TERRAFORM):
            return True
        file = self.reader.files(new).get(path)
        version = self.reader.glance(file, path, new)
        return version.template is not None or version.snapshots is not None or version.manifest

    def _policy(self, rule: PolicyFiles, reference: str, new: Policy) -> Policy | None:
        """The only policy in the reference that is of the kind of another, as the base has it.

        Its unknown parts are others than those of the same name elsewhere.
        """
        fitting = [policy for policy in self._policies(rule, reference) if of_one_kind(policy, new)]
        return with_own_holes(fitting[0], parted(reference)[0]) if len(fitting) == 1 else None

    def _policies(self, rule: PolicyFiles, reference: str) -> list[Policy]:
        """The policies in the base that a reference names; none if one of their file cannot be read."""
        path, address = parted(reference)
        if path.endswith(TERRAFORM):
            from policy_guard.pipeline.pairing.terraform import policies_in_file

            contents = policies_in_file(self.terraform(), path)
            policies: Sequence[Policy] = () if contents.findings else contents.policies
        else:
            file = self.files().get(path)
            version = self.reader.alone(path, rule.kind).version(file, path, self.comparison.old)
            policies = () if version.problems else tuple(version.policies.values())
        return [policy for policy in policies if not address or address in policy.addresses]


def _finding(policy: Policy, message: str, remedy: str) -> Finding:
    """The finding about a policy that nothing is held against, though the settings say so."""
    problem = Problem(message, Span(policy.span.start, policy.span.start))
    (finding,) = unreadable_findings(Source(policy.source.path, policy.source.text, policy.source.revision), [problem])
    return finding._replace(facts=(("next", remedy),))
