"""Reporters: golden files for how they speak, and the promises that hold for every text a policy may bring."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from junitparser import Failure, JUnitXml

from policy_guard.documents.errors import SetupError
from policy_guard.documents.printable import cells, defused, printable, shortened
from policy_guard.documents.source import Source, Span
from policy_guard.iam.policy import Caller, Request
from policy_guard.report.excerpt import excerpt
from policy_guard.report.report import NotAsked, Report, Skipped, Style, fingerprints, in_order, place
from policy_guard.report.reporters import names, reporter
from policy_guard.report.summary import summary
from policy_guard.settings.severity import CheckId
from policy_guard.verify.finding import Cell, Difference, Finding, Piece, Related
from tests.support.places import FIXTURES, ROOT

GOLDEN = FIXTURES / "reports"
SCHEMA = json.loads((ROOT / "policy_guard" / "schema" / "report.json").read_text(encoding="utf-8"))
BASE = "main@3f9c2ab"
report_of = partial(Report, checks=("no-new-access", "no-lost-deny", "access-not-granted"))
ORDERS = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::orders-*"
    },
    {
      "Sid": "OrdersObjects",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:Delete*"
      ],
      "Resource": "arn:aws:s3:::orders-*/*"
    }
  ]
}
"""
FACTS = (
    ("new", "s3:Delete* on arn:aws:s3:::orders-*/*"),
    ("before", "only s3:DeleteObject there"),
    ("example", "s3:DeleteObjectVersion on arn:aws:s3:::orders-eu/2024/01.json"),
    ("next", 'narrow the action, or: policy-guard accept iam/orders.json --reason "..."'),
)
REQUEST = Request(
    Caller("AWS", "arn:aws:iam::111122223333:role/app/Reader", "ci"),
    "s3:DeleteObjectVersion",
    "arn:aws:s3:::orders-eu/2024/01.json",
    {"aws:securetransport": ("true",)},
    {},
)


def at(text: str, part: str, path: str = "iam/orders.json", **changes: Any) -> Finding:
    """A finding on the first occurrence of `part`."""
    start = text.index(part)
    given = Finding(
        "no-new-access", "violated", "error", "grants new access", Source(path, text), Span(start, start + len(part))
    )
    return given._replace(**changes)


