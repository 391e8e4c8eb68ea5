"""Policies in languages that are not read: the output names the files, and claims nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import NARROW, Scratch

DOCUMENT = 'data "aws_iam_policy_document" "a" {\n  statement {\n    actions = ["s3:GetObject"]\n  }\n}\n'


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    repository = Scratch(tmp_path)
    repository.commit(**{"main.tf": DOCUMENT, "variables.tf": 'variable "name" {}\n', "iam/a.json": NARROW})
    return repository


def test_a_changed_document_is_judged(scratch: Scratch) -> None:
    scratch.write("main.tf", DOCUMENT.replace("s3:GetObject", "*"))
    answer = scratch.guard("check")
    assert answer.code == 1
    assert "main.tf:" in answer.out and "not checked" not in answer.out


def test_all_judges_those_that_did_not_change(scratch: Scratch) -> None:
    out = scratch.guard("check", "--all").out
    assert "2 policies" in out and "not checked" not in out


@pytest.mark.parametrize(
    ("path", "text"),
    [("variables.tf", 'variable "other" {}\n'), ("notes.md", DOCUMENT)],
    ids=["without a policy", "another language"],
)
def test_what_holds_no_policy_is_not_named(scratch: Scratch, path: str, text: str) -> None:
    scratch.write(path, text)
    assert "not checked" not in scratch.guard("check").out


def test_what_is_excluded_is_named_as_that_alone(scratch: Scratch) -> None:
    scratch.commit(**{".policy-guard.yaml": 'version: 1\nexclude: ["**/*.tf"]\n'})
    scratch.write("main.tf", DOCUMENT.replace("s3:GetObject", "*"))
    answer = scratch.guard("check")
    assert answer.code == 0 and "not checked: main.tf: excluded by the settings\n" in answer.out


def test_a_changed_file_of_another_tool_is_named(scratch: Scratch) -> None:
    scratch.write("terragrunt.hcl", "inputs = {\n  policy = jsonencode({ Statement = [] })\n}\n")
    answer = scratch.guard("check")
    assert answer.code == 0
    assert "not checked: terragrunt.hcl: contains policies in HCL that is not Terraform's" in answer.out
    assert "no policy checked since" in answer.out and "; 1 file not checked" in answer.out


@pytest.mark.parametrize("path", ["live/terragrunt.hcl", "stack.tfdeploy.hcl"])
def test_a_changed_file_that_gives_values_in_other_hcl_is_named(scratch: Scratch, path: str) -> None:
    scratch.write(path, "inputs = {\n  size = 1\n}\n")
    answer = scratch.guard("check")
    assert answer.code == 0
    assert f"not checked: {path}: gives values to Terraform in HCL that is not Terraform's" in answer.out


def test_a_changed_file_of_values_is_named(scratch: Scratch) -> None:
    scratch.write("prod.tfvars", 'r = "*"\n')
    answer = scratch.guard("check")
    assert "not checked: prod.tfvars: gives values to Terraform of which no folder here declares" in answer.out
    scratch.write("prod.auto.tfvars", 'r = "*"\n')
    assert "prod.auto.tfvars" not in scratch.guard("check").out


PARAMETERS = {
    "parameters.json": '[{"ParameterKey": "Actions", "ParameterValue": "%s"}]',
    "parameters.yaml": "- ParameterKey: Actions\n  ParameterValue: '%s'\n",
    "prod.json": '{"Parameters": {"Actions": "%s"}}',
    "samconfig.toml": '[default.deploy.parameters]\nparameter_overrides = "Actions=%s"\n',
    "prod.tfvars.json": '{"actions": "%s"}',
}


@pytest.mark.parametrize("path", PARAMETERS)
def test_a_changed_file_of_parameters_is_named(scratch: Scratch, path: str) -> None:
    scratch.commit(**{path: PARAMETERS[path] % "s3:GetObject"})
    scratch.write(path, PARAMETERS[path] % "*")
    answer = scratch.guard("check")
    assert answer.code == 0 and f"not checked: {path}: gives values to " in answer.out
    assert "no policy checked since" in answer.out and "; 1 file not checked" in answer.out
    scratch.commit()
    assert path not in scratch.guard("check", "--all").out


def test_a_template_with_parameters_is_none(scratch: Scratch) -> None:
    text = '{"Parameters": {"A": {"Type": "String"}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    scratch.write("template.json", text)
    assert "not checked" not in scratch.guard("check").out


def test_many_blank_lines_take_no_time(scratch: Scratch) -> None:
    scratch.write("blank.yaml", "\n" * 400_000 + "a: 1\n")
    assert scratch.guard("check").code == 0
