"""Every rule of the language as a row: a policy, a request, the decision; both twins answer."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from policy_guard.documents.source import Unreadable
from policy_guard.iam.meaning import concrete
from policy_guard.iam.meaning.interpretations import READINGS, reading
from tests.support.places import FIXTURES
from tests.support.policies import access_allows, policy, request

TABLES = sorted((FIXTURES / "decisions").glob("*.json"))
ROWS = [
    pytest.param(row, id=f"{table.stem}: {row['case']}") for table in TABLES for row in json.loads(table.read_text())
]


@pytest.mark.parametrize("row", ROWS)
def test_both_twins_decide(row: dict[str, Any]) -> None:
    document, asked = policy(row["policy"], row.get("kind")), request(row["request"])
    assert concrete.allows(document, document.kind, asked) is row["allowed"]
    assert access_allows(document, asked) is row["allowed"]


def test_no_two_rows_tell_the_same_case() -> None:
    cases = [row["case"] for table in TABLES for row in json.loads(table.read_text())]
    assert len(cases) == len(set(cases)) > 150


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("Bool", "yes"),
        ("Null", "1"),
        ("NumericLessThan", "ten"),
        ("NumericLessThan", "1e3"),
        ("DateLessThan", "tomorrow"),
        ("DateLessThan", "2026-02-29"),
        ("IpAddress", "203.0.113.0/33"),
        ("NotIpAddress", "203.0.113.*"),
        ("BinaryEquals", "not base64"),
    ],
)
def test_a_value_that_is_none_of_its_operators_type_is_refused(operator: str, value: str) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {"test:key": value}}}
    with pytest.raises(Unreadable, match=re.escape(f'"{value}" is not a valid ')):
        policy({"Version": "2012-10-17", "Statement": statement})


def test_every_reading_is_decided_both_ways() -> None:
    rows = [row["request"].get("choices", {}) for table in TABLES for row in json.loads(table.read_text())]
    assert {found.name for choices in rows for name in choices if (found := reading(name))} == set(READINGS)
