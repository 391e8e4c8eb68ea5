"""Under the key of a policy, what is no policy is filled in later, and fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policy_guard.documents.containers.plain import policies
from policy_guard.documents.source import Source
from policy_guard.iam.parse import parse
from policy_guard.pipeline.pairing.file_version import FileVersion, version_of
from policy_guard.solver.strings.pattern import Unknown
from tests.support.repository import Scratch, allow, document

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]})
FILLED = [
    "${file(worker.txt)}",
    "{{ policy }}",
    "!Include worker.txt",
    "!Ref Policy",
    "!ImportValue policy",
    '{"Fn::Transform": {Name: "AWS::Include", Parameters: {Location: worker.txt}}}',
    '{"Fn::ImportValue": policy}',
    '!Join [\'\', [\'{"Version":"2012-10-17","State\', \'ment":[{"Eff\', \'ect":"Allow","Action":"*"}]}\']]',
    "!Sub ['${P}', {P: x}]",
    "{Fn::If: [Prod, a, b]}",
]


def side(text: str, name: str = "a.yaml") -> FileVersion:
    return version_of(text.encode(), name, "", False, None)


def wrong(new: str, old: str = "") -> list[str]:
    return [problem.message for problem in side(new).with_unresolved(side(old)).problems]


def roles(key: str, *values: str) -> str:
    return "".join(f"- RoleName: r{number}\n  {key}: {value}\n" for number, value in enumerate(values))


@pytest.mark.parametrize("filled", [*FILLED, "worker.txt", "{}", "[]", "7", "{PolicyName: worker}"])
@pytest.mark.parametrize("key", ["PolicyDocument", "AssumeRolePolicyDocument", "policy_document"])
def test_under_a_key_of_policies_alone_whatever_is_none_fails(key: str, filled: str) -> None:
    assert wrong(roles(key, POLICY, filled)) == wrong(roles(key, POLICY, filled), roles(key, POLICY, POLICY)) != []
    assert key != "PolicyDocument" or wrong(f"{key}: {filled}\n") != []


@pytest.mark.parametrize("filled", [*FILLED, "worker.txt"])
def test_under_another_key_it_fails_if_policies_stood_there(filled: str) -> None:
    assert wrong(roles("Policy", POLICY, filled)) != []
    assert wrong(roles("Policy", filled) + "# Statement\n", roles("Policy", POLICY)) != []


@pytest.mark.parametrize("filled", FILLED)
def test_among_policies_by_name_and_in_lists_of_them(filled: str) -> None:
    assert wrong(f"app: {POLICY}\nworker: {filled}\n") != []
    assert wrong(f"{roles('PolicyDocument', POLICY)}- {filled}\n") != []
    assert wrong(f"- {POLICY}\n- {filled}\n") != []


def test_a_transform_beside_the_name_of_a_role() -> None:
    text = roles("PolicyDocument", POLICY) + "- RoleName: worker\n  Fn::Transform: {Name: 'AWS::Include'}\n"
    assert wrong(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "Policy: readonly\nStatement: of account\n",
        "- Policy: readonly\n- Policy: {PolicyName: a, Arn: b}\n# Statement\n",
        f"PolicyDocument: {POLICY}\nPolicy: readonly\n",
        f"PolicyDocument: {POLICY}\nDeletionPolicy: Retain\nUpdatePolicy: ${{x}}\n",
        f"PolicyDocument: {POLICY}\nAssumeRolePolicyDocument: null\n",
        f"- {{Policy: {{PolicyName: a, Arn: b}}}}\n- {{PolicyDocument: {POLICY}}}\n",
        "Resources:\n  A:\n    Properties:\n      PolicyDocument: !Ref B\n",
        f"app: {POLICY}\nregion: eu-west-1\n",
    ],
)
def test_a_plain_name_where_no_policy_ever_stood_is_no_alarm(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize("spelled", ["!Sub '{}'", "{{\"Fn::Sub\": '{}'}}"])
def test_in_a_text_under_sub_names_are_filled_in(spelled: str) -> None:
    inner = POLICY.replace('"Resource": "*"', '"Resource": ["arn:aws:s3:::${A}", "arn:aws:s3:::${!aws:username}"]')
    (found,) = policies(Source("a.yaml", f"PolicyDocument: {spelled.format(inner)}\n")).policies
    resource = parse(found).statements[0].resource
    assert resource
    assert [part for part in resource.values[0].pattern.parts if isinstance(part, Unknown)] == [Unknown("!Ref A")]
    assert not any(isinstance(part, Unknown) for part in resource.values[1].pattern.parts)


def test_an_empty_list_of_actions_is_judged(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.commit(**{"a.json": document(allow("s3:Get*"), allow("sqs:*"))})
    nothing = {"Effect": "Allow", "Action": [], "Resource": "*"}
    scratch.write("a.json", document(nothing, allow("sqs:*")))
    assert {check for check, _, _ in scratch.findings()} == {"readable"}
