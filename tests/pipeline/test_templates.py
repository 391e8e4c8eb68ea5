"""Two versions of a template: what passes, and what fails at which line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.places import FIXTURES
from tests.support.repository import Answer, Scratch

CASES = FIXTURES / "templates"


def _cases(which: str) -> list[object]:
    return [pytest.param(folder, id=folder.name) for folder in sorted((CASES / which).iterdir())]


def _compared(folder: Path, place: Path) -> Answer:
    scratch = Scratch(place)
    scratch.write("t.yaml", (folder / "old.yaml").read_text())
    scratch.commit()
    scratch.write("t.yaml", (folder / "new.yaml").read_text())
    return scratch.guard("check", "--format", "json")


@pytest.mark.parametrize("folder", _cases("passes"))
def test_a_change_that_grants_nothing_new_passes(folder: Path, tmp_path: Path) -> None:
    answer = _compared(folder, tmp_path)
    assert (answer.code, json.loads(answer.out)["findings"]) == (0, [])


@pytest.mark.parametrize("folder", _cases("fails"))
def test_a_change_that_grants_more_fails_at_its_line(folder: Path, tmp_path: Path) -> None:
    answer = _compared(folder, tmp_path)
    assert answer.code == 1
    lines = [finding["line"] for finding in json.loads(answer.out)["findings"]]
    assert int((folder / "line").read_text()) in lines, answer


TEMPLATE = """
Parameters:
  Stage: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Reader:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - {Effect: Allow, Action: 's3:GetObject', Resource: !Sub '${Bucket.Arn}/${Stage}/*'}
              - !If [IsProd, {Effect: Allow, Action: 'sqs:Send*', Resource: '*'}, !Ref 'AWS::NoValue']
  Bucket: {Type: AWS::S3::Bucket}
"""
INCLUDED = """
  Included:
    Type: AWS::IAM::ManagedPolicy
    Properties: {PolicyDocument: {Fn::Transform: {Name: 'AWS::Include'}}}
"""


def test_the_list_says_where_each_policy_stands_whose_it_is_and_how_far_it_is_read(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("t.yaml", TEMPLATE + INCLUDED)
    assert scratch.guard("list").out.splitlines() == [
        "t.yaml Resources.Reader.AssumeRolePolicyDocument: trust of ${Reader}, in a template, readable",
        "t.yaml Resources.Reader: identity of Role ${Reader}, in a template, readable, "
        "unknown parts: Bucket, Stage, choices: IsProd holds (Stage is prod)",
        "t.yaml Resources.Included.PolicyDocument: in a template, unreadable at line 24: "
        "Fn::Transform may insert anything here; write the resulting value",
        "3 policies",
    ]


@pytest.mark.parametrize(("before", "after"), [("'s3:GetObject'", "'s3:*'"), ("'sqs:Send*'", "'sqs:*'")])
def test_what_is_accepted_of_a_template_passes_and_nothing_else(before: str, after: str, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"t.yaml": TEMPLATE})
    scratch.write("t.yaml", TEMPLATE.replace(before, after))
    assert scratch.guard("accept", "--reason", "reviewed").code == 0
    scratch.write("t.yaml", TEMPLATE)
    scratch.commit()
    scratch.write("t.yaml", TEMPLATE.replace(before, after))
    assert scratch.guard("check").code == 0
    scratch.write("t.yaml", TEMPLATE.replace(before, "'*'"))
    assert scratch.guard("check").code == 1


def test_the_default_that_decides_a_text_is_shown_beside_it(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    template = TEMPLATE.replace("Stage: {Type: String}", "Stage: {Type: String, Default: dev}")
    scratch.commit(**{"t.yaml": template})
    scratch.write("t.yaml", template.replace("Default: dev", "Default: '*'"))
    (finding,) = json.loads(scratch.guard("check", "--format", "json").out)["findings"]
    assert finding["line"] == 18
    assert 3 in [related["line"] for related in finding["related"]]


def test_a_template_without_a_policy_is_held_against_one_with_some(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    without = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Bucket: {Type: AWS::S3::Bucket}\n"
    scratch.commit(**{"t.yaml": TEMPLATE})
    scratch.write("t.yaml", without)
    assert scratch.guard("check").code == 0
    scratch.commit()
    scratch.write("t.yaml", TEMPLATE)
    assert scratch.guard("check").code == 1


def test_two_templates_are_compared_without_git(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("old.yaml", TEMPLATE)
    scratch.write("new.yaml", TEMPLATE.replace("'s3:GetObject'", "'s3:*'"))
    assert scratch.guard("compare", "old.yaml", "new.yaml").code == 1
    assert scratch.guard("compare", "old.yaml", "old.yaml").code == 0


def test_a_managed_policy_of_several_roles_is_told_of_once_and_accepted_for_each(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    template = """
Resources:
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Roles: [one, two]
      PolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Action: 's3:GetObject', Resource: '*'}]}
