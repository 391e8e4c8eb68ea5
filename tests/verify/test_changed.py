"""A finding stands on the part of the statement that the change touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.source import Source
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.messages import finding
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import verdicts

BASE: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": ["arn:aws:s3:::mine/a/*", "arn:aws:s3:::mine/b/*"],
    "Condition": {
        "StringEquals": {"aws:PrincipalOrgID": ["o-aaaaaaaaaa"]},
        "IpAddress": {"aws:SourceIp": ["10.0.0.0/24"]},
    },
}


def text(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def without(statement: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name not in names}


def condition(**operators: dict[str, list[str]]) -> dict[str, Any]:
    return {**BASE, "Condition": {**BASE["Condition"], **operators}}


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ({**BASE, "Principal": {"AWS": [BASE["Principal"]["AWS"], "arn:aws:iam::444455556666:root"]}}, "444455556666"),
        ({**BASE, "Action": [*BASE["Action"], "s3:DeleteObject"]}, "s3:DeleteObject"),
        ({**BASE, "Resource": [*BASE["Resource"], "arn:aws:s3:::mine/c/*"]}, "mine/c/"),
        (condition(IpAddress={"aws:SourceIp": ["10.0.0.0/24", "10.0.9.0/24"]}), "10.0.9.0/24"),
        (condition(IpAddress={"aws:SourceIp": ["10.0.0.0/16"]}), "10.0.0.0/16"),
    ],
)
def test_a_widened_part_is_blamed_where_it_stands(new: dict[str, Any], line: str) -> None:
    assert line in blamed("no-new-access", text(BASE), text(new))


def test_of_two_changes_the_one_that_widens_is_blamed() -> None:
    new = condition(IpAddress={"aws:SourceIp": ["10.0.0.0/16"]}, StringLike={"aws:PrincipalTag/team": ["a"]})
    assert "10.0.0.0/16" in blamed("no-new-access", text(BASE), text(new))


def test_what_is_gone_is_blamed_where_it_stood_next_to() -> None:
    new = {**BASE, "Condition": {"StringEquals": BASE["Condition"]["StringEquals"]}}
    assert blamed("no-new-access", text(BASE), text(new)) in ("}", "},")


def test_a_statement_as_it_was_is_not_blamed_for_the_deny_that_shrank() -> None:
    deny = {**without(BASE, "Condition"), "Effect": "Deny", "Resource": "arn:aws:s3:::mine/a/*"}
    less = {**deny, "Resource": "arn:aws:s3:::mine/a/b/*"}
    old, new = text(BASE, deny), text(BASE, less)
    assert "mine/a/b/" in blamed("no-new-access", old, new)
    assert "mine/a/b/" in blamed("no-lost-deny", old, new)


def blamed(name: str, old: str, new: str) -> str:
    """The line of the new text that the first finding stands on."""
    question = Question("resource", read(new), read(old), (), Access([read(new), read(old)]))
    asked = check(name)
    verdict = next(iter(verdicts(asked, question, prover_for(question))))
    told = finding(asked, verdict, question, "error")
    return told.source.line(told.source.position(told.span.start).line).strip()


def read(text: str) -> Policy:
    return parse(policies(Source("policy.json", text)).policies[0], "resource")
