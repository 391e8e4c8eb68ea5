"""A verdict in words: the finding that a person reads, at the place to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from policy_guard.documents.printable import shortened
from policy_guard.documents.source import Source, Span
from policy_guard.iam import catalog
from policy_guard.iam.meaning.existing import BUCKET
from policy_guard.iam.meaning.interpretations import reading
from policy_guard.iam.meaning.prover import Answer, Undecided, Unsupported, Witness
from policy_guard.iam.policy import MADE_UP, Policy, Request, Statement, in_words
from policy_guard.records import NamedTuple
from policy_guard.settings.acceptance import digest
from policy_guard.settings.critical import CriticalEntry
from policy_guard.settings.severity import Severity
from policy_guard.verify.advice import advice, headline_of, is_without_document
from policy_guard.verify.check import Check, Question
from policy_guard.verify.explain.changed import heir
from policy_guard.verify.explain.difference import Terms, narrower_span, spell_terms
from policy_guard.verify.explain.difference_text import cells, difference_facts, enumeration
from policy_guard.verify.explain.shares import find_other_shares
from policy_guard.verify.explain.without_document import (
    is_boundary,
    is_made_up,
    is_other_access,
    page,
    principal_in_words,
)
from policy_guard.verify.finding import Acceptable, Cell, Finding, Outcome, Related
from policy_guard.verify.rehearsal import lies_within, part_of, suffices
from policy_guard.verify.request_text import absent_keys, sentence, spell_request
from policy_guard.verify.verdicts import Verdict, place

_LONGEST_SID = 64
_MOST_BEFORE = 2
_MOST_IDS = 5
_MOST_DECIDING = 3
_MOST_KINDS = 3
_MOST_SHARES = 5


def finding(
    check: Check, verdict: Verdict, question: Question, severity: Severity, siblings: Sequence[Verdict] = ()
) -> Finding:
    """Return the finding for a verdict. An undecided verdict is an error whatever the severity, unless advisory.

    `siblings` say the same of the same statement for other critical entries, and are reported with it.
    """
    at = _place_of(check, verdict, question)
    answer, claim = verdict.answer, verdict.claim
    witness = spell_request(answer.request, question) if isinstance(answer, Witness) else None
    outcome = _outcome(answer)
    of_gone_policy = check.of_old and question.new is None
    return Finding(
        check=check.id,
        outcome=outcome,
        severity=severity if outcome == "violated" or check.advisory else "error",
        message=_message(check, verdict, siblings, headline_of(check, verdict, question), of_gone_policy),
        source=at.source,
        span=at.span,
        statement=at.statement,
        marked=at.marked,
        actions=tuple(value.text for value in verdict.actions),
        resources=tuple(value.text for value in verdict.resources),
        critical_id=claim.entry.id if claim.entry else None,
        critical_ids=_critical_ids(verdict, *siblings),
        witness=witness,
        facts=tuple(_facts(check, verdict, question, at, witness, len(_critical_ids(verdict, *siblings)) > 1)),
        related=(*at.related, *_other_shares(verdict, siblings), *_deciding_places(verdict)),
        difference=verdict.difference,
        of_gone_policy=of_gone_policy,
        of_new_policy=check.compares and question.old is None and outcome == "violated",
        acceptable=_refusal(check, verdict, question) if check.acceptable else None,
        other_acceptables=tuple(_refusal(check, sibling, question) for sibling in siblings) if check.acceptable else (),
    )


def plain_finding(check: Check, verdict: Verdict, question: Question, severity: Severity) -> Finding:
    """Return the finding for a verdict that is counted and not read: what is granted, without who, where and why."""
    policy = question.new or question.old
    assert policy is not None
    return Finding(
        check=check.id,
        outcome=_outcome(verdict.answer),
        severity=severity,
        message=check.headline,
        source=policy.source,
        span=Span(policy.span.start, policy.span.start + 1),
        critical_ids=_critical_ids(verdict),
    )


def _critical_ids(*verdicts: Verdict) -> tuple[str, ...]:
    """The ids of the critical entries that the verdicts are about, each once."""
    return tuple(dict.fromkeys(verdict.claim.entry.id for verdict in verdicts if verdict.claim.entry))


def unasked_finding(check: Check, question: Question) -> Finding:
    """Return the finding for a policy with more questions than the budget allows: those left out may hold anything."""
    policy = question.new or question.old
    assert policy is not None
    return Finding(
        check=check.id,
        outcome="undecided",
        severity=check.default if check.advisory else "error",
        message=f"too hard to decide whether it {check.headline}: not all was asked",
        source=policy.source,
        span=Span(policy.span.start, policy.span.start + 1),
        facts=(
            ("too hard", "the number of statements, times that of critical permissions"),
            ("next", "the rest was not proved, so this fails; split the policy or have the change reviewed"),
        ),
    )


def _outcome(answer: Answer) -> Outcome:
    if isinstance(answer, Witness):
        return "violated"
    return "unsupported" if isinstance(answer, Unsupported) else "undecided"


def _refusal(check: Check, verdict: Verdict, question: Question) -> Acceptable:
    """The set that the verdict is about, as an acceptance would have to describe it."""
    policy = question.new or question.old
    assert policy is not None
    return Acceptable(
        policy=policy.id,
        kind=policy.kind,
        old=partial(digest, question.old),
        requests=verdict.spell,
        part=part_of(check, verdict.claim),
        lies_within=partial(lies_within, question),
        suffices=partial(suffices, question),
        critical=_critical_ids(verdict, *verdict.companions),
        standing=verdict.claim.existing,
    )


def requests(statements: Iterable[Statement], without: tuple[Statement, ...]) -> str:
    """The requests that one of the statements applies to, and none of `without`, as one says it."""
    differences = (spell_terms(Terms(parts=(each,), denied=without, before=(), but=()), False) for each in statements)
    facts = [dict(difference_facts(each, "new")) for each in differences]
    return "; ".join(
        f"{each['new']}, but not {each['but denied']}" if "but denied" in each else each["new"] for each in facts
    )


def _deciding_places(verdict: Verdict) -> Iterator[Related]:
    """Other places that decide what is new, such as the default of a parameter."""
    statement = verdict.claim.statement
    spans = dict.fromkeys(span for value in (*verdict.actions, *verdict.resources) for span in value.see)
    for span in list(spans)[:_MOST_DECIDING] if statement else ():
        assert statement is not None
        yield Related(statement.source, span, "decides what stands there")


class _Place(NamedTuple):
    """A place to look at, and the statement that it is about, as AWS counts; `marked` is as in a finding."""

    source: Source
    span: Span
    statement: tuple[int, str | None] | None
    marked: tuple[tuple[int, str | None], ...] | None = None
    related: tuple[Related, ...] = ()


def _place_of(check: Check, verdict: Verdict, question: Question) -> _Place:
    """The place to look at; for a statement that is gone, what stands there now, and where it stood."""
    statement = verdict.claim.statement
    statement_id = _statement_id(statement) if statement and not _is_unwritten(statement, question) else None
    if not check.of_old:
        policy = question.new or question.old
        assert policy is not None
        source, span = place(policy, verdict)
        return _Place(
            source,
            span,
            statement_id,
            () if verdict.cause and verdict.cause.is_gone else _marked(policy, statement, source, span),
            (*_related_companions(policy, verdict), *_old_related(check, verdict, question)),
        )
    assert question.old is not None
    deny_label = "the reference denies this" if question.by_reference else "denied here before"
    related = Related(*place(question.old, verdict), deny_label)
    files = {s.source.path for s in question.new.statements} if question.new and question.new.group else None
    if question.new is None or (files and related.source.path not in files):
        return _Place(related.source, related.span, statement_id)
    request = verdict.answer.request if isinstance(verdict.answer, Witness) else None
    return _heir(question.old, question.new, statement, request)._replace(related=(related,))


def _is_unwritten(statement: Statement, question: Question) -> bool:
    """Tell whether a statement is none that an author could count: it stands for a boundary or for other access."""
    return is_other_access(statement) or bool(question.new and is_boundary(question.new))


def _statement_id(statement: Statement) -> tuple[int, str | None]:
    return statement.index, statement.sid


def _marked(
    policy: Policy, statement: Statement | None, source: Source, span: Span
) -> tuple[tuple[int, str | None], ...] | None:
    """Return the statement of the policy that holds a span; None if that is the one that the finding is about."""
    if statement is None or _holds(statement, source, span):
        return None
    return tuple(_statement_id(each) for each in policy.statements if _holds(each, source, span))[:1]


def _holds(statement: Statement, source: Source, span: Span) -> bool:
    return statement.source == source and statement.span.start <= span.start < statement.span.end


def _old_related(check: Check, verdict: Verdict, question: Question) -> Iterator[Related]:
    """Return the places where similar access was denied, or partly allowed, before."""
    terms = verdict.terms
    by_reference = question.by_reference or check.label == "beyond"
    deny_label = "the reference denies this" if by_reference else "denied here before"
    allow_label = "the reference allows this much" if by_reference else "this much was allowed before"
    if is_without_document(verdict) and not by_reference:
        allow_label = "this was there before"
    if _was_denied(verdict):
        exception = "but for that Deny"
        allow_label = f"the reference allows this, {exception}" if by_reference else f"allowed before, {exception}"
    for statement in terms.but[:_MOST_BEFORE] if terms else ():
        yield Related(statement.source, statement.action.span, deny_label)
    for statement in terms.before[:_MOST_BEFORE] if terms else ():
        assert terms is not None
        yield Related(statement.source, narrower_span(terms.parts, statement), allow_label)


def _heir(old: Policy, policy: Policy, old_deny: Statement | None, request: Request | None) -> _Place:
    """Return what changed of a Deny that is less now, or where it stood; the policy's top if in another file."""
    statements = tuple(
        s for s in policy.statements if not policy.group or (old_deny and s.source.path == old_deny.source.path)
    )
    source = statements[0].source if statements else policy.source
    if old_deny is None or (policy.group and source.path != old_deny.source.path):
        return _Place(policy.source, Span(policy.span.start, policy.span.start + 1), None)
    successor = heir(old_deny, old, policy._replace(statements=statements, source=source), request)
    return _Place(*successor.place, _statement_id(successor.statement) if successor.statement else None)


