"""Examples are requests that AWS has, and what AWS cannot have is proved before it is graded lower."""

from __future__ import annotations

from typing import Any

import pytest

from policy_guard.iam.meaning.existing import exists
from policy_guard.iam.meaning.prover import Witness
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.pipeline.severity import severity
from policy_guard.settings.config import Config
from policy_guard.verify.check import Question
from policy_guard.verify.checks import check
from policy_guard.verify.proving import prover_for
from policy_guard.verify.verdicts import Verdict, verdicts
from tests.support.policies import policy

BUCKET = "arn:aws:s3:::orders"


def verdict(actions: Any, resources: Any, name: str = "Action") -> Verdict:
    new = policy(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", name: actions, "Resource": resources}]}, "identity"
    )
    question = Question(new.kind, new, None, (), Access([new]))
    (found,) = verdicts(check("no-new-access"), question, prover_for(question))
    return found


@pytest.mark.parametrize(
    ("actions", "resources"),
    [
        ("iam:AddUserToGroup", "*"),
        ("kms:PutKeyPolicy", "*"),
        ("iam:*", "arn:aws:iam::*:user/*"),
        ("s3:*", f"{BUCKET}/*"),
        ("s3:*", BUCKET),
        ("logs:*", "arn:aws:logs:*:*:log-group:/aws/*"),
        (["s3:ListAllMyBuckets"], "*"),
    ],
)
def test_an_example_is_a_request_that_aws_has(actions: Any, resources: Any) -> None:
    found = verdict(actions, resources)
    assert isinstance(found.answer, Witness)
    assert exists(found.answer.request)
    assert not found.impossible


@pytest.mark.parametrize(
    ("actions", "resources"),
    [
        ("s3:PutBucketPolicy", f"{BUCKET}/*"),
        ("iam:CreateUser", "arn:aws:iam::123456789012:role/*"),
        (["s3:DeleteBucket", "kms:Decrypt"], f"{BUCKET}/*"),
    ],
)
def test_what_no_kind_of_resource_of_the_actions_fits_is_impossible(actions: Any, resources: Any) -> None:
    assert verdict(actions, resources).impossible


@pytest.mark.parametrize(
    ("actions", "resources"),
    [
        pytest.param("s3:PutObject", f"{BUCKET}/*", id="a resource of the kind"),
        pytest.param("s3:PutBucket*", f"{BUCKET}/*", id="actions that AWS may have tomorrow"),
        pytest.param("s3:PutBuket", f"{BUCKET}/*", id="an action that AWS does not have"),
        pytest.param("s3:PutAccountPublicAccessBlock", f"{BUCKET}/*", id="an action without kinds of resources"),
        pytest.param("s3:PutBucketPolicy", ["arn:aws:s3:::a/*", "arn:aws:s3:::b*"], id="one of two resources"),
        pytest.param(["s3:PutBucketPolicy", "s3:PutObject"], f"{BUCKET}/*", id="one of two actions"),
        pytest.param("s3:PutBucketPolicy", "arn:aws:s3:::${name}", id="a part that nobody knows"),
        pytest.param("s3:Put${what}", f"{BUCKET}/*", id="an action that nobody knows"),
        pytest.param("*:PutBucketPolicy", f"{BUCKET}/*", id="an action of any service"),
        pytest.param("s3:PutBucketPolicy", "*/*", id="a wildcard for most of an ARN"),
        pytest.param("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:f:1", id="a version of a function"),
    ],
)
def test_what_may_be_possible_is_not_graded_lower(actions: Any, resources: Any) -> None:
    assert not verdict(actions, resources).impossible


def test_all_but_some_actions_are_never_impossible() -> None:
    assert not verdict("s3:PutObject", f"{BUCKET}/*", "NotAction").impossible


@pytest.mark.parametrize("level", ["note", "warning", "error"])
def test_the_settings_grade_what_is_impossible(level: Any) -> None:
    config, asked = Config(impossible=level), check("no-new-access")
    found = verdict("s3:PutBucketPolicy", f"{BUCKET}/*")
    assert severity(config, asked, found, False, lambda: False) == level
    assert severity(config, asked, found._replace(impossible=False), False, lambda: False) == "error"


def test_what_is_impossible_is_a_note_by_default() -> None:
    assert Config().impossible == "note"
