"""What spares right settings the schema's library says of any settings what the library says, and patterns of files."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard.documents.globs import matches_path
from policy_guard.settings.surely_valid import surely_valid
from tests.support.examples import examples
from tests.support.schemas import RULES, valid

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


RIGHT: dict[str, Any] = {
    "config.json": {
        "version": 1,
        "policies": [{"files": ["iam/**/*.json"], "kind": "identity", "reference": "a.json", "bound": "always"}],
        "exclude": ["**/testdata/**"],
        "placeholders": ["__[A-Z]+__"],
        "critical": "c.yaml",
        "accepted-from": "base",
        "severity": {"no-lost-deny": "error"},
        "ignore-unreadable": [{"file": "a.json", "line": "x", "reason": "r", "expires": "2026-12-31"}],
        "groups": [{"name": "g", "files": ["g/*"], "same-holes": True}],
        "require-policies": True,
        "refine": {"findings": ["f/*"], "roles": {"a": ["a/*"]}, "keep": ["s3:*"], "max-age": 3},
    },
    "critical.json": {
        "version": 1,
        "packs": ["data-exposure"],
        "permissions": [
            {
                "id": "a",
                "actions": ["s3:Delete*"],
                "reason": "r",
                "unless": [{"Bool": {"a:b": "true"}}],
                "files": ["x"],
            },
            {"id": "b", "all-of": [{"actions": ["*"]}, {"resources": ["*"]}], "principals": "*", "reason": "r"},
        ],
    },
    "accepted.json": {
        "version": 1,
        "policy": "iam/a.json",
        "checks": ["no-new-access"],
        "from": "none",
        "access": [{"Action": "s3:*", "Resource": "*"}],
        "reason": "r",
        "expires": "2026-12-31",
    },
}


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    """A right file with a value somewhere replaced, taken out, or put under another name."""
    schema = draw(st.sampled_from(sorted(RIGHT)))
    plain = copy.deepcopy(RIGHT[schema])
    for _ in range(draw(st.integers(0, 3))):
        place: Any = plain
        while isinstance(place, dict | list) and place:
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[key], dict | list) or draw(st.booleans()):
                break
            place = place[key]
        if not isinstance(place, dict | list) or not place:
            continue
        kept = place.pop(key)
        if isinstance(place, dict) and draw(st.booleans()):
            place[draw(st.sampled_from(NAMES))] = kept
        elif draw(st.booleans()):
            if isinstance(place, dict):
                place[key] = draw(PLAIN)
            else:
                place.insert(0, draw(PLAIN))
    return schema, plain


@given(mutated())
@settings(max_examples=examples(150))
def test_surely_valid_says_what_the_library_says(given_: tuple[str, Any]) -> None:
    schema, plain = given_
    assert surely_valid(plain, RULES[schema]) is valid(schema, plain)


@pytest.mark.parametrize("schema", RULES)
def test_right_files_need_no_library(schema: str) -> None:
    assert valid(schema, RIGHT[schema])
    assert surely_valid(RIGHT[schema], RULES[schema])


def test_a_keyword_that_is_not_known_is_never_sure() -> None:
    assert not surely_valid(1, {"multipleOf": 1})
    assert not surely_valid(1, {"if": {"const": 1}, "then": {}})


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
