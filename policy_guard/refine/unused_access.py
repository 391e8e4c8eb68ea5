"""Findings about access that a policy grants and its principals do not use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policy_guard.documents.printable import printable
from policy_guard.iam import catalog
from policy_guard.iam.policy import Policy, Statement, Value
from policy_guard.refine.file import OWN
from policy_guard.refine.narrow import Scope, as_glob
from policy_guard.refine.unused_actions import Unused, Use
from policy_guard.settings.severity import CheckId, Severity
from policy_guard.verify.finding import Finding

UNUSED = CheckId("unused-access")
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
            if narrowing := scopes[path].narrowing(as_glob(value.pattern)):
                finding = _finding(statement, value, narrowing.unused, scopes[path].unused.by, severity)
                yield finding._replace(trees=narrowing.trees if narrowing.patterns else ())


def _finding(
    statement: Statement, value: Value, unused: tuple[Use, ...], by: tuple[str, ...], severity: Severity
) -> Finding:
    path = statement.source.path
    names = [f"{use.service}:{use.name}" + (f" (last {use.last})" if use.last else "") for use in unused]
    surplus = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    facts = (
        ("unused", ", ".join(names[:_MOST]) + surplus),
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
