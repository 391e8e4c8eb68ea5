"""Random modules of Terraform about one policy, changes of them, and what they come to with all variables given."""

from __future__ import annotations

import json
from itertools import product
from random import Random
from typing import TypeAlias

VALUES: dict[str, list[object]] = {
    "name": ["a", "b", "*", "other"],
    "on": [True, False],
    "acts": [[], ["s3:GetObject"], ["s3:*"], ["iam:PassRole", "s3:PutObject"]],
}
"""What variables may be."""
Pieces: TypeAlias = "dict[str, str]"
"""A module by what of it changes on its own."""
World: TypeAlias = "tuple[tuple[str, object], ...]"
"""The values of variables; None for one that is left at its default."""

_STATEMENT = """
    actions   = local.acts
    resources = local.names
"""
_CHOICES: dict[str, list[str]] = {
    "name": ["", 'default = "a"', 'default = "b"', 'default = "*"'],
    "on": ["", "default = true", "default = false"],
    "acts": ["", 'default = ["s3:GetObject"]', 'default = ["s3:*"]', "default = []"],
    "local acts": [
        '["s3:GetObject"]',
        '["s3:GetObject", "s3:PutObject"]',
        'concat(["s3:GetObject"], var.acts)',
        'var.on ? ["s3:*"] : ["s3:GetObject"]',
        '[for act in concat(var.acts, ["s3:GetObject"]) : act]',
        'distinct(["s3:GetObject", "s3:GetObject"])',
        'flatten([["s3:PutObject"], [var.on ? "s3:GetObject" : "s3:PutObject"]])',
        'setunion(["s3:GetObject"], var.on ? ["s3:PutObject"] : ["s3:GetObject"])',
    ],
    "local names": [
        '["arn:aws:s3:::${var.name}/*"]',
        '["arn:aws:s3:::a/*"]',
        'formatlist("arn:aws:s3:::%s/*", [var.name, "b"])',
        'var.name == "a" ? ["*"] : ["arn:aws:s3:::a/*"]',
        '["arn:aws:s3:::${var.on ? "a" : var.name}/*", "arn:aws:s3:::b"]',
        '[for i, name in toset(["b", "a"]) : "arn:aws:s3:::${i}/${name}"]',
    ],
    "head": ["", 'sid = "One"', 'effect = "Deny"', 'sid    = "Two"\n    effect = var.on ? "Allow" : "Deny"'],
    "more": [
        "",
        'statement {\n    sid       = "Two"\n    actions   = ["sqs:SendMessage"]\n    resources = ["*"]\n  }',
        'statement {\n    effect    = "Deny"\n    actions   = ["s3:PutObject"]\n    resources = local.names\n  }',
        'dynamic "statement" {\n    for_each = local.acts\n    content {\n      actions   = [statement.value]\n'
        '      resources = ["arn:aws:s3:::c"]\n    }\n  }',
        'dynamic "statement" {\n    for_each = var.on ? ["sns:Publish"] : []\n    content {\n'
        '      actions   = [statement.value]\n      resources = ["*"]\n    }\n  }',
    ],
    "sources": [
        "",
        "source_policy_documents = [data.aws_iam_policy_document.base.json]",
        "override_policy_documents = [data.aws_iam_policy_document.base.json]",
        "source_policy_documents = var.on ? [data.aws_iam_policy_document.base.json] : []",
    ],
    "base": [
        'sid       = "One"\n    actions   = ["sqs:ReceiveMessage"]\n    resources = ["*"]',
        'sid       = "One"\n    effect    = "Deny"\n    actions   = ["s3:*"]\n    resources = ["*"]',
        'sid       = "Two"\n    actions   = ["sqs:ReceiveMessage"]\n    resources = ["arn:aws:sqs:::${var.name}"]',
    ],
    "policy": [
        "data.aws_iam_policy_document.main.json",
        "data.aws_iam_policy_document.main.json",
        "var.on ? data.aws_iam_policy_document.main.json : data.aws_iam_policy_document.base.json",
        'jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = local.acts,'
        " Resource = local.names }] })",
        '<<-END\n    {"Version": "2012-10-17", "Statement": [\n    %{ if var.on ~}\n'
        '    {"Effect": "Deny", "Action": "s3:Put*", "Resource": "*"},\n    %{ endif ~}\n'
        '    {"Effect": "Allow", "Action": ${jsonencode(local.acts)}, "Resource": "arn:aws:s3:::${var.name}"}]}\n  END',
    ],
    "number": ["", "", "count = var.on ? 1 : 0", 'count = var.name == "a" ? 0 : 1', 'for_each = toset(["x"])'],
}
TYPES = {"name": "string", "on": "bool", "acts": "list(string)"}


def module(draw: Random) -> Pieces:
    return {name: draw.choice(choices) for name, choices in _CHOICES.items()}


def changed(draw: Random, pieces: Pieces) -> Pieces:
    """The module with one or two of its pieces drawn again."""
    names = draw.sample(sorted(_CHOICES), draw.choice((1, 1, 2)))
    return {**pieces, **{name: draw.choice(_CHOICES[name]) for name in names}}


def text(pieces: Pieces) -> str:
    """The module as a file."""
    variables = "".join(f'variable "{name}" {{\n  {pieces[name]}\n}}\n' for name in VALUES)
    return variables + _body(pieces)


def filled(pieces: Pieces, world: World) -> str | None:
    """The module with the values of a world in place of its variables; None if one has none."""
    lines = []
    for name, value in world:
        default = pieces[name].removeprefix("default = ")
        if value is None and not default:
            return None
        lines.append(f"  v_{name} = {json.dumps(value) if value is not None else default}")
    return "locals {\n" + "\n".join(lines) + "\n}\n" + _body(pieces).replace("var.", "local.v_")


def texts_alone(pieces: Pieces, world: World) -> str | None:
    """The locals of the module with the values of a world, and its policy among them if no data source makes it."""
    full = filled({**pieces, "number": "", "sources": ""}, world)
    if full is None or "data." in pieces["policy"]:
        return None
    policy = pieces["policy"].replace("var.", "local.v_")
    return f"{full[: full.index('data ')]}locals {{\n  policy = {policy}\n}}\n"


def worlds(draw: Random, count: int) -> list[World]:
    choices = [[(name, value) for value in (*values, None)] for name, values in VALUES.items()]
    return draw.sample(list(product(*choices)), count)


def _body(pieces: Pieces) -> str:
    return f"""
locals {{
  acts  = {pieces["local acts"]}
  names = {pieces["local names"]}
}}
data "aws_iam_policy_document" "base" {{
  statement {{
    {pieces["base"]}
  }}
}}
data "aws_iam_policy_document" "main" {{
  {pieces["sources"]}
  statement {{
    {pieces["head"]}{_STATEMENT}  }}
  {pieces["more"]}
}}
resource "aws_iam_policy" "p" {{
  {pieces["number"]}
  name   = "p"
  policy = {pieces["policy"]}
}}
"""
