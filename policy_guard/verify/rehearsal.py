"""Proof that an acceptance accepts what was found and nothing else, before anyone is shown it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial

from policy_guard.iam.meaning.prover import Proved, Prover
from policy_guard.iam.policy import WITHOUT_PRINCIPAL, Statement
from policy_guard.settings.acceptance import Acceptance
from policy_guard.settings.severity import CheckId
from policy_guard.solver.formula import TRUE, Formula, conjunction, disjunction, negation
from policy_guard.verify.check import Check, Claim, Combination, Question
from policy_guard.verify.checks import check
from policy_guard.verify.explain.statements import described_requests
from policy_guard.verify.finding import Part, Spelled
from policy_guard.verify.proving import prover_for
from policy_guard.verify.subtraction import without_accepted


def part_of(check: Check, claim: Claim) -> Part:
    """Return the part that a finding from this claim is about."""
    entry, is_combination = claim.entry, bool(claim.entry and claim.entry.all_of)
    statement = None if is_combination or claim.statement is None else id(claim.statement)
    return Part(
        check=check.id,
        entry=entry.id if entry else None,
        statement=statement,
        existing=claim.existing and not is_combination,
        is_combination=is_combination,
    )


def lies_within(question: Question, access: Spelled, checks: Iterable[CheckId], parts: Collection[Part]) -> bool:
    """Tell whether each of the checks is proved to find every request of `access`: newly allowed, or lost."""
    question = _extend_access(question, [access])
    prover = prover_for(question, extra_statements=(*access.statements, *access.without))
    requests = described_requests(access, question.access).formula
    violations = (_violations(question, check(name), parts) for name in dict.fromkeys(checks))
    return all(_is_proved(conjunction([requests, negation(violation)]), prover) for violation in violations)


def suffices(question: Question, accesses: Collection[Spelled], parts: Collection[Part]) -> bool:
    """Tell whether nothing of the parts is left once all of these are accepted."""
    question = _extend_access(question, accesses)
    prover = prover_for(question, extra_statements=list(_statements(accesses)))
    remainder = negation(disjunction(described_requests(access, question.access).formula for access in accesses))
    names = dict.fromkeys(part.check for part in parts)
    claims = (claim for name in names for claim in _unaccepted_claims(check(name), question, parts))
    return all(_is_proved(conjunction([claim.excess(claim.statement), remainder]), prover) for claim in claims)


def _is_proved(formula: Formula, prover: Prover) -> bool:
    return isinstance(prover.answer(formula, lambda request: True), Proved)


def _extend_access(question: Question, accesses: Iterable[Spelled]) -> Question:
    """The question over sets that know these statements; entries name no callers in a policy that names none."""
    critical = question.critical
    if question.kind in WITHOUT_PRINCIPAL:
        critical = tuple(entry._replace(principals=None) for entry in critical)
    return question._replace(access=question.access.knowing(_statements(accesses)), critical=critical)


def _statements(accesses: Iterable[Spelled]) -> Iterator[Statement]:
    return (statement for access in accesses for statement in (*access.statements, *access.without))


def _violations(question: Question, check: Check, parts: Iterable[Part]) -> Formula:
    """Return everything that the check found, for all statements together."""
    access, kind, new, old = question.access, question.kind, question.new, question.old
    if check.of_old:
        return conjunction([access.denied(old), negation(access.denied(new))])
    grants = access.allows(new, kind)
    new_grants = conjunction([grants, negation(access.allows(old, kind))])
    if question.within is not None and not check.by_entry:
        return disjunction(claim.excess(claim.statement) for claim in _claims(check, question))
    if check.compares:
        return new_grants
    check_parts = {part._replace(statement=None) for part in parts if part.check == check.id}
    return disjunction(
        conjunction([grants if part.existing or part.is_combination else new_grants, _critical(question, check, part)])
        for part in check_parts
    )


def _critical(question: Question, check: Check, part: Part) -> Formula:
    """The requests that the critical entry is about; public access is told by what is granted alone."""
    if part.entry is None:
        return TRUE
    claims = _claims(check, question)
    return disjunction(claim.bounds for claim in claims if claim.entry and claim.entry.id == part.entry)


def _unaccepted_claims(check: Check, question: Question, parts: Collection[Part]) -> Iterator[Claim]:
    """The claims of the parts, without what is accepted already."""
    for claim in _claims(check, question):
        part = part_of(check, claim)
        if part in parts:
            covers = partial(Acceptance.covers, check=check.id, entry=part.entry, is_combination=part.is_combination)
            yield without_accepted(claim, tuple(a for a in question.accepted if covers(a.acceptance)), question.access)


def _claims(check: Check, question: Question) -> Iterator[Claim]:
    """All claims, those of combinations too."""
    for claim in check.claims(question):
        if isinstance(claim, Combination):
            yield from (claim for part in claim.parts for claim in part.granting)
        else:
            yield claim