DIFFERENCE = Difference(
    (Cell(("s3:Delete*",), ("arn:aws:s3:::orders-*/*",)),),
    False,
    False,
    (),
    (),
    (),
    (Piece(("s3:DeleteObject",), (), (), ()),),
    (),
    False,
)
ORDERS_FINDING = at(
    ORDERS,
    '"s3:Delete*"',
    difference=DIFFERENCE,
    statement=(1, "OrdersObjects"),
    actions=("s3:Delete*",),
    resources=("arn:aws:s3:::orders-*/*",),
    facts=FACTS,
    witness=REQUEST,
    related=(Related(Source("iam/orders.json", ORDERS, BASE), Span(210, 220), "the statement before"),),
)
LONG = '{"Statement":[{"Effect":"Allow","Action":[' + '"s3:GetObject",' * 40 + '"s3:Delete*"' + ',"a:b"' * 60 + "]}]}"
NOTED = {"mode": "changes", "base": BASE, "seconds": 0.305}
CASES: dict[str, Report] = {
    "a widened policy and two that are proved": report_of(
        (ORDERS_FINDING,), policies=3, refused=1, critical=12, fails=True, **NOTED
    ),
    "new access and a critical permission, worst first": report_of(
        (
            at("a: b\n", "b", "iam/z.yaml", severity="note", message="is read with a warning"),
            at(ORDERS, '"s3:GetObject"', severity="warning", check="no-lost-deny", message="loses a Deny"),
            at(
                "Statement:\n  - Effect: Allow\n    Action: cloudtrail:*\n",
                "cloudtrail:*",
                "iam/admin.yaml",
                check="access-not-granted",
                message="grants a critical permission, delete-audit-logs",
                critical_id="delete-audit-logs",
                statement=(0, None),
                facts=(("example", "cloudtrail:DeleteTrail on *"), ("why", "audit logs are evidence")),
            ),
            ORDERS_FINDING,
        ),
        policies=4,
        refused=2,
        warned=2,
        critical=1,
        fails=True,
        notes=("iam/old.json was renamed to iam/orders.json, and is compared with it",),
        skipped=(Skipped("templates/stack.yaml", "contains 2 embedded policies; these are not checked"),),
        **NOTED,
    ),
    "nothing wrong": report_of(policies=3, critical=12, base=BASE, seconds=0.24),
    "nothing to do": report_of(base=BASE, critical=12, seconds=0.02),
    "a set-up error": report_of(
        error='the base branch is not in this clone. Add "fetch-depth: 2" to actions/checkout.', base=""
    ),
    "two files compared": report_of(
        policies=1, base="orders-old.json", mode="compare", seconds=0.1, relation="narrower"
    ),
    "all policies, some of them changed": report_of(policies=40, changed=3, critical=1, base=BASE, mode="all"),
    "all policies, none of them changed": report_of(policies=40, changed=0, critical=2, base=BASE, mode="all"),
    "one statement on one long line": report_of(
        (at(LONG, '"s3:Delete*"', statement=(0, None)),), policies=1, refused=1, base=BASE, fails=True
    ),
    "tabs, wide and combining characters before the mark": report_of(
        (at('{\n\t"Sid":\t"日本e\u0301", "Action": "s3:*"}\n', '"s3:*"'),), policies=1, refused=1, base=BASE, fails=True
    ),
    "a span over several lines": report_of(
        (at(ORDERS, ORDERS[ORDERS.index('{\n      "Sid"') : ORDERS.index("]\n}")]),), policies=1, refused=1, base=BASE
    ),
    "a file that is gone": report_of(
        (
            at(
                "",
                "",
                "scp/deny-root.json",
                check="no-lost-deny",
                message="the policy is deleted, and its Denies with it",
            ),
        ),
        policies=1,
        refused=1,
        base=BASE,
        fails=True,
    ),
    "hostile text everywhere": report_of(
        (
            at(
                '{"Sid": "x ##[stop-commands]t\x1b[2J\u202e"}',
                '"x ##[stop-commands]t\x1b[2J\u202e"',
                "::error::iam/\nevil,100%.json",
                message="::set-output x##[endgroup]\r\ngrants",
                statement=(0, "x ##[stop-commands]t\x1b[2J\u202e"),
                facts=(("new", "::warning::\n::stop-commands::x"),),
                actions=("##[debug]",),
            ),
        ),
        policies=1,
        refused=1,
        base="main\x1b[31m@##[x]",
        fails=True,
        skipped=(Skipped("a\nb\udcff", "::x"),),
        notes=("::group::x",),
    ),
    "one policy with twelve findings": report_of(
        tuple(
            at(ORDERS, '"s3:Delete*"', f"iam/{number:02}.json", statement=(number, None), facts=FACTS)
            for number in range(12)
        ),
        policies=12,
        refused=12,
        base=BASE,
        fails=True,
    ),
}
GITHUB = {"GITHUB_SERVER_URL": "https://git.example", "GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": "3f9c2ab"}
SHOWN = {
    "text.txt": ("text", Style()),
    "text-color.txt": ("text", Style(color=True)),
    "text-quiet.txt": ("text", Style(quiet=True)),
    "concise.txt": ("concise", Style()),
    "statistics.txt": ("statistics", Style()),
    "github.txt": ("github", Style(environ={"GITHUB_ACTIONS": "true"})),
    "report.json": ("json", Style()),
    "report.sarif": ("sarif", Style()),
    "summary.md": ("markdown", Style(environ=GITHUB)),
    "junit.xml": ("junit", Style()),
    "gitlab.json": ("gitlab", Style()),
}


def render(name: str, report: Report, style: Style = Style()) -> str:
    return reporter(name).render(report, style)


@pytest.mark.parametrize("file", SHOWN)
@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, file: str, golden: Callable[[Path, str], None]) -> None:
    if file in ("text-color.txt", "text-quiet.txt") and not case.startswith(("a ", "new", "nothing")):
        pytest.skip("the plain text says it")
    name, style = SHOWN[file]
    golden(GOLDEN / case / file, render(name, CASES[case]._replace(), style).replace(_version(), '"VERSION"'))


