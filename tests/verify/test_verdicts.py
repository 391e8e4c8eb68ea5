"""Verdicts that public bug reports and AWS's pages ask for; each row names its source, and has documents of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policy_guard import (
    PolicyError,
    check_access_not_granted,
    check_no_lost_deny,
    check_no_new_access,
    check_no_public_access,
)
from policy_guard.api import Result
from tests.support.places import FIXTURES

ROWS = {
    f"{path.stem}: {row['case']}": (path.stem, row)
    for path in sorted((FIXTURES / "verdicts").glob("*.json"))
    for row in json.loads(path.read_text(encoding="utf-8"))
}


def answer(check: str, row: dict[str, Any]) -> Result:
    kind = row.get("policy_type")
    if check == "no-new-access":
        return check_no_new_access(row["new"], row["existing"], kind)
    if check == "no-lost-deny":
        return check_no_lost_deny(row["new"], row["existing"], kind)
    if check == "access-not-granted":
        return check_access_not_granted(row["policy"], row["access"], kind)
    return check_no_public_access(row["policy"], row["resource_type"])


@pytest.mark.parametrize("name", ROWS)
def test_the_verdict_is_the_one_that_the_source_asks_for(name: str) -> None:
    """`expected` lists every verdict that is right; `statements` are the statements that the reasons name."""
    check, row = ROWS[name]
    try:
        result = answer(check, row)
    except PolicyError:
        assert "PolicyError" in row["expected"]
        return
    assert result.result in row["expected"]
    if "statements" in row and result.result == "FAIL":
        assert set(row["statements"]) <= {reason.statement_index for reason in result.reasons}