def _message(
    check: Check, verdict: Verdict, siblings: Sequence[Verdict], single_headline: str, of_gone_policy: bool
) -> str:
    ids = _critical_ids(verdict, *siblings)
    plural = len(ids) > 1
    critical = f"{':' if plural else ','} {enumeration(ids, limit=_MOST_IDS)}{_companions(verdict)}" if ids else ""
    said = check.headlines.format(len(ids)) if plural else single_headline
    if isinstance(verdict.answer, Undecided):
        return f"too hard to decide whether it {said}{critical}"
    if isinstance(verdict.answer, Unsupported):
        return f"not understood well enough to decide whether it {said}{critical}"
    old_access = " that the old version granted too" if verdict.claim.existing else ""
    future = (
        ", for actions that AWS does not have today"
        if verdict.future and not (siblings or is_without_document(verdict))
        else ""
    )
    gone = ": the policy is gone" if of_gone_policy else ""
    impossible = ", on resources that the actions do not work on" if verdict.impossible else ""
    return f"{said}{old_access}{critical}{future}{impossible}{gone}"


def _companions(verdict: Verdict) -> str:
    """The other statements without which there would be no finding."""
    main_statement = verdict.claim.statement
    names = dict.fromkeys(
        _statement_name(companion, main_statement)
        for companion in verdict.companions
        if companion.claim.statement is not main_statement
    )
    return f", together with {' and '.join(names)}" if names else ""


