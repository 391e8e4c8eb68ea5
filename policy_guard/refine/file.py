"""One file, refined: the policies in it planned, edited together, read back, proved and measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from policy_guard.documents.containers.plain import policies_in
from policy_guard.documents.edit import Layout, applied
from policy_guard.documents.formats import read
from policy_guard.documents.source import Node, Source, Unreadable
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy, meaning
from policy_guard.refine.narrow import Scope
from policy_guard.refine.plan import Plan, as_planned, places, plan
from policy_guard.refine.proof import doubt
from policy_guard.refine.quotas import LEAST, Limit, fits, passed, size
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


def refined(source: Source, held: Mapping[str, Policy], scope: Scope, *, any_kind: bool = False) -> Refined:
    """The policies `held` in a file, by label, without what is not used.

    Those of kinds that are about others than the principals of the findings are left, but with `any_kind`.
    """
    own = {label: policy for label, policy in held.items() if any_kind or policy.kind in OWN}
    untouched = tuple((label, OTHERS) for label in held if label not in own)
    plans = {label: plan(policy, scope) for label, policy in own.items()}
    done = Refined(source=source, text=source.text, plans=tuple(plans.values()), untouched=untouched)
    if not any(each.edits for each in plans.values()):
        return done
    try:
        text = applied(source.text, (edit for each in plans.values() for edit in each.edits))
        documents = read(Source(source.path, text))
        after, sizes = _policies(Source(source.path, text, source.revision), documents, held)
    except (Layout, Unreadable):
        return done._replace(refused=LAYOUT)
    before = read(source)
    if not same_but_for(before, documents, *places(plans.values())):
        return done._replace(refused=LAYOUT)
    if not _only_as_planned(held, plans, after):
        return done._replace(refused=LAYOUT)
    for label, each in plans.items():
        if each.edits and (why := doubt(each, after[label], scope)):
            return done._replace(refused=f"its proof failed, {why}")
    if max(sizes.values()) <= LEAST:
        return done._replace(text=text)
    _, sizes_before = _policies(source, before, held)
    return done._replace(text=text, large=tuple(_large(plans, sizes, sizes_before, scope)))


def _policies(
    source: Source, documents: Sequence[Node], held: Mapping[str, Policy]
) -> tuple[dict[str, Policy], dict[str, int]]:
    """The policies in the documents, and the size of each."""
    found = policies_in(source, documents).policies
    read_ = {
        document.label: parse(document, held[document.label].kind if document.label in held else None)
        for document in found
    }
    return read_, {document.label: size(document.node) for document in found}


def _only_as_planned(held: Mapping[str, Policy], plans: Mapping[str, Plan], after: Mapping[str, Policy]) -> bool:
    """Tell whether the file has the same policies, those with edits as planned and the others as they were."""
    if list(held) != list(after):
        return False
    changed = {label for label, each in plans.items() if each.edits}
    return all(
        as_planned(plans[label], after[label]) if label in changed else meaning(held[label]) == meaning(after[label])
        for label in held
    )


def _large(
    plans: Mapping[str, Plan], sizes: Mapping[str, int], before: Mapping[str, int], scope: Scope
) -> Iterator[Large]:
    for label, each in plans.items():
        limits = tuple(passed(each.policy.kind, before[label], sizes[label])) if each.edits else ()
        if limits:
            hopeless = all(sizes[label] > HOPELESS * limit.characters for limit in limits)
            coarse = None if hopeless else _coarser(each, scope, sizes[label])
            yield Large(
                label=label, size=sizes[label], limits=limits, coarse=coarse, fits=fits(each.policy.kind, sizes[label])
            )


def _coarser(planned: Plan, scope: Scope, fine: int) -> int | None:
    """The size with coarse prefixes; None if it is no less."""
    coarse = plan(planned.policy, scope._replace(coarse=True))
    found = fine - _written(planned) + _written(coarse)
    return found if found < fine else None


def _written(planned: Plan) -> int:
    """The characters that the actions take, with quotation marks and commas."""
    return sum(len(text) + 3 for _, actions in planned.statements for text in actions)
