"""A check's question about one policy, answered with findings that stand at the strings to blame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from policy_guard.documents.source import Source, Span
from policy_guard.iam import catalog
from policy_guard.iam.meaning.needs import choice_names, holds_anyhow, needed
from policy_guard.iam.meaning.prover import Answer, Proved, Prover, Witness
from policy_guard.iam.meaning.witness import plausible
from policy_guard.iam.policy import Policy, Request, Statement, Value, by_effect, statement_meaning
from policy_guard.records import NamedTuple
from policy_guard.settings.acceptance import Accepted
from policy_guard.solver.formula import conjunction, member
from policy_guard.solver.strings.language import Language
from policy_guard.verify.check import Check, Claim, Combination, Question
from policy_guard.verify.combinations import decide, find_grants
from policy_guard.verify.existence import find_existing, is_impossible
from policy_guard.verify.explain.changed import Cause, Changes
from policy_guard.verify.explain.difference import Terms, blame, spell_terms, terms
from policy_guard.verify.explain.lost_denies import narrow_to_denied
from policy_guard.verify.explain.misspelt import Misspelt, Suggestions
from policy_guard.verify.explain.statements import merge, spell_denied, spell_exactly
from policy_guard.verify.finding import Difference, Spelled
from policy_guard.verify.subtraction import part_in, without_accepted


class Verdict(NamedTuple):
    """An answer for one claim that is no proof, or one that needs `accepted`, with the values that are to blame.

    `future` tells that all actions in question are none that AWS has today, `impossible` that all actions are, and no
    resource in question is of a kind that they work on. `terms` are proved, or None;
    `difference` is how the policies spell them. `companions` are the verdicts on the other sets that are dangerous only
    together with this one. `cause` is the change that brought it. `spell` gives the claim as statements. An unexplained
    verdict has none of what tells it well: values, terms, difference and change.
    """

    claim: Claim
    answer: Answer
    actions: tuple[Value, ...] = ()
    resources: tuple[Value, ...] = ()
    future: bool = False
    impossible: bool = False
    terms: Terms | None = None
    difference: Difference | None = None
    accepted: tuple[Accepted, ...] = ()
    companions: tuple[Verdict, ...] = ()
    cause: Cause | None = None
    misspelt: tuple[Misspelt, ...] = ()
    spell: Callable[[], tuple[Spelled, ...]] = tuple


def verdicts(check: Check, question: Question, prover: Prover) -> Iterator[Verdict]:
    """The verdicts of `unexplained_verdicts`, each explained."""
    return map(Explanations(check, question, prover.aside()), unexplained_verdicts(check, question, prover))


def unexplained_verdicts(check: Check, question: Question, prover: Prover) -> Iterator[Verdict]:
    """Return the claims that are not proved, or only with acceptances, without explanations.

    There is one verdict per critical entry and statement: the graver if there are two, and the first of two alike.
    """
    decided_keys: set[tuple[int, int]] = set()
    impossible_keys: set[tuple[int, int]] = set()
    aside = prover.aside()
    for subject in check.claims(question):
        if isinstance(subject, Combination):
            yield from _combination_verdicts(check, subject, question, prover)
            continue
        entry = subject.entry.id if subject.entry else None
        accepted_parts = tuple(
            accepted for accepted in question.accepted if accepted.acceptance.covers(check.id, entry)
        )
        claim = without_accepted(subject, accepted_parts, question.access)
        key = id(claim.entry), id(claim.statement)
        if key in decided_keys:
            continue
        answer = decide(claim, prover)
        used_acceptances = tuple(
            accepted for accepted in accepted_parts if part_in(subject, accepted, question.access, aside)
        )
        if not isinstance(answer, Proved):
            answer, impossible = find_existing(claim, answer, aside)
            if impossible and key in impossible_keys:
                continue
            (impossible_keys if impossible else decided_keys).add(key)
            spell = partial(spell_exactly, check, question, claim, None, aside)
            yield Verdict(claim, answer, impossible=impossible, accepted=used_acceptances, spell=spell)
        elif used_acceptances:
            yield Verdict(claim, answer, accepted=used_acceptances)


def _combination_verdicts(
    check: Check, combination: Combination, question: Question, prover: Prover
) -> Iterator[Verdict]:
    """Return the verdicts on sets that are dangerous only together; none if all grants of all sets are accepted."""
    grants = find_grants(combination, prover)
    if not grants:
        return
    entry = grants[0].claim.entry
    accepted_parts, access = question.accepted, question.access
    used_acceptances = tuple(
        accepted
        for accepted in accepted_parts
        if entry and accepted.acceptance.covers(check.id, entry.id, is_combination=True)
    )
    claims = [claim for part in combination.parts for claim in part.granting]
    if used_acceptances and all(
        isinstance(decide(without_accepted(claim, used_acceptances, access), prover), Proved) for claim in claims
    ):
        yield Verdict(grants[0].claim, Proved(), accepted=used_acceptances)
        return
    aside = prover.aside()
    spell = partial(_spell_combination, check, question, claims, aside)
    answers = [find_existing(*grant, aside) for grant in grants]
    doubtful_parts = (part for part, (_, alone) in zip(combination.parts, answers, strict=True) if alone)
    impossible = any(all(is_impossible(claim, aside) for claim in part.granting) for part in doubtful_parts)
    yield from _with_companions(
        [
            Verdict(grant.claim, answer, impossible=impossible, spell=spell)
            for grant, (answer, _) in zip(grants, answers, strict=True)
        ]
    )


def _spell_combination(
    check: Check, question: Question, claims: Iterable[Claim], prover: Prover
) -> tuple[Spelled, ...]:
    """All claims in statements."""
    granting_claims = (claim for claim in claims if not isinstance(decide(claim, prover), Proved))
    return merge(each for claim in granting_claims for each in spell_exactly(check, question, claim, None, prover))


def _with_companions(combined_verdicts: list[Verdict]) -> Iterator[Verdict]:
    """The verdicts, each with the others; of those that say the same of one statement the first."""
    keys: set[tuple[int, type[Answer]]] = set()
    for verdict in combined_verdicts:
        key = id(verdict.claim.statement), type(verdict.answer)
        if key not in keys:
            keys.add(key)
            yield verdict._replace(companions=tuple(other for other in combined_verdicts if other is not verdict))


def similarity_key(verdict: Verdict) -> tuple[object, ...]:
    """Equal for verdicts on critical entries that one sentence can tell: the same of the same statement."""
    claim = verdict.claim
    elsewhere = any(each.claim.statement is not claim.statement for each in verdict.companions)
    place = id(claim) if elsewhere or not claim.entry else id(claim.statement)
    return place, claim.existing, verdict.impossible, type(verdict.answer)


class Explanations:
    """Explains the verdicts on one question: which values are to blame, what exactly is new, a request that exists."""

    def __init__(self, check: Check, question: Question, prover: Prover) -> None:
        self._check = check
        self._question = question
        self._prover = prover
        self._explanations: dict[int, Verdict] = {}
        self._changes: Changes | None = None
        self._suggestions = Suggestions(prover)

    def __call__(self, verdict: Verdict) -> Verdict:
        """The verdict with its explanation, and those beside it with theirs."""
        if isinstance(verdict.answer, Proved):
            return verdict
        explanation = self._explanation(verdict)._replace(accepted=verdict.accepted, impossible=verdict.impossible)
        if not verdict.claim.entry or not verdict.claim.entry.all_of:
            return explanation
        return explanation._replace(companions=tuple(map(self._explanation, verdict.companions)), spell=verdict.spell)

    def _explanation(self, verdict: Verdict) -> Verdict:
        claim = verdict.claim
        if id(claim) not in self._explanations:
            explanation = _explain(self._check, claim, verdict.answer, self._question, self._prover)
            misspelt = (*self._suggestions.find(claim.statement, explanation.actions), *self._misspelt_in_denies(claim))
            self._explanations[id(claim)] = explanation._replace(cause=self._cause(explanation), misspelt=misspelt)
        return self._explanations[id(claim)]

    def _misspelt_in_denies(self, claim: Claim) -> Iterator[Misspelt]:
        """Return the misspelt keys of new Denies where an old one may be lost by them."""
        if self._question.new is None or not (self._check.of_old or claim.but):
            return
        old_meanings = set(map(statement_meaning, by_effect(self._question.old)[1]))
        for statement in by_effect(self._question.new)[1]:
            if statement_meaning(statement) not in old_meanings:
                yield from self._suggestions.find_keys(statement)

    def _cause(self, verdict: Verdict) -> Cause | None:
        """Return the change that the verdict is due to, if it is due to one."""
        old, new = self._question.old, self._question.new
        claim = verdict.claim
        has_cause = self._check.compares or not (claim.existing or self._question.by_reference)
        if not has_cause or self._check.of_old or old is None or new is None:
            return None
        if not isinstance(verdict.answer, Witness):
            return None
        self._changes = self._changes or Changes(old, new)
        blamed_spans = [claim.at] if claim.at else []
        blamed_spans += [value.span for values in (verdict.actions, verdict.resources) for value in values]
        return self._changes.cause_of(claim, verdict.answer.request, blamed_spans, self._prover)


def _explain(check: Check, claim: Claim, answer: Answer, question: Question, prover: Prover) -> Verdict:
    statement = claim.statement
    if statement is None or not isinstance(answer, Witness):
        return Verdict(claim, answer, spell=partial(spell_exactly, check, question, claim, None, prover))
    actions = blame(claim, answer.request, prover, statement, "action")
    resources = blame(claim, answer.request, prover, statement, "resource")
    witness = _recognisable_witness(claim, answer, prover)
    future = not _is_known(witness.request.action)
    if future and isinstance(catalog_answer := _answer_for_known_actions(claim, prover, actions.values), Witness):
        witness, future = _recognisable_witness(claim, catalog_answer, prover), False
    elif future:
        future = isinstance(catalog_answer, Proved)
    difference_terms = terms(claim, witness.request, actions, resources, question.access, prover)
    spell = partial(spell_exactly, check, question, claim, difference_terms, prover)
    difference = _difference(check, question, claim, difference_terms, prover) if difference_terms else None
    return Verdict(
        claim=claim,
        answer=witness,
        actions=actions.values,
        resources=resources.values,
        future=future,
        terms=difference_terms,
        difference=difference,
        spell=spell,
    )


def _difference(check: Check, question: Question, claim: Claim, terms: Terms, prover: Prover) -> Difference:
    """The terms as the policies spell them, those of a Deny that is gone in place of all that it held back from."""
    narrow = narrow_to_denied(claim, terms, lambda terms: spell_denied(check, question, claim, terms, prover))
    return spell_terms(narrow, claim.all_before and narrow is terms)


def _recognisable_witness(claim: Claim, answer: Witness, prover: Prover) -> Witness:
    """A witness of the same set that needs no other readings, and looks like a request that is really made.

    One that needs no reading is looked for first.
    """

    statement = claim.statement
    assert statement is not None

    def holds(request: Request) -> bool:
        return prover.may_replay() and claim.holds(statement, request)

    names = choice_names(claim.excess(statement))
    for readings in dict.fromkeys(((), answer.readings)):
        anyhow = partial(holds_anyhow, fixed=dict(readings), names=names, holds=holds)
        request = plausible(answer.request, anyhow, statement)._replace(choices=dict(readings))
        if not anyhow(request):
            continue
        if _is_about_anyone(claim) and anyhow(nobody := request._replace(principal=None)):
            request = nobody
        return Witness(request, needed(request, names, holds))
    return answer


def _is_about_anyone(claim: Claim) -> bool:
    """Tell whether neither the statement nor the entry of the critical list names a principal."""
    entry_principals = claim.entry.principals if claim.entry else None
    return entry_principals is None and claim.statement is not None and claim.statement.principals is None


def _is_known(action: str) -> bool:
    return catalog.resources(action) is not None


def _answer_for_known_actions(claim: Claim, prover: Prover, values: tuple[Value, ...]) -> Answer:
    """The answer for those actions alone that AWS has today."""
    statement = claim.statement
    assert statement is not None
    patterns = ["*"] if statement.action.negated else [value.text.strip() for value in values]
    catalog_actions = Language(texts=(action.lower() for pattern in patterns for action in catalog.matching(pattern)))
    return prover.answer(
        conjunction([claim.excess(statement), member("action", catalog_actions)]), partial(claim.holds, statement)
    )


def place(policy: Policy, verdict: Verdict) -> tuple[Source, Span]:
    """The tightest span to blame: what changed, where the claim says, or the first action to blame if others are not.

    Else it is the first such resource.
    """
    statement = verdict.claim.statement
    if verdict.cause is not None:
        return verdict.cause.place
    if statement is None:
        return policy.source, policy.span
    return statement.source, verdict.claim.at or _tightest_span(statement, verdict)


def _tightest_span(statement: Statement, verdict: Verdict) -> Span:
    for element, values in ((statement.action, verdict.actions), (statement.resource, verdict.resources)):
        if element and 0 < len(values) < len(element.values):
            return values[0].span
    return verdict.actions[0].span if verdict.actions else statement.span
