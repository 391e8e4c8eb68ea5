"""unused-access: a policy grants what its principals do not use, by the findings in the repository.

Asked only where `refine.findings` names files with IAM Access Analyzer's findings, and of the policies that
`refine.roles` gives to the principals of those findings. Each action, or pattern, that covers an unused action is
reported on its line. A warning, unless `severity: {unused-access: ...}` says otherwise.

Bad, where the findings say that GetBucketAcl is not used:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:GetBucket*", "Resource": "*"}}

It says:

    policy.json:2:45: warning: grants what is not used [unused-access]

Good:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": "*"}}

It does not see what was used since the day of the analysis, nor what is needed once a year: name that in `keep`. AWS
does not record the use of iam:PassRole and rds-db:connect: they count as used unless a finding names the action itself.
A Deny is not looked at: what it takes away counts as granted here.

`policy-guard refine` takes out what is not used, and proves that nothing else changes.
"""

from __future__ import annotations

from policy_guard.settings.severity import CheckId
from policy_guard.verify.check import Check

CHECK = Check(
    id=CheckId("unused-access"),
    headline="grants what is not used",
    advice="remove it with policy-guard refine, or name it in refine.keep",
    default="warning",
    security="3.0",
)
