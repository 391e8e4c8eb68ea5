"""The critical list: an entry that would protect nothing is refused or reported."""

from __future__ import annotations

import pytest

from policy_guard.critical import CriticalList, covered, load_critical, unknown_actions
from policy_guard.errors import UserError
from policy_guard.source import Source


def critical(*entries: str) -> CriticalList:
    lines = "".join(f"  - {{reason: r, {entry}}}\n" for entry in entries)
    return load_critical(Source("c.yaml", f"version: 1\npermissions:\n{lines}"))


@pytest.mark.parametrize(
    ("entry", "place", "words"),
    [
        ("id: a", "3:5", "at least one of actions, resources, all-of"),
        ("id: A, actions: [s3:Get*]", "3:21", "id"),
        ("id: a, actions: []", "3:33", "this may not be empty"),
        ("id: a, actions: [DeleteBucket]", "3:34", "not of the expected form"),
        ('id: a, actions: ["s3:Get*\\n"]', "3:34", "cannot be seen"),
        ('id: a, actions: ["s3:*"], severity: off', "3:53", "error, warning, note"),
        ("id: a, resources: [my-bucket]", "3:36", "covers no ARN"),
        ('id: a, resources: ["arn:aws:s3"]', "3:36", "covers no ARN"),
        ('id: a, resources: ["${x}"]', "3:36", "not of the expected form"),
        ('id: a, resources: ["arn:aws:s3:::%{x}"]', "3:36", "template part"),
        ('id: a, actions: ["s3:*"], files: ["iam/"]', "3:51", "write folder/**"),
    ],
)
def test_an_entry_that_cannot_hold_is_refused_at_its_place(entry: str, place: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        critical(entry)
    assert str(caught.value).startswith(f"c.yaml:{place}: ")
    assert words in str(caught.value)


def test_a_list_without_entries_is_refused() -> None:
    with pytest.raises(UserError, match="may not be empty"):
        load_critical(Source("c.yaml", "version: 1\npermissions: []"))


def test_ids_are_unique() -> None:
    with pytest.raises(UserError, match=r"c\.yaml:4:21: id: \"a\" is written twice"):
        critical("id: a, actions: ['*']", "id: a, actions: ['*']")


@pytest.mark.parametrize("text", ["*", "arn:*", "*:role/Admin", "arn:aws:s3:::audit", "a*", "arn:aws:s3:::?/*"])
def test_resources_are_arns_or_patterns_of_them(text: str) -> None:
    assert critical(f'id: a, resources: ["{text}"]').entries[0].resources[0].text == text


def test_anchors_and_comments_work() -> None:
    text = "version: 1\npermissions:\n- &a {id: a, reason: r, actions: [s3:Get*]} # why\n- {<<: *a, id: b}\n"
    assert [entry.id for entry in load_critical(Source("c.yaml", text)).entries] == ["a", "b"]


def test_actions_that_aws_does_not_have_are_told_with_the_nearest() -> None:
    listed = critical('id: a, actions: ["s3:DeletBucket", "s3:Get*"], except: ["s3:GetObjekt"]')
    assert [(value.text, near) for _, value, near in unknown_actions(listed)] == [
        ("s3:DeletBucket", "s3:DeleteBucket"),
        ("s3:GetObjekt", "s3:GetObject"),
    ]


def test_what_an_entry_covers_today() -> None:
    (entry,) = critical('id: a, actions: ["S3:DELETEBUCKET*"], except: ["s3:DeleteBucketP*"]').entries
    assert "s3:DeleteBucket" in covered(entry)
    assert "s3:DeleteBucketPolicy" not in covered(entry)
