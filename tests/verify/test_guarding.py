"""What is there to deny stays so: a Deny that it loses is an error, whatever was put beside the Deny before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import Scratch, allow, deny, document

GUARD = deny("s3:Delete*", "kms:*")
MATCHES_NOTHING = {"StringEquals": {"aws:PrincipalTag/x": "a"}, "StringNotEquals": {"aws:PrincipalTag/x": "a"}}
NOTHING: dict[str, list[dict[str, Any]]] = {
    "conditions that exclude each other": [allow("s3:ListAllMyBuckets", Condition=MATCHES_NOTHING)],
    "no action": [{"Effect": "Allow", "NotAction": "*", "Resource": "*"}],
    "no resource": [{"Effect": "Allow", "Action": "*", "NotResource": "*"}],
    "only what the Deny stops": [allow("s3:DeleteBucket", "kms:Decrypt")],
    "only what another Deny stops": [allow("ec2:*"), deny("ec2:*")],
    "numbers that exclude each other": [
        allow("*", Condition={"NumericLessThan": {"s3:max-keys": "1"}, "NumericGreaterThan": {"s3:max-keys": "2"}})
    ],
}


@pytest.mark.parametrize("how", NOTHING)
def test_an_allow_of_nothing_makes_no_other_policy_of_a_guard(tmp_path: Path, how: str) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"iam/guard.json": document(GUARD)})
    scratch.write("iam/guard.json", document(GUARD, *NOTHING[how]))
    assert scratch.guard("check").code == 0
    scratch.commit()
    kept = deny("s3:Delete*", "kms:Decrypt")
    scratch.write("iam/guard.json", document(kept, *NOTHING[how]))
    answer = scratch.guard("check")
    assert answer.code == 1, answer
    assert "error: no longer denies what was denied [no-lost-deny]" in answer.out


def test_a_deny_moves_within_a_group(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    settings = "version: 1\ngroups: [{name: team, files: ['iam/*.json']}]\n"
    files = {"iam/a.json": document(allow("ec2:*")), "iam/guard.json": document(GUARD)}
    scratch.commit(**{".policy-guard.yaml": settings, **files})
    scratch.write("iam/a.json", document(allow("ec2:*"), GUARD))
    (tmp_path / "iam/guard.json").unlink()
    assert scratch.guard("check").code == 0


def test_a_policy_that_allows_something_may_deny_less_and_allow_less(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"iam/a.json": document(allow("s3:*"), deny("s3:Delete*"))})
    scratch.write("iam/a.json", document(allow("s3:Get*")))
    answer = scratch.guard("check")
    assert answer.code == 0, answer
    assert "warning: no longer denies" in answer.out