def _statement_name(verdict: Verdict, main_statement: Statement | None) -> str:
    statement = verdict.claim.statement
    assert statement is not None
    elsewhere = main_statement is not None and statement.source.path != main_statement.source.path
    return f"statement {statement.index}" + (f" of {statement.source.path}" if elsewhere else "")


def _other_shares(verdict: Verdict, siblings: Sequence[Verdict]) -> Iterator[Related]:
    """Return the actions that grant those of the critical permissions that what is shown does not."""
    statement = verdict.claim.statement
    claims = [each.claim for each in (verdict, *siblings)]
    for share in islice(find_other_shares(claims, verdict.actions), _MOST_SHARES) if statement and siblings else ():
        assert statement is not None
        grants = f"{share.action.text.strip()} grants {enumeration(share.ids)}"
        yield Related(statement.source, share.action.span, grants)


def _related_companions(policy: Policy, verdict: Verdict) -> Iterable[Related]:
    """Return the places of the other grants that a finding depends on."""
    related = {}
    for companion in verdict.companions:
        source, span = place(policy, companion)
        grant = _grant(companion) if companion.actions else "what could not be decided"
        related[source.path, span] = Related(source, span, f"dangerous together with {grant}")
    main_source, span = place(policy, verdict)
    related.pop((main_source.path, span), None)
    return related.values()


