"""An old version that cannot be read may have denied something: its loss is no pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policy_guard.pipeline.pairing.unknown import denied_nothing
from tests.support.repository import Scratch, allow, deny, document

SCP: dict[str, Any] = {"version": 1, "policies": [{"files": ["org/*"], "kind": "scp"}]}
LOST = [("no-lost-deny", "unreadable", "org/guard.json")]
TEMPLATE = """{"Version": "2012-10-17", "Statement": [
{% if strict %}
{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
{% endif %}]}
"""
BROKEN = {
    "a template": TEMPLATE,
    "no JSON": '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]',
    "no statement": document({"Effect": "Deny", "Action": "iam:*", "Resources": "*"}),
    "an escape": '{"Version": "2012-10-17", "Statement": {"Effect": "\\u0044eny", "Action": "*", "Resource": "*"},}',
    "no policy": {"Version": "2012-10-17", "Statment": []},
    "too long": b" " * 6_000_000 + b'{"Version": "2012-10-17", "Statement": []}',
    "not UTF-8": b'\xff{"Version": "2012-10-17", "Statement": []}',
    "a pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n",
}
SMALLER = document(deny("s3:DeleteBucket"))


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{".policy-guard.yaml": SCP})
    return made


@pytest.mark.parametrize("before", BROKEN.values(), ids=BROKEN)
def test_a_guard_that_nobody_can_read_may_not_go(scratch: Scratch, before: Any) -> None:
    scratch.commit(**{"org/guard.json": before})
    scratch.write("org/guard.json", SMALLER)
    assert scratch.findings() == LOST
    (scratch.folder / "org/guard.json").unlink()
    assert scratch.findings() == LOST
    assert "no lost Deny" not in scratch.guard().out


def test_a_line_that_need_not_be_readable_lets_no_guard_go(scratch: Scratch) -> None:
    lines = ["{% if strict %}", TEMPLATE.splitlines()[0]]
    ignored = [{"file": "org/guard.json", "line": line, "reason": "x", "expires": "2999-01-01"} for line in lines]
    scratch.commit(**{".policy-guard.yaml": {**SCP, "ignore-unreadable": ignored}, "org/guard.json": TEMPLATE})
    (scratch.folder / "org/guard.json").unlink()
    assert scratch.findings() == LOST


def test_a_guard_that_moves_to_where_other_settings_hold_is_gone(scratch: Scratch) -> None:
    scratch.commit(**{"org/guard.json": TEMPLATE})
    scratch.git("mv", "org/guard.json", "guard.txt")
    assert ("no-lost-deny", "unreadable", "org/guard.json") in scratch.findings()


def test_a_guard_of_any_name_counts(scratch: Scratch) -> None:
    scratch.commit(**{"iam/guard.json": document({"Effect": "Deny", "Action": "iam:*"})})
    scratch.write("iam/guard.json", SMALLER)
    assert scratch.findings() == [("no-lost-deny", "unreadable", "iam/guard.json")]


def test_a_policy_that_was_to_be_filled_in_may_have_denied(scratch: Scratch) -> None:
    scratch.commit(**{"iam/role.yaml": "RoleName: a\nPolicyDocument: !Include deny.json\n"})
    scratch.write("iam/role.yaml", {"RoleName": "a", "PolicyDocument": SMALLER})
    assert scratch.findings() == [("no-lost-deny", "unreadable", "iam/role.yaml")]


def test_what_surely_allowed_only_is_corrected_as_before(scratch: Scratch) -> None:
    scratch.commit(**{"iam/a.json": document({"Effect": "Allow", "Action": "s3:GetObject"})})
    scratch.write("iam/a.json", document(allow("s3:GetObject")))
    assert scratch.findings() == [("no-new-access", "violated", "iam/a.json")]
    (scratch.folder / "iam/a.json").unlink()
    assert scratch.findings() == []


def test_a_deny_of_another_policy_of_the_file_is_known(scratch: Scratch) -> None:
    guard, broken = document(deny("iam:*")), document({"Effect": "Allow", "Action": "s3:GetObject"})
    scratch.commit(**{"iam/all.json": {"guard": guard, "read": broken}})
    scratch.write("iam/all.json", {"guard": guard})
    assert scratch.findings() == []
    scratch.write("iam/all.json", {"guard": SMALLER})
    assert scratch.findings() == [("no-lost-deny", "violated", "iam/all.json")]


def test_a_guard_that_git_wrote_otherwise_is_held_against_what_is_kept(scratch: Scratch) -> None:
    guard = {**document(deny("iam:*")), "Id": "$Id$"}
    base = scratch.commit(**{"org/guard.json": guard, ".gitattributes": "org/guard.json ident\n"})
    scratch.commit(**{".gitattributes": "\n"})
    assert scratch.findings("--base", base, CI="true") == []
    scratch.commit(**{"org/guard.json": SMALLER})
    assert scratch.findings("--base", base, CI="true") == LOST


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ('{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::a/${aws:username}/*"}', True),
        ("Effect: Allow\nAction: [s3:GetObject", True),
        ('{"Effect": "allow"}', False),
        ('{"Effect": "${effect}"}', False),
        ('{"Effect": "Allow"}, ${more}', False),
        ('{"Effect": "Allow"}, {{ more }}', False),
        ('{"Effect": "Allow"}, {"Effect": "\\u0044eny"}', False),
        ("Effect: Allow\nAction: !Include actions", False),
        ('{"Action": "*"}', False),
        ("", False),
    ],
)
def test_a_policy_denied_nothing_if_all_of_it_is_to_be_seen(text: str, nothing: bool) -> None:
    assert denied_nothing(text) is nothing
