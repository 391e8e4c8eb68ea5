"""no-public-access: no resource or trust policy lets in strangers.

Proved over all requests: the policy allows none of a stranger that carries no value which the policy fixes. Strangers
are anonymous callers, everyone of an account that the statement does not name, and the users of identity providers
that everyone may use (Google, Facebook, GitHub, ...); services are none. A fixed value is one without wildcard or
variable of a key such as aws:SourceIp (not wider than /8 in all, or /32 for IPv6), aws:SourceVpc, aws:SourceVpce,
aws:SourceArn, aws:SourceAccount, aws:PrincipalOrgID, aws:PrincipalArn or aws:userid; of an ARN the account is enough,
of the subject at GitHub the owner. A Deny of everything but such values counts too.

Bad:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                   "Resource": "arn:aws:s3:::orders/*"}}

It says:

    policy.json:2:48: error: grants new access; grants public access [no-new-access, no-public-access]

Good:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                   "Resource": "arn:aws:s3:::orders/*",
                   "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}}

It does not see access control lists, block public access settings, resource control policies, nor where an access
point may be reached from. The unknown parts of a template (`${account}`) may come to be a wildcard, and then fix
nothing; those of CloudFormation and of data sources of Terraform that name the account, the region and the partition
may not.

Public access that the old version granted too is reported as `critical-existing` says (a warning). A bucket that is
meant to be public: `policy-guard accept` writes down what is, to be reviewed and merged first, for up to 366 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from policy_guard.iam.policy import SHARING, Policy, Request, Statement, by_effect
from policy_guard.settings.severity import CheckId
from policy_guard.solver.formula import TRUE, Formula, conjunction, negation
from policy_guard.verify.check import Check, Claim, Facts, Question


def _claims(question: Question) -> Iterator[Claim]:
    from policy_guard.verify.public import common_fences, is_public, own_fence, public

    new, access = question.new, question.access
    if new is None or question.kind not in SHARING:
        return
    shared_fences = common_fences(new)
    strangers, no_deny = public(access, shared_fences), negation(access.denied(new))
    for statement in by_effect(new)[0]:
        fence = own_fence(new, statement)
        public_requests = conjunction([public(access, [fence]), strangers])
        yield from _claims_about(
            question, new, statement, public_requests, partial(is_public, (fence, *shared_fences)), no_deny
        )


def _claims_about(
    question: Question,
    new: Policy,
    statement: Statement,
    public_requests: Formula,
    is_open: Callable[[Request], bool],
    no_deny: Formula,
) -> Iterator[Claim]:
    from policy_guard.iam.meaning import concrete

    access, kind, old = question.access, question.kind, question.old

    def excess(part: Statement | None, novelty: Formula = TRUE) -> Formula:
        return conjunction([access.applies(part) if part else TRUE, public_requests, no_deny, novelty])

    def holds(part: Statement | None, request: Request) -> bool:
        applies = part is None or concrete.applies(part, request)
        return applies and is_open(request) and not concrete.denied(new, request)

    def is_fresh(part: Statement | None, request: Request) -> bool:
        return holds(part, request) and not concrete.allows(old, kind, request)

    claim = Claim(
        statement=statement,
        excess=excess,
        holds=holds,
        bounds=public_requests,
        is_within=is_open,
        denied=by_effect(new)[1],
    )
    if old is None:
        yield claim
        return
    old_allow_statements, old_deny_statements = by_effect(old)
    fresh_excess = partial(excess, novelty=negation(access.allows(old, kind)))
    yield claim._replace(excess=fresh_excess, holds=is_fresh, before=old_allow_statements, but=old_deny_statements)
    yield claim._replace(existing=True)


def _is_clear(facts: Facts) -> bool:
    """Tell whether the principals alone show that no outside caller is let in."""
    from policy_guard.verify.public import may_be_public

    return facts.new is None or not may_be_public(facts.new)


def _extra_statements(policy: Policy) -> Iterator[Statement]:
    from policy_guard.verify.public import fence_statements

    return fence_statements(policy)


def _advice_on(request: Request) -> str:
    """Say what tells some users of an identity provider from all others: no account does."""
    from policy_guard.verify.public.identity_providers import claims_of

    keys = claims_of(request.principal.name) if request.principal else ()
    return f"limit who is let in by a condition on {' or '.join(keys[:2])}; or have it reviewed" if keys else ""


CHECK = Check(
    id=CheckId("no-public-access"),
    headline="grants public access",
    advice="name the accounts in Principal, or ask for a fixed value such as aws:PrincipalOrgID; or have it reviewed",
    advice_on=_advice_on,
    claims=_claims,
    applies=lambda facts: facts.new is not None and facts.kind in SHARING,
    is_clear=_is_clear,
    extra_statements=_extra_statements,
    order=40,
    acceptable="standing",
    security="9.1",
    label="public",
    title="Public access",
    verb="allows",
    assurance="no public access",
)
