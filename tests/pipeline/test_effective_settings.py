"""The settings that hold, as `check --show-settings` tells them: all of them, and each with where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from policy_guard.documents.source import Source
from policy_guard.settings.config import NAME, load_config
from tests.support.places import ROOT
from tests.support.repository import NARROW, WIDE, Scratch

SETTINGS = """\
version: 1
policies:
  - {files: ["iam/**/*.json"], reference: iam/base.json, bound: always}
  - {files: ["scp/*"], kind: scp}
exclude: ["old/**"]
critical: critical.yaml
severity:
  no-public-access: warning
  no-lost-deny: note
fail-on: warning
new-files: note
groups: [{name: "app: *", files: ["iam/app/*"], same-holes: true}]
ignore-unreadable: [{file: a.json, line: "x: [", reason: r, expires: "2030-01-01"}]
refine: {findings: [f.json], roles: {app: ["iam/app/*"]}, keep: ["s3:*"], max-age: 9}
placeholders: ["__[A-Z]+__"]
default-branch: main
require-policies: true
impossible: warning
accepted: reviewed
accepted-from: head
critical-existing: error
"""
CRITICAL = "version: 1\npermissions: [{id: no-delete, actions: ['s3:DeleteBucket'], reason: r}]\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.write(NAME, SETTINGS)
    made.write("critical.yaml", CRITICAL)
    made.write("iam/a.json", NARROW)
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    return made


def _shown(scratch: Scratch, *arguments: str, **environ: str) -> str:
    answer = scratch.guard("check", "--show-settings", *arguments, **environ)
    assert answer.code == 0, answer
    return answer.out


def _line(text: str, key: str) -> str:
    return next(line for line in text.splitlines() if line.strip().removeprefix("# ").startswith(f"{key}:"))


def test_all_settings_are_shown_and_what_is_shown_means_the_same(scratch: Scratch) -> None:
    text = _shown(scratch)
    severities = load_config(Source(NAME, text)).severities
    expected = load_config(Source(NAME, SETTINGS))
    assert load_config(Source(NAME, text))._replace(severities=()) == expected._replace(severities=())
    assert set(expected.severities) < set(severities)
    keys = json.loads((ROOT / "policy_guard/schema/config.json").read_text())["properties"]
    assert set(yaml.safe_load(text)) == set(keys)


def test_defaults_are_shown_as_such(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "repository")
    scratch.commit(**{"iam/a.json": NARROW})
    text = _shown(scratch)
    assert load_config(Source(NAME, text))._replace(path=None, severities=()) == load_config(None)
    assert _line(text, "fail-on") == "fail-on: error  # default"
    assert _line(text, "critical").startswith("# critical: none")
    assert _line(text, "no-lost-deny").strip().startswith("# no-lost-deny: error for policies that are there to deny")


def test_the_line_of_a_setting_is_shown(scratch: Scratch) -> None:
    text = _shown(scratch)
    assert _line(text, "exclude").endswith("# .policy-guard.yaml:5 in the working tree")
    assert _line(text, "no-lost-deny") == "  no-lost-deny: note  # .policy-guard.yaml:9 in the working tree"
    assert _line(text, "no-new-access") == "  no-new-access: error  # default"
    assert "# critical entries: 1, 1 of its own and 0 of packs" in text


def test_in_ci_the_settings_of_the_base_hold_and_what_the_change_adds(scratch: Scratch) -> None:
    changed = SETTINGS.replace("new-files: note", "new-files: 'off'").replace("fail-on: warning", "fail-on: never")
    scratch.write(NAME, changed.replace("policies:\n", 'policies:\n  - {files: ["more/*"]}\n'))
    more = "  - {id: more, actions: ['s3:PutObject'], reason: r}\n"
    scratch.write("critical.yaml", CRITICAL.replace("[{", "\n  - {").replace("}]", "}") + more)
    scratch.commit()
    text = _shown(scratch, "--base", "main", CI="true")
    commit = scratch.git("rev-parse", "main")[:7]
    assert _line(text, "new-files") == f"new-files: note  # .policy-guard.yaml:11 at main@{commit}"
    assert _line(text, "fail-on") == f"fail-on: warning  # .policy-guard.yaml:10 at main@{commit}"
    assert f".policy-guard.yaml:2 at main@{commit} and .policy-guard.yaml:2 " in _line(text, "policies")
    assert {"files": ["more/*"]} in yaml.safe_load(text)["policies"]
    assert "# critical entries: 1 of them come with the change" in text
    assert "# the settings change here" in text


def test_outside_of_ci_the_groups_of_the_base_hold(scratch: Scratch) -> None:
    scratch.write(NAME, SETTINGS.replace("iam/app/*", "iam/other/*").replace("new-files: note", "new-files: error"))
    text = _shown(scratch, "--base", "main")
    assert _line(text, "groups").endswith(f" at main@{scratch.git('rev-parse', 'main')[:7]}")
    assert yaml.safe_load(text)["groups"][0]["files"] == ["iam/app/*"]
    assert _line(text, "new-files") == "new-files: error  # .policy-guard.yaml:11 in the working tree"


def test_an_option_is_an_origin_and_in_ci_only_where_it_is_stricter(scratch: Scratch) -> None:
    assert _line(_shown(scratch, "--fail-on", "never"), "fail-on") == "fail-on: never  # --fail-on"
    scratch.commit()
    text = _shown(scratch, "--fail-on", "never", "--base", "main", CI="true")
    assert _line(text, "fail-on").startswith("fail-on: warning  # .policy-guard.yaml:10 at main@")


def test_texts_of_the_settings_command_nothing(scratch: Scratch) -> None:
    lines = ("::error::x", "a\\n##[x]", "\\e[2J\\u202e")
    groups = ", ".join(f'{{name: "{line}", files: ["iam/*"]}}' for line in lines)
    scratch.write(NAME, f"version: 1\ngroups: [{groups}]\n")
    scratch.commit()
    scratch.git("branch", "-f", "main")
    scratch.commit()
    text = _shown(scratch, "--base", "main", GITHUB_ACTIONS="true")
    assert [group["name"] for group in yaml.safe_load(text.replace("\\[", "["))["groups"]] == [
        "::error::x",
        "a\n##[x]",
        "\x1b[2J\u202e",
    ]
    assert text.replace("\n", "").isprintable()
    assert "##[" not in text and not [line for line in text.splitlines() if line.strip().startswith("::")]


def test_the_index_is_judged_by_the_settings_of_the_working_tree(scratch: Scratch) -> None:
    assert _line(_shown(scratch, "--staged"), "exclude").endswith("# .policy-guard.yaml:5 in the working tree")


@pytest.mark.parametrize("broken", [{NAME: "version: ["}, {"critical.yaml": "version: 2"}], ids=str)
def test_settings_of_the_base_that_cannot_be_read_are_none_outside_of_ci(
    scratch: Scratch, broken: dict[str, str]
) -> None:
    scratch.commit(**broken)
    scratch.commit(**{NAME: SETTINGS, "critical.yaml": CRITICAL})
    text = _shown(scratch, "--base", "HEAD~1")
    assert _line(text, "exclude").endswith("# .policy-guard.yaml:5 in the working tree")
    groups = {NAME: "groups: []  # default", "critical.yaml": "groups:  # .policy-guard.yaml:12 in the working tree"}
    assert _line(text, "groups") == groups[next(iter(broken))]


def test_a_check_that_is_off_is_off_for_new_files(scratch: Scratch) -> None:
    scratch.write(NAME, "version: 1\nseverity: {no-new-access: 'off'}\n")
    scratch.commit()
    scratch.write("iam/new.json", WIDE)
    answer = scratch.guard("check")
    assert (answer.code, "Not asked: no-new-access (severity: off)" in answer.out) == (0, True), answer