"""
    scratch.commit(**{"t.yaml": template})
    scratch.write("t.yaml", template.replace("s3:GetObject", "s3:*"))
    assert len(json.loads(scratch.guard("check", "--format", "json").out)["findings"]) == 1
    scratch.guard("accept", "--reason", "reviewed")
    assert len(list((tmp_path / ".policy-guard" / "accepted").iterdir())) == 2


GROUP = "  G: {Type: AWS::IAM::Group, Properties: {ManagedPolicyArns: [%s]}}\n"
ADMINISTRATOR = GROUP % "arn:aws:iam::aws:policy/AdministratorAccess"
MARKED = "Resources:\n  T: {Type: AWS::SNS::Topic}\n"
PROGRAM = """'{{ "a\\x27\\nResources: {G: {Type: AWS::IAM::Group}}\\nX: \\x27" }}'"""
OF_MARKS = {
    "marks around a resource go": (
        f"{MARKED}  # {{% if false %}}\n{ADMINISTRATOR}  # {{% endif %}}\n",
        MARKED + ADMINISTRATOR,
        1,
    ),
    "marks of Ruby around a resource go": (
        f"{MARKED}  # <% if false %>\n{ADMINISTRATOR}  # <% end %>\n",
        MARKED + ADMINISTRATOR,
        1,
    ),
    "marks at the end of lines go": (
        MARKED.replace("\n  T", " # {% if false %}\n  T") + ADMINISTRATOR,
        MARKED + ADMINISTRATOR,
        1,
    ),
    "a mark behind a long comment goes": (
        f"{MARKED}  # {'x' * 2_000} {{% if false %}}\n{ADMINISTRATOR}",
        f"{MARKED}  # {'x' * 2_000}\n{ADMINISTRATOR}",
        1,
    ),
    "a variable is set to something else": (
        "Description: \"{% set p = 'ReadOnlyAccess' %}\"\n" + MARKED + GROUP % "'arn:aws:iam::aws:policy/{{ p }}'",
        "Description: \"{% set p = 'AdministratorAccess' %}\"\n" + MARKED + GROUP % "'arn:aws:iam::aws:policy/{{ p }}'",
        1,
    ),
    "a program writes resources": (f"Description: 'a'\n{MARKED}", f"Description: {PROGRAM}\n{MARKED}", 1),
    "another name in a description": (
        f"Description: '{{{{ a }}}}'\n{MARKED}{ADMINISTRATOR}",
        f"Description: '{{{{ b | upper }}}}'\n{MARKED}{ADMINISTRATOR}",
        0,
    ),
    "marks around a topic in a template that grants nothing": (
        f"{MARKED}  # {{% if a %}}\n  U: {{Type: AWS::SNS::Topic}}\n  # {{% endif %}}\n",
        f"{MARKED}  U: {{Type: AWS::SNS::Topic}}\n",
        0,
    ),
}


def _of_marks(case: str, path: str, place: Path) -> int:
    scratch = Scratch(place)
    scratch.write(path, OF_MARKS[case][0])
    scratch.commit()
    scratch.write(path, OF_MARKS[case][1])
    return scratch.guard("check").code


@pytest.mark.parametrize("case", OF_MARKS)
def test_marks_of_template_engines_are_known_by_their_text_and_place(case: str, tmp_path: Path) -> None:
    assert _of_marks(case, "t.yaml.j2", tmp_path) == OF_MARKS[case][2]


@pytest.mark.parametrize("case", [name for name in OF_MARKS if name.startswith(("marks", "a mark"))])
def test_marks_in_comments_count_under_any_name(case: str, tmp_path: Path) -> None:
    assert _of_marks(case, "t.yaml", tmp_path) == OF_MARKS[case][2]
