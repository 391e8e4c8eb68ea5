"""The quick look at settings never says good where the schema says bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from policy_guard.documents.globs import matches_path
from policy_guard.settings import config, critical

SCHEMAS = Path(config.__file__).parents[1] / "schema"
WORDS = st.sampled_from(
    ["error", "off", "iam/*", "/etc", "a/../b", "s3:Get*", "s3", "x", "", "identity", "a\\b", "A", "a${b}", "é", "\n"]
)
NAMES = [
    "version",
    "policies",
    "exclude",
    "critical",
    "new-files",
    "files",
    "kind",
    "reference",
    "accepted",
    "id",
    "reason",
]
NAMES += ["actions", "resources", "permissions", "require-policies", "default-branch", "critical-existing", "groups"]
NAMES += ["refine", "findings", "roles", "keep", "max-age"]
PLAIN: st.SearchStrategy[Any] = st.recursive(
    WORDS | st.sampled_from([1, 2, True, False, None]),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(NAMES), below, max_size=3),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {"id": WORDS, "reason": WORDS, "actions": PLAIN | st.lists(WORDS, max_size=2)}, optional={"resources": PLAIN}
)


def valid(schema: str, plain: Any) -> bool:
    return Draft202012Validator(json.loads((SCHEMAS / schema).read_text())).is_valid(plain)


@given(st.dictionaries(st.sampled_from(NAMES), PLAIN, max_size=3))
def test_a_surely_good_configuration_is_valid(plain: dict[str, Any]) -> None:
    plain = {"version": 1, **plain}
    assert not config.surely_good(plain) or valid("config.json", plain)


@given(st.lists(ENTRIES, max_size=2))
def test_a_surely_good_critical_list_is_valid(entries: list[Any]) -> None:
    plain = {"version": 1, "permissions": entries}
    assert not critical.surely_good(plain) or valid("critical.json", plain)


def test_common_files_need_no_schema() -> None:
    rule = {"files": ["iam/**/*.json"], "kind": "identity"}
    assert config.surely_good({"version": 1, "policies": [rule], "critical": "c.yaml", "exclude": ["**/testdata/**"]})
    assert critical.surely_good({"version": 1, "permissions": [{"id": "a", "actions": ["s3:Delete*"], "reason": "r"}]})


@pytest.mark.parametrize(
    ("pattern", "path", "matched"),
    [
        ("iam/**/*.json", "iam/a.json", True),
        ("iam/**/*.json", "iam/a/b/c.json", True),
        ("iam/**/*.json", "other/iam/a.json", False),
        ("**/testdata/**", "testdata/a", True),
        ("**/testdata/**", "x/testdata/y/a", True),
        ("iam/*", "iam/a/b", False),
        ("iam/?.json", "iam/a.json", True),
        ("**", "anything/at/all", True),
        ("**/" * 30 + "x", "a/" * 60 + "y", False),
        ("*a" * 30, "a" * 60 + "b", False),
    ],
)
def test_file_patterns(pattern: str, path: str, matched: bool) -> None:
    assert matches_path(pattern, path) is matched
