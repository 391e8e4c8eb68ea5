"""Access that no policy can express: a check of its own, graded by kind, and accepted as new access is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy_guard.documents.containers.other_access import KINDS, action_of, kind_of
from policy_guard.iam import catalog
from policy_guard.settings.config import load_config
from policy_guard.settings.validation import rules_of
from tests.support.repository import Scratch

URL = {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE", "TargetFunctionArn": "orders"}}
KEY = {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "bob"}}


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": {"T": {"Type": "AWS::SNS::Topic"}, **resources}}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    scratch = Scratch(tmp_path)
    scratch.commit(**{"t.json": template()})
    return scratch


def graded(scratch: Scratch, settings: str, content: Any) -> tuple[int, dict[str, str]]:
    """The exit code, and the severity of each finding by the kind in its action."""
    scratch.write(".policy-guard.yaml", f"version: 1\n{settings}\n")
    scratch.write("t.json", content)
    answer = scratch.guard("check", "--format", "json")
    findings = json.loads(answer.out)["findings"]
    assert {finding["check"] for finding in findings} <= {"other-access"}
    return answer.code, {finding["actions"][0].partition(":")[2]: finding["severity"] for finding in findings}


@pytest.mark.parametrize(
    ("settings", "code", "severities"),
    [
        ("", 1, {"function-url": "error", "access-key": "error"}),
        ("other-access: {function-url: warning}", 1, {"function-url": "warning", "access-key": "error"}),
        ("other-access: {function-url: note, access-key: off}", 0, {"function-url": "note"}),
        ("severity: {other-access: warning}", 0, {"function-url": "warning", "access-key": "warning"}),
        (
            "severity: {other-access: off}\nother-access: {access-key: error}",
            1,
            {"access-key": "error"},
        ),
        ("severity: {no-new-access: off}", 1, {"function-url": "error", "access-key": "error"}),
        ("new-files: off", 1, {"function-url": "error", "access-key": "error"}),
    ],
)
def test_each_kind_is_graded_by_itself(scratch: Scratch, settings: str, code: int, severities: dict[str, str]) -> None:
    assert graded(scratch, settings, template(U=URL, K=KEY)) == (code, severities)


def test_a_new_file_is_graded_as_new_files_are(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit()
    assert graded(scratch, "new-files: warning", template(U=URL))[1] == {"function-url": "warning"}
    assert graded(scratch, "new-files: error\nother-access: {function-url: off}", template(U=URL)) == (0, {})


def test_what_is_off_is_told_at_the_end(scratch: Scratch) -> None:
    scratch.write(".policy-guard.yaml", "version: 1\nother-access: {function-url: off}\n")
    scratch.write("t.json", template(U=URL))
    assert "Not asked: other-access (other-access: off)" in scratch.guard("check").out


def test_it_is_accepted_as_new_access_is(scratch: Scratch) -> None:
    scratch.write("t.json", template(U=URL))
    assert scratch.guard("accept", "--reason", "reviewed").code == 0
    scratch.write("t.json", template())
    scratch.commit()
    scratch.write("t.json", template(U=URL))
    assert scratch.guard("check").code == 0
    scratch.write("t.json", template(U=URL, K=KEY))
    assert scratch.guard("check").code == 1


def test_two_templates_of_which_one_gives_more_are_not_the_same(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("old.json", template())
    scratch.write("new.json", template(U=URL))
    assert json.loads(scratch.guard("compare", "old.json", "new.json", "--format", "json").out)["relation"] == "wider"
    scratch.write(".policy-guard.yaml", "version: 1\nother-access: {function-url: off}\n")
    answer = scratch.guard("compare", "old.json", "new.json", "--format", "json", "--config", ".policy-guard.yaml")
    assert json.loads(answer.out)["relation"] == "unknown"


def test_the_schema_names_every_kind() -> None:
    assert set(rules_of("config.json")["properties"]["other-access"]["properties"]) == {kind.name for kind in KINDS}


def test_no_setting_is_no_kind() -> None:
    assert load_config(None).kind_severity("function-url") is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_says_what_it_is_and_what_to_do(kind: Any) -> None:
    assert kind.page.startswith("https://docs.aws.amazon.com/")
    assert not kind.does.endswith(".")
    assert "review" in kind.advised
    assert kind_of(action_of(kind.name)) is kind
    assert kind_of(action_of(kind.name, "Part_of_it")) is kind


def test_no_action_of_aws_stands_for_other_access() -> None:
    assert not catalog.actions("other-access")
    assert kind_of("s3:GetObject") is None
    assert kind_of("other-access:what") is None


def test_no_type_has_two_kinds() -> None:
    types = [type_ for kind in KINDS for type_ in (*kind.cloudformation, *kind.terraform)]
    assert len(types) == len(set(types))
