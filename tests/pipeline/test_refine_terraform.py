"""`policy-guard refine` in Terraform and in templates: what it writes in place, and what it leaves and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy_guard.refine.terraform import SHARED
from tests.support.access_analyzer import finding
from tests.support.repository import Answer, Scratch

CONFIG = "version: 1\nrefine:\n  findings: [findings/*.json]\n  roles: {Orders: [infra/m.*]}\n"
ROLE = """resource "aws_iam_role_policy" "p" {
  role   = "%s"
  policy = %s
}
"""
DOCUMENT = "data.aws_iam_policy_document.d.json"
STATEMENT = """data "aws_iam_policy_document" "d" {
  statement {
    actions   = %s
    resources = ["*"]
  }
}
"""
DYNAMIC = """data "aws_iam_policy_document" "d" {
  dynamic "statement" {
    for_each = ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]
    content {
      actions   = %s
      resources = [statement.value]
    }
  }
}
"""
BOTH = '["s3:GetObject", "s3:PutObject"]'


def refined(place: Path, text: str, name: str = "m.tf", beside: str = "") -> tuple[Answer, str]:
    """What the command says of a file, and what it makes of it; `beside` stands in another file of its folder."""
    scratch = Scratch(place)
    scratch.write(".policy-guard.yaml", CONFIG)
    scratch.write("findings/orders.json", finding("PutObject"))
    scratch.write(f"infra/{name}", text)
    scratch.write("infra/beside.tf", beside)
    scratch.commit()
    answer = scratch.guard("refine", "--write")
    return answer, (scratch.folder / "infra" / name).read_bytes().decode()


def encoded(action: str) -> str:
    statement = f'{{ Effect = "Allow", Action = {action}, Resource = "*" }}'
    return f'jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})'


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("m.tf", STATEMENT % BOTH, STATEMENT % '["s3:GetObject"]'),
        ("m.tf", STATEMENT % '["s3:*Object"]', None),
        (
            "m.tf",
            STATEMENT % f'var.b ? {BOTH} : ["s3:List*"]' + 'variable "b" {}\n',
            STATEMENT % 'var.b ? ["s3:GetObject"] : ["s3:List*"]' + 'variable "b" {}\n',
        ),
        (
            "m.tf",
            STATEMENT % '[\n      "s3:GetObject", # reads\n      // by night\n      "s3:PutObject", // puts\n    ]',
            STATEMENT % '[\n      "s3:GetObject", # reads\n      // by night\n    ]',
        ),
        (
            "m.tf",
            (STATEMENT % '[\n      "s3:GetObject",\n      "s3:PutObject"\n    ]').replace("\n", "\r\n"),
            None,
        ),
        (
            "m.tf",
            STATEMENT % '["s3:GetObject"]' + STATEMENT.replace('"d"', '"e"') % BOTH,
            STATEMENT % '["s3:GetObject"]' + STATEMENT.replace('"d"', '"e"') % '["s3:GetObject"]',
        ),
        (
            "m.tf",
            STATEMENT.replace(
                "\n}\n", '\n\n  # puts\n  statement {\n    actions = ["s3:PutObject"]\n    resources = ["*"]\n  }\n}\n'
            )
            % BOTH,
            None,
        ),
        (
            "m.tf",
            (DYNAMIC % '["s3:List*", "s3:GetObject"]').removesuffix("}\n")
            + STATEMENT[STATEMENT.index("  statement") :] % '["s3:PutObject"]',
            DYNAMIC % '["s3:List*", "s3:GetObject"]',
        ),
        ("m.tf", ROLE % ("Orders", encoded(BOTH)), ROLE % ("Orders", encoded('["s3:GetObject"]'))),
        ("m.tofu", ROLE % ("Orders", encoded(BOTH)), ROLE % ("Orders", encoded('["s3:GetObject"]'))),
        (
            "m.tf",
            ROLE
            % ("Orders", '<<EOF\n{"Statement": [{"Effect": "Allow", "Action": %s, "Resource": "${var.b}"}]}\nEOF')
            % BOTH,
            None,
        ),
        (
            "m.tf.json",
            f'{{"data": {{"aws_iam_policy_document": {{"d": {{"statement": {{"actions": {BOTH}}}}}}}}}}}\n'.replace(
                "]}", '], "resources": ["*"]}'
            ),
            None,
        ),
    ],
)
def test_literal_lists_are_rewritten_in_place(name: str, old: str, new: str | None, tmp_path: Path) -> None:
    answer, text = refined(tmp_path, old, name)
    assert (answer.code, "PutObject" in text, "GetObject" in text) == (0, False, True), answer
    assert "proved" in answer.out
    assert new is None or text == new


def test_a_single_text_becomes_a_list(tmp_path: Path) -> None:
    _, text = refined(tmp_path, ROLE % ("Orders", encoded('"s3:P*Object"')))
    assert text == ROLE % ("Orders", encoded('"s3:P*Object"')) or "s3:PutObject" not in text
    _, text = refined(tmp_path / "2", ROLE % ("Orders", encoded('"s3:*Object"')))
    assert encoded('["s3:DeleteObject", "s3:GetObject", "s3:ReplicateObject", "s3:RestoreObject"]') in text or (
        "Action = [\n" in text and '"s3:RestoreObject",\n' in text
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            ROLE % ("Orders", encoded("local.a")) + f"locals {{\n  a = {BOTH}\n}}\n",
            "local.a (infra/m.tf:6:3) gives it, and only lists that are written out are edited; take it out there",
        ),
        (STATEMENT % f"concat({BOTH}, [])", "concat"),
        (
            DYNAMIC % BOTH,
            "it is written once for several places",
        ),
        (
            STATEMENT % BOTH + ROLE % ("Orders", DOCUMENT) + (ROLE % ("Billing", DOCUMENT)).replace('"p"', '"q"'),
            SHARED,
        ),
        (ROLE % ("Billing", encoded(BOTH)), "left: it is a policy of Billing"),
        (ROLE % ("aws_billing", encoded(BOTH)), "left: it is a policy of aws_billing"),
        (
            ROLE % ("aws_iam_role.r.name", encoded(BOTH)) + 'resource "aws_iam_role" "r" {\n  name = "Billing"\n}\n',
            "left: it is a policy of Billing",
        ),
        (STATEMENT % '["s3:PutObject"]', "a policy cannot be empty"),
    ],
)
def test_all_else_is_told_and_left(text: str, words: str, tmp_path: Path) -> None:
    text = text.replace('"aws_iam_role.r.name"', "aws_iam_role.r.name")
    answer, written = refined(tmp_path, text)
    assert written == text
    assert words in answer.out


def test_a_document_that_another_one_takes_in_is_left(tmp_path: Path) -> None:
    outer = f'data "aws_iam_policy_document" "e" {{\n  source_policy_documents = [{DOCUMENT}]\n}}\n'
    billing = (ROLE % ("Billing", DOCUMENT.replace(".d.", ".e."))).replace('"p"', '"q"')
    text = STATEMENT % BOTH + ROLE % ("Orders", DOCUMENT)
    answer, written = refined(tmp_path / "one", text + outer + billing)
    assert (written, SHARED in answer.out) == (text + outer + billing, True)
    answer, written = refined(tmp_path / "two", text, beside=outer + billing)
    assert (answer.code, written, "left as it is" in answer.out) == (1, text, True)


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    text = ROLE % ("Orders", encoded(BOTH)) + STATEMENT.replace("resources", "resource") % BOTH
    answer, written = refined(tmp_path, text)
    assert (answer.code, written) == (1, text)


def test_what_may_take_from_the_file_and_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    text = STATEMENT % BOTH + ROLE % ("Orders", DOCUMENT)
    outer = f'data "aws_iam_policy_document" "e" {{\n  source_policy_documents = [{DOCUMENT}]\n  wrong = 1\n}}\n'
    answer, written = refined(tmp_path / "one", text, beside=outer)
    assert (answer.code, written, "infra/beside.tf:3:3 cannot be read" in answer.out) == (1, text, True), answer
    answer, written = refined(tmp_path / "two", text, beside=outer.replace(DOCUMENT, "null"))
    assert (answer.code, written == text) == (0, False)
    answer, written = refined(tmp_path / "three", text, beside="locals {")
    assert (answer.code, written, "infra/beside.tf:1:8 cannot be read" in answer.out) == (1, text, True), answer


def test_a_template_is_rewritten_in_place(tmp_path: Path) -> None:
    text = """Resources:
  R:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: [s3:GetObject, s3:PutObject]  # both
            Resource: !Sub "arn:aws:s3:::${AWS::AccountId}/*"
"""
    answer, written = refined(tmp_path, text, "m.yaml")
    assert (answer.code, written) == (0, text.replace(", s3:PutObject", "")), answer
