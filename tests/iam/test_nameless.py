"""Placeholders without a name: which of two versions are filled in with the same text."""

from __future__ import annotations

from typing import Any

import pytest

from policy_guard import check_no_new_access


def statement(mark: str, **first: Any) -> dict[str, Any]:
    """A statement whose elements stand in the order of `first`, and then as usual."""
    condition = {"StringEquals": {"aws:PrincipalTag/x": mark}}
    usual = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{mark}/*", "Condition": condition}
    return {**first, **{key: value for key, value in usual.items() if key not in first}}


def document(*statements: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return {**elements, "Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize("mark", ["{}", "%s"])
def test_they_are_filled_in_in_the_order_of_the_file(mark: str) -> None:
    old = document(statement(mark))
    swapped = document(statement(mark, Condition={"StringEquals": {"aws:PrincipalTag/x": mark}}))
    for new, before in ((swapped, old), (old, swapped)):
        assert check_no_new_access(new, before).result == "FAIL"


@pytest.mark.parametrize("more", ["{}", "%s", "%d", "%(bucket)s", "{:>8}"])
@pytest.mark.parametrize("mark", ["{}", "%s"])
def test_one_more_in_front_moves_all_of_them(more: str, mark: str) -> None:
    old, new = document(statement(mark), Id="x"), document(statement(mark), Id=f"x{more}")
    assert check_no_new_access(new, old).result == check_no_new_access(old, new).result == "FAIL"


@pytest.mark.parametrize("mark", ["{}", "%s"])
def test_one_more_in_front_within_a_text_moves_the_others(mark: str) -> None:
    old, new = (document(statement(mark, Resource=f"arn:aws:s3:::b/{more}{mark}")) for more in ("", "%5d"))
    assert check_no_new_access(new, old).result == "FAIL"


@pytest.mark.parametrize("mark", ["{}", "%s"])
def test_in_the_same_places_they_are_the_same(mark: str) -> None:
    old = document(statement(mark), Id=f"x{mark}")
    narrower = document(
        statement(mark, Effect="Allow", Action="s3:GetObject", Sid="Narrower"), statement(mark, Effect="Deny"), Id=mark
    )
    assert check_no_new_access(narrower, old).result == check_no_new_access(old, old).result == "PASS"
