"""A statement that moves to another policy is new there, and the finding says where it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import Scratch, allow, document

READ, SEND, PUBLISH = allow("s3:GetObject"), allow("sqs:SendMessage"), allow("sns:Publish")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    made.commit(**{"iam/a.json": document(READ, SEND), "iam/b.json": document(PUBLISH)})
    return made


@pytest.mark.parametrize("path", ["iam/b.json", "iam/new.json"])
def test_a_moved_statement_is_told_with_its_origin(scratch: Scratch, path: str) -> None:
    scratch.write("iam/a.json", document(READ))
    scratch.write(path, document(PUBLISH, {**SEND, "Sid": "Moved", "Action": ["sqs:SendMessage"]}))
    out = scratch.guard("check", COLUMNS="200").out
    assert "moved    the same statement left iam/a.json in this change; a group of both compares them" in out


def test_a_wider_statement_is_not_the_same(scratch: Scratch) -> None:
    scratch.write("iam/a.json", document(READ))
    scratch.write("iam/b.json", document(PUBLISH, allow("sqs:*")))
    assert "moved" not in scratch.guard("check").out


def test_a_statement_that_stays_has_not_moved(scratch: Scratch) -> None:
    scratch.write("iam/b.json", document(PUBLISH, SEND))
    scratch.write("iam/a.json", document(SEND, READ))
    assert "moved" not in scratch.guard("check").out


def test_a_statement_moved_within_terraform_is_told_without_a_group(scratch: Scratch) -> None:
    def terraform(*policies: str) -> str:
        blocks = (f'resource "aws_iam_policy" "p{n}" {{\n  policy = {text}\n}}\n' for n, text in enumerate(policies))
        return "".join(blocks)

    def policy(*actions: str) -> str:
        statements = ", ".join(f'{{ Effect = "Allow", Action = "{action}", Resource = "*" }}' for action in actions)
        return f'jsonencode({{ Version = "2012-10-17", Statement = [{statements}] }})'

    scratch.commit(**{"main.tf": terraform(policy("s3:GetObject", "sqs:SendMessage"), policy("sns:Publish"))})
    scratch.write("main.tf", terraform(policy("s3:GetObject"), policy("sns:Publish", "sqs:SendMessage")))
    out = scratch.guard("check", COLUMNS="200").out
    assert "the same statement left main.tf aws_iam_policy.p0.policy in this change\n" in out
