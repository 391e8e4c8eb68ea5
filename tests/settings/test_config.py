"""The configuration: what it refuses, at which place, in which words; and what its patterns cover."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policy_guard.documents.errors import SetupError
from policy_guard.documents.globs import glob, matches_path, not_a_pattern
from policy_guard.documents.source import Source
from policy_guard.iam.policy import KINDS
from policy_guard.settings.acceptance import CHECKS as ACCEPTABLE
from policy_guard.settings.acceptance import STANDING
from policy_guard.settings.config import Config, load_config
from policy_guard.settings.load import text_file
from policy_guard.settings.severity import FAIL_ON, SEVERITIES
from policy_guard.verify.checks import checks
from tests.support.places import ROOT

SCHEMA = json.loads((ROOT / "policy_guard" / "schema" / "config.json").read_text(encoding="utf-8"))


def config(text: str) -> Config:
    return load_config(Source(".policy-guard.yaml", f"version: 1\n{text}"))


def refusal(text: str) -> str:
    with pytest.raises(SetupError) as caught:
        config(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_schema_names_what_the_code_names() -> None:
    properties = SCHEMA["properties"]
    assert set(properties["severity"]["properties"]) == {*(check.id for check in checks()), "unused-access"}
    assert tuple(SCHEMA["$defs"]["severity"]["enum"]) == SEVERITIES
    assert tuple(properties["policies"]["items"]["properties"]["kind"]["enum"]) == KINDS
    assert tuple(properties["fail-on"]["enum"]) == FAIL_ON


def test_what_can_be_accepted_is_what_the_checks_say() -> None:
    schema = json.loads((ROOT / "policy_guard" / "schema" / "accepted.json").read_text(encoding="utf-8"))
    acceptable = {check.id for check in checks() if check.acceptable}
    assert set(schema["properties"]["checks"]["items"]["enum"]) == set(ACCEPTABLE) == acceptable
    assert set(STANDING) == {check.id for check in checks() if check.acceptable == "standing"}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("polices: []", "2:1", 'did you mean "policies"'),
        ("exclude: []\nexclude: []", "3:1", '"exclude" is written twice'),
        ("exclude: !x [a]", "2:10", "a YAML tag has no meaning"),
        ("---\nversion: 1", "3:1", "a second document"),
        ("refine: {keep: [PassRole]}", "2:17", 'write "service:Name"'),
        ("refine: {roles: {R: a.json}}", "2:21", "R: expected a list"),
        ("refine: {roles: {R: [a/]}}", "2:22", "write folder/**"),
        ("refine: {max-age: 0}", "2:19", "max-age"),
        ("severity: {undecided: off}", "2:12", 'unknown key "undecided"'),
        ("placeholders: ['(a+)+']", "2:16", "several expressions in place of groups"),
        ("placeholders: ['a*']", "2:16", "matches the empty text"),
        ("placeholders: [1]", "2:16", "placeholders"),
        ("new-files: no", "2:12", "error, warning, note, off"),
        ("default-branch: --upload-pack=x", "2:17", "default-branch"),
        ("refine: {max-age: 010}", "2:19", "a whole number"),
        ("policies: [{files: []}]", "2:20", "this may not be empty"),
        ('policies: [{files: ["iam/"]}]', "2:21", "write folder/**"),
        ('policies: [{files: ["./iam/*"]}]', "2:21", 'leave out "."'),
        ('policies: [{files: ["iam/{a,b}.json"]}]', "2:21", "brackets have no meaning"),
        ('policies: [{files: ["!iam/a.json"]}]', "2:21", "use exclude"),
        ('policies: [{files: ["iam/a**"]}]', "2:21", "** stands for whole folders"),
        ('exclude: ["a", "a\\n/../../b"]', "2:16", "control characters"),
        ("critical: c/", "2:11", "this names a folder"),
        ("groups: [{name: a, files: [b/]}]", "2:28", "this names a folder"),
        ("ignore-unreadable: [{file: a, line: b, reason: c, expires: 2026-02-30}]", "2:60", "calendar"),
        (
            "ignore-unreadable:\n- {file: a, line: 3, reason: c, expires: 2026-01-01}\n"
            "- {file: b, line: 4, reason: c, expires: 2026-01-01}",
            "3:19",
            "line: expected a text, not 3; write the text of the line, not its number",
        ),
        (
            "ignore-unreadable: [{file: a, line: '11', reason: c, expires: 2026-01-01}]",
            "2:37",
            "line: write the text of the line, not its number",
        ),
    ],
)
def test_an_error_names_its_place_and_the_remedy(text: str, place: str, words: str) -> None:
    said = refusal(text)
    assert said.startswith(f".policy-guard.yaml:{place}: ")
    assert words in said


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_file_is_an_error(text: str) -> None:
    with pytest.raises(SetupError, match="the file is empty"):
        load_config(Source(".policy-guard.yaml", text))


def test_off_is_a_word() -> None:
    assert config("new-files: off").new_files == "off"
    assert config("severity: {no-new-access: off}").severity("no-new-access") == "off"


def test_entries_that_disagree_about_a_file_are_refused() -> None:
    both = config('policies: [{files: ["**/*.json"], kind: identity}, {files: ["scp/*"], kind: scp}]')
    assert both.policy_rule("iam/a.json") == both.policies[0]
    with pytest.raises(SetupError, match=r"two entries name scp/a\.json"):
        both.policy_rule("scp/a.json")


def test_entries_that_agree_about_a_file_may_overlap() -> None:
    both = config('policies: [{files: ["**/*.json"], kind: scp}, {files: ["scp/*"], kind: scp}]')
    assert both.policy_rule("scp/a.json") == both.policies[0]


@pytest.mark.parametrize(
    "setting",
    [
        'exclude: ["t.yaml#Resources.Role"]',
        "critical: t.yaml#Resources.Role",
        'ignore-unreadable: [{file: "t.yaml#Resources.Role", line: x, reason: r, expires: 2026-12-30}]',
    ],
)
def test_addresses_in_the_names_of_whole_files_are_refused(setting: str) -> None:
    with pytest.raises(SetupError, match="leave out what stands behind #"):
        config(setting)


@pytest.mark.parametrize("setting", ['policies: [{files: ["a.yaml#"]}]', 'groups: [{name: g, files: ["a.yaml#"]}]'])
def test_an_empty_address_is_refused(setting: str) -> None:
    with pytest.raises(SetupError, match="write the address of a policy behind #"):
        config(setting)


def test_an_entry_may_name_policies_by_their_addresses() -> None:
    entry = config('policies: [{files: ["stacks/*.yaml#Resources.Reader*"], kind: identity}]')
    assert entry.policy_rule("stacks/a.yaml") is None
    assert entry.policy_rule("stacks/a.yaml", ("Resources.Reader",)) == entry.policies[0]
    assert entry.policy_rule("stacks/a.yaml", ("Resources.Writer",)) is None
    assert entry.policy_rule("stacks/b/a.yaml", ("Resources.Reader",)) is None


def test_an_ignored_line_may_be_unreadable_until_the_day_named() -> None:
    found = config("ignore-unreadable: [{file: a.json, line: ' x', reason: r, expires: 2026-12-30}]")
    assert found.ignore_rule("a.json", "x ", date(2026, 12, 30)) == found.ignores[0]
    assert found.ignore_rule("a.json", "x", date(2026, 12, 31)) is None
    assert found.ignore_rule("b.json", "x", date(2026, 12, 30)) is None
    assert found.ignore_rule("a.json", "xy", date(2026, 12, 30)) is None


def test_settings_are_read_from_regular_files_only(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/zero")
    for name in ("link", "."):
        with pytest.raises(SetupError, match="not a regular file"):
            text_file(tmp_path / name, "c.yaml")


NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(PATHS)
def test_a_path_covers_itself_and_only_itself(path: str) -> None:
    assert not_a_pattern(path) is None
    assert matches_path(path, path)
    assert not matches_path(path, path + "x")


@given(PATHS, st.data())
def test_a_name_in_a_path_may_become_a_star(path: str, data: st.DataObject) -> None:
    names = path.split("/")
    at = data.draw(st.integers(0, len(names) - 1))
    names[at] = data.draw(st.sampled_from(["*", "**", "**/*", "?*"]))
    assert matches_path("/".join(names), path)


@given(st.lists(st.sampled_from(["a", "b", "**", "*"]), min_size=1, max_size=5), PATHS)
def test_patterns_of_paths_mean_what_a_search_of_all_ways_finds(parts: list[str], path: str) -> None:
    def covers(left: list[str], names: list[str]) -> bool:
        if not left:
            return not names
        if left[0] == "**":
            return any(covers(left[1:], names[skip:]) for skip in range(len(names) + 1))
        return bool(names) and left[0] in ("*", names[0]) and covers(left[1:], names[1:])

    assert matches_path("/".join(parts), path) is covers(parts, path.split("/"))


@given(st.text("ab*?", max_size=7), st.text("ab", max_size=9))
@example("a*a", "a")
@example("a*ab*b", "aab")
def test_globs_mean_what_a_search_of_all_ways_finds(pattern: str, text: str) -> None:
    def covers(left: str, given: str) -> bool:
        if not left:
            return not given
        if left[0] == "*":
            return any(covers(left[1:], given[skip:]) for skip in range(len(given) + 1))
        return bool(given) and left[0] in ("?", given[0]) and covers(left[1:], given[1:])

    assert glob(pattern)(text) is covers(pattern, text)


@pytest.mark.parametrize("pattern", ["*a" * 200 + "b", "*?" * 200 + "_", "?" * 400, "*" * 400 + "b"])
def test_matching_stays_quick(pattern: str) -> None:
    assert not glob(pattern)("a" * 399)


def test_terraform_is_in_no_group() -> None:
    with pytest.raises(SetupError, match="policies of Terraform are judged by principal"):
        config('groups: [{name: g, files: ["infra/*.tf#aws_iam_policy.*"]}]')