def _version() -> str:
    from policy_guard.version import VERSION

    return json.dumps(VERSION)


def test_every_golden_file_belongs_to_a_case() -> None:
    assert {folder.name for folder in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_json_follows_its_schema(case: str) -> None:
    report = json.loads(render("json", CASES[case]))
    Draft202012Validator(SCHEMA).validate(report)


def test_the_schema_is_a_schema_and_refuses_what_is_not_in_it() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    report = json.loads(render("json", CASES["a widened policy and two that are proved"]))
    report["findings"][0]["column"] = 0
    assert not Draft202012Validator(SCHEMA).is_valid(report)


def test_json_says_where_and_shows_the_request() -> None:
    finding = json.loads(render("json", CASES["a widened policy and two that are proved"]))["findings"][0]
    where = [finding[key] for key in ("line", "column", "end_line", "end_column")]
    assert where == [14, 9, 14, 21]
    assert finding["statement"] == {"index": 1, "sid": "OrdersObjects"}
    assert finding["witness"] == {
        "principal": "arn:aws:sts::111122223333:assumed-role/Reader/ci",
        "action": "s3:DeleteObjectVersion",
        "resource": "arn:aws:s3:::orders-eu/2024/01.json",
        "context": {"aws:securetransport": ["true"]},
    }


def test_json_verdicts() -> None:
    results = {case: json.loads(render("json", report))["result"] for case, report in CASES.items()}
    assert results["nothing wrong"] == "pass"
    assert results["a set-up error"] == "error"
    assert results["a widened policy and two that are proved"] == "fail"


def test_json_is_found_safe_even_where_a_sid_is_a_command() -> None:
    text = render("json", CASES["hostile text everywhere"])
    assert "##[" not in text and text.isascii()
    assert json.loads(text)["findings"][0]["statement"]["sid"] == "x ##[stop-commands]t\x1b[2J\u202e"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"policies": 1, "critical": 1},
            "1 policy changed since m: no new access, no lost Deny, not the one critical permission",
        ),
        (
            {"policies": 1, "critical": 5, "critical_elsewhere": 4},
            "1 policy changed since m: no new access, no lost Deny, none of 1 critical permission "
            "(4 more are only about other files)",
        ),
        (
            {"policies": 1, "critical": 1, "critical_elsewhere": 1},
            "1 policy changed since m: no new access, no lost Deny",
        ),
        ({"policies": 2}, "2 policies changed since m: no new access, no lost Deny"),
        ({"policies": 2, "checks": ("no-lost-deny",), "critical": 9}, "2 policies changed since m: no lost Deny"),
        ({"policies": 2, "checks": ()}, "2 policies changed since m: readable, nothing else was asked"),
        ({"mode": "all"}, "no policy found"),
        ({"mode": "compare"}, "no policy differs from m"),
        ({"policies": 3, "unchanged": 2}, "3 policies, 1 of them changed since m: no new access, no lost Deny"),
        ({"policies": 1, "unchanged": 1}, "1 policy, not itself changed since m: no new access, no lost Deny"),
        (
            {"policies": 1, "mode": "all", "critical": 2},
            "1 policy, not changed since m: none of 2 critical permissions",
        ),
        (
            {"policies": 2, "critical": 9, "not_asked": (NotAsked(CheckId("no-new-access"), "new-files", 1),)},
            "2 policies changed since m: no lost Deny, none of 9 critical permissions. "
            "Not asked: no-new-access of 1 of them (new-files: off)",
        ),
        (
            {
                "policies": 3,
                "refused": 1,
                "withheld": 1,
                "findings": (ORDERS_FINDING,),
                "not_asked": (NotAsked(CheckId("access-not-granted"), "severity", 3),),
            },
            "3 policies changed since m: 1 proved, 1 failed, 1 with findings that the settings leave out. "
            "Not asked: access-not-granted (severity: off)",
        ),
        (
            {"policies": 1, "caps": 1},
            "1 policy changed since m: no new access, no lost Deny. 1 policy is a new cap, and a cap grants nothing",
        ),
        (
            {"policies": 1, "by_reference": 1},
            "1 policy changed since m: no new access, no lost Deny. "
            "1 policy is new and was compared with its reference",
        ),
        (
            {"skipped": (Skipped("a.json", "excluded by the settings"),), "excluded": 1},
            "no policy checked since m; 1 changed file excluded, not checked",
        ),
        (
            {"policies": 1, "paths": ("sam", "cfn"), "outside": 2},
            "1 policy changed in sam and cfn since m: no new access, no lost Deny; "
            "2 files changed elsewhere, not checked",
        ),
        ({"paths": ("a", "b", "c", "d")}, "no policy changed in 4 files or folders since m"),
        ({"mode": "all", "paths": ("sam",)}, "no policy found in sam"),
        (
            {"policies": 1, "planned": 1, "plan": "plan.json"},
            "no policy changed since m, 1 by the plan plan.json: no new access, no lost Deny",
        ),
        (
            {"policies": 1, "beside": 1, "findings": (ORDERS_FINDING,)},
            "1 policy changed since m: 1 proved, 0 failed; 1 other finding fails",
        ),
        (
            {"policies": 0, "beside": 2, "findings": (ORDERS_FINDING,)},
            "no policy changed since m: nothing proved; 2 other findings fail",
        ),
        (
            {"policies": 2, "mode": "all", "base": "", "critical": 3},
            "2 policies, compared with no old version: none of 3 critical permissions",
        ),
        ({"policies": 0, "refused": 1, "findings": (ORDERS_FINDING,)}, "1 policy changed since m: 0 proved, 1 failed"),
        (
            {"policies": 2, "warned": 1, "findings": (ORDERS_FINDING,)},
            "2 policies changed since m: 1 proved, 0 failed, 1 with findings that do not fail",
        ),
    ],
)
def test_summary(changes: dict[str, Any], expected: str) -> None:
    assert summary(report_of(**{"base": "m", **changes})) == expected


