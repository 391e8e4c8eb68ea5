"""Proof that an acceptance accepts what was found and nothing else, before anyone is shown it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial

from policy_guard.iam.meaning.prover import Proved, Prover
from policy_guard.iam.policy import WITHOUT_PRINCIPAL
from policy_guard.settings.acceptance import Acceptance
from policy_guard.settings.severity import CheckId
from policy_guard.solver.formula import TRUE, Formula, conjunction, disjunction, negation
from policy_guard.verify.check import Check, Claim, Combination, Question
from policy_guard.verify.checks import check
from policy_guard.verify.explain.statements import applying
from policy_guard.verify.finding import Part, Spelled
from policy_guard.verify.subtraction import outside
from policy_guard.verify.verdicts import prover_for


def part(asked: Check, claim: Claim) -> Part:
    """What a finding from this claim is about."""
    entry, together = claim.entry, bool(claim.entry and claim.entry.all_of)
    statement = None if together or claim.statement is None else id(claim.statement)
    return Part(
        check=asked.id,
        entry=entry.id if entry else None,
        statement=statement,
        existing=claim.existing and not together,
        together=together,
    )


def lies_within(question: Question, given: Spelled, checks: Iterable[CheckId], parts: Collection[Part]) -> bool:
    """Whether all requests are proved to be what each of the checks found: new and not old, or lost."""
    anew = _knowing(question, [given])
    prover = prover_for(anew, others=(*given.statements, *given.without))
    asked = applying(given, anew.access)
    founds = (_found(anew, check(name), parts) for name in dict.fromkeys(checks))
    return all(_is_proved(conjunction([asked, negation(found)]), prover) for found in founds)


def suffices(question: Question, every: Collection[Spelled], parts: Collection[Part]) -> bool:
    """Whether nothing that the parts are about is left once all of these are accepted."""
    anew = _knowing(question, every)
    prover = prover_for(anew, others=[s for each in every for s in (*each.statements, *each.without)])
    rest = negation(disjunction(applying(each, anew.access) for each in every))
    names = dict.fromkeys(each.check for each in parts)
    claims = (claim for name in names for claim in _claims(check(name), anew, parts))
    return all(_is_proved(conjunction([claim.excess(claim.statement), rest]), prover) for claim in claims)


def _is_proved(formula: Formula, prover: Prover) -> bool:
    return isinstance(prover.answer(formula, lambda request: True), Proved)


def _knowing(question: Question, every: Iterable[Spelled]) -> Question:
    """The question over sets that know these statements; entries name no callers in a policy that names none."""
    access = question.access.knowing(s for each in every for s in (*each.statements, *each.without))
    critical = question.critical
    if question.kind in WITHOUT_PRINCIPAL:
        critical = tuple(each._replace(principals=None) for each in critical)
    return question._replace(access=access, critical=critical)


def _found(question: Question, asked: Check, parts: Iterable[Part]) -> Formula:
    """All that the check found, whatever statements it is laid at the door of."""
    access, kind, new, old = question.access, question.kind, question.new, question.old
    if asked.of_old:
        return conjunction([access.denied(old), negation(access.denied(new))])
    granted = access.allows(new, kind)
    fresh = conjunction([granted, negation(access.allows(old, kind))])
    if asked.compares:
        return fresh
    own = {each._replace(statement=None) for each in parts if each.check == asked.id}
    return disjunction(
        conjunction([granted if each.existing or each.together else fresh, _meant(question, each)]) for each in own
    )


def _meant(question: Question, given: Part) -> Formula:
    """The requests that the critical entry is about; public access is told by what is granted alone."""
    if given.entry is None:
        return TRUE
    claims = _every(check(given.check), question)
    return disjunction(claim.within for claim in claims if claim.entry and claim.entry.id == given.entry)


def _claims(asked: Check, question: Question, parts: Collection[Part]) -> Iterator[Claim]:
    """The claims of the parts, without what is accepted already."""
    for claim in _every(asked, question):
        own = part(asked, claim)
        if own in parts:
            covers = partial(Acceptance.covers, check=asked.id, entry=own.entry, together=own.together)
            yield outside(claim, tuple(a for a in question.accepted if covers(a.acceptance)), question.access)


def _every(asked: Check, question: Question) -> Iterator[Claim]:
    """All claims, those of combinations too."""
    for whole in asked.claims(question):
        if isinstance(whole, Combination):
            yield from (claim for each in whole.parts for claim in each.granting)
        else:
            yield whole
