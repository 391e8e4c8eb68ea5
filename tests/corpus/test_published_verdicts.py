"""Verdicts that AWS states for its own examples, where that collection lies beside the checkout."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policy_guard import check_access_not_granted, check_no_new_access
from tests.support.places import BESIDE, needs

CORPUS = BESIDE / "corpus" / "verdicts.jsonl"
pytestmark = needs(CORPUS)

# A `*` that crosses the colons of an ARN reaches the sensitive resource; AWS's verdict is of the other reading.
FAIL_FOR_US = {
    "aa-samples/identity-policies/check-access-to-sensitive-resource/cloudformation-stack.md#1",
    "aa-samples/identity-policies/check-access-to-sensitive-resource/ecs-task-definition.md#1",
}


def rows(check: str) -> list[Any]:
    lines = CORPUS.read_text().splitlines() if CORPUS.is_file() else []
    found = [json.loads(line) for line in lines]
    return [pytest.param(row, id=row["id"]) for row in found if row["check"] == check and "suspect" not in row]


def agrees(row: dict[str, Any], result: str) -> bool:
    return result == ("FAIL" if row["id"] in FAIL_FOR_US else row["expected"])


@pytest.mark.parametrize("row", rows("CheckNoNewAccess"))
def test_check_no_new_access(row: dict[str, Any]) -> None:
    assert agrees(row, check_no_new_access(row["new"], row["existing"]).result)


@pytest.mark.parametrize("row", rows("CheckAccessNotGranted"))
def test_check_access_not_granted(row: dict[str, Any]) -> None:
    assert agrees(row, check_access_not_granted(row["policy"], row["access"]).result)
