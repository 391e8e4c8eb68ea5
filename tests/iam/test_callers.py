"""What is known of callers: of which partition they are, and what follows from who asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policy_guard import PolicyError, check_no_lost_deny, check_no_new_access
from tests.support.repository import Scratch

ID = "111122223333"
ROOT = f"arn:aws:iam::{ID}:root"
BUCKET = "arn:aws:s3:::b/*"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(who: Any, condition: dict[str, Any] | None = None, **elements: Any) -> dict[str, Any]:
    made = {"Effect": "Allow", "Principal": who, "Action": "s3:GetObject", "Resource": BUCKET, **elements}
    return {**made, "Condition": condition} if condition else made


def aws(who: str | list[str], condition: dict[str, Any] | None = None, **elements: Any) -> dict[str, Any]:
    return allow({"AWS": who}, condition, **elements)


def result(new: dict[str, Any], old: dict[str, Any]) -> str:
    return check_no_new_access(policy(new), policy(old)).result


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_an_account_of_another_partition_is_another_account(partition: str) -> None:
    elsewhere = f"arn:{partition}:iam::{ID}:root"
    assert result(aws(elsewhere), aws(ROOT)) == result(aws([ROOT, elsewhere]), aws(ROOT)) == "FAIL"
    deny, deny_elsewhere = (policy(aws(who, Effect="Deny")) for who in (ROOT, elsewhere))
    assert check_no_lost_deny(deny_elsewhere, deny).result == "FAIL"
    spared, spared_elsewhere = (
        policy(allow("*"), {"NotPrincipal": {"AWS": who}, **_without_principal(aws(who, Effect="Deny"))})
        for who in (ROOT, elsewhere)
    )
    assert check_no_new_access(spared_elsewhere, spared).result == "FAIL"


def _without_principal(statement: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != "Principal"}


@pytest.mark.parametrize(
    "other",
    [
        ID,
        "arn:${AWS::Partition}:iam::111122223333:root",
        "arn:${data.aws_partition.this.partition}:iam::111122223333:root",
    ],
)
@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
def test_an_account_is_in_the_partition_of_its_policy(partition: str, other: str) -> None:
    root, bucket = f"arn:{partition}:iam::{ID}:root", f"arn:{partition}:s3:::b/*"
    one, two = aws(root, Resource=bucket), aws(other, Resource=bucket)
    assert result(one, two) == result(two, one) == "PASS"


@pytest.mark.parametrize(
    ("element", "value", "words"),
    [
        ("Resource", "arn::s3:::b", "the ARN names no partition"),
        ("Resource", "arn:s3:::b", '"s3" is not an AWS partition'),
        ("Resource", "arn:AWS:s3:::b", '"AWS" is not an AWS partition'),
        ("Resource", "arn:awsx:s3:::b/*", '"awsx" is not an AWS partition'),
        ("NotResource", "arn::s3:::b/*", "the ARN names no partition"),
        ("Principal", {"AWS": "arn::iam::111122223333:root"}, "the ARN names no partition"),
        ("Principal", {"AWS": "arn:iam::111122223333:root"}, '"iam" is not an AWS partition'),
        ("Principal", {"Federated": "arn::iam::111122223333:saml-provider/x"}, "the ARN names no partition"),
    ],
)
def test_an_arn_without_a_partition_is_refused(element: str, value: Any, words: str) -> None:
    statement = aws(ROOT)
    if element == "NotResource":
        del statement["Resource"]
    with pytest.raises(PolicyError, match=words) as caught:
        check_no_new_access(policy({**statement, element: value}), None)
    assert "; new policy" not in str(caught.value)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc", "*", "a*", "${p}"])
def test_an_arn_of_a_partition_is_read(partition: str) -> None:
    assert result(aws(ROOT, Resource=f"arn:{partition}:s3:::b"), aws(ROOT, Resource="*")) == "PASS"


def test_everyone_may_not_be_a_bare_star_in_a_trust_policy() -> None:
    trust = {"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole", "sts:TagSession"]}
    with pytest.raises(PolicyError, match=r'not supported in a trust policy; name who .* \{"AWS": "\*"\} for everyone'):
        check_no_new_access(policy(trust), None)
    assert result({**trust, "Principal": {"AWS": ROOT}}, {**trust, "Principal": {"AWS": "*"}}) == "PASS"


def test_everyone_may_be_a_bare_star_in_a_policy_of_a_repository_of_images() -> None:
    pull = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    assert result({**pull, "Principal": {"AWS": ROOT}}, pull) == "PASS"


@pytest.mark.parametrize(("severity", "code"), [(None, 0), ("error", 1), ("off", 0)])
def test_a_direct_grant_warns_unless_the_settings_say_otherwise(
    severity: str | None, code: int, tmp_path: Path
) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.write("old.json", policy(aws(ROOT)))
    scratch.write("new.json", policy(aws([ROOT, f"arn:aws:iam::{ID}:user/ann"])))
    said = f"severity: {{no-new-direct-grant: '{severity}'}}\n" if severity else ""
    scratch.write("config.yaml", f"version: 1\n{said}")
    answer = scratch.guard("compare", "old.json", "new.json", "--config", "config.yaml")
    assert answer.code == code
    assert ("[no-new-direct-grant]" in answer.out) is (severity != "off")
