"""Files that are long, or many, or settings with much in them: a policy in them is seen, and soon."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from policy_guard.documents.format import sniff
from policy_guard.documents.globs import matches_any, matches_path
from policy_guard.pipeline.pairing.file_version import version_of
from tests.support.examples import nightly
from tests.support.repository import NARROW, WIDE, Scratch

TEXT = json.dumps(WIDE)
YAML = "Version: 2012-10-17\nStatement:\n- Effect: Allow\n  Action: '*'\n  Resource: '*'\n"
REST = "---\n{ not: [closed\n"


@pytest.mark.parametrize("path", ["iam/admin", nightly("iam/admin.policy"), nightly("iam/admin.tpl")])
@pytest.mark.parametrize(
    "data",
    [
        b" " * 1_000_001 + TEXT.encode(),
        b"\n" * 4_000_000 + TEXT.encode(),
        b" " * 6_000_000 + TEXT.encode(),
        (" " * 200_000 + TEXT).encode("utf-16"),
        ("# a comment\n" * 100_000 + YAML).encode(),
        (YAML + REST).encode(),
        (REST.removeprefix("---\n") + "---\n" + YAML).encode(),
    ],
    ids=["blanks", "lines", "too many", "UTF-16", "comments", "a broken second document", "a broken first document"],
)
def test_a_file_of_any_name_that_begins_with_much_of_nothing(path: str, data: bytes) -> None:
    side = version_of(data, path, "", False, None)
    assert side.policies or side.problems


@pytest.mark.parametrize(
    "data",
    [
        b"Effect\0Statement: x" * 100_000,
        b"A statement has its effect. " * 50_000,
        b"#!/bin/sh\n" + b"echo of the way that all of this goes\n" * 99 + b"cat <<EOF\n" + TEXT.encode() + b"\nEOF\n",
        b"a: 1\n---\nb: [\n",
    ],
    ids=["a program", "prose", "a script", "other documents"],
)
def test_a_file_of_any_name_that_is_no_policy(data: bytes) -> None:
    side = version_of(data, "tools/file", "", False, None)
    assert not side.policies and not side.problems


JSONC = """{
  // rules
  "rules": {"no-restricted-syntax": ["error", "ForInStatement"], "indent": ["error", 2, {"SwitchStatement": 1}],
    "react-hooks/exhaustive-deps": ["warn", {"additionalHooks": "(useLayoutEffect)", "sideEffect": 1}]}
}
"""
HELM = """{{- if .Values.notice }}
notice: The Statement of account takes Effect at once.
{{- end }}
"""


@pytest.mark.parametrize(("path", "text"), [(".eslintrc.json", JSONC), ("chart/notice.yaml", HELM)])
def test_words_of_a_policy_make_no_policy(path: str, text: str) -> None:
    assert not version_of(text.encode(), path, "", False, None).problems


@pytest.mark.parametrize(
    "text",
    [
        '{"Statement" /* all */ : [{"Effect": "Allow"}],}',
        '{"Statement": [{"Effect": "Allow"}], // all\n}',
        '{Statement: [{Effect: "Allow"}],, }',
        '{"Statement"{{ x }}: [{"Effect": "Allow"}]}',
        '{\'Statement\' :[{"Effect": "Allow"}]}',
        '{"x": 1}\n{"statement": [{"effect": "Allow"}]}',
        '{"\\u0053tatement": [{"Effect": "Allow"}],}',
    ],
)
def test_a_broken_policy_is_one(text: str) -> None:
    assert version_of(text.encode(), "iam/a.json", "", False, None).problems


@pytest.mark.parametrize(
    "text",
    [
        "? Statement\n: [{Effect: Allow}]\nb: [",
        "x: &a Statement\n*a : [{Effect: Allow}]\nb: [",
        "!!str Statement: Effect [",
    ],
)
def test_a_broken_policy_in_yaml_is_one(text: str) -> None:
    assert version_of(text.encode(), "iam/a.yaml", "", False, None).problems


@pytest.mark.parametrize("size", [1_000_000, nightly(20_000_000)])
@pytest.mark.parametrize("repeated", ["S", "${", "S${", "a${", "Statement Effect ", " &a Statement Effect", "%{S"])
def test_what_is_too_long_is_passed_over_soon(repeated: str, size: int) -> None:
    data = (repeated * (size // len(repeated)) + "${").encode()
    start = time.process_time()
    version_of(data, "data/x.yaml", "", False, None)
    assert time.process_time() - start < size / 1_000_000


def test_a_hole_in_the_word_is_found_behind_others() -> None:
    assert sniff(b'{"State${x}ment": []}') and sniff(b"{{ a }}\nS{{ b }}tatement: x\n")
    assert not sniff(b'{"a": "${x}"}')


def test_many_patterns_are_matched_soon_and_as_one_by_one() -> None:
    patterns = tuple(f"**/*a*{number}*" for number in range(3000))
    start = time.process_time()
    assert not any(matches_any(patterns, f"d/x{number % 7}.json") for number in range(1000))
    assert time.process_time() - start < 5
    for pattern in ("a/**", "**/a", "**", "*/a?", "a*b/**/c"):
        for path in ("a", "a/b", "b/a", "x/ab", "ab/c", "axb/y/c"):
            assert matches_any((pattern,), path) == matches_path(pattern, path)


def test_settings_with_too_many_patterns_are_refused(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    lists = [{"files": [f"a/{number}" for number in range(at, at + 800)]} for at in range(0, 3200, 800)]
    scratch.write(".policy-guard.yaml", {"version": 1, "policies": lists})
    answer = scratch.guard()
    assert answer.code == 2
    assert "policies: more than 3,000 patterns; name folders with ** in place of files" in answer.err + answer.out


def test_a_critical_list_of_many_wide_patterns_is_looked_up_as_far_as_can_be(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    wide = [f"*:*a*a*a*{number}" for number in range(3000)]
    entry = {"id": "wide", "actions": ["*"], "except": wide, "reason": "x"}
    first = {"id": "first", "actions": ["s3:Getobject", "s3:Nothing"], "reason": "x"}
    scratch.write("critical.yaml", {"version": 1, "permissions": [first, entry]})
    scratch.write(".policy-guard.yaml", {"version": 1, "critical": "critical.yaml"})
    start = time.monotonic()
    answer = scratch.guard()
    assert "the critical entry first names s3:Nothing, and AWS has no such action" in answer.out
    assert "from the critical entry wide on no action is looked up" in answer.out
    assert time.monotonic() - start < 30


RULES = {"version": 1, "policies": [{"files": ["iam/**"]}]}
MOVED = {"version": 1, "policies": [{"files": ["policies/**"]}]}


def test_a_folder_that_moves_with_its_rule_is_held_against_what_it_was(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    base = scratch.commit(**{".policy-guard.yaml": RULES, "iam/a.json": NARROW})
    scratch.git("mv", "iam", "policies")
    scratch.commit(**{".policy-guard.yaml": MOVED})
    assert scratch.findings("--base", base, CI="true") == []
    scratch.commit(**{"policies/a.json": WIDE})
    assert scratch.findings("--base", base, CI="true") == [("no-new-access", "violated", "policies/a.json")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"kind": "scp"}, {"kind": "identity"}),
        ({"kind": "scp"}, {}),
        ({"reference": "iam/a.json"}, {}),
    ],
)
def test_a_rule_that_says_something_else_is_another(
    tmp_path: Path, before: dict[str, str], after: dict[str, str]
) -> None:
    scratch = Scratch(tmp_path / "repository")
    old = {"version": 1, "policies": [{"files": ["iam/**"], **before}]}
    new = {"version": 1, "policies": [{"files": ["policies/**"], **after}]}
    base = scratch.commit(**{".policy-guard.yaml": old, "iam/a.json": NARROW})
    scratch.git("mv", "iam", "policies")
    scratch.commit(**{".policy-guard.yaml": new})
    assert ("no-new-access", "violated", "policies/a.json") in scratch.findings("--base", base, CI="true")
