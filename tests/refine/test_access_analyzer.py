"""Access Analyzer's findings as they come from its commands, and which of them count for a policy."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Source
from policy_guard.refine.access_analyzer import UnusedPermission, latest, read_findings
from policy_guard.refine.attribution import Usage
from policy_guard.refine.unused_actions import Unused, Use, collect_unused, unused_by_all
from policy_guard.settings.config import Refine
from tests.support.access_analyzer import ROLE, finding

TODAY = date(2026, 11, 21)


def found(value: Any) -> tuple[UnusedPermission, ...]:
    return read_findings(Source("f.json", value if isinstance(value, str) else json.dumps(value)))


SHAPES: dict[str, Any] = {
    "one finding": finding("GetObject"),
    "a list of findings": [finding("GetObject")],
    "list-findings-v2": {"findings": [finding("GetObject")], "nextToken": "x"},
    "JSON lines": json.dumps(finding("GetObject")) + "\n" + json.dumps(finding("GetObject", id="2")) + "\n",
    "with the prefix": finding("s3:GetObject"),
    "the short form": [{"serviceNamespace": "s3", "actions": ["GetObject"]}],
    "one service in short": {"serviceNamespace": "s3", "actions": ["GetObject"]},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_says_the_same(shape: str) -> None:
    uses = collect_unused(use for each in found(SHAPES[shape]) for use in each.uses).uses
    assert list(uses) == ["s3:getobject"]


def test_a_service_without_actions_is_not_used_at_all() -> None:
    uses = collect_unused(found(finding())[0].uses)
    assert uses.use("s3:Anything") == Use("s3", "")
    assert uses.use("s3tables:GetTable") is None


def test_the_last_use_is_that_of_the_action() -> None:
    details = {
        "serviceNamespace": "s3",
        "lastAccessed": "2026-01-01T00:00:00Z",
        "actions": [{"action": "GetObject", "lastAccessed": "2025-05-05T08:00:00Z"}, {"action": "PutObject"}],
    }
    each = found({**finding(), "findingDetails": [{"unusedPermissionDetails": details}]})[0]
    assert each.uses == (Use("s3", "GetObject", "2025-05-05"), Use("s3", "PutObject", None))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("{", "f.json:1:2: this is not JSON"),
        ('{"a": 1}\n{"b": ', "f.json:1:1: this is not a finding"),
        ("[1]", "f.json:1:1: this is not a finding"),
        ("3", "f.json:1:1: this is not a finding"),
        ("[" * 100_000, "f.json: this JSON cannot be read"),
        ('\n\n{"findingType": 3}', "f.json:3:1: findingType: expected a text"),
        ('{"serviceNamespace": "s3 "}', "is not a service prefix"),
        ('{"serviceNamespace": "s3", "actions": ["*"]}', "is not an action of s3"),
        ('{"serviceNamespace": "s3", "actions": ["iam:PassRole"]}', "is not an action of s3"),
        ('{"serviceNamespace": "s3", "actions": "GetObject"}', "actions: expected a list"),
        ('{"serviceNamespace": "s3", "actions": [3]}', "actions: expected names"),
        ('{"serviceNamespace": "s3", "actions": [{}]}', "action: expected a text"),
        ('{"findingType": "UnusedPermission", "resource": "a", "analyzedAt": "soon"}', "analyzedAt: expected a time"),
        ('{"findingType": "UnusedPermission"}', "resource: expected a text"),
        ('{"findingDetails": {}}', "findingDetails: expected a list"),
        ('{"serviceNamespace": "s3", "action": ["GetObject"]}', 'expected "actions"'),
        ('{"serviceNamespace": "s3", "actions": null}', "actions: expected a list"),
        ('{"serviceNamespace": "s3", "actions": ["Foo.Bar"]}', "is not an action of s3"),
        ('{"serviceNamespace": "s\\u001b3"}', "serviceNamespace: expected a text"),
    ],
)
def test_what_is_no_finding_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(SetupError, match=r"f\.json") as caught:
        found(text)
    assert words in str(caught.value)


def test_pages_of_one_finding_are_put_together_and_later_ones_replace_it() -> None:
    first = finding("GetObject", nextToken="x")
    second, newer = finding("PutObject"), finding("DeleteObject", updatedAt="2026-11-02T10:00:00+00:00")
    (both,) = latest(found([first, second]))
    assert [use.name for use in both.uses] == ["GetObject", "PutObject"]
    assert not both.partial
    for order in ([first, second, newer], [newer, first, second]):
        (last,) = latest(found(order))
        assert [use.name for use in last.uses] == ["DeleteObject"]
    (alone,) = latest(found(first))
    assert alone.partial


def test_unused_by_several_is_what_none_of_them_uses() -> None:
    one = collect_unused([Use("s3", "GetObject", "2026-01-01"), Use("s3", "PutObject"), Use("ec2", "")])
    other = collect_unused([Use("s3", "", "2025-01-01"), Use("ec2", "RunInstances"), Use("sqs", "")])
    together = unused_by_all([one, other])
    assert {key: use.last for key, use in together.uses.items()} == {
        "s3:getobject": "2026-01-01",
        "s3:putobject": "2025-01-01",
        "ec2:runinstances": None,
    }
    assert unused_by_all([one]).uses == one.uses
    assert unused_by_all([one, Unused()]).uses == {}
    assert unused_by_all([]).uses == {}


def test_what_is_kept_counts_as_used() -> None:
    uses = replace(collect_unused([Use("s3", ""), Use("iam", "PassRole")]), keep=("s3:Get*", "IAM:passrole"))
    assert uses.use("s3:GetObject") is None
    assert uses.use("iam:PassRole") is None
    assert uses.use("s3:PutObject") is not None


def usage(*findings: dict[str, Any], **settings: Any) -> Usage:
    given = Refine(**{"roles": (("Orders", ("a.json",)),), **settings})
    return Usage(given, latest(found(list(findings))), TODAY)


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        ({"status": "ARCHIVED"}, {}, "the finding is archived"),
        ({"status": "RESOLVED"}, {}, "the finding is resolved"),
        ({"findingType": "ExternalAccess", "findingDetails": []}, {}, "of the type ExternalAccess"),
        ({"findingType": "UnusedIAMRole", "findingDetails": []}, {}, "not used at all"),
        ({"findingDetails": []}, {}, "names no actions"),
        ({"error": "INTERNAL_ERROR"}, {}, "the analysis failed (INTERNAL_ERROR)"),
        ({"analyzedAt": "2099-01-01"}, {"max_age": 5}, "which is not yet"),
        ({}, {"max_age": 19}, "20 days old, and max-age is 19"),
        ({"analyzedAt": None}, {"max_age": 1}, "has no date"),
    ],
)
def test_findings_that_do_not_count_say_why(change: dict[str, Any], settings: dict[str, Any], words: str) -> None:
    here = usage(finding("GetObject", **change), **settings)
    assert here.unused_in("a.json").uses == {}
    (note,) = here.notes("a.json")
    assert words in note


def test_a_finding_counts_until_the_last_day_of_its_age() -> None:
    here = usage(finding("GetObject"), max_age=20)
    assert list(here.unused_in("a.json").uses) == ["s3:getobject"]
    assert here.unused_in("a.json").by == ("Orders, analyzed 2026-11-01",)
    assert list(here.notes("a.json")) == []


@pytest.mark.parametrize("role", ["Orders", ROLE])
def test_a_principal_is_named_by_its_name_or_its_arn(role: str) -> None:
    assert usage(finding("GetObject"), roles=((role, ("a.json",)),)).unused_in("a.json").uses


@pytest.mark.parametrize("role", ["orders", "team/Orders", "arn:aws:iam::111122223333:role/Orders", "Order"])
def test_another_name_is_another_principal(role: str) -> None:
    here = usage(finding("GetObject"), roles=((role, ("a.json",)),))
    assert here.unused_in("a.json").uses == {}
    (note,) = here.notes("a.json")
    assert note.startswith(f"there is no finding about {role}, so all that it may do counts as used; did you mean ")


def test_a_policy_of_two_principals_loses_only_what_neither_uses() -> None:
    other = finding("GetObject", "DeleteObject", id="2", resource="arn:aws:iam::111122223333:role/Billing")
    roles = (("Orders", ("a.json",)), ("Billing", ("a.json", "b.json")))
    here = usage(finding("GetObject", "PutObject"), other, roles=roles)
    assert list(here.unused_in("a.json").uses) == ["s3:getobject"]
    assert list(here.unused_in("b.json").uses) == ["s3:getobject", "s3:deleteobject"]
    assert here.unused_in("c.json").uses == {}


def test_a_principal_of_one_name_in_two_accounts_is_two() -> None:
    other = finding("PutObject", id="2", resource="arn:aws:iam::444455556666:role/Orders")
    assert usage(finding("GetObject", "PutObject"), other).unused_in("a.json").uses.keys() == {"s3:putobject"}


def test_two_analyzers_that_ran_at_once_are_put_together() -> None:
    assert usage(finding("GetObject"), finding("PutObject", id="2")).unused_in("a.json").uses.keys() == {
        "s3:getobject",
        "s3:putobject",
    }
    assert not usage(finding("GetObject"), finding("PutObject", id="2", status="RESOLVED")).unused_in("a.json").uses


@pytest.mark.parametrize("later", ["2026-11-01T10:00:00.5Z", "2026-11-01T06:30:00-05:00", 1793700000])
def test_only_the_newest_finding_about_a_principal_counts(later: Any) -> None:
    older, newer = finding("GetObject", "PutObject"), finding("GetObject", id="2", updatedAt=later)
    for order in ((older, newer), (newer, older)):
        assert usage(*order).unused_in("a.json").uses.keys() == {"s3:getobject"}
        (note,) = usage(*order).notes("a.json")
        assert "there is a newer finding about the same principal" in note
    assert not usage(older, {**newer, "status": "RESOLVED"}).unused_in("a.json").uses
    assert not usage(older, {**newer, "id": "1", "status": "ARCHIVED"}).unused_in("a.json").uses


def test_of_one_finding_in_two_states_at_once_none_is_active() -> None:
    for order in ("ACTIVE", "ARCHIVED"), ("ARCHIVED", "ACTIVE"):
        assert not usage(*(finding("GetObject", status=status) for status in order)).unused_in("a.json").uses


def test_findings_of_one_id_about_two_principals_are_two() -> None:
    arn = "arn:aws:iam::111122223333:role/Billing"
    both = latest(found([finding("GetObject"), finding("PutObject", resource=arn)]))
    assert [(each.name, len(each.uses)) for each in both] == [("Orders", 1), ("Billing", 1)]


def test_without_a_setting_all_findings_have_to_be_about_one_principal() -> None:
    here = usage(finding("GetObject"), finding("PutObject", id="2", resource="arn:aws:iam::1:role/Other"))
    with pytest.raises(SetupError, match=r"about 2 principals.*say in refine\.roles"):
        here.unused_by_anyone()
    assert usage(finding("GetObject")).unused_by_anyone().uses.keys() == {"s3:getobject"}


def test_what_is_odd_about_findings_and_settings_is_said() -> None:
    here = usage(finding("GetUnicorn"), {"serviceNamespace": "s3"}, keep=("iam:PasRole",))
    said = "\n".join(here.remarks(requested=False))
    assert "f.json names no principal; give it with --findings" in said
    assert "keep: iam:PasRole covers no action of AWS" in said
    assert "the findings name s3:GetUnicorn, none of the actions of" in said
    assert "names no principal" not in "\n".join(here.remarks(requested=True))
