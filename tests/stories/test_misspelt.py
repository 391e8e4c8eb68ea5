"""Misspelt names: what a person reads says what was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policy_guard.iam import catalog
from tests.support.repository import Scratch, allow, document


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    repository = Scratch(tmp_path)
    repository.commit(**{"iam/old.json": document(allow("s3:ListBucket"))})
    return repository


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (allow("dynamodb:GetItm"), "AWS has no dynamodb:GetItm; did you mean dynamodb:GetItem?"),
        (allow("dinamodb:GetItem"), "AWS has no dinamodb:GetItem; did you mean dynamodb:GetItem?"),
        (
            {**allow("s3:GetObject"), "Condition": {"StringEquals": {"aws:PrincpalOrgID": "o-1"}}},
            "AWS has no aws:PrincpalOrgID; did you mean aws:principalorgid?",
        ),
        ({**allow("s3:GetObject"), "Efect": "Allow"}, 'no element "Efect"; did you mean "Effect"?'),
        ({**allow("s3:GetObject"), "Effect": {"Fn::If": ["A", "Allow", "Deny"]}}, 'is the function "Fn::If"'),
        ({**allow("s3:GetObject"), "Effect": ["Allow"]}, '"Effect" is a list; write "Allow" or "Deny"'),
    ],
)
def test_a_new_policy_is_told_what_was_meant(scratch: Scratch, statement: dict[str, Any], words: str) -> None:
    scratch.write("iam/new.json", document(statement))
    answer = scratch.guard("check")
    assert answer.code == 1
    assert words in " ".join(answer.out.split())


@pytest.mark.parametrize(
    ("operator", "key", "misspelt_key", "meant"),
    [
        ("Bool", "aws:SecureTransport", "aws:SecureTransprot", "aws:securetransport"),
        (
            "StringLike",
            "token.actions.githubusercontent.com:sub",
            "token.actions.githubusercontent.com:subject",
            "token.actions.githubusercontent.com:sub",
        ),
    ],
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_key_that_is_misspelt_now_is_told(
    scratch: Scratch, effect: str, operator: str, key: str, misspelt_key: str, meant: str
) -> None:
    for number, name in enumerate((key, misspelt_key)):
        statement = {**allow("s3:*"), "Effect": effect, "Condition": {operator: {name: "false"}}}
        scratch.write("iam/a.json", document(allow("s3:GetObject"), statement))
        if not number:
            scratch.commit()
    words = " ".join(scratch.guard("check").out.split())
    assert f"unknown AWS has no {misspelt_key}; did you mean {meant}?" in words, words


def test_a_claim_that_aws_takes_is_not_remarked_on(scratch: Scratch) -> None:
    keys = ("aud", "sub", "actor", "repository_id")
    taken = {f"token.actions.githubusercontent.com:{key}": "a" for key in keys}
    scratch.write("iam/a.json", document({**allow("s3:*"), "Condition": {"StringLike": {**taken, "e.com:subj": "a"}}}))
    assert "did you mean" not in scratch.guard("check").out


def test_names_of_aws_and_those_like_none_are_not_remarked_on(scratch: Scratch) -> None:
    known = {**allow("s3:GetObject", "s3:Get*"), "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "a"}}}
    own = {**allow("example:DoSomethingElse"), "Condition": {"StringEquals": {"example.com:aud": "a"}}}
    scratch.write("iam/new.json", document(known, own))
    assert "did you mean" not in scratch.guard("check").out


def test_of_many_misspelt_names_a_few_are_looked_up(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    monkeypatch.setattr(catalog, "nearest", looked_up.append)
    scratch.write("iam/new.json", document(*(allow(f"ec2:RunInstance{number}x") for number in range(100))))
    assert scratch.guard("check").code == 1
    assert 0 < len(looked_up) <= 10


def test_the_list_of_critical_permissions_names_what_matches_nothing(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", "version: 1\ncritical: critical.yaml\n")
    scratch.write("critical.yaml", 'version: 1\npermissions:\n- {id: a, actions: ["iam:PasRole"], reason: roles}\n')
    assert (
        "names iam:PasRole, and AWS has no such action; did you mean iam:PassRole?"
        in scratch.guard("list", "--critical").out
    )
