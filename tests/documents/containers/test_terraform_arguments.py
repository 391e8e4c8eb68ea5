"""Every argument of AWS resources that takes a policy, or names one, is judged as one of its kind."""

from __future__ import annotations

import re

import pytest

from policy_guard.documents.containers.cloudformation.places import places
from policy_guard.documents.containers.terraform.documents import Unit
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.units import all_units, root
from policy_guard.documents.containers.terraform.uses import kind_of, takes_boundary, takes_name, takes_policy
from policy_guard.documents.containers.terraform.values import name_of
from policy_guard.documents.source import Source
from tests.support.places import ROOT

HEAD, *LINES = (ROOT / "policy_guard/documents/containers/terraform/arguments.txt").read_text().splitlines()
ROWS = [tuple(line.split(" ")) for line in LINES]
KINDS = {"identity", "resource", "trust", "session", "endpoint", "organizations", "attached", "boundary", "none"}
# Of one provider alone, or told and not set.
LEFT_OUT = ("AWS::Logs::LogGroup ResourcePolicyDocument", "AWS::ODB::OdbNetwork ManagedServices.")
DOCUMENT = """
data "aws_iam_policy_document" "x" {
  statement {
    actions   = ["s3:Marker"]
    resources = ["*"]
  }
}
"""


def nested(type_: str, path: str, value: str) -> str:
    """A resource with a value at a path: of blocks for one provider, and of lists and mappings for the other."""
    *outer, name = path.split(".")
    text = f"{name} = {value}"
    for block in reversed(outer):
        text = f"{block} = [{{\n{text}\n}}]" if type_.startswith("awscc_") else f"{block} {{\n{text}\n}}"
    return f'resource "{type_}" "x" {{\n{text}\n}}\n'


def units(text: str) -> tuple[Unit, ...]:
    folder = Folder("", {"main.tf": Source("main.tf", text)})
    assert not folder.wrong
    return all_units(root(folder, lambda path: None, frozenset()))


def test_the_list_names_its_versions_and_is_in_order() -> None:
    assert re.fullmatch(r"# aws/\d+\.\d+\.\d+ of \d{4}-\d\d-\d\d, awscc/\d+\.\d+\.\d+ of \d{4}-\d\d-\d\d", HEAD)
    assert sorted(set(LINES)) == LINES
    assert len({(type_, path) for type_, path, _ in ROWS}) == len(ROWS) and {kind for *_, kind in ROWS} == KINDS


@pytest.mark.parametrize(
    ("type_", "path", "kind"), [row for row in ROWS if row[2] not in ("none", "attached", "boundary")]
)
def test_a_document_that_an_argument_takes_is_judged_as_one_of_its_kind(type_: str, path: str, kind: str) -> None:
    text = DOCUMENT + nested(type_, path, "data.aws_iam_policy_document.x.json")
    (unit,) = [unit for unit in units(text) if unit.policy and "s3:Marker" in name_of(unit.policy.node)]
    assert unit.policy is not None and unit.policy.kind == ("scp" if kind == "organizations" else kind)
    assert unit.address.startswith(f"{type_}.x.")


@pytest.mark.parametrize(("type_", "path"), [row[:2] for row in ROWS if row[2] == "attached"])
def test_a_policy_that_an_argument_names_counts_with_its_document(type_: str, path: str) -> None:
    arn = '"arn:aws:iam::aws:policy/AdministratorAccess"'
    text = nested(type_, path, f"[{arn}]" if path.endswith("s") else arn)
    found = units(text.replace("{", '{\nroles = ["r"]', 1))
    assert any(unit.policy and "AdministratorAccess" not in name_of(unit.policy.node) for unit in found)


def test_what_is_no_policy_is_not_judged() -> None:
    assert not [row for row in ROWS if row[2] == "none" and (takes_policy(*row[:2]) or takes_name(*row[:2]))]
    assert all(takes_boundary(type_, path) for type_, path, kind in ROWS if kind == "boundary")


@pytest.mark.parametrize(
    ("type_", "path", "is_policy", "is_name"),
    [
        ("aws_thing_of_tomorrow", "policy", True, False),
        ("aws_thing_of_tomorrow", "details.resource_policy_document", True, False),
        ("aws_thing_of_tomorrow", "managed_policy_arns", False, True),
        ("aws_thing_of_tomorrow", "policy_name", False, False),
        ("google_thing", "policy", False, False),
    ],
)
def test_what_a_newer_provider_takes_counts_by_its_name(type_: str, path: str, is_policy: bool, is_name: bool) -> None:
    assert (takes_policy(type_, path), takes_name(type_, path)) == (is_policy, is_name)
    assert kind_of(type_, path) == ("resource" if is_policy else None)


def test_the_list_has_all_that_cloudformation_has() -> None:
    """What awscc takes from CloudFormation under the same names; it leaves out what it cannot make."""
    listed = {(type_.replace("_", ""), path.replace("_", "")): kind for type_, path, kind in ROWS}
    types = {type_ for type_, _ in listed}
    missing = []
    for name, each in places().items():
        type_ = f"awscc{name.removeprefix('AWS::').replace('::', '').lower()}"
        for place in each:
            path = place.path.replace("[]", "").lower()
            if type_ in types and listed.get((type_, path)) != place.kind:
                missing.append(f"{name} {place.path}")
    assert [each for each in missing if not each.startswith(LEFT_OUT)] == []
