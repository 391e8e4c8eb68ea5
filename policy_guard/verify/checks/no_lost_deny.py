"""no-lost-deny: whatever the old version denied, the new version denies.

Proved over all requests. A Deny also stops what other policies of the same principal allow, so taking one out can
open access without a word in any Allow. It is an error for scp, rcp, boundary, session and endpoint policies and
for policies that allowed nothing (without Allow, or with an Allow of nothing). It is a warning elsewhere, because
"allow less" often replaces "allow much, deny some".

Bad, held against a version that denied "s3:*" on that bucket:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::audit-logs/*"}}

It says:

    policy.json:2:44: error: no longer denies what was denied [no-lost-deny]

Good, held against a version that denied "s3:Delete*" there:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::audit-logs/*"}}

It does not see whether any other policy allows what is no longer denied.

A Deny that is meant to go: `policy-guard accept` writes it down, to be reviewed and merged first.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.iam.policy import Request, Statement, by_effect, statement_meaning
from policy_guard.settings.severity import CheckId, Severity
from policy_guard.solver.formula import FALSE, Formula
from policy_guard.verify.check import Check, Circumstances, Claim, Question


def _claims(question: Question) -> Iterator[Claim]:
    from policy_guard.iam.meaning import concrete

    new, old, access = question.new, question.old, question.access

    def excess(statement: Statement | None) -> Formula:
        applies = FALSE if statement is None else access.applies(statement)
        return access.undenied(applies, new)

    def holds(statement: Statement | None, request: Request) -> bool:
        return statement is not None and concrete.applies(statement, request) and not concrete.denied(new, request)

    _, deny_statements = by_effect(new)
    new_meanings = set(map(statement_meaning, deny_statements))
    for statement in old.statements if old else ():
        if statement.effect == "Deny" and statement_meaning(statement) not in new_meanings:
            yield Claim(statement=statement, excess=excess, holds=holds, before=deny_statements)


def _severity(circumstances: Circumstances) -> Severity | None:
    return None if circumstances.configured or circumstances.is_guard() else "warning"


CHECK = Check(
    id=CheckId("no-lost-deny"),
    headline="no longer denies what was denied",
    advice="put the Deny back, or have its loss reviewed",
    by_reference=("does not deny what its reference denies", "add the Deny, or have its absence reviewed"),
    claims=_claims,
    order=20,
    compares=True,
    always_asked=True,
    of_old=True,
    severity=_severity,
    acceptable="change",
    security="7.5",
    label="lost",
    title="No longer denied",
    assurance="no lost Deny",
)
