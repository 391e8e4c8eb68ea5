"""wider-boundary: a permissions boundary caps no less than before, whatever its principal has today.

A boundary also caps what is not in sight: policies that are attached elsewhere, and policies of resources that name
the role. So all that it does not cap any more is new access, an error of `no-new-access`, unless the settings grade
this check, by `severity: {wider-boundary: warning}` or another severity below an error. Where all policies of a role or
user are known, `no-new-access` then asks whether these allow it more by another boundary, or without one; what else the
boundary does not cap any more is told by this check.

Bad, where the boundary was AmazonS3ReadOnlyAccess and the role may do no more than "s3:GetObject":

    {"PermissionsBoundary": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}

It says, as a warning:

    caps less than before, though no policy that is known here allows more by it [wider-boundary]

Good, where it was AmazonS3FullAccess:

    {"PermissionsBoundary": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}

It does not see what is attached in a console or by another repository. Where anything of the principal is not known, or
another file of the repository names it, a boundary that caps less is new access, whatever the settings say.

A boundary that is meant to cap less: without such a severity, `policy-guard accept` writes it down. What this check
tells cannot be accepted: no policy can say what a boundary no longer caps and nobody uses.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.settings.severity import CheckId
from policy_guard.solver.formula import conjunction, negation
from policy_guard.verify.check import Check, Claim, Facts, Question
from policy_guard.verify.checks.no_new_access import new_claims


def _claims(question: Question) -> Iterator[Claim]:
    return (_beyond(claim, question) for claim in new_claims(question._replace(within=None)))


def _beyond(claim: Claim, question: Question) -> Claim:
    """The claim without what the policies of the principal allow: that is told as new access."""
    from policy_guard.iam.meaning import concrete

    within, kind, access = question.within, question.kind, question.access
    outside = negation(access.allows(within, kind))
    return claim._replace(
        excess=lambda statement: conjunction([claim.excess(statement), outside]),
        holds=lambda statement, request: claim.holds(statement, request) and not concrete.allows(within, kind, request),
    )


def _applies(facts: Facts) -> bool:
    from policy_guard.verify.explain.without_document import is_boundary

    policy = facts.new or facts.old
    return facts.changed and facts.within is not None and policy is not None and is_boundary(policy)


CHECK = Check(
    id=CheckId("wider-boundary"),
    headline="caps less than before, though no policy that is known here allows more by it",
    advice="look at what is attached elsewhere and at policies of resources that name it, or put the boundary back",
    claims=_claims,
    applies=_applies,
    order=12,
    security="5.0",
    label="uncapped",
    title="Capped less",
    verb="no longer caps",
)
