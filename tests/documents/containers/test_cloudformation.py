"""Policies in templates: what functions come to, under which choices, where each stands, and what cannot be told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.evaluate import Changes, Evaluator
from policy_guard.documents.containers.cloudformation.parts import HIDDEN, Value
from policy_guard.documents.containers.cloudformation.places import places
from policy_guard.documents.containers.cloudformation.template import Template, is_template, read_template
from policy_guard.documents.containers.cloudformation.units import all_units, differing_units
from policy_guard.documents.format import sniff
from policy_guard.documents.formats import read
from policy_guard.documents.source import Array, Hole, Node, Object, Scalar, Source, scalars

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
SECTIONS = """
Parameters:
  Stage: {Type: String, Default: dev}
  Names: {Type: CommaDelimitedList}
  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /image}
Mappings:
  Map: {all: {name: logs, names: [a, b]}, other: {name: logs, names: [c]}}
  Regions: {eu-west-1: {name: one}, us-east-1: {name: two}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Bucket: {Type: 'AWS::S3::Bucket'}
  Named: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub 'x-${Stage}'}}
  User: {Type: 'AWS::IAM::User', Properties: {UserName: u, Path: /team/}}
"""


def template(text: str) -> Template:
    source = Source("t.yaml", text)
    (document,) = read(source)
    assert isinstance(document, Object)
    return read_template(source, document)


def policy(document: Any, **properties: Any) -> list[Unit]:
    """The units of a template with one managed policy."""
    given = {"PolicyDocument": document, **properties}
    text = json.dumps({"Resources": {"M": {"Type": "AWS::IAM::ManagedPolicy", "Properties": given}}})
    return list(all_units(template(text), grants=False))


def statements(unit: Unit) -> list[Object]:
    assert unit.policy is not None and isinstance(unit.policy.node, Object), unit.problems
    found = unit.policy.node.get("Statement")
    assert isinstance(found, Array)
    return [each for each in found.items if isinstance(each, Object)]


def shown(node: Node) -> Any:
    """A value in lists of texts, holes as people see them."""
    if isinstance(node, Array):
        return list(map(shown, node.items))
    assert isinstance(node, Scalar)
    return node.text


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("!Ref Stage", "${Stage}"),
        ("!Ref Image", "${Image by SSM}"),
        ("!Ref AWS::AccountId", "${AWS::AccountId}"),
        ("!Ref AWS::Partition", "aws"),
        ("!Ref Elsewhere", "${Elsewhere}"),
        ("!GetAtt Bucket.Arn", "arn:aws:s3:::${Bucket}"),
        ("!GetAtt [Bucket, Arn]", "arn:aws:s3:::${Bucket}"),
        ("!GetAtt Named.Arn", "arn:aws:s3:::x-${Stage}"),
        ("!GetAtt User.Arn", "arn:aws:iam::${AWS::AccountId}:user/team/u"),
        ("!Ref User", "u"),
        ("!Sub 'a-${Stage}-${!Stage}-${Bucket.Arn}'", "a-${Stage}-${Stage}-arn:aws:s3:::${Bucket}"),
        ("!Sub ['${Own}-${ Stage }', {Own: !Ref Named}]", "x-${Stage}-${Stage}"),
        ("!Sub '{{resolve:ssm:/${Stage}/x}}'", "${{{resolve:ssm:/${Stage}/x}}}"),
        ("!Join ['-', [a, !Ref Stage, !Ref AWS::NoValue, b]]", "a-${Stage}-b"),
        ("!Join [',', !Ref Names]", "${Join of Names}"),
        ("!Select ['1', [a, b]]", "b"),
        ("!Select [0, !Split ['-', a-b]]", "a"),
        ("!Select [0, !Split ['-', !Ref Stage]]", "${Select 0}"),
        ("!Split [',', 'a,b']", ["a", "b"]),
        ("!Split [',', !Join [',', [!Join [',', !Ref Names], c]]]", ["${Names}", "c"]),
        ("!FindInMap [Map, all, name]", "logs"),
        ("!FindInMap [Map, all, names]", ["a", "b"]),
        ("!FindInMap [Map, !Ref Stage, name]", "logs"),
        ("!FindInMap [Regions, !Ref AWS::Region, name]", "${FindInMap Regions ${AWS::Region} name}"),
        ("!FindInMap [Map, none, name, {DefaultValue: d}]", "d"),
        ("!ImportValue x", "${ImportValue x}"),
        ("{Fn::Length: [a, b]}", "2"),
        ("!Base64 a", "${Base64}"),
        ("!GetAZs ''", "${GetAZs}"),
    ],
)
def test_a_function_comes_to_what_the_template_says(written: str, value: Any) -> None:
    read_back = template(f"{SECTIONS}\nX: {written}\n")
    node = read_back.root.get("X")
    assert node is not None
    found = Evaluator(read_back, Changes(), {}).value(node)
    assert not isinstance(found, type(None))
    assert shown(found) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{Type: 'AWS::SQS::Queue'}", "{Type: 'AWS::SNS::Topic'}"),
        ("{Type: 'AWS::Glue::Job', Properties: {Name: a}}", "{Type: 'AWS::Glue::Job', Properties: {Name: b}}"),
        ("{Type: 'Custom::X', Properties: {Any: a}}", "{Type: 'Custom::X', Properties: {Any: b}}"),
        (
            "{Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: a}}",
            "{Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: b}}",
        ),
    ],
)
def test_a_resource_that_is_another_one_has_another_name(one: str, other: str) -> None:
    names = []
    for resource in (one, other, one):
        read_back = template(f"Resources:\n  X: {resource}\nY: !GetAtt X.Arn\n")
        node = read_back.root.get("Y")
        assert node is not None
        value = Evaluator(read_back, Changes(), {}).value(node)
        assert isinstance(value, Scalar) and value.parts is not None
        names += [part.name for part in value.parts if isinstance(part, Hole)]
    assert names[0] == names[2] != names[1]
    assert {name.partition(HIDDEN)[0] for name in names} == {"X.Arn"}


def test_no_text_of_the_file_is_a_hole() -> None:
    (unit,) = policy({"Version": "2012-10-17", "Statement": [{**ALLOW, "Resource": "arn:aws:s3:::${Stage}/<x>"}]})
    (statement,) = statements(unit)
    holes = [part for scalar in scalars(statement) for part in scalar.parts or () if isinstance(part, Hole)]
    assert not holes


def test_a_choice_becomes_statements_under_guards_that_exclude_each_other() -> None:
    text = f"""{SECTIONS}
  M:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: !If [IsProd, 's3:GetObject', 's3:*']
            Resource: !If [IsProd, a, b]
