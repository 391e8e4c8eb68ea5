"""What is the same on both sides of a comparison is not worked out, and the policies that differ stay the same."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard.documents.containers.terraform import units
from policy_guard.documents.containers.terraform.documents import Unit, signature
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.parsed import Parsed
from policy_guard.documents.containers.terraform.settled import settled_addresses
from policy_guard.documents.source import Source
from tests.support.examples import examples

POLICY = (
    'jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = local.acts, Resource = "*" }] })'
)
CHOICES: dict[str, list[str]] = {
    "acts": ['["s3:GetObject"]', '["s3:*"]', "var.acts", 'split(",", file("acts.txt"))'],
    "default": ['["s3:GetObject"]', '["sqs:*"]'],
    "names": ['{ a = "x", b = "y" }', '{ a = "x" }', "{ for each in local.acts : each => each }"],
    "document": ["local.acts", '["s3:GetObject"]', "module.local.given"],
    "secret": [POLICY, "data.aws_iam_policy_document.d.json", "module.local.policy", '"none"', "local.whole"],
    "whole": ["data.aws_iam_policy_document.d.json", '"none"', POLICY],
    "given": ['"s3:GetObject"', "local.acts[0]", "var.acts[0]"],
    "instances": ["", "count = 2", "for_each = local.names", "count = var.acts == [] ? 0 : 1"],
    "remote": ["local.acts", "data.aws_iam_policy_document.d.json", POLICY],
    "used": ["data.aws_iam_policy_document.d.json", POLICY],
    "role": ['"r"', "aws_iam_role.r.name", "local.names.a"],
    "unused": ["var.given", 'file("unused.txt")', "1", "  1"],
    "inner": ["var.given", '"s3:GetObject"', '"s3:*"'],
}
"""What each piece of two folders may be."""


def files(pieces: dict[str, str]) -> dict[str, str]:
    """The texts of a root and of the module that it calls."""
    module = f"""
variable "given" {{}}
data "aws_iam_policy_document" "inner" {{
  statement {{
    actions   = [{pieces["inner"]}]
    resources = ["*"]
  }}
}}
resource "kubernetes_config_map" "inner" {{
  data = {{ policy = data.aws_iam_policy_document.inner.json }}
}}
resource "aws_iam_role_policy" "inner" {{
  role   = "r"
  policy = data.aws_iam_policy_document.inner.json
}}
output "given" {{ value = var.given }}
output "policy" {{ value = data.aws_iam_policy_document.inner.json }}
output "unused" {{ value = {pieces["unused"]} }}
"""
    top = f"""
