"""access-not-granted: no policy grants a critical permission.

Proved over all requests, for each entry of the critical list: the policy allows no request that the entry describes.
An entry with actions only means them on any resource; with resources only, any action on them; with both, any of
the actions on any of the resources. What a Deny of the same policy takes away is not granted.

Bad, where the critical list has "s3:DeleteBucket":

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:*Bucket", "Resource": "*"}}

It says:

    policy.json:2:45: error: grants a critical permission, delete-bucket [access-not-granted]

Good:

    {"Version": "2012-10-17",
     "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}

It does not see other policies of the same principal: two that are harmless alone may not be together.

A critical permission that the old version granted too is reported as `critical-existing` says (a warning). A policy
that needs one: limit the entry with `files` or `except` in the critical list.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policy_guard import evaluate
from policy_guard.check import Check, Claim, Question
from policy_guard.critical import CriticalEntry
from policy_guard.formula import TRUE, Formula, conjunction, negation
from policy_guard.policy import Element, Request, Statement, Value, by_effect, leaves_all
from policy_guard.source import Span


def _claims(question: Question) -> Iterator[Claim]:
    for entry in question.critical:
        for statement in question.new.statements if question.new else ():
            if statement.effect == "Allow":
                yield _claim(question, entry, statement, existing=False)
                if question.old is not None:
                    yield _claim(question, entry, statement, existing=True)


def _claim(question: Question, entry: CriticalEntry, statement: Statement, existing: bool) -> Claim:
    kind, new, old, access = question.kind, question.new, question.old, question.access
    critical = _critical(question, entry)
    before = TRUE if existing else negation(access.allows(old, kind) if old else negation(TRUE))

    def excess(part: Statement | None) -> Formula:
        applies = access.applies(part) if part else TRUE
        return conjunction([applies, critical, negation(access.denied(new)), before])

    def holds(part: Statement | None, request: Request) -> bool:
        applies = part is None or evaluate.applies(part, request)
        fresh = existing or old is None or not evaluate.allows(old, kind, request)
        return applies and fresh and _is_critical(entry, request) and not evaluate.denied(new, request)

    allowed, but = by_effect(None if existing else old)
    return Claim(
        statement,
        excess,
        holds,
        entry,
        existing,
        critical,
        partial(_is_critical, entry),
        by_effect(new)[1],
        allowed,
        but,
        not existing and old is not None and leaves_all(old, kind),
    )


def _critical(question: Question, entry: CriticalEntry) -> Formula:
    access = question.access
    parts = [
        access.action_matches(_element(entry.actions)) if entry.actions else TRUE,
        access.resource_matches(_element(entry.resources)) if entry.resources else TRUE,
        negation(access.action_matches(_element(entry.excepted))),
    ]
    return conjunction(parts)


def _is_critical(entry: CriticalEntry, request: Request) -> bool:
    return (
        (not entry.actions or evaluate.action_matches(_element(entry.actions), request))
        and (not entry.resources or evaluate.resource_matches(_element(entry.resources), request))
        and not evaluate.action_matches(_element(entry.excepted), request)
    )


def _element(values: tuple[Value, ...]) -> Element:
    return Element(False, values, Span(0, 0))


CHECK = Check(
    "access-not-granted",
    "grants a critical permission",
    "take the action or resource out, or have the owner of the critical list make an exception",
    _claims,
    what="critical",
)