"""
    (unit,) = all_units(template(text), grants=False)
    found = [(shown(s.get("Action")), shown(s.get("Resource")), s.guards) for s in statements(unit)]  # type: ignore[arg-type]
    assert [(action, resource) for action, resource, _ in found] == [("s3:GetObject", "a"), ("s3:*", "b")]
    (when,), (otherwise,) = (guards for *_, guards in found)
    assert (when.key, when.values, when.negated) == ("Stage", ("prod",), False)
    assert (otherwise.key, otherwise.values, otherwise.negated) == ("Stage", ("prod",), True)
    assert (when.words, otherwise.words) == (
        "IsProd holds (Stage is prod)",
        "IsProd does not hold (Stage is not prod)",
    )


def test_a_choice_between_what_says_the_same_is_none() -> None:
    text = f"""{SECTIONS}
  M:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {{Version: '2012-10-17', Statement: &s [{{Effect: Allow, Action: 's3:*', Resource: '*'}}]}}
  N:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {{Version: '2012-10-17', Statement: !If [IsProd, *s, *s]}}
"""
    units = list(all_units(template(text), grants=False))
    assert [statement.guards for unit in units for statement in statements(unit)] == [(), ()]


@pytest.mark.parametrize(
    "document",
    [
        {"Fn::Transform": {"Name": "AWS::Include"}},
        {"Version": "2012-10-17", "Statement": {"Fn::Transform": {"Name": "AWS::Include"}}},
        {"Version": "2012-10-17", "Statement": [{"Fn::Mine": "x"}]},
        {"Ref": "Somewhere"},
        {"Fn::Sub": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ${X}}]}'},
        {"Version": {"Fn::If": ["A", "2012-10-17", "2008-10-17"]}, "Statement": [ALLOW]},
        {
            "Version": "2012-10-17",
            "Statement": [{**ALLOW, "Resource": [{"Fn::If": [f"C{n}", "a", "b"]} for n in range(9)]}],
        },
        {"Version": "2012-10-17", "Statement": {"Fn::GetAtt": ["A", "B"]}},
    ],
)
def test_what_cannot_be_told_is_a_problem(document: Any) -> None:
    units = policy(document)
    assert [unit.policy for unit in units] == [None]
    assert all(unit.problems for unit in units)


def test_places_in_a_text_of_json_are_those_of_the_file() -> None:
    text = """Resources:
  M:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: !Join
        - ''
        - - '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",'
          - '"Action": "s3:GetObject", "Resource": "arn:aws:s3:::'
          - !Ref Bucket
          - '/*"}]}'