def test_a_set_up_error_is_one_line_with_one_prefix() -> None:
    assert summary(report_of(error="no git\nhere")) == "no policy was checked: no git\\nhere"
    assert summary(report_of(error="no policy was checked: no git")) == "no policy was checked: no git"


def test_findings_that_are_switched_off_are_not_shown() -> None:
    report = report_of((ORDERS_FINDING._replace(severity="off"),), policies=1, base=BASE)
    assert in_order(report) == ()
    assert "grants new access" not in render("text", report)


def test_names_are_the_files_and_import_nothing() -> None:
    assert names() == ("concise", "github", "gitlab", "json", "junit", "markdown", "sarif", "statistics", "text")
    program = "import sys, policy_guard.report.reporters as r; r.names(); r.reporter('text'); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert "policy_guard.report.reporters.text" in loaded.split()
    assert "policy_guard.report.reporters.json" not in loaded.split() and "json" not in loaded.split()


@pytest.mark.parametrize("name", ["", "xml", "__init__", "../text", "text\x1b[2J"])
def test_an_unknown_format_names_the_known_ones(name: str) -> None:
    with pytest.raises(SetupError, match="github, gitlab, json, junit, markdown, sarif, statistics, text") as caught:
        reporter(name)
    assert str(caught.value).isprintable()


def test_github_shows_ten_of_each_and_says_how_many_more() -> None:
    lines = render("github", CASES["one policy with twelve findings"]).splitlines()
    assert "::notice title=policy-guard::12 errors, 10 of them shown here: the log of this step has all" in lines
    commands = [line for line in lines if line.startswith("::error")]
    assert len(commands) == 10
    assert commands[-1].endswith("%0A2 more errors not shown here: the log of this step has them all.")
    assert "more error" not in "".join(commands[:-1])
    assert sum("iam/11.json:14:9" in line for line in lines) == 1


def test_github_messages_stay_within_the_limit_and_keep_the_count() -> None:
    facts = tuple((f"fact{number}", "long " * 1000) for number in range(12))
    report = report_of(tuple(ORDERS_FINDING._replace(facts=facts) for _ in range(11)), fails=True)
    commands = [line for line in render("github", report).splitlines() if line.startswith("::error")]
    messages = [line.partition("::")[2].partition("::")[2].replace("%0A", "\n") for line in commands]
    assert max(map(len, messages)) == 4096
    assert messages[-1].endswith("has them all.")


