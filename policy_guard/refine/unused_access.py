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

from collections.abc import Callable, Iterator

from policy_guard.documents.printable import printable
from policy_guard.iam import catalog
from policy_guard.iam.policy import Policy, Statement, Value
from policy_guard.refine.file import OWN
from policy_guard.refine.narrow import Scope, as_glob
from policy_guard.refine.unused_actions import Unused, Use
from policy_guard.settings.severity import Severity
from policy_guard.verify.finding import Finding

UNUSED = "unused-access"
_MOST = 8


def unused_access(policy: Policy, unused: Callable[[str], Unused], severity: Severity) -> Iterator[Finding]:
    """One finding for each value of an Action that covers what is `unused` by the principals of its file."""
    if policy.kind not in OWN:
        return
    scopes: dict[str, Scope] = {}
    for statement in policy.statements:
        path = statement.source.path
        if statement.effect != "Allow" or statement.action.negated:
            continue
        if path not in scopes:
            scopes[path] = Scope(unused(path), catalog)
        for value in statement.action.values:
            if found := scopes[path].narrowed(as_glob(value.pattern)):
                told = _finding(statement, value, found.unused, scopes[path].unused.by, severity)
                yield told._replace(trees=found.trees if found.patterns else ())


def _finding(
    statement: Statement, value: Value, unused: tuple[Use, ...], by: tuple[str, ...], severity: Severity
) -> Finding:
    path = statement.source.path
    names = [f"{use.service}:{use.name}" + (f" (last {use.last})" if use.last else "") for use in unused]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    facts = (
        ("unused", ", ".join(names[:_MOST]) + more),
        ("by", "; ".join(by)),
        ("next", f"policy-guard refine {printable(path)}, or name it in refine.keep"),
    )
    return Finding(
        check=UNUSED,
        outcome="violated",
        severity=severity,
        message="grants what is not used",
        source=statement.source,
        span=value.span,
        statement=(statement.index, statement.sid),
        actions=(value.text,),
        facts=facts,
    )