def _facts(
    check: Check, verdict: Verdict, question: Question, at: _Place, witness: Request | None, plural: bool
) -> Iterable[tuple[str, str]]:
    answer, claim = verdict.answer, verdict.claim
    policy = question.new or question.old
    if policy and policy.group:
        yield "group", f"{policy.group}, whose files are judged as one policy"
    if isinstance(answer, Unsupported):
        yield "unclear", "; ".join(answer.parts)
        yield "next", "nothing was proved, so this fails; have the change reviewed"
    elif isinstance(answer, Undecided):
        yield "too hard", answer.part
        yield "next", "nothing was proved, so this fails; split the policy or have the change reviewed"
    else:
        yield from _access(check, verdict, policy)
        if at.marked is not None and at.statement is not None:
            yield "through", _name_of_statement(at.statement)
        if question.new is None and not check.of_old:
            yield "now", "the policy is gone: nothing is capped here"
        if question.old is None and check.label == "new" and not is_without_document(verdict):
            yield "before", "no policy: everything that it grants is new"
        if witness and not is_made_up(witness.action) and not is_without_document(verdict):
            yield "example", sentence(witness) + absent_keys(witness, question)
            yield from _kinds(witness) if verdict.impossible else ()
        yield from _readings(answer)
        yield from (
            ("unknown", f"AWS has no {misspelt.name}; did you mean {misspelt.suggestion}?")
            for misspelt in verdict.misspelt
        )
        if claim.entry:
            yield from _entry(claim.entry, plural)
        if claim.statement and (kind := check.kind_of(claim)):
            yield "kind", f"{kind}, which `other-access` in the settings grades"
            yield "source", page(claim.statement)
        yield "next", advice(check, verdict, question, witness)


def _access(check: Check, verdict: Verdict, policy: Policy | None) -> Iterator[tuple[str, str]]:
    """The access that is new, critical or lost, what of it was there before, and who has it if no document tells."""
    if verdict.difference:
        yield from difference_facts(verdict.difference, check.label)
        yield from [("before", "denied")] if _was_denied(verdict) else []
    elif verdict.actions:
        yield check.label, _grant(verdict)
    if verdict.claim.within is not None and (verdict.terms is None or verdict.terms.partly):
        by_policies = policy is not None and is_boundary(policy)
        yield "only", f"what {'its policies allow' if by_policies else 'the permissions boundary leaves'} of it"
    if policy and is_without_document(verdict) and (principal := principal_in_words(policy)):
        yield "to", principal


def _was_denied(verdict: Verdict) -> bool:
    """Tell whether a Deny of the old version held back all that is new, and is told in its terms."""
    difference, terms = verdict.difference, verdict.terms
    return bool(terms and terms.but and difference and not (difference.but or difference.before))


def _name_of_statement(statement: tuple[int, str | None]) -> str:
    index, sid = statement
    return f"statement {index}" if sid is None else f'statement {index}, "{shortened(sid, _LONGEST_SID)}"'


def _entry(entry: CriticalEntry, plural: bool) -> Iterator[tuple[str, str]]:
    """Return why the permission is critical, and where it would not be; by its name if it is one of `several`."""
    if entry.unless:
        yield "unless", "; or ".join(" and ".join(map(in_words, statement.conditions)) for statement in entry.unless)
    yield "reason", f"{entry.id}: {entry.reason}" if plural else entry.reason
    if entry.page:
        yield "source", entry.page
    if plural:
        yield "each", "--verbose tells of each critical permission by itself"


def _readings(answer: Answer) -> Iterator[tuple[str, str]]:
    for name, truth in answer.readings if isinstance(answer, Witness) else ():
        if interpretation := reading(name):
            yield "only if", interpretation.sentence if truth else interpretation.otherwise


def _kinds(request: Request) -> Iterator[tuple[str, str]]:
    """Return why AWS cannot have a request, and how sure that is."""
    kinds = list(catalog.resources(request.action) or ())
    surplus = f" and {len(kinds) - _MOST_KINDS} more" if len(kinds) > _MOST_KINDS else ""
    kind_names = f"{', '.join(kinds[:_MOST_KINDS])}{surplus}".replace(BUCKET, "arn:*:s3:::BUCKET")
    hint = "`impossible` in the settings grades this"
    yield "impossible", f"{request.action} works on {kind_names} only, as far as the catalogue says; {hint}"


def _grant(verdict: Verdict) -> str:
    statement = verdict.claim.statement
    assert statement is not None
    actions, resources = (tuple(value.text for value in values) for values in (verdict.actions, verdict.resources))
    not_resources = bool(statement.resource and statement.resource.negated)
    guards = " and ".join(in_words(c) for c in statement.conditions if c.key.startswith(MADE_UP))
    restriction = f" when {guards}" if guards else ""
    return cells([Cell(actions, resources)], statement.action.negated, not_resources) + restriction
