"""within-reference: every version of a policy stays within its reference.

Proved over all requests: what the policy allows, the policy named by `reference` allows. It is asked of the files for
which the settings say `bound: always`, of every change and under `check --all`: a permissions boundary for the
repository. The base's version of the reference counts.

Bad, with a reference that allows "s3:*":

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "iam:PassRole"], "Resource": "*"}}

It says:

    policy.json:2:62: error: grants access beyond its reference [within-reference]

Good, with the same:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::orders/*"}}

It does not see what else the principal has: AWS's own permissions boundary caps all of it, this one file.

Legitimate access beyond it: change the reference first, in a pull request of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.settings.severity import CheckId
from policy_guard.verify.check import Check, Claim, Combination, Question
from policy_guard.verify.checks.no_new_access import new_claims


def _claims(question: Question) -> Iterator[Claim | Combination]:
    if question.reference is not None:
        yield from new_claims(question._replace(old=question.reference, within=None))


CHECK = Check(
    id=CheckId("within-reference"),
    headline="grants access beyond its reference",
    advice="narrow the statement to what the reference allows, or change the reference first",
    claims=_claims,
    applies=lambda facts: facts.new is not None and facts.reference is not None,
    order=60,
    always_asked=True,
    label="beyond",
    assurance="nothing beyond a reference",
)
