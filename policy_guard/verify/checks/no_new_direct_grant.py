"""no-new-direct-grant: a change gives nobody directly what they had only through their account or role.

Proved over all requests that both versions allow. An account in Principal delegates: its administrators have to hand
the access on by identity policies. A user, a role or a session that is named there, and everyone under "*", has the
access directly, whatever their identity policies say. What names a role is still limited by its permissions boundary
and by session policies; what names a user, a session, a service or everyone is limited by neither. It is asked of
resource and trust policies with an old version, and a warning unless the settings say otherwise.

Bad, held against a version that named the account 111122223333 alone:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/ann"},
                   "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*"}}

It says:

    policy.json:2:56: warning: grants directly what was delegated or limited before [no-new-direct-grant]

Good, held against the same:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                   "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*",
                   "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/ann"}}}}

It does not see whether the account is that of the resource (in another account an identity policy is needed in any
case), nor which identity policies, boundaries and session policies there are. What is new access anyway is reported by
no-new-access alone.

A direct grant that is meant stays a warning. With `severity: {no-new-direct-grant: error}` it fails, and no acceptance
lets it through: leave the access to whom the old version named, such as an account whose administrators hand it on.

Sources: IAM User Guide, reference_policies_elements_principal ("AWS account principals", "IAM role principals") and
reference_policies_evaluation-logic; KMS Developer Guide, key-policy-default.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from policy_guard.iam.policy import SHARING, Policy, Principal, Request, Statement, by_effect, statement_meaning
from policy_guard.iam.principal import principal_ref
from policy_guard.settings.severity import CheckId
from policy_guard.solver.formula import FALSE, Formula, conjunction, disjunction, negation
from policy_guard.verify.check import Check, Claim, Question

_UNLIMITED = ("everyone", "user", "session", "id", "open", "service")
_LIMITED = ("role", "other")


def _claims(question: Question) -> Iterator[Claim]:
    new, old = question.new, question.old
    if new is None or old is None or question.kind not in SHARING:
        return
    for kinds, at_least in ((_UNLIMITED, _UNLIMITED), (_LIMITED, (*_LIMITED, *_UNLIMITED))):
        old_statements = tuple(_naming(old, at_least))
        old_meanings = set(map(statement_meaning, old_statements))
        for statement in _naming(new, kinds):
            if statement_meaning(statement) not in old_meanings:
                yield _claim(question, old, statement, old_statements, kinds)


def _claim(
    question: Question,
    old: Policy,
    statement: Statement,
    old_statements: tuple[Statement, ...],
    kinds: tuple[str, ...],
) -> Claim:
    from policy_guard.iam.meaning import concrete

    access, kind, new = question.access, question.kind, question.new
    old_grants = access.allows(old, kind)

    def excess(part: Statement | None) -> Formula:
        part = _naming_only(part, kinds)
        applies = access.applies(part) if part else FALSE
        direct = disjunction(map(access.applies, old_statements))
        return conjunction([applies, old_grants, negation(access.denied(new)), negation(direct)])

    def holds(part: Statement | None, request: Request) -> bool:
        part = _naming_only(part, kinds)
        applies = part is not None and concrete.applies(part, request) and not concrete.denied(new, request)
        direct = any(concrete.applies(each, request) for each in old_statements)
        return applies and not direct and concrete.allows(old, kind, request)

    return Claim(
        statement=statement,
        excess=excess,
        holds=holds,
        bounds=old_grants,
        is_within=partial(concrete.allows, old, kind),
        denied=by_effect(new)[1],
        before=old_statements,
        at=statement.principals.entries[0].value.span if statement.principals else None,
    )


def _naming(policy: Policy, kinds: tuple[str, ...]) -> Iterator[Statement]:
    """The Allow statements, each with those of its principals alone that are of these kinds."""
    for statement in by_effect(policy)[0]:
        if narrow := _naming_only(statement, kinds):
            yield narrow


def _naming_only(statement: Statement | None, kinds: tuple[str, ...]) -> Statement | None:
    """The statement with those of its principals alone that are of these kinds; None if there are none."""
    principals = statement.principals if statement else None
    entries = tuple(entry for entry in principals.entries if _kind(entry) in kinds) if principals else ()
    if statement is None or principals is None or not entries:
        return None
    return (
        statement
        if entries == principals.entries
        else replace(statement, principals=principals._replace(entries=entries))
    )


def _kind(entry: Principal) -> str:
    """Return the kind of principal that the entry names. A canonical user is an account ("AWS account principals").

    A service has no account that could delegate to it, and nothing that limits it.
    """
    if entry.type == "Service":
        return "service"
    return "account" if entry.type == "CanonicalUser" else principal_ref(entry).kind


CHECK = Check(
    id=CheckId("no-new-direct-grant"),
    headline="grants directly what was delegated or limited before",
    advice="leave it to whom the old version named; the administrators of an account can hand its access on",
    claims=_claims,
    applies=lambda facts: facts.changed and None not in (facts.new, facts.old) and facts.kind in SHARING,
    order=50,
    default="warning",
    advisory=True,
    security="5.0",
    label="direct",
    title="Direct grant",
    verb="allows directly",
)
