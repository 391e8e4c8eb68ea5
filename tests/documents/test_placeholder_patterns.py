"""What a template fills in later: which texts are unknown parts, and which nobody may read as a text."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from policy_guard import check_access_not_granted, check_no_lost_deny, check_no_new_access
from policy_guard.cli.compare import compare
from policy_guard.documents.containers.plain import policies
from policy_guard.documents.placeholder_patterns import Placeholders
from policy_guard.documents.source import Source, Unreadable
from policy_guard.iam.parse import parse
from policy_guard.iam.parse.spellings import in_name
from policy_guard.iam.policy import Policy
from policy_guard.pipeline.check import Options
from policy_guard.solver.strings.pattern import Pattern, Unknown, read_pattern
from tests.support.examples import nightly

TODAY = date(2026, 1, 1)

PAYROLL = [{"actions": ["s3:DeleteObject"], "resources": ["arn:aws:s3:::payroll/*"]}]
HEAD = "Version: '2012-10-17'\nStatement:\n"


def statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*", **elements}


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def deny(resource: str) -> str:
    allow = "- {Effect: Allow, Action: 's3:*', Resource: '*'}\n"
    return f"{HEAD}{allow}- {{Effect: Deny, Action: 's3:*', Resource: {resource}}}\n"


def read(text: str, name: str = "a.yaml", placeholders: tuple[str, ...] = ()) -> Policy:
    (found,) = policies(Source(name, text)).policies
    return parse(found, None, placeholders)


def names(pattern: Pattern) -> list[str]:
    return [part.name for part in pattern.parts if isinstance(part, Unknown)]


def resources(*spelled: str) -> list[list[str]]:
    lines = "".join(f"- {{Effect: Allow, Action: 's3:*', Resource: {each}}}\n" for each in spelled)
    return [names(value.pattern) for s in read(HEAD + lines).statements if s.resource for value in s.resource.values]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('!Sub "arn:aws:s3:::${Payroll}/*"', '"arn:aws:s3:::${Payroll}/*"'),
        ('!Sub "arn:aws:s3:::${Payroll}/*"', '!Sub "arn:aws:s3:::${!Payroll}/*"'),
        ('"arn:aws:s3:::${Payroll}/*"', '!Sub "arn:aws:s3:::${Payroll}/*"'),
        ('!Sub "arn:aws:s3:::${!Payroll}/*"', '"arn:aws:s3:::${!Payroll}/*"'),
        ('{"Fn::Sub": "arn:aws:s3:::payroll-${AWS::AccountId}/*"}', '"arn:aws:s3:::payroll-${AWS::AccountId}/*"'),
        ('!Sub "arn:aws:s3:::${Payroll}/*"', '!Sub ["arn:aws:s3:::${Payroll}/*", {Payroll: logs}]'),
        ('!Sub ["arn:aws:s3:::${P}/*", {P: payroll}]', '!Sub ["arn:aws:s3:::${P}/*", {P: logs}]'),
        ('!Ref "Payroll"', '"${Payroll}"'),
        ('!Sub "arn:aws:s3:::${A.Arn}"', '"arn:aws:s3:::${A.Arn}"'),
    ],
)
def test_a_name_means_something_only_in_the_language_that_it_is_of(old: str, new: str) -> None:
    assert check_no_lost_deny(deny(new), deny(old)).result == "FAIL"
    assert check_no_lost_deny(deny(new), deny(new)).result == check_no_lost_deny(deny(old), deny(old)).result == "PASS"


def test_both_forms_of_a_function_are_one() -> None:
    assert resources('!Sub "arn:aws:s3:::${A}"', '{"Fn::Sub": "arn:aws:s3:::${A}"}') == [["!Ref A"]] * 2
    assert resources("!GetAtt A.Arn", '{"Fn::GetAtt": [A, Arn]}') == [["!GetAtt A.Arn in resource"]] * 2
    assert resources('!Sub ["arn:aws:s3:::${B}/${C}", {B: !Ref AWS::Region, C: d}]') == [["!Ref AWS::Region"]]


def test_under_sub_an_exclamation_mark_leaves_the_text_for_aws() -> None:
    policy = read(
        f"{HEAD}- {{Effect: Allow, Action: 's3:*', Resource: !Sub 'arn:aws:s3:::a/${{!aws:username}}/${{!b}}'}}\n"
    )
    assert policy.statements[0].resource
    pattern = policy.statements[0].resource.values[0].pattern
    assert pattern == Pattern((*read_pattern("arn:aws:s3:::a/${aws:username}", True).parts, "/${b}"))


@pytest.mark.parametrize(
    "value",
    [
        '{"Fn::If": ["Prod", "arn:aws:s3:::a", {"Ref": "AWS::NoValue"}]}',
        '{"Fn::If": ["Prod", {"Fn::If": ["B", {"Ref": "AWS::NoValue"}, "arn:aws:s3:::b"]}, "arn:aws:s3:::a"]}',
        '{"Fn::If": ["Prod", ["arn:aws:s3:::a"], "arn:aws:s3:::b"]}',
        '{"Fn::FindInMap": ["a", "b", "c", {"DefaultValue": {"Ref": "AWS::NoValue"}}]}',
        '{"Ref": "AWS::NoValue"}',
        '{"Fn::Sub": "arn:aws:s3:::${AWS::NoValue}"}',
        '{"Fn::Split": [",", {"Ref": "A"}]}',
        '{"Fn::GetAZs": ""}',
        '{"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b"}}}',
        '{"Fn::Unheard": "of"}',
    ],
)
@pytest.mark.parametrize("element", ["Resource", "Action", "in a list", "condition value"])
def test_what_may_be_nothing_or_a_list_is_no_text(value: str, element: str) -> None:
    wanted = json.loads(value)
    made = statement(**{element: wanted} if element in ("Resource", "Action") else {})
    if element == "in a list":
        made["Resource"] = ["arn:aws:s3:::x", wanted]
    elif element == "condition value":
        made["Condition"] = {"StringLike": {"aws:PrincipalOrgID": wanted, "aws:PrincipalTag/team": "a*"}}
    with pytest.raises(Unreadable):
        read(json.dumps(document(made)), "a.json")


@pytest.mark.parametrize(
    "value", ["!Include x", "!If [A, b, !Ref AWS::NoValue]", "!Split [',', a]", "!!binary YQ==", "!file x"]
)
def test_what_may_be_nothing_or_a_list_is_no_text_in_short_either(value: str) -> None:
    with pytest.raises(Unreadable):
        resources(value)


def test_a_choice_between_texts_is_a_text() -> None:
    assert len(resources('!If [Prod, "arn:aws:s3:::a", !Sub "arn:aws:s3:::${B}"]')[0]) == 1


@pytest.mark.parametrize("name", ["Ref", "Fn::If", "Fn::Transform", "Fn::FindInMap"])
def test_a_function_in_place_of_condition_keys_is_refused(name: str) -> None:
    with pytest.raises(Unreadable, match="stands for unknown condition keys"):
        read(json.dumps(document(statement(Condition={"StringEquals": {name: ["a", "b"]}}))), "a.json")


def test_a_parameter_in_two_places_may_be_two_texts_of_a_list() -> None:
    who = {"AWS": {"Ref": "Accounts"}}
    condition = {"StringEquals": {"aws:SourceAccount": {"Ref": "Accounts"}}}
    (made,) = read(json.dumps(document(statement(Principal=who, Condition=condition))), "a.json").statements
    assert made.principals
    both = [names(made.principals.entries[0].value.pattern), names(made.conditions[0].values[0].pattern)]
    assert both == [["!Ref Accounts in aws"], ["!Ref Accounts in aws:sourceaccount"]]


@pytest.mark.parametrize("key", ["${key}", "{{ key }}", "aws:${key}", "<key>", "#{key}", "$KEY", "__KEY__", "%KEY%"])
def test_a_key_that_a_template_fills_in_may_hold_several_values(key: str) -> None:
    allow = statement(Condition={"StringEquals": {key: "a"}})
    stop = statement(Effect="Deny", Condition={"StringEquals": {key: "b"}})
    assert check_no_new_access(document(allow), document(allow, stop)).result == "FAIL"
    assert check_no_new_access(document(allow, stop), document(allow, stop)).result == "PASS"


def test_a_tag_that_a_template_names_has_one_value() -> None:
    allow = statement(Condition={"StringEquals": {"aws:RequestTag/${key}": "a"}})
    stop = statement(Effect="Deny", Condition={"StringEquals": {"aws:RequestTag/${key}": "b"}})
    assert check_no_new_access(document(allow), document(allow, stop)).result == "PASS"


SPELLINGS = [
    *(
        "${B}",
        "{{ B }}",
        "{{{B}}}",
        "<%= B %>",
        "%{B}",
        "%%{B}",
        "#{B}",
        "$(B)",
        "$((B))",
        "((B))",
        "${{ B }}",
        "$[[ B ]]",
    ),
    *("[[B]]", "{B}", "{}", "{0}", "<B>", "<<B>>", "@{B}", "!{B}", "%(B)s", "%s", "%1$s", "$B", "$$B", "$B$", "$env:B"),
    *("%B%", "__B__", "__A_B__", "_B_", "_S3_BUCKET_ID_", "@b@", "@b.c@", "!B!", "~b~", "^b^", "|b|", "#b#", "&b&"),
    *(
        "[b]",
        "(b)",
        "'b'",
        "`b`",
        "b$",
        "$1",
        "%1",
        "%%B%%",
        "=B=",
        "\\b",
        "⟨b⟩",
        "a b",
        "&lt;B&gt;",
        "^B",
        "{b",
        "<b",
        "b>",
    ),
    *("BUCKET_NAME", "«b»", "${B:-logs}", "${self:custom.b}", "${opt:stage, 'x'}", "$${B}", "${a b}"),
]


@pytest.mark.parametrize("version", ["2012-10-17", nightly("2008-10-17")])
@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_placeholder_in_place_of_a_bucket_may_be_any_bucket(spelled: str, version: str) -> None:
    asked = document(statement(Resource=f"arn:aws:s3:::{spelled}/*"), version=version)
    assert check_access_not_granted(asked, PAYROLL).result == "FAIL"
    assert check_no_new_access(asked, asked).result == "PASS"


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_placeholder_in_place_of_an_account_may_be_any_account(spelled: str) -> None:
    who = {"AWS": f"arn:aws:iam::{spelled}:role/app"}
    asked = document(statement(Principal=who))
    old = document(statement(Principal={"AWS": "arn:aws:iam::111122223333:role/app"}))
    assert check_no_new_access(asked, old).result == "FAIL"


@pytest.mark.parametrize("spelled", ["s3:__VERB__", "s3:${verb}", "s3:{verb}", "$ACTION", "<action>", "s3:@verb@"])
def test_a_placeholder_in_an_action_may_be_any(spelled: str) -> None:
    assert check_access_not_granted(document(statement(Action=spelled)), PAYROLL).result == "FAIL"


@pytest.mark.parametrize(
    "name",
    [
        "arn:aws:lambda:us-east-1:111122223333:function:f:$LATEST",
        "arn:aws:ssm:us-east-1:111122223333:automation-definition/AWS-CreateImage:$DEFAULT",
        "arn:aws:execute-api:us-east-1:111122223333:api/$default/GET/x",
        "arn:aws:iot:us-east-1:111122223333:topic/$aws/things/x",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1",
        "arn:aws:dynamodb:us-east-1:111122223333:table/MY_TABLE",
        "arn:aws:s3:::amzn-s3-demo-bucket/my_file_name.txt",
        "arn:aws:iam::111122223333:user/ann@example.com",
        "arn:aws:s3:::logs/50%/a",
        "arn:aws:s3:::My_Bucket/a b@c",
        "arn:aws:logs:us-east-1:111122223333:log-group:/aws/x_y:log-stream:a@b",
        "arn:aws:states:us-east-1:111122223333:stateMachine:a",
    ],
)
def test_names_that_aws_has_are_names(name: str) -> None:
    assert in_name(read_pattern(name, True)) == (Pattern((name,)), ())


@pytest.mark.parametrize(("name", "part"), [("logs/__KEY__", "__KEY__"), ("YOUR-BUCKET/*", "YOUR-BUCKET")])
def test_what_may_be_a_real_name_is_read_as_written_with_a_warning(name: str, part: str) -> None:
    policy = read(json.dumps(document(statement(Resource=f"arn:aws:s3:::{name}"))), "a.json")
    (doubt,) = policy.doubts
    assert doubt.message.startswith(f'"{part}" looks like a placeholder and is read as written')
    assert policy.statements[0].resource
    assert names(policy.statements[0].resource.values[0].pattern) == []


@pytest.mark.parametrize("value", ["__ORG__", "$ORG", "@org@", "%ORG%"])
def test_in_a_condition_it_is_a_warning(value: str) -> None:
    made = statement(Condition={"StringEquals": {"aws:PrincipalOrgID": value}})
    assert len(read(json.dumps(document(made)), "a.json").doubts) == 1


def test_blanks_in_braces_do_not_make_another_name() -> None:
    old, new = (document(statement(Resource=f"arn:aws:s3:::{each}/*")) for each in ("{{b}}", "{{ b }}"))
    assert check_no_new_access(new, old).result == check_no_new_access(old, new).result == "PASS"


def test_two_placeholders_without_a_name_are_two_texts() -> None:
    stop = statement(Effect="Deny", Resource="arn:aws:s3:::{}/*")
    assert check_access_not_granted(document(statement(Resource="arn:aws:s3:::{}/*"), stop), PAYROLL).result == "FAIL"


def test_an_escaped_placeholder_is_not_the_one_that_is_filled_in() -> None:
    old, new = (document(statement(Resource=f"arn:aws:s3:::{each}")) for each in ("*${b}", "x$${b}"))
    assert check_no_new_access(new, old).result == "FAIL"


def test_placeholders_of_the_settings_are_unknown_parts() -> None:
    text = json.dumps(document(statement(Resource="arn:aws:dynamodb:*:*:table/TABLE-X", Action="s3:VERBx")))
    (made,) = read(text, "a.json", ("TABLE-[A-Z]", "VERB.")).statements
    assert made.resource
    assert names(made.resource.values[0].pattern) == ['"TABLE-X"']
    assert names(made.action.values[0].pattern) == ['"VERBx"']


def test_settings_name_placeholders_for_both_versions(tmp_path: Path) -> None:
    for name, resource in (("old", "arn:aws:dynamodb:*:*:table/T*"), ("new", "arn:aws:dynamodb:*:*:table/TABLE-X")):
        (tmp_path / f"{name}.json").write_text(json.dumps(document(statement(Resource=resource))))
    (tmp_path / "settings.yaml").write_text("version: 1\nplaceholders: ['TABLE-[A-Z]']\n")
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    assert not compare(old, new, Options(today=TODAY)).findings
    assert compare(old, new, Options(today=TODAY, config=str(tmp_path / "settings.yaml"))).findings


@pytest.mark.parametrize(
    "expression", ["(a)", "a|b", "a**", "", "a*", "[z-a]", "\\1", "a{101}", "a{3,2}", "{b}", "^a", "x" * 201]
)
def test_a_regular_expression_that_cannot_be_used_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        Placeholders([expression])


def test_regular_expressions_are_of_a_part_of_the_usual_language() -> None:
    finder = Placeholders(["_[A-Z0-9_]+_", r"\$[A-Z]{2,3}", "ab?c", r"\d{2}"])
    text = "x_S3_BUCKET_ID_ $AB $A $ABCD ac abc 1 23"
    assert [text[slice(*span)] for span in finder.spans(text)] == ["_S3_BUCKET_ID_", "$AB", "$ABC", "ac", "abc", "23"]


def test_no_regular_expression_can_take_long() -> None:
    begun = process_time()
    with pytest.raises(ValueError, match="takes too long"):
        list(Placeholders([".*.*.*.*.*x"]).spans("a" * 100_000))
    assert process_time() - begun < 20


@pytest.mark.parametrize(
    "piece",
    [
        "$",
        "${",
        "<",
        "@{",
        "$(",
        "[[",
        "{",
        "%",
        "((",
        "\\",
        "{{",
        "$${",
        "%(a",
        "_",
        "__a",
        "@",
        "A_",
        "!a",
        "«",
        "^a",
        "|",
    ],
)
def test_the_time_is_linear_in_the_text(piece: str) -> None:
    begun = process_time()
    with contextlib.suppress(ValueError):
        in_name(read_pattern("arn:aws:s3:::" + piece * 20_000, variables=False))
    assert process_time() - begun < 3


@pytest.mark.parametrize("name", ["arn:aws:iam::111122223333:role/*_Batch_*", "arn:aws:s3:::AWSIVS_*"])
def test_a_word_beside_a_wildcard_is_no_placeholder(name: str) -> None:
    assert read(json.dumps(document(statement(Resource=name))), "a.json").doubts == ()