def test_github_columns_only_where_the_span_is_one_line() -> None:
    several = render("github", CASES["a span over several lines"])
    assert ",col=" not in several and ",endLine=18," in several
    assert ",endLine=14,col=9,endColumn=21," in render("github", CASES["a widened policy and two that are proved"])


HOSTILE = st.text(st.sampled_from("ab:#[]%,\n\r\t\x1b\u202e\u2028 日\u0301\udcff\\"), max_size=30)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_text_of_a_policy_becomes_a_command(path: str, content: str, said: str, sid: str) -> None:
    where = Source(path, content), Span(0, len(content))
    finding = Finding("readable", "violated", "error", said, *where, (0, sid), facts=((sid, said),))
    related = Related(Source(path, content, sid), Span(0, 1), said)
    report = report_of(
        (finding._replace(related=(related,)),), 1, 1, said, notes=(sid,), skipped=(Skipped(path, said),)
    )
    shown = render("github", report, Style(environ={"GITHUB_ACTIONS": "true"}))
    assert "##[" not in shown
    commands = [line for line in shown.split("\n") if line.strip().startswith("::")]
    assert len(commands) == 2
    assert commands[1].startswith("::notice title=policy-guard::")
    assert re.fullmatch(
        r"::error file=[^:,]*,line=\d+,endLine=\d+(,col=\d+,endColumn=\d+)?,title=[^:,]*::.*", commands[0]
    )
    assert shown.replace("\n", "").isprintable()


@given(HOSTILE, HOSTILE)
def test_plain_text_is_printable_line_by_line(path: str, content: str) -> None:
    finding = Finding("readable", "unreadable", "error", content, Source(path, content), Span(0, 3), (0, content))
    shown = render("text", report_of((finding,), 1, 1, path, notes=(content,)))
    assert shown.endswith("\n") and shown.replace("\n", "").isprintable()


@given(st.text(max_size=300), st.integers(0, 300), st.integers(0, 300), st.integers(20, 120))
def test_an_underline_lies_under_the_text_and_within_the_width(text: str, start: int, size: int, width: int) -> None:
    lines = excerpt(Source("p", text), Span(start, start + size), width)
    assert len(lines) != 1
    for line in lines:
        assert cells(line.text) <= width
        assert line.text.isprintable()
    if lines:
        assert set(lines[-1].text.strip()) == {"^"}


@given(
    st.text("ab\t日e\u0301\x00", max_size=60),
    st.text("cd\t日\u0301", min_size=1, max_size=9),
    st.text("ef", max_size=60),
)
def test_the_underline_is_exactly_as_wide_as_the_marked_string(before: str, marked: str, after: str) -> None:
    span = Span(len(before), len(before) + len(marked))
    *_, line, mark = excerpt(Source("p", f"{before}{marked}{after}"), span, 1000) or [None, None]
    if line is None or mark is None:
        return
    column = len(mark.text) - len(mark.text.lstrip())
    assert column == cells(line.text) - cells("".join(line.text)[_index(line.text, column) :])
    rest = line.text[_index(line.text, column + len(mark.text.strip())) :]
    assert rest.lstrip("\u0301") == after or cells(marked) == 0


def _index(text: str, column: int) -> int:
    """The character at a column of the terminal."""
    return next((at for at in range(len(text) + 1) if cells(text[:at]) >= column), len(text))


def test_a_huge_line_costs_no_more_than_what_is_shown() -> None:
    source = Source("p", "日" * 3_000_000 + "X")
    began = time.perf_counter()
    lines = excerpt(source, Span(3_000_000, 3_000_001), 93)
    assert time.perf_counter() - began < 1
    assert lines[0].text.endswith("X") and lines[0].text.startswith("…")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, ünïcode 日", "plain text, ünïcode 日"),
        ("a\nb\r\t", "a\\nb\\r\\t"),
        ("\x1b[31m\x9b", "\\x1b[31m\\x9b"),
        ("\u202eevil\u2066\u200b", "\\u202eevil\\u2066\\u200b"),
        ("\udcff\u2028", "\\udcff\\u2028"),
    ],
)
def test_printable(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_shortened_text_fits_even_where_escapes_are_long() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"
    assert len(shortened("\u202e" * 50, 20)) == 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::error::x", ":\\:error::x"),
        ("a\n  ::error::x", "a\n  :\\:error::x"),
        ("\x1b[1m::error::x", "\x1b[1m:\\:error::x"),
        ("Sid ###[x]", "Sid ###\\[x]"),
        ("s3::x", "s3::x"),
    ],
)
def test_defused(text: str, expected: str) -> None:
    assert defused(text) == expected


