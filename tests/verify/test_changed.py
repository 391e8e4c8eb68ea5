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
from policy_guard.verify.finding import Finding
from policy_guard.verify.messages import finding
from policy_guard.verify.proving import prover_for
from policy_guard.verify.public import fence_statements
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


DENY: dict[str, Any] = {
    "Sid": "Keep",
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:Delete*", "s3:PutObject"],
    "Resource": "*",
    "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ["o-aaaaaaaaaa"]}},
}
ALL: dict[str, Any] = {**without(BASE, "Condition"), "Action": "s3:*", "Resource": "*"}


def test_a_line_that_only_got_a_comma_is_not_blamed() -> None:
    new = {**BASE, "Action": [*BASE["Action"], "sns:Publish"], "Resource": "*"}
    assert blamed("no-new-access", text(BASE), text(new)) == '"sns:Publish"'


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (BASE, {**without(BASE, "Action"), "NotAction": BASE["Action"]}, '"NotAction": ['),
        (BASE, {**without(BASE, "Resource"), "NotResource": BASE["Resource"]}, '"NotResource": ['),
        (
            BASE,
            {**BASE, "Condition": {"StringEqualsIfExists": BASE["Condition"]["StringEquals"]}},
            '"StringEqualsIfExists": {',
        ),
    ],
)
def test_a_word_that_changed_is_blamed_and_not_the_values_below(
    old: dict[str, Any], new: dict[str, Any], line: str
) -> None:
    old = {**old, "Condition": {"StringEquals": BASE["Condition"]["StringEquals"]}}
    new = new if "StringEqualsIfExists" in str(new) else {**new, "Condition": old["Condition"]}
    assert blamed("no-new-access", text(old), text(new)) == line


def test_a_deny_that_became_an_allow_is_blamed_at_its_effect() -> None:
    old, new = text(ALL, DENY), text(ALL, {**DENY, "Effect": "Allow"})
    found = findings("no-new-access", old, new) + findings("no-lost-deny", old, new)
    assert {line_of(each) for each in found} == {'"Effect": "Allow",'}
    assert {dict(each.facts)["next"] for each in found} == {"put the Deny back, or have its loss reviewed"}


def test_a_deny_that_denies_less_is_blamed_at_the_value_and_named_there() -> None:
    less = {**DENY, "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ["o-aaaaaaaaaa", "o-bbbbbbbbbb"]}}}
    (found,) = findings("no-new-access", text(ALL, DENY), text(ALL, less))
    assert line_of(found) == '"o-bbbbbbbbbb"'
    assert (found.statement, found.statement_at_span) == ((0, None), (1, "Keep"))
    assert dict(found.facts)["through"] == "statement 0"
    assert dict(found.facts)["next"] == "put the Deny back, or have its loss reviewed"


def test_a_deny_that_stays_is_not_named_for_one_that_is_gone() -> None:
    other = {**DENY, "Sid": "Other", "Action": "s3:List*"}
    for name in ("no-new-access", "no-lost-deny"):
        (found,) = findings(name, text(ALL, DENY, other), text(ALL, other))
        assert found.statement_at_span in (None, (1, "Other"))
        assert '"Sid"' not in line_of(found)


def test_an_allow_that_reaches_more_is_blamed_before_a_deny_that_is_gone() -> None:
    everyone = {**ALL, "Principal": "*"}
    lines = {line_of(each) for each in findings("no-public-access", text(ALL, DENY), text(everyone))}
    assert lines == {'"Principal": "*",'}


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ({**BASE, "Action": [*BASE["Action"], "s3:DeleteObject"]}, '"s3:DeleteObject"'),
        (condition(IpAddress={"aws:SourceIp": ["10.0.0.0/24", "10.0.9.0/24"]}), '"10.0.9.0/24"'),
        ({**BASE, "Principal": {"AWS": "arn:aws:iam::111122223333:user/ann"}}, "user/ann"),
    ],
)
def test_a_direct_grant_is_blamed_where_it_changed(new: dict[str, Any], line: str) -> None:
    direct = {**BASE, "Principal": {"AWS": "arn:aws:iam::111122223333:user/bob"}}
    root = {**ALL, "Sid": "Root"}
    new = new if "user/ann" in str(new) else {**new, "Principal": direct["Principal"]}
    assert line in blamed("no-new-direct-grant", text(root, direct), text(root, new))


def blamed(name: str, old: str, new: str) -> str:
    """The line of the new text that the first finding stands on."""
    return line_of(findings(name, old, new)[0])


def line_of(found: Finding) -> str:
    return found.source.line(found.source.position(found.span.start).line).strip()


def findings(name: str, old: str, new: str) -> list[Finding]:
    policies_ = [read(new), read(old)]
    extra = fence_statements(policies_[0])
    question = Question("resource", policies_[0], policies_[1], (), Access(policies_, [*extra]))
    asked = check(name)
    return [finding(asked, each, question, "error") for each in verdicts(asked, question, prover_for(question))]


def read(text: str) -> Policy:
    return parse(policies(Source("policy.json", text)).policies[0], "resource")