"""
    (unit,) = all_units(template(text), grants=False)
    (statement,) = statements(unit)
    source = Source("t.yaml", text)
    action, resource = statement.get("Action"), statement.get("Resource")
    assert isinstance(action, Scalar) and isinstance(resource, Scalar)
    assert source.position(action.span.start).line == 8
    assert text[slice(*action.span)] == '"s3:GetObject"'
    assert resource.text == "arn:aws:s3:::${Bucket}/*"


def test_a_loop_over_a_list_is_written_out() -> None:
    text = """Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Roles:
    - Name
    - [One, Two]
    - Role${Name}:
        Type: AWS::IAM::ManagedPolicy
        Properties:
          PolicyDocument:
            Version: '2012-10-17'
            Statement: {Effect: Allow, Action: 's3:GetObject', Resource: !Sub 'arn:aws:s3:::${Name}-${Other}'}
"""
    units = list(all_units(template(text), grants=False))
    assert [unit.address for unit in units] == [f"Resources.Role{name}.PolicyDocument" for name in ("One", "Two")]
    assert [shown(s.get("Resource")) for unit in units for s in statements(unit)] == [  # type: ignore[arg-type]
        "arn:aws:s3:::One-${Other}",
        "arn:aws:s3:::Two-${Other}",
    ]


def test_only_resources_are_read_that_changed_or_speak_of_what_did() -> None:
    text = f"""{SECTIONS}
  Uses: {{Type: 'AWS::SQS::QueuePolicy', Properties: {{Queues: [a], PolicyDocument: !Ref Stage}}}}
  Apart: {{Type: 'AWS::SQS::QueuePolicy', Properties: {{Queues: [b], PolicyDocument: !Ref Other}}}}
"""
    sides = differing_units(template(text), template(text.replace("Default: dev", "Default: prod")))
    assert {unit.address.split(".")[1] for unit in sides.new} == {"Uses", "Named"} - {"Named"}


def test_the_places_of_policies_are_those_that_people_know() -> None:
    known = {(name, place.path, place.kind) for name, each in places().items() for place in each}
    assert {
        ("AWS::IAM::Role", "AssumeRolePolicyDocument", "trust"),
        ("AWS::IAM::Role", "Policies[].PolicyDocument", "identity"),
        ("AWS::S3::BucketPolicy", "PolicyDocument", "resource"),
        ("AWS::KMS::Key", "KeyPolicy", "resource"),
        ("AWS::EC2::VPCEndpoint", "PolicyDocument", "endpoint"),
        ("AWS::Organizations::Policy", "Content", "organizations"),
    } <= known
    assert all(place.kind for _, _, place in [(n, e, p) for n, e in places().items() for p in e])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AWSTemplateFormatVersion: '2010-09-09'\nResources: {A: {}}", True),
        ("Resources: {A: {Type: 'AWS::S3::Bucket'}}", True),
        ("Resources: {'Fn::ForEach::X': [a, b, c]}", True),
        ("Resources: {A: {Type: Deployment}}", False),
        ("Resources: [a]", False),
        ("AWSTemplateFormatVersion: '2010-09-09'", False),
    ],
)
def test_a_template_is_known_by_its_version_or_its_types(text: str, expected: bool) -> None:
    (document,) = read(Source("t.yaml", text))
    assert is_template(document) is expected


@pytest.mark.parametrize("type_", ["AWS::IAM::Role", "AWS::Lambda::Permission", "AWS::Serverless::Function"])
def test_a_template_that_grants_without_a_document_is_looked_into(type_: str) -> None:
    assert sniff(f"Resources:\n  A:\n    Type: {type_}\n".encode())
    assert not sniff(b"Resources:\n  A:\n    Type: AWS::S3::Bucket\n")


@pytest.mark.parametrize("text_of_queue", ["!Sub '${Q}/*'", "!GetAtt Q.Arn", "!Ref Q"])
def test_references_are_worked_out_once_for_each_truth_that_they_take(
    text_of_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = [_evaluations(text_of_queue, number, monkeypatch) for number in (8, 16, 32)]
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])
    assert counts[2] < 32 * 5 + 60


def _evaluations(text_of_queue: str, references: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many nodes are evaluated in a role with references to a queue whose name conditions decide."""
    name = "prod"
    for number in range(5):
        name = f"!If [C{number}, {name}, dev{number}]"
    conditions = "\n".join(f"  C{number}: !Equals [!Ref P{number}, 'yes']" for number in range(5))
    parameters = "\n".join(f"  P{number}: {{Type: String}}" for number in range(5))
    text = f"""Parameters:
{parameters}
Conditions:
{conditions}
Resources:
  Q: {{Type: "AWS::SNS::Topic", Properties: {{TopicName: {name}}}}}
  A: {{Type: "Custom::Thing", Properties: {{Of: [{", ".join([text_of_queue] * references)}]}}}}
"""
    count = 0
    evaluate = Evaluator.value

    def value(self: Evaluator, node: Node) -> Value:
        nonlocal count
        count += 1
        return evaluate(self, node)

    read = template(text)
    with monkeypatch.context() as patch:
        patch.setattr(Evaluator, "value", value)
        list(all_units(read, grants=True))
    return count
