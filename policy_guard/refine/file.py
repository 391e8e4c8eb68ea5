"""One file, refined: the policies in it planned, edited together, read back, proved and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from policy_guard.documents.containers.plain import policies_in
from policy_guard.documents.edit import Layout, applied
from policy_guard.documents.formats import read
from policy_guard.documents.source import Source, Span, Unreadable
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy, meaning
from policy_guard.records import NamedTuple
from policy_guard.refine.narrow import Scope
from policy_guard.refine.plan import JSON_OR_YAML, Notation, Plan, as_planned, places, plan
from policy_guard.refine.proof import doubt
from policy_guard.refine.quotas import LEAST, Limit, fits, passed_limits, size
from policy_guard.refine.same_tree import same_but_for

OTHERS = "it grants access to others than those that the findings are about, or caps theirs"
LAYOUT = "the file is laid out in a way that is not edited, or an alias repeats what would change"
OWN = ("identity", "boundary", "session")
"""Kinds that are about the principal that they are attached to."""


HOPELESS = 10
"""How many times over a limit coarse prefixes are not tried."""


class Large(NamedTuple):
    """A policy that passes limits of AWS once refined; `coarse` is its size with coarse prefixes, if that is less.

    `fits` tells that there is a limit left that it keeps.
    """

    label: str
    size: int
    limits: tuple[Limit, ...]
    coarse: int | None
    fits: bool


class Refined(NamedTuple):
    """What is to become of a file. `text` is what it will hold, all of it proved, or what it holds already.

    `untouched` names the policies that are not refined, with the reason; `refused` says why the file is left as it
    is though something in it is not used.
    """

    source: Source
    text: str
    plans: tuple[Plan, ...] = ()
    untouched: tuple[tuple[str, str], ...] = ()
    refused: str | None = None
    large: tuple[Large, ...] = ()

    @property
    def changes(self) -> bool:
        return self.text != self.source.text


class Reading(NamedTuple):
    """How a kind of file is read again: its policies by label with their sizes, and whether all else is the same.

    The sizes are those that are known. `left` are the labels of policies that stay as they are, each with the reason;
    of those without one nothing is said. `refusal` is what is said if the policy of a label would change, or if
    something else would.
    """

    policies: Callable[[Source, Mapping[str, Policy]], tuple[Mapping[str, Policy], Mapping[str, int]]]
    is_same: Callable[[Source, Source, Mapping[Span, tuple[str, ...]], frozenset[Span]], bool]
    notation: Notation = JSON_OR_YAML
    refusal: Callable[[str], str] = lambda label: LAYOUT
    left: Mapping[str, str] = MappingProxyType({})


def refined(
    source: Source,
    policies: Mapping[str, Policy],
    scope: Scope,
    *,
    any_kind: bool = False,
    reading: Reading | None = None,
) -> Refined:
    """The `policies` in a file, by label, without what is not used.

    Those of kinds that are about others than the principals of the findings are left, except with `any_kind`.
    """
    reading = reading or PLAIN
    reasons = {label: OTHERS for label, policy in policies.items() if not any_kind and policy.kind not in OWN}
    reasons |= reading.left
    candidates = {label: policy for label, policy in policies.items() if label not in reasons}
    untouched = tuple((label, reasons[label]) for label in policies if reasons.get(label))
    plans = {label: plan(policy, scope, reading.notation) for label, policy in candidates.items()}
    result = Refined(source=source, text=source.text, plans=tuple(plans.values()), untouched=untouched)
    if not any(policy_plan.edits for policy_plan in plans.values()):
        return result
    try:
        text = applied(source.text, (edit for policy_plan in plans.values() for edit in policy_plan.edits))
        new_source = Source(source.path, text, source.revision)
        new_policies, sizes = reading.policies(new_source, policies)
        is_same = reading.is_same(source, new_source, *places(plans.values()))
    except (Layout, Unreadable):
        return result._replace(refused=reading.refusal(""))
    if not is_same:
        return result._replace(refused=reading.refusal(""))
    if (unplanned := _unplanned(policies, plans, new_policies)) is not None:
        return result._replace(refused=reading.refusal(unplanned))
    for label, policy_plan in plans.items():
        if policy_plan.edits and (reason := doubt(policy_plan, new_policies[label], scope)):
            return result._replace(refused=f"its proof failed, {reason}")
    if max(sizes.values(), default=0) <= LEAST:
        return result._replace(text=text)
    _, old_sizes = reading.policies(source, policies)
    return result._replace(text=text, large=tuple(_large(plans, sizes, old_sizes, scope)))


def _policies(source: Source, old_policies: Mapping[str, Policy]) -> tuple[dict[str, Policy], dict[str, int]]:
    """The policies in a file, and the size of each."""
    policy_documents = policies_in(source, read(source)).policies
    policies = {
        document.label: parse(document, old_policies[document.label].kind if document.label in old_policies else None)
        for document in policy_documents
    }
    return policies, {document.label: size(document.node) for document in policy_documents}


def is_same_tree(
    old: Source, new: Source, actions: Mapping[Span, tuple[str, ...]], removed_spans: frozenset[Span]
) -> bool:
    """Tell whether a file in YAML or JSON says the same but for what was to change."""
    return same_but_for(read(old), read(new), actions, removed_spans)


PLAIN = Reading(_policies, is_same_tree)


def _unplanned(
    old_policies: Mapping[str, Policy], plans: Mapping[str, Plan], new_policies: Mapping[str, Policy]
) -> str | None:
    """Return the label of a policy that is not as planned, or as it was; empty if others are there, None for none."""
    if list(old_policies) != list(new_policies):
        return ""
    changed = {label for label, each in plans.items() if each.edits}
    for label, old_policy in old_policies.items():
        is_right = (
            as_planned(plans[label], new_policies[label])
            if label in changed
            else meaning(old_policy) == meaning(new_policies[label])
        )
        if not is_right:
            return label
    return None


def _large(
    plans: Mapping[str, Plan], sizes: Mapping[str, int], old_sizes: Mapping[str, int], scope: Scope
) -> Iterator[Large]:
    for label, policy_plan in plans.items():
        is_measured = policy_plan.edits and label in sizes and label in old_sizes
        limits = tuple(passed_limits(policy_plan.policy.kind, old_sizes[label], sizes[label])) if is_measured else ()
        if limits:
            hopeless = all(sizes[label] > HOPELESS * limit.characters for limit in limits)
            coarse = None if hopeless else _coarse_size(policy_plan, scope, sizes[label])
            yield Large(
                label=label,
                size=sizes[label],
                limits=limits,
                coarse=coarse,
                fits=fits(policy_plan.policy.kind, sizes[label]),
            )


def _coarse_size(policy_plan: Plan, scope: Scope, fine_size: int) -> int | None:
    """The size with coarse prefixes; None if it is no less."""
    coarse = plan(policy_plan.policy, scope._replace(coarse=True))
    coarse_size = fine_size - _action_characters(policy_plan) + _action_characters(coarse)
    return coarse_size if coarse_size < fine_size else None


def _action_characters(policy_plan: Plan) -> int:
    """The characters that the actions take, with quotation marks and commas."""
    return sum(len(text) + 3 for _, actions in policy_plan.statements for text in actions)