variable "acts" {{ default = {pieces["default"]} }}
locals {{
  acts  = {pieces["acts"]}
  names = {pieces["names"]}
  whole = {pieces["whole"]}
}}
data "aws_iam_policy_document" "d" {{
  statement {{
    actions   = [{pieces["document"]}]
    resources = ["*"]
  }}
}}
resource "kubernetes_secret" "s" {{
  data = {{ one = {pieces["secret"]}, other = local.names }}
}}
resource "aws_iam_role" "r" {{ name = {pieces["role"]} }}
resource "aws_iam_role_policy" "p" {{
  role   = {pieces["role"]}
  policy = {pieces["used"]}
}}
module "local" {{
  source = "./m"
  given  = {pieces["given"]}
  {pieces["instances"]}
}}
module "remote" {{
  source = "remote/x/aws"
  policy = {pieces["remote"]}
}}
resource "aws_sqs_queue" "q" {{
  name       = module.local.given
  depends_on = [module.local]
}}
"""
    return {"": top, "m": module}


def differing(sides: tuple[dict[str, str], dict[str, str]], files_differ: bool) -> list[list[tuple[str, ...]]]:
    """The policies that may differ, by all that counts of them, but for the documents that nothing uses."""
    parsed, scopes, tops = Parsed(), [], []
    for texts in sides:
        folders = {
            path: Folder(path, {"main.tf": Source(f"{path}/main.tf", text)}, parsed=parsed)
            for path, text in texts.items()
        }
        assert not any(folder.wrong for folder in folders.values())
        tops.append((folders[""], folders.get))
    names = units.changed_variables(tops[0][0], tops[1][0])
    scopes = [units.root(top, get, names) for top, get in tops]
    result = units.differing_units(scopes[0], scopes[1], files_differ)
    return [sorted(map(_row, (each for each in side if ".d." not in f".{each.address}."))) for side in result]


def _row(unit: Unit) -> tuple[str, ...]:
    spots = repr([(spot.source.path, spot.span) for spot in unit.changed])
    return unit.address, unit.holder, signature(unit), repr(unit.problems), unit.principal, unit.attached, spots


@given(st.integers(0, 2**32), st.booleans())
@settings(max_examples=examples(60), deadline=None, derandomize=True)
def test_the_same_policies_differ_whether_or_not_what_is_settled_is_left_out(seed: int, files_differ: bool) -> None:
    draw = Random(seed)
    old = {name: draw.choice(choices) for name, choices in CHOICES.items()}
    new = old | {name: draw.choice(CHOICES[name]) for name in draw.sample(sorted(CHOICES), draw.choice((0, 1, 1, 2)))}
    sides = files(old), files(new)
    left_out = differing(sides, files_differ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "settled_addresses", lambda old, new, files_differ: frozenset())
        assert left_out == differing(sides, files_differ), (old, new)


@pytest.mark.parametrize(
    ("before", "after", "files_differ", "expected"),
    [
        ("1", "1", False, {"aws_x.a", "aws_x.b"}),
        ("1", "2", False, {"aws_x.b"}),
        ('file("f")', 'file("f")', False, {"aws_x.a", "aws_x.b"}),
        ('file("f")', 'file("f")', True, {"aws_x.b"}),
    ],
)
def test_what_refers_to_another_definition_is_not_settled(
    before: str, after: str, files_differ: bool, expected: set[str]
) -> None:
    text = 'locals {{\n  one = local.two\n  two = {}\n}}\nresource "aws_x" "a" {{\n  name = local.one\n}}\n'
    text += 'resource "aws_x" "b" {{}}\n'
    scopes = [
        units.root(Folder("", {"main.tf": Source("main.tf", text.format(each))}), lambda path: None, frozenset())
        for each in (before, after)
    ]
    assert settled_addresses(scopes[0], scopes[1], files_differ) == expected


@pytest.mark.parametrize("has_name", [(False, True), (True, False)])
def test_a_name_that_is_defined_on_one_side_alone_unsettles_what_refers_to_it(has_name: tuple[bool, bool]) -> None:
    text = 'resource "aws_x" "a" {\n  name = local.one\n}\n'
    texts = (text + "locals {\n  one = 1\n}\n" * each for each in has_name)
    scopes = [
        units.root(Folder("", {"main.tf": Source("main.tf", each)}), lambda path: None, frozenset()) for each in texts
    ]
    assert settled_addresses(scopes[0], scopes[1], False) == frozenset()


MODULE = """
output "one" {{ value = aws_x.one.arn }}
output "other" {{ value = aws_x.other.arn }}
resource "aws_x" "one" {{ name = {one} }}
resource "aws_x" "other" {{ name = {other} }}
{more}
"""
OF_MODULE = {"one": '"1"', "other": '"2"', "more": ""}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"one", "other", "whole", "waiting"}),
        ({"one": '"3"'}, {"other", "waiting"}),
        ({"other": '"3"'}, {"one", "waiting"}),
        ({"more": 'resource "aws_x" "more" { name = "more" }'}, {"one", "other", "waiting"}),
        ({"more": 'provider "aws" { region = "eu-west-1" }'}, {"waiting"}),
    ],
)
def test_a_reference_to_an_output_asks_for_that_output_alone(change: dict[str, str], expected: set[str]) -> None:
    top = """module "m" { source = "./m" }
resource "aws_x" "one" { name = module.m.one }
resource "aws_x" "other" { name = module.m.other }
resource "aws_x" "whole" { name = module.m }
resource "aws_x" "waiting" {
  name       = "x"
  depends_on = [module.m]
}
"""
    scopes = []
    for pieces in (OF_MODULE, OF_MODULE | change):
        module = Folder("m", {"main.tf": Source("m/main.tf", MODULE.format(**pieces))})
        scopes.append(units.root(Folder("", {"main.tf": Source("main.tf", top)}), {"m": module}.get, frozenset()))
    addresses = {each for each in settled_addresses(scopes[0], scopes[1], False) if each.startswith("aws_x.")}
    assert addresses == {f"aws_x.{name}" for name in expected}


@pytest.mark.parametrize(
    ("before", "after", "is_settled"),
    [
        ('"x"', '  "x" # the name', True),
        ("[1, 2]", "[\n  1,\n  2,\n]", True),
        ('"x"', '"x "', False),
        ("[1, 2]", "[1, 2, 3]", False),
        ("{ a = 1 }", "{ a = 2 }", False),
        ("{ a = 1 }", "{ b = 1 }", False),
        ('"${local.two}"', '"${local.two ~}"', False),
        ("1", '"1"', False),
    ],
)
def test_other_blanks_unsettle_only_what_they_are_written_in(before: str, after: str, is_settled: bool) -> None:
    text = 'resource "aws_x" "a" {{\n  name = local.one\n}}\nresource "aws_x" "b" {{\n  name = {0}\n}}\n'
    text += "locals {{\n  one = {0}\n  two = 2\n}}\n"
    scopes = [
        units.root(Folder("", {"main.tf": Source("main.tf", text.format(each))}), lambda path: None, frozenset())
        for each in (before, after)
    ]
    assert settled_addresses(scopes[0], scopes[1], False) == ({"aws_x.a"} if is_settled else frozenset())


def test_too_much_to_follow_settles_nothing() -> None:
    text = 'resource "aws_x" "a" {\n  name = "a"\n}\n'
    scopes = [
        units.root(Folder("", {"main.tf": Source("main.tf", text)}), lambda path: None, frozenset()) for _ in range(2)
    ]
    scopes[1].looks[0] = 0
    assert settled_addresses(scopes[0], scopes[1], False) == frozenset()