def test_a_place_ends_on_the_line_of_its_last_character() -> None:
    found = place(Source("p", "ab\ncd\n"), Span(0, 3))
    assert (found.start, found.end) == ((1, 1), (1, 4))
    assert place(Source("p", "ab"), Span(5, 9)).end == (1, 3)


@pytest.mark.parametrize("case", CASES)
def test_code_scanning_gets_regions_rules_and_fingerprints(case: str) -> None:
    (run,) = json.loads(render("sarif", CASES[case]))["runs"]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["helpUri"].endswith(f"/checks/{rule['id']}/")
        assert rule["shortDescription"]["text"] and rule["fullDescription"]["text"] and rule["help"]["markdown"]
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
    marks = [result["partialFingerprints"]["policyGuard/v1"] for result in run["results"]]
    assert len(set(marks)) == len(marks)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        location = result["locations"][0]["physicalLocation"]
        assert set(location["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert not re.search(r"[^!-~]", location["artifactLocation"]["uri"])
    assert run["invocations"][0]["executionSuccessful"] == (CASES[case].error is None)


def test_a_fingerprint_stays_when_lines_move_and_changes_with_the_statement() -> None:
    def mark(finding: Finding) -> str:
        return fingerprints([finding])[0]

    moved = ORDERS_FINDING._replace(source=Source("iam/orders.json", "\n\n" + ORDERS), span=Span(0, 3))
    assert mark(moved) == mark(ORDERS_FINDING)
    assert mark(ORDERS_FINDING._replace(statement=(1, "Other"))) != mark(ORDERS_FINDING)
    assert mark(ORDERS_FINDING._replace(statement=(7, "OrdersObjects"))) == mark(ORDERS_FINDING)
    assert len(set(fingerprints([ORDERS_FINDING, ORDERS_FINDING]))) == 2


def test_a_long_summary_is_cut_between_its_findings_and_says_how_many_are_missing() -> None:
    facts = (("before", "x" * 1500),)
    many = tuple(ORDERS_FINDING._replace(facts=facts, statement=(n, None)) for n in range(1500))
    said = render("markdown", report_of(many, policies=1, refused=1, fails=True))
    assert len(said.encode()) <= 900 * 1024
    missing = re.search(r"^\*([0-9]+) more findings are left out here", said, re.MULTILINE)
    assert missing is not None
    assert said.count("<details>") == 1500 - int(missing[1]) + 1
    assert said.count("<details>") == said.count("</details>")
    assert "What was checked" in said


@pytest.mark.parametrize("case", CASES)
def test_test_reports_count_what_fails(case: str) -> None:
    suites = ElementTree.fromstring(render("junit", CASES[case]).partition("\n")[2])
    (suite,) = suites
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == sum(each.find("failure") is not None for each in cases)
    assert int(suite.attrib["errors"]) == (CASES[case].error is not None)
    errors = {each.source.path for each in CASES[case].findings if each.severity == "error"}
    assert int(suite.attrib["failures"]) == len(errors)


@pytest.mark.parametrize("case", CASES)
def test_a_reader_of_test_reports_finds_the_same(case: str) -> None:
    read = JUnitXml.fromstring(render("junit", CASES[case]).encode())
    (suite,) = read
    assert (suite.tests, suite.failures, suite.errors) == (
        len(list(suite)),
        sum(any(isinstance(each, Failure) for each in test.result) for test in suite),
        int(CASES[case].error is not None),
    )


@pytest.mark.parametrize("case", CASES)
def test_code_quality_has_what_gitlab_asks_for(case: str) -> None:
    entries = json.loads(render("gitlab", CASES[case]))
    assert len({each["fingerprint"] for each in entries}) == len(entries)
    for each in entries:
        assert set(each) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert each["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert each["location"]["lines"]["begin"] >= 1
    assert bool(entries) == bool(CASES[case].error or in_order(CASES[case]))
