"""no-new-access: a change allows nothing that the old version did not.

Proved over all requests: whatever the new version allows, the old version allowed. A new policy has no old version,
so everything that it grants is new. Policies of the kinds scp, rcp, boundary, session and endpoint only cap what
others grant: none at all allows everything, and so does a policy of the kinds scp and rcp without any Allow.

Bad, held against a version without "s3:DeleteObject":

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "s3:DeleteObject"], "Resource": "*"}}

It says:

    policy.json:2:62: error: grants new access [no-new-access]

Good, held against the same:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*"}}

It does not see other policies of the same principal, nor what the unknown parts of a template (`${bucket}`) will
be: it answers for every text that they may become.

Legitimate new access: `policy-guard accept` writes down exactly what is new, to be reviewed and merged first; see
`policy-guard explain accepted`. A new file can be held against a policy that already allows it (`reference`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from policy_guard.iam.policy import Policy, Request, Statement, by_effect, leaves_all, statement_meaning
from policy_guard.settings.severity import CheckId, Severity
from policy_guard.solver.formula import TRUE, Formula, conjunction
from policy_guard.verify.check import Check, Circumstances, Claim, Question


def _claims(question: Question) -> Iterator[Claim]:
    from policy_guard.verify.explain.without_document import is_other_access

    return (claim for claim in new_claims(question) if claim.statement is None or not is_other_access(claim.statement))


def new_claims(question: Question) -> Iterator[Claim]:
    """Return what the new version allows and the old one does not, for each of its statements."""
    new, old, kind = question.new, question.old, question.kind
    allow_statements, _ = by_effect(new)
    unchanged_meanings = _unchanged_allows(new, old)
    claim = _claim(question)
    bounded_claim = _bounded(claim, question) if question.within else claim
    for statement in allow_statements:
        if statement_meaning(statement) not in unchanged_meanings:
            yield (claim if _tells_no_document(statement) else bounded_claim)._replace(statement=statement)
    if leaves_all(new, kind):
        yield bounded_claim


def _tells_no_document(statement: Statement) -> bool:
    """Tell whether a statement stands for what no document says: nobody knows how much of it a boundary leaves."""
    from policy_guard.verify.explain.without_document import is_made_up

    return any(is_made_up(value.text) for value in statement.action.values)


def _claim(question: Question) -> Claim:
    """The claim that nothing is new, for no statement yet."""
    from policy_guard.iam.meaning import concrete

    kind, new, old, access = question.kind, question.new, question.old, question.access

    def excess(statement: Statement | None) -> Formula:
        applies = TRUE if statement is None else access.applies(statement)
        return access.disallowed(access.undenied(applies, new), old, kind)

    def holds(statement: Statement | None, request: Request) -> bool:
        applies = statement is None or concrete.applies(statement, request)
        return applies and not concrete.denied(new, request) and not concrete.allows(old, kind, request)

    old_allow_statements, old_deny_statements = by_effect(old)
    return Claim(
        statement=None,
        excess=excess,
        holds=holds,
        denied=by_effect(new)[1],
        before=old_allow_statements,
        but=old_deny_statements,
        all_before=leaves_all(old, kind),
    )


def _bounded(claim: Claim, question: Question) -> Claim:
    """The claim for what the other policy allows alone that counts together with this one."""
    from policy_guard.iam.meaning import concrete

    within, kind, access = question.within, question.kind, question.access
    allow_statements, deny_statements = by_effect(within)
    return claim._replace(
        excess=lambda statement: conjunction([claim.excess(statement), access.allows(within, kind)]),
        holds=lambda statement, request: claim.holds(statement, request) and concrete.allows(within, kind, request),
        bounds=access.granted(within, kind),
        is_within=lambda request: concrete.granted(within, kind, request),
        denied=(*claim.denied, *deny_statements),
        within=allow_statements,
    )


def _unchanged_allows(new: Policy | None, old: Policy | None) -> frozenset[Hashable]:
    """The Allows of the old version, if all its Denies are still there: as they stand they can grant nothing new."""
    old_statements, new_statements = ([*policy.statements] if policy else [] for policy in (old, new))
    deny_meanings = {statement_meaning(statement) for statement in new_statements if statement.effect == "Deny"}
    if any(
        statement.effect == "Deny" and statement_meaning(statement) not in deny_meanings for statement in old_statements
    ):
        return frozenset()
    return frozenset(statement_meaning(statement) for statement in old_statements if statement.effect == "Allow")


def _severity(circumstances: Circumstances) -> Severity | None:
    """A new file is as severe as the settings say of new files, unless they switch the check off for all."""
    return circumstances.new_files if circumstances.fresh and circumstances.configured != "off" else None


CHECK = Check(
    id=CheckId("no-new-access"),
    headline="grants new access",
    advice="narrow the statement to what was allowed before, or have the new access reviewed",
    of_new="have the new policy reviewed; or merge a group or a reference for it into the settings first",
    by_reference=(
        "grants access that its reference does not allow",
        "narrow the statement to what the reference allows, or have the new access reviewed",
    ),
    claims=_claims,
    order=10,
    compares=True,
    always_asked=True,
    severity=_severity,
    acceptable="change",
    title="New access",
    verb="now allows",
    assurance="no new access",
)
