"""Bad input gives a finding or an error at a place: no traceback, no hang, no file touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.examples import nightly
from tests.support.repository import NARROW, Scratch

GOOD = json.dumps(NARROW)
BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)
BAD: dict[str, tuple[str, str | bytes, str]] = {
    "truncated JSON": ("a.json", GOOD[:-12], "iam/a.json:1:"),
    "two Action keys": ("a.json", GOOD.replace('"Action"', '"Action": "s3:*", "Action"'), "written twice"),
    "an Effect in lower case": ("a.json", GOOD.replace("Allow", "allow"), 'write "Allow" or "Deny"'),
    "a statement without Action": ("a.json", GOOD.replace('"Action": ["s3:GetObject"], ', ""), 'no "Action"'),
    "a misspelt operator": (
        "a.json",
        GOOD.replace('"Resource": "*"', '"Resource": "*", "Condition": {"StringEqual": {"a:b": "c"}}'),
        'did you mean "StringEquals"',
    ),
    "a misspelt quantifier": (
        "a.json",
        GOOD.replace('"Resource": "*"', '"Resource": "*", "Condition": {"ForAnyValues:StringEquals": {"a:b": "c"}}'),
        'did you mean "ForAnyValue:StringEquals"',
    ),
    "a condition that would be ignored": (
        "a.json",
        GOOD.replace('"Resource": "*"', '"Resource": "*", "Ciondition": {}'),
        'did you mean "Condition"',
    ),
    "100,000 nested brackets": ("a.json", '{"Statement": ' + "[" * 100_000, "iam/a.json:1:"),
    "100,000 nested brackets in YAML": ("a.yaml", "Statement: " + "[" * 100_000, "iam/a.yaml:1:"),
    "100,000 nested mappings": ("a.json", '{"Statement":' * 100_000, "iam/a.json:1:"),
    "a YAML alias bomb": ("a.yaml", BOMB + "Statement: *y\nEffect: Allow\n", "iam/a.yaml"),
    "a YAML alias of itself": ("a.yaml", "Version: 2012-10-17\nStatement: &s [*s]\n", "iam/a.yaml"),
    "Latin-1": ("a.json", GOOD.replace("s3:GetObject", "s3:Gét").encode("latin-1"), "not UTF-8"),
    "a NUL": ("a.json", GOOD.encode() + b"\0", "NUL"),
    "an empty list of actions that are left out": (
        "a.json",
        GOOD.replace('"Action": ["s3:GetObject"]', '"NotAction": []'),
        "empty list",
    ),
    "a policy variable in Principal": (
        "a.json",
        GOOD.replace(
            '"Resource"', '"Principal": {"AWS": "arn:aws:iam::111122223333:user/${aws:username}"}, "Resource"'
        ),
        "has a policy variable, which Principal does not take",
    ),
    "a policy variable in the Principal of a service": (
        "a.json",
        GOOD.replace('"Resource"', '"Principal": {"Service": "${aws:PrincipalServiceName}"}, "Resource"'),
        "has a policy variable, which Principal does not take",
    ),
    "the short form of an API outside of its policy": (
        "a.json",
        GOOD.replace('"Resource": "*"', '"Resource": "execute-api:/prod/*"'),
        "is for the resource policy of an API",
    ),
    "one Sid twice": (
        "a.yaml",
        "Version: '2012-10-17'\nStatement:\n"
        "- {Sid: Read, Effect: Allow, Action: 's3:Get*', Resource: '*'}\n"
        "- {Sid: Read, Effect: Allow, Action: 's3:List*', Resource: '*'}\n",
        "is written twice; IAM takes each only once",
    ),
    "a Sid with a blank": (
        "a.json",
        GOOD.replace('"Effect"', '"Sid": "Read all", "Effect"'),
        "IAM takes only letters and digits",
    ),
    "NotPrincipal with Allow": (
        "a.json",
        GOOD.replace('"Resource"', '"NotPrincipal": "*", "Resource"'),
        "NotPrincipal",
    ),
    "a number that YAML spells otherwise": (
        "a.yaml",
        "Version: 2012-10-17\nStatement: {Effect: Allow, Action: 's3:*', Resource: '*', "
        "Condition: {StringEquals: {'aws:username': 0x10}}}\n",
        "is a number that other readers take for another one",
    ),
    "a Version that is none": (
        "a.json",
        GOOD.replace("2012-10-17", "2012-10-71"),
        '"Version" is "2012-10-71"; write "2012-10-17" or "2008-10-17"',
    ),
    "a misspelt Statement without statements": (
        "a.json",
        '{"Version": "2012-10-17", "Statment": []}',
        'a.json:1:28: error: "Statment" is no element of a policy; did you mean "Statement"?',
    ),
    "a conflict in JSON": (
        "a.json",
        GOOD.replace('"Effect"', '\n<<<<<<< HEAD\n"Effect"'),
        "a.json:2:1: error: a conflict marker of git stands here; resolve the conflict",
    ),
    "a conflict in YAML": (
        "a.yaml",
        "Version: '2012-10-17'\nStatement:\n<<<<<<< HEAD\n- Effect: Allow\n=======\n- Effect: Deny\n>>>>>>> other\n",
        "a.yaml:3:1: error: a conflict marker of git stands here; resolve the conflict",
    ),
    "a quotation mark that is missing": (
        "a.json",
        GOOD.replace('"Allow"', 'Allow"'),
        "Allow is not a JSON value; a text begins and ends with a quotation mark",
    ),
}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write(".policy-guard.yaml", 'version: 1\npolicies:\n- files: ["iam/*"]\n')
    made.commit()
    return made


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_refused_at_its_place(scratch: Scratch, case: str) -> None:
    name, content, words = BAD[case]
    scratch.write(f"iam/{name}", content)
    answer = scratch.guard()
    assert answer.code == 1
    assert words in answer.out
    assert "[readable" in answer.out
    kept = (scratch.folder / "iam" / name).read_bytes()
    assert kept == (content if isinstance(content, bytes) else content.encode())


def test_a_misspelt_statement_is_one_finding(scratch: Scratch) -> None:
    scratch.write("iam/a.json", GOOD.replace("Statement", "Statment"))
    answer = scratch.guard()
    assert answer.out.count("[readable") == 1
    assert 'a policy has no element "Statment"; did you mean "Statement"?' in answer.out


@pytest.mark.parametrize("arguments", [("check", "--staged"), nightly(("check",))])
def test_a_file_of_50_megabytes(scratch: Scratch, arguments: tuple[str, ...]) -> None:
    scratch.write("iam/a.json", '{"Statement": "' + "x" * 50_000_000 + '"}')
    scratch.stage()
    answer = scratch.guard(*arguments)
    assert (answer.code, "[readable" in answer.out) == (1, True)


def test_a_folder_and_a_dangling_link_under_the_name_of_a_policy(scratch: Scratch) -> None:
    (scratch.folder / "iam").mkdir()
    (scratch.folder / "iam/gone.json").symlink_to("nowhere.json")
    scratch.write("iam/folder.json/README", "x")
    scratch.stage()
    answer = scratch.guard()
    assert answer.code == 1
    assert "iam/gone.json" in answer.out


def test_compare_of_what_is_no_file(scratch: Scratch) -> None:
    scratch.write("a.json", NARROW)
    assert scratch.guard("compare", "a.json", "iam").code == 2
    assert scratch.guard("compare", "a.json", "missing.json").code == 2
    assert scratch.guard("compare", "a.json", "a.json").code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 2\n", "expected 1"),
        ("version: 1\npolices: []\n", 'unknown key "polices"; did you mean "policies"?'),
        ("version: 1\nnew-files: never\n", "expected one of error, warning, note, off"),
        ("version: 1\nexclude: /etc\n", "expected a list"),
        ("version: 1\nversion: 1\n", "written twice"),
        ("version: 1\nseverity: {undecided: note}\n", 'unknown key "undecided"'),
        ("version: [\n", ".policy-guard.yaml:"),
        ("", ".policy-guard.yaml:"),
        ("version: 1\ndefault-branch: nowhere\n", "nowhere"),
        ("version: 1\ncritical: ../x\n", ".policy-guard.yaml:2:11"),
        ("version: 1\nrequire-policies: true\n", "require-policies"),
    ],
)
def test_a_faulty_configuration_is_no_pass(scratch: Scratch, text: str, words: str) -> None:
    scratch.write(".policy-guard.yaml", text)
    answer = scratch.guard()
    assert answer.code == 2
    assert answer.err.startswith("no policy was checked: ")
    assert words in answer.err
    assert answer.err.count("\n") == 1


def test_a_line_that_need_not_be_readable(scratch: Scratch) -> None:
    scratch.write("iam/a.json", GOOD.replace("Allow", "allow"))
    ignore = {
        "file": "iam/a.json",
        "line": GOOD.replace("Allow", "allow"),
        "reason": "a template",
        "expires": "2999-01-01",
    }
    scratch.write(".policy-guard.yaml", json.dumps({"version": 1, "ignore-unreadable": [ignore]}))
    answer = scratch.guard()
    assert (answer.code, "need not be readable until 2999-01-01: a template" in answer.out) == (0, True)
    ignore["expires"] = "2020-01-01"
    scratch.write(".policy-guard.yaml", json.dumps({"version": 1, "ignore-unreadable": [ignore]}))
    answer = scratch.guard()
    assert (answer.code, "expired" in answer.out) == (1, True)
