"""Legitimate new access gets through: written down, reviewed on the base, good for one change; and nothing besides."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy_guard.settings.acceptance import digest
from policy_guard.settings.codeowners import owners
from policy_guard.verify.checks import manual
from tests.support.policies import policy
from tests.support.repository import Answer, Scratch, allow, deny, document

TODAY = datetime.now(timezone.utc).date()
SOON = (TODAY + timedelta(20)).isoformat()
OLD = document(allow("s3:GetObject", resource="arn:aws:s3:::orders/*"))
NEW = document(allow("s3:GetObject", "s3:DeleteObject", resource="arn:aws:s3:::orders/*"))
MORE = document(allow("s3:GetObject", "s3:DeleteObject", "s3:PutObject", resource="arn:aws:s3:::orders/*"))
DELETE = [{"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::orders/*"}]
FOLDER = ".policy-guard/accepted"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path / "repository")
    made.commit(**{"iam/orders.json": OLD, "iam/other.json": OLD})
    made.git("checkout", "-q", "-b", "feature")
    return made


def merged(scratch: Scratch) -> None:
    """What is committed on the branch is on main now."""
    scratch.git("branch", "-f", "main", "HEAD")


def judged(scratch: Scratch, *arguments: str) -> Answer:
    return scratch.guard("check", "--base", "main", *arguments, CI="true")


def written(**changes: Any) -> str:
    """An acceptance of s3:DeleteObject in iam/orders.json; None leaves a key out."""
    given = {
        "version": 1,
        "policy": "iam/orders.json",
        "checks": ["no-new-access"],
        "from": digest(policy(OLD)),
        "access": DELETE,
        "reason": "GDPR deletion, SEC-123",
        "expires": SOON,
    }
    return json.dumps({key: value for key, value in {**given, **changes}.items() if value is not None})


def accepted_on_main(scratch: Scratch, **changes: Any) -> None:
    scratch.commit(**{f"{FOLDER}/a.yaml": written(**changes)})
    merged(scratch)


def test_the_story_of_one_new_access(scratch: Scratch) -> None:
    scratch.write("iam/orders.json", NEW)
    refused = scratch.guard("check", "--base", "main")
    assert refused.code == 1
    assert "accept   policy-guard accept iam/orders.json --reason '...'" in refused.out

    accepted = scratch.guard("accept", "iam/orders.json", "--reason", "GDPR deletion, SEC-123", "--base", "main")
    assert accepted.code == 0
    (file,) = (scratch.folder / FOLDER).iterdir()
    assert f"wrote {FOLDER}/{file.name}" in accepted.out
    assert "this counts once it is on main" in accepted.out
    waiting = scratch.guard("check", "--base", "main")
    assert waiting.code == 1
    assert f"note: {FOLDER}/{file.name} is not on main@" in waiting.out

    scratch.git("add", FOLDER)
    scratch.git("commit", "-q", "-m", "accept")
    merged(scratch)
    passes = scratch.guard("check", "--base", "main")
    assert passes.code == 0
    assert "accepted: iam/orders.json: s3:DeleteObject on arn:aws:s3:::orders/*: GDPR deletion, SEC-123" in passes.out
    assert "no new access, no lost Deny, but for what 1 file has accepted" in passes.out

    scratch.commit()
    merged(scratch)
    scratch.write("iam/orders.json", document(allow("s3:DeleteObject", resource="arn:aws:s3:::orders/*")))
    done = scratch.guard("check", "--base", "main")
    assert done.code == 0
    assert f"{FOLDER}/{file.name} is done: iam/orders.json has the access" in done.out
    scratch.git("checkout", "-q", ".")

    back = document(*json.loads(json.dumps(OLD))["Statement"])
    scratch.commit(**{"iam/orders.json": back})
    again = judged(scratch)
    assert again.code == 1
    assert "would accept the same access once more [accepted]" in again.out
    assert "1 other finding fails" in again.out.splitlines()[-1]

    pruned = scratch.guard("accept", "--prune", "--base", "main")
    assert f"removed {FOLDER}/{file.name}: done: iam/orders.json has the access in main@" in pruned.out
    assert not file.exists()
    scratch.commit()
    assert judged(scratch).code == 0
    merged(scratch)
    scratch.commit(**{"iam/orders.json": NEW})
    assert judged(scratch).code == 1


def test_one_action_more_than_accepted_is_refused_and_only_that_is_named(scratch: Scratch) -> None:
    accepted_on_main(scratch)
    scratch.commit(**{"iam/orders.json": MORE})
    answer = judged(scratch)
    assert answer.code == 1
    assert "new      s3:PutObject on arn:aws:s3:::orders/*" in answer.out
    assert answer.out.count("[no-new-access]") == 1
    assert '"s3:DeleteObject",\n' in answer.out
    assert "accepted: iam/orders.json: s3:DeleteObject" in answer.out


HELPS_NOTHING = {
    "an acceptance for another file": {"policy": "iam/other.json"},
    "one for a group": {"policy": None, "group": "iam/orders.json"},
    "one for a label": {"label": "PolicyName=x"},
    "one for another check": {"checks": ["no-lost-deny"]},
    "one for a critical permission": {"checks": ["access-not-granted"]},
    "one against another version": {"from": digest(policy(MORE))},
    "one for a new file": {"from": "none"},
    "an expired one": {"expires": (TODAY - timedelta(1)).isoformat()},
    "one too far ahead": {"expires": (TODAY + timedelta(31)).isoformat()},
    "one of another resource": {"access": [{"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::other/*"}]},
    "one without what is asked for": {"without": DELETE},
    "one without from": {"from": None},
    "one with a principal": {"access": [{**DELETE[0], "Principal": "*"}]},
    "one with a pattern for a path": {"policy": "iam/*.json"},
    "one with an unknown key": {"until": SOON},
    "one with an effect": {"access": [{**DELETE[0], "Effect": "Allow"}]},
}


@pytest.mark.parametrize("how", HELPS_NOTHING)
def test_what_does_not_fit_helps_nothing(scratch: Scratch, how: str) -> None:
    accepted_on_main(scratch, **HELPS_NOTHING[how])
    scratch.commit(**{"iam/orders.json": NEW})
    answer = judged(scratch)
    assert answer.code == 1
    assert "s3:DeleteObject on arn:aws:s3:::orders/*" in answer.out
    assert "accepted:" not in answer.out


PARTS = {
    "of the resources": ("on arn:aws:s3:::orders/a/*", {"Resource": "arn:aws:s3:::orders/a/*"}),
    "under a condition": (
        "when Bool aws:SecureTransport true",
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_where_a_part_is_accepted_the_rest_is_refused(scratch: Scratch, part: str) -> None:
    accepted_on_main(scratch, access=[{**DELETE[0], **PARTS[part][1]}])
    scratch.commit(**{"iam/orders.json": NEW})
    answer = judged(scratch)
    assert answer.code == 1
    assert "accepted: iam/orders.json" in answer.out
    words = (
        "only on arn:aws:s3:::orders/a/*" if part == "of the resources" else "only when Bool aws:SecureTransport true"
    )
    assert f"accepted  {words}" in answer.out


def test_the_page_shows_what_is_really_said(scratch: Scratch) -> None:
    page = manual("accepted")
    shown = textwrap.dedent(page.partition("Good:\n\n")[2].partition("`from`")[0])
    ours = re.sub("from: .*", f"from: {digest(policy(OLD))}", shown).replace("2026-12-20", SOON)
    scratch.commit(**{f"{FOLDER}/orders.yaml": ours})
    merged(scratch)
    scratch.commit(**{"iam/orders.json": NEW})
    assert judged(scratch).code == 0
    merged(scratch)
    scratch.commit(**{"iam/orders.json": OLD})
    (said,) = re.findall(r"^    (\.policy-guard/.*)$", page, re.MULTILINE)
    assert said in judged(scratch).out


def test_the_last_day_is_inclusive(scratch: Scratch) -> None:
    accepted_on_main(scratch, expires=TODAY.isoformat())
    scratch.commit(**{"iam/orders.json": NEW})
    assert judged(scratch).code == 0


def test_a_rename_takes_no_acceptance_along(scratch: Scratch) -> None:
    accepted_on_main(scratch)
    scratch.git("mv", "iam/orders.json", "iam/renamed.json")
    scratch.commit(**{"iam/renamed.json": NEW})
    assert judged(scratch).code == 1


def test_an_acceptance_travels_with_the_change_only_where_the_base_says_so_and_names_an_owner(scratch: Scratch) -> None:
    both = {f"{FOLDER}/a.yaml": written(), "iam/orders.json": NEW}
    head = {".policy-guard.yaml": "version: 1\naccepted-from: head\n"}
    scratch.commit(**both, **head, CODEOWNERS="* @security\n")
    assert judged(scratch).code == 1

    scratch.git("reset", "-q", "--hard", "main")
    scratch.commit(**head)
    merged(scratch)
    scratch.commit(**both)
    unowned = judged(scratch)
    assert unowned.code == 1
    assert '"accepted-from: head" does not count: in main@' in unowned.out
    assert "there is no CODEOWNERS" in unowned.out

    scratch.git("reset", "-q", "--hard", "main")
    scratch.commit(**{".github/CODEOWNERS": "/.policy-guard/ @security\n"})
    merged(scratch)
    scratch.commit(**both)
    assert judged(scratch).code == 0


def test_a_lost_deny_is_accepted_by_its_own_check_alone(scratch: Scratch) -> None:
    before = document(deny("s3:Delete*"), deny("s3:Put*"))
    scp = "version: 1\npolicies: [{files: [scp.json], kind: scp}]\n"
    scratch.commit(**{"scp.json": before, ".policy-guard.yaml": scp})
    merged(scratch)
    scratch.commit(**{"scp.json": document(deny("s3:Put*"))})
    answer = scratch.guard("accept", "--base", "main", "--reason", "r", "--expires", SOON)
    assert "checks:\n  - no-lost-deny" in answer.out
    file = next((scratch.folder / FOLDER).iterdir())
    kept = file.read_text()
    scratch.git("stash", "-q", "-u")
    scratch.git("reset", "-q", "--hard", "main")
    scratch.commit(**{f"{FOLDER}/a.yaml": kept})
    merged(scratch)
    scratch.commit(**{"scp.json": document(deny("s3:PutObject"))})
    assert judged(scratch).code == 1
    scratch.commit(**{"scp.json": document(deny("s3:Put*"))})
    again = judged(scratch)
    assert [line for line in again.out.splitlines() if "[no-lost-deny]" in line] == []


def test_a_standing_acceptance_of_a_critical_permission(scratch: Scratch) -> None:
    scratch.commit(
        **{
            ".policy-guard.yaml": "version: 1\ncritical: c.yaml\ncritical-existing: error\n",
            "c.yaml": "version: 1\npermissions:\n- {id: no-get, actions: ['s3:GetObject'], reason: r}\n",
        }
    )
    merged(scratch)
    scratch.commit(**{"iam/orders.json": document(allow("s3:GetObject", resource="arn:aws:s3:::orders/a/*"))})
    assert judged(scratch).code == 1
    made = scratch.guard("accept", "--base", "main", "--reason", "r", "--check", "access-not-granted")
    assert "from:" not in made.out
    scratch.git("add", FOLDER)
    scratch.git("commit", "-q", "-m", "accept")
    merged(scratch)
    scratch.commit(**{"iam/orders.json": document(allow("s3:GetObject", resource="arn:aws:s3:::orders/a/b"))})
    answer = judged(scratch)
    assert answer.code == 0, answer


def test_what_is_wrong_with_an_acceptance_is_a_finding_of_the_change_that_brings_it(scratch: Scratch) -> None:
    scratch.commit(**{f"{FOLDER}/a.yaml": written(expires="2199-01-01")})
    answer = judged(scratch)
    assert answer.code == 1
    assert f"{FOLDER}/a.yaml:1:277: error: cannot be read as an acceptance" in answer.out
    assert "this lies more than 30 days ahead" in answer.out


def test_accept_writes_what_it_can_and_asks_for_a_reason(scratch: Scratch) -> None:
    scratch.write("iam/orders.json", NEW)
    assert scratch.guard("accept", "--base", "main").code == 2
    assert "nothing was accepted: say why" in scratch.guard("accept", "--base", "main").err
    assert scratch.guard("accept", "--base", "main", "--reason", "r", "--expires", "2199-01-01").code == 2
    assert not (scratch.folder / FOLDER).exists()


SHAPES = {
    "a new file": (None, NEW),
    "a resource policy": (
        document(allow("s3:GetObject", resource="arn:aws:s3:::o/*", Principal={"AWS": "111122223333"})),
        document(allow("s3:*", resource="arn:aws:s3:::o/*", Principal={"AWS": ["111122223333", "444455556666"]})),
    ),
    "a trust policy": (
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"},
        },
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
        },
    ),
    "NotAction": (OLD, document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})),
    "a condition goes": (
        document(allow("s3:*", Condition={"Bool": {"aws:SecureTransport": "true"}})),
        document(allow("s3:*", Condition={"StringLike": {"aws:PrincipalTag/a": ["b*", "c"]}})),
    ),
    "a Deny beside it": (OLD, document(allow("s3:*"), deny("s3:Delete*"))),
    "an old Version": ({**OLD, "Version": "2008-10-17"}, {**NEW, "Version": "2008-10-17"}),
    "an unknown part": (OLD, document(allow("s3:*", resource="arn:aws:s3:::${bucket}/*"))),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_accept_writes_accepts_exactly_what_was_found(scratch: Scratch, shape: str) -> None:
    before, after = SHAPES[shape]
    if before is not None:
        scratch.commit(**{"p/a.json": before})
        merged(scratch)
    scratch.write("p/a.json", after)
    made = scratch.guard("accept", "--base", "main", "--reason", "r")
    assert made.code == 0, made
    shutil.copytree(scratch.folder / FOLDER, scratch.folder / "kept")
    (scratch.folder / "p/a.json").unlink()
    scratch.git("checkout", "-q", ".")
    scratch.git("add", FOLDER)
    scratch.git("commit", "-q", "-m", "accept")
    merged(scratch)
    scratch.write("p/a.json", after)
    scratch.commit()
    answer = judged(scratch)
    assert answer.code == 0, answer
    assert "accepted: p/a.json" in answer.out


def accepted_and_judged(scratch: Scratch, path: str, after: Any, *arguments: str) -> Answer:
    """What CI says of a change once what `accept` writes for it is on the base."""
    scratch.write(path, after)
    made = scratch.guard("accept", "--base", "main", "--reason", "r", *arguments)
    assert made.code == 0, made
    scratch.git("stash", "-q", "--", path) if scratch.git("ls-files", path) else (scratch.folder / path).unlink()
    scratch.git("add", FOLDER)
    scratch.git("commit", "-q", "-m", "accept")
    merged(scratch)
    scratch.write(path, after)
    scratch.commit()
    return judged(scratch)


def test_a_group_is_accepted_by_its_name(scratch: Scratch) -> None:
    scratch.commit(**{".policy-guard.yaml": "version: 1\ngroups: [{name: team, files: ['iam/*.json']}]\n"})
    merged(scratch)
    answer = accepted_and_judged(scratch, "iam/orders.json", NEW)
    assert answer.code == 0, answer
    assert "accepted: group team: s3:DeleteObject" in answer.out
    (file,) = (scratch.folder / FOLDER).iterdir()
    assert "group: team" in file.read_text()


def test_one_of_several_policies_in_a_file_is_accepted_by_its_label(scratch: Scratch) -> None:
    both = [{"PolicyName": name, "PolicyDocument": OLD} for name in ("one", "two")]
    scratch.commit(**{"p.json": both})
    merged(scratch)
    wider = [{**both[0], "PolicyDocument": NEW}, both[1]]
    answer = accepted_and_judged(scratch, "p.json", wider)
    assert answer.code == 0, answer
    scratch.commit(**{"p.json": [both[0], {**both[1], "PolicyDocument": NEW}]})
    assert judged(scratch).code == 1


def test_an_acceptance_of_one_part_takes_a_combination_apart(scratch: Scratch) -> None:
    sets = "[{actions: ['s3:DeleteObject']}, {actions: ['s3:GetObject']}]"
    listed = f"version: 1\npermissions: [{{id: c, all-of: {sets}, reason: r}}]\n"
    scratch.commit(**{".policy-guard.yaml": "version: 1\ncritical: c.yaml\n", "c.yaml": listed})
    merged(scratch)
    answer = accepted_and_judged(scratch, "iam/orders.json", NEW)
    assert answer.code == 0, answer
    assert answer.out.count("accepted: iam/orders.json: ") == 2


@pytest.mark.parametrize("format_", ["text", "markdown", "json", "github", "sarif", "junit"])
def test_every_report_says_what_was_accepted(scratch: Scratch, format_: str) -> None:
    accepted_on_main(scratch, reason="a reason ::error::x")
    scratch.commit(**{"iam/orders.json": NEW})
    out = judged(scratch, "--format", format_).out.replace("<wbr>", "")
    assert f"{FOLDER}/a.yaml" in out
    assert "a reason" in out
    assert SOON in out
    assert not re.search(r"^::error", out, re.MULTILINE)


@pytest.mark.parametrize("why", ["expired", "done"])
def test_what_is_not_needed_any_more_is_pruned(scratch: Scratch, why: str) -> None:
    expires = (TODAY - timedelta(1)).isoformat() if why == "expired" else SOON
    accepted_on_main(scratch, expires=expires)
    scratch.commit(**{f"{FOLDER}/b.yaml": written(access=[{**DELETE[0], "Action": "s3:PutObject"}])})
    if why == "done":
        scratch.commit(**{"iam/orders.json": NEW})
    merged(scratch)
    assert f"note: {FOLDER}/a.yaml is {why}" in scratch.guard("check", "--all", "--base", "main").out
    out = scratch.guard("accept", "--prune", "--base", "main").out
    assert f"removed {FOLDER}/a.yaml: {why}" in out
    assert [file.name for file in (scratch.folder / FOLDER).iterdir()] == ["b.yaml"]
    assert scratch.guard("accept", "--prune", "--base", "main").out == "nothing is done or expired\n"


def owned(holder: str, policy_: Any) -> dict[str, Any]:
    return {"RoleName": holder, "PolicyDocument": policy_}


@pytest.mark.parametrize("old", ["none", digest(policy(OLD))])
def test_an_acceptance_does_not_help_another_holder(scratch: Scratch, old: str) -> None:
    scratch.commit(**{"p.json": owned("reader", OLD)})
    whose = {"label": "PolicyDocument", "holder": '[["RoleName", "reader"]]'}
    accepted_on_main(scratch, policy="p.json", **whose, **{"from": old})
    scratch.git("rm", "-q", f"{FOLDER}/a.yaml")
    scratch.commit(**{"p.json": owned("admin", NEW)})
    assert judged(scratch).code == 1


def test_a_new_holder_of_a_policy_is_accepted_for_that_holder(scratch: Scratch) -> None:
    scratch.commit(**{"p.json": owned("reader", OLD)})
    merged(scratch)
    answer = accepted_and_judged(scratch, "p.json", owned("admin", OLD))
    assert answer.code == 0, answer
    (file,) = (scratch.folder / FOLDER).iterdir()
    assert """holder: '[["RoleName", "admin"]]'""" in file.read_text()
    assert f"from: {digest(policy(OLD))}" in file.read_text()


def replaced_by_another(scratch: Scratch) -> None:
    """What was accepted is merged, then deleted, and another policy gets its name."""
    merged(scratch)
    scratch.git("rm", "-q", "iam/orders.json")
    scratch.commit()
    assert judged(scratch).code == 0
    merged(scratch)
    scratch.git("mv", "iam/other.json", "iam/orders.json")


def test_a_way_back_over_other_names_is_no_way_to_use_an_acceptance_twice(scratch: Scratch) -> None:
    accepted_on_main(scratch, policy="iam/new.json", access=[{"Action": "s3:*", "Resource": "*"}], **{"from": "none"})
    scratch.commit(**{"iam/new.json": MORE})
    assert judged(scratch).code == 0
    merged(scratch)
    scratch.git("mv", "iam/new.json", "iam/moved.json")
    scratch.commit()
    gone = judged(scratch)
    assert gone.code == 1
    assert "would accept the same access once more" in gone.out

    scratch.git("reset", "-q", "--hard", "main")
    accepted_on_main(scratch)
    scratch.commit(**{"iam/orders.json": NEW})
    replaced_by_another(scratch)
    scratch.commit()
    back = judged(scratch)
    assert back.code == 1
    assert "would accept the same access once more" in back.out


def test_an_acceptance_is_not_for_what_comes_from_another_name(scratch: Scratch) -> None:
    accepted_on_main(scratch)
    scratch.commit(**{"iam/orders.json": NEW})
    replaced_by_another(scratch)
    scratch.write("iam/orders.json", NEW)
    scratch.commit()
    assert judged(scratch).code == 1


def test_a_renamed_and_widened_policy_is_accepted_once(scratch: Scratch) -> None:
    scratch.git("mv", "iam/orders.json", "iam/moved.json")
    scratch.write("iam/moved.json", NEW)
    made = scratch.guard("accept", "--base", "main", "--reason", "r")
    assert "policy: iam/moved.json" in made.out
    assert "from: none" in made.out


def test_a_hundred_acceptances_of_one_large_policy_are_read_in_time(scratch: Scratch) -> None:
    for number in range(100):
        scratch.write(f"{FOLDER}/{number}.yaml", written(reason=str(number)))
    large = document(*(allow(f"s3:Get{number}*", resource=f"arn:aws:s3:::b{number}/*") for number in range(300)))
    scratch.commit(**{"iam/orders.json": large})
    assert judged(scratch).code == 1


def test_a_way_back_is_free_once_the_acceptance_has_expired(scratch: Scratch) -> None:
    scratch.commit(**{"iam/orders.json": NEW})
    accepted_on_main(scratch, expires=(TODAY - timedelta(1)).isoformat())
    scratch.commit(**{"iam/orders.json": OLD})
    assert judged(scratch).code == 0


def test_what_is_accepted_does_not_change_with_the_version_of_the_policy(scratch: Scratch) -> None:
    home = "arn:aws:s3:::home/${aws:username}/*"
    after = document(allow("s3:*", resource="arn:aws:s3:::home/*"), deny("s3:*", resource=home))
    answer = accepted_and_judged(scratch, "iam/orders.json", after)
    assert answer.code == 0, answer
    scratch.commit(**{"iam/orders.json": {**after, "Version": "2008-10-17"}})
    assert judged(scratch).code == 1


COMBINATIONS = """version: 1
permissions:
- {id: l, all-of: [{actions: ['iam:PassRole']}, {actions: ['lambda:CreateFunction']}], reason: r}
- {id: e, all-of: [{actions: ['iam:PassRole']}, {actions: ['ec2:RunInstances']}], reason: r}
"""


def test_one_accepted_combination_is_no_other_and_not_more_of_itself(scratch: Scratch) -> None:
    scratch.commit(**{".policy-guard.yaml": "version: 1\ncritical: c.yaml\n", "c.yaml": COMBINATIONS})
    merged(scratch)
    here = "arn:aws:lambda:eu-west-1:111122223333:function:a"
    both = [allow("iam:PassRole"), allow("lambda:CreateFunction", resource=here)]
    answer = accepted_and_judged(scratch, "iam/orders.json", document(*both))
    assert answer.code == 0, answer
    assert "critical:\n- l\n" in "".join(file.read_text() for file in (scratch.folder / FOLDER).iterdir())

    def critical(*statements: Any) -> list[str]:
        scratch.commit(**{"iam/orders.json": document(*statements)})
        found = json.loads(judged(scratch, "--format", "json").out)["findings"]
        return sorted({each["critical_id"] for each in found if "critical_id" in each})

    assert critical(*both) == []
    assert critical(*both, allow("ec2:RunInstances")) == ["e"]
    assert critical(*both, allow("lambda:CreateFunction", resource="*")) == ["l"]


EXACT = {
    "an action that a Deny spared": (
        document(allow("*"), deny("guardduty:DeleteDetector", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail")),
        document(allow("*"), deny("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")),
        ["guardduty:DeleteDetector"],
    ),
    "one of two resources": (
        document(deny("s3:*", resource=["arn:aws:s3:::a", "arn:aws:s3:::b"]), allow("s3:*")),
        document(deny("s3:*", resource="arn:aws:s3:::a"), allow("s3:*")),
        ["s3:*", "arn:aws:s3:::b"],
    ),
}


@pytest.mark.parametrize("how", EXACT)
def test_as_little_is_written_down_as_can_be_spelled(scratch: Scratch, how: str) -> None:
    before, after, told = EXACT[how]
    scratch.commit(**{"iam/orders.json": before})
    merged(scratch)
    assert accepted_and_judged(scratch, "iam/orders.json", after).code == 0
    (given,) = (yaml.safe_load(file.read_text()) for file in (scratch.folder / FOLDER).iterdir())
    (statement,) = given["access"]
    assert [statement["Action"], statement["Resource"]][: len(told)] == told
    assert "without" not in given


def test_of_a_critical_entry_that_says_less_its_own_words_are_taken(scratch: Scratch) -> None:
    listed = "version: 1\npermissions: [{id: x, actions: ['s3:DeleteBucket', 'ec2:RunInstances'], reason: r}]\n"
    scratch.commit(**{".policy-guard.yaml": "version: 1\ncritical: c.yaml\n", "c.yaml": listed})
    merged(scratch)
    scratch.write("iam/orders.json", document(allow("s3:*")))
    made = scratch.guard("accept", "--base", "main", "--reason", "r", "--check", "access-not-granted")
    assert "access:\n  - Action: s3:DeleteBucket\n    Resource: '*'" in made.out


def test_a_lost_deny_of_a_cap_is_accepted_at_once(scratch: Scratch) -> None:
    scp = "version: 1\npolicies: [{files: [scp.json], kind: scp}]\n"
    scratch.commit(**{"scp.json": document(deny("s3:Delete*"), deny("ec2:*")), ".policy-guard.yaml": scp})
    merged(scratch)
    assert accepted_and_judged(scratch, "scp.json", document(deny("ec2:*"))).code == 0
    (given,) = (yaml.safe_load(file.read_text()) for file in (scratch.folder / FOLDER).iterdir())
    assert given["checks"] == ["no-lost-deny", "no-new-access"]
    assert given["access"] == [{"Action": "s3:Delete*", "Resource": "*"}]


def test_a_warning_says_how_it_is_accepted(scratch: Scratch) -> None:
    scratch.commit(**{"iam/orders.json": document(allow("ec2:*"), deny("s3:*"))})
    merged(scratch)
    scratch.write("iam/orders.json", document(allow("ec2:*")))
    said = scratch.guard("check", "--base", "main").out
    assert "accept   policy-guard accept iam/orders.json --check no-lost-deny --reason '...'" in said, said
    arguments = ("accept", "iam/orders.json", "--check", "no-lost-deny", "--base", "main", "--reason")
    assert scratch.guard(*arguments, "...").code == 2
    assert "wrote" in scratch.guard(*arguments, "a reason").out
    again = scratch.guard(*arguments, "b")
    assert "is there already, with another reason, day or access: edit that file" in again.out
    assert (again.code, "counts once" in again.out, "reason: b" in again.out) == (1, False, False)


def test_an_acceptance_of_no_file_is_told_where_it_comes(scratch: Scratch) -> None:
    scratch.commit(**{f"{FOLDER}/a.yaml": written(policy="iam/mail.json")})
    answer = judged(scratch)
    assert answer.code == 0
    assert "warning: accepts nothing: there is no iam/mail.json" in answer.out


OWNERS = {
    "* @a": ("@a",),
    "* @a\n/.policy-guard/ @b/c": ("@b/c",),
    ".policy-guard/accepted/ a@example.com": ("a@example.com",),
    "*.yaml @a # why": ("@a",),
    "* @a\n/.policy-guard/": (),
    "/accepted/ @a": (),
    "accepted/ @a": ("@a",),
    "/.policy-guard/* @a": (),
    "/.policy-guard/** @a": ("@a",),
    "!x @a": (),
    "[a-z] @a": (),
    "* a": (),
    "# * @a": (),
    "": (),
    "/* @a": (),
    "*.yaml/ @a": (),
    "/.policy-guard/accepted/a.yaml/ @a": (),
}


@pytest.mark.parametrize("text", OWNERS)
def test_codeowners_the_last_match_wins(text: str) -> None:
    assert owners(text, ".policy-guard/accepted/a.yaml") == OWNERS[text]


def test_the_digest_does_not_change_with_the_spelling_and_does_with_the_meaning() -> None:
    alike = document(allow("S3:getobject", resource=["arn:aws:s3:::orders/*"], Sid="Other"))
    assert digest(policy(OLD)) == digest(policy(alike))
    assert digest(policy(OLD)) == "c775bdddf8056bd1f6e1dce1565f34f40349d4e321f0877297a3352cb00c340f"
    assert len({digest(policy(each)) for each in (OLD, NEW, MORE)} | {digest(None)}) == 4
