"""Plans of Terraform in JSON: what passes, what fails and where, and which files are no plans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy_guard.documents.containers.other_access import details_of, terraform_types
from policy_guard.documents.containers.terraform.lasting import OWNERSHIP, ROWS
from tests.support.examples import nightly
from tests.support.repository import Answer, Scratch, allow, document

READ, SEND, PUBLISH = allow("s3:GetObject"), allow("sqs:SendMessage"), allow("sns:Publish")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps(document(*statements))


def change(address: str, before: Any, after: Any, unknown: Any = None) -> dict[str, Any]:
    type_ = address.removeprefix("module.x.").partition(".")[0]
    sides = {"actions": ["update"], "before": before, "after": after, "after_unknown": unknown or {}}
    return {"address": address, "mode": "managed", "type": type_, "provider_name": "aws", "change": sides}


def plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    providers = {"provider_config": {"aws": {"name": "aws"}}}
    return {
        "format_version": "1.2",
        "planned_values": {},
        "configuration": providers,
        "resource_changes": list(changes),
        **more,
    }


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    made.commit()
    return made


def judged(scratch: Scratch, given: dict[str, Any]) -> Answer:
    scratch.write("plan.json", given)
    return scratch.guard("compare", "plan.json", "--format", "concise")


def role_policy(name: str, before: Any, after: Any, role: str = "r", unknown: Any = None) -> dict[str, Any]:
    sides = ({"role": role, "policy": policy(*side)} if side else None for side in (before, after))
    return change(f"aws_iam_role_policy.{name}", *sides, unknown)


MEMBER = {"id": "1", "user": "u", "groups": ["readers"]}
URL = {"id": "f", "function_name": "f", "authorization_type": "AWS_IAM", "qualifier": None}
CALL = {"function_name": "f", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com", "qualifier": None}
UPLOADS = {"source_arn": "arn:aws:s3:::uploads"}
GRANT = {"key_id": "k", "grantee_principal": "arn:aws:iam::111122223333:role/r", "operations": ["Decrypt"]}
ENTRY = {"cluster_name": "c", "principal_arn": "arn:aws:iam::111122223333:role/r", "modified_at": "1", "tags": None}
FLAGS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
BLOCK = {"id": "b", "bucket": "b", **dict.fromkeys(FLAGS, True)}
OPEN = {**BLOCK, "block_public_policy": False}
OFF = {**BLOCK, **dict.fromkeys(FLAGS, False)}
BLOCKS = "aws_s3_bucket_public_access_block"
SET = {"instance_arn": "i", "permission_set_arn": "arn:aws:sso:::permissionSet/i/p"}
BOUNDARY = {**SET, "permissions_boundary": [{"managed_policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}
WIDE_BOUNDARY = {**SET, "permissions_boundary": [{"managed_policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]}


def granting(type_: str, before: Any, after: Any, unknown: Any = None) -> list[dict[str, Any]]:
    return [change(f"{type_}.x", before, after, unknown)]


def gone(changed: dict[str, Any], how: str = "delete") -> dict[str, Any]:
    return {**changed, "change": {**changed["change"], "actions": [how]}}


ATTACHED = "arn:aws:iam::aws:policy/"
BOUNDED, FREE = {"name": "u", "permissions_boundary": "arn:aws:iam::111122223333:policy/b"}, {"name": "u"}
PASSES = {
    "an action is taken away": [role_policy("a", [READ, SEND], [READ])],
    "a policy goes": [role_policy("a", [READ], None)],
    "a statement moves to another policy of the role": [
        role_policy("a", [READ, SEND], [READ]),
        role_policy("b", [PUBLISH], [PUBLISH, SEND]),
    ],
    "an attached policy is exchanged for a narrower one": [
        change(
            "aws_iam_role_policy_attachment.a",
            {"role": "r", "policy_arn": f"{ATTACHED}AmazonS3FullAccess"},
            {"role": "r", "policy_arn": f"{ATTACHED}AmazonS3ReadOnlyAccess"},
        )
    ],
    "a user comes without a boundary": [change("aws_iam_user.u", None, FREE)],
    "a boundary comes": [change("aws_iam_user.u", FREE, BOUNDED)],
    "another value is known later": [role_policy("a", [READ], [READ], unknown={"id": True})],
    "nothing": [],
    "a permission of a function gets a source": granting("aws_lambda_permission", CALL, {**CALL, **UPLOADS}),
    "a permission is for function URLs only": granting(
        "aws_lambda_permission", CALL, {**CALL, "invoked_via_function_url": True}
    ),
    "a permission of a function goes": granting("aws_lambda_permission", CALL, None),
    "a membership goes": granting("aws_iam_user_group_membership", MEMBER, None),
    "a membership is made anew": granting(
        "aws_iam_user_group_membership", MEMBER, {"user": "u", "groups": ["readers"]}, {"id": True, "groups": [False]}
    ),
    "a bucket blocks more of public access": granting(BLOCKS, OPEN, BLOCK),
    "a new bucket blocks public access": granting(
        BLOCKS, None, {**BLOCK, "bucket": None}, {"bucket": True, "id": True}
    ),
    "a block of public access that is off goes": granting(BLOCKS, OFF, None),
    "a bucket goes with its block of public access": [
        *granting(BLOCKS, BLOCK, None),
        gone(change("aws_s3_bucket.b", {"bucket": "b"}, None)),
    ],
    "a block of public access is forgotten": [gone(granting(BLOCKS, BLOCK, None)[0], "forget")],
    "a bucket is new, and AWS answers its list of access": granting(
        "aws_s3_bucket", None, {"bucket": "b", "acl": None}, {"acl": True, "grant": True, "id": True}
    ),
    "a bucket has no grants": granting("aws_s3_bucket", None, {"bucket": "b", "acl": "private", "grant": []}),
    "a snapshot that nobody shares is new": granting(
        "aws_db_snapshot", None, {"db_snapshot_identifier": "s", "shared_accounts": None}
    ),
    "a permission set gets a boundary": granting("aws_ssoadmin_permissions_boundary_attachment", None, BOUNDARY),
    "an access entry is tagged": granting(
        "aws_eks_access_entry", ENTRY, {**ENTRY, "tags": {"a": "b"}}, {"modified_at": True, "tags_all": True}
    ),
}
FAILS = {
    "a bucket is public by its list of access": (
        granting("aws_s3_bucket", None, {"bucket": "b", "acl": "public-read"}),
        "plan.json#aws_s3_bucket.x.grant:",
    ),
    "a permission set loses its boundary": (
        granting("aws_ssoadmin_permissions_boundary_attachment", BOUNDARY, None),
        "plan.json#aws_ssoadmin_permissions_boundary_attachment.x.grant:",
    ),
    "a permission set has a wider boundary": (
        granting("aws_ssoadmin_permissions_boundary_attachment", BOUNDARY, WIDE_BOUNDARY),
        "plan.json#aws_ssoadmin_permissions_boundary_attachment.x.grant:",
    ),
    "an action is added": ([role_policy("a", [READ], [READ, SEND])], "plan.json#aws_iam_role_policy.a.policy:"),
    "a policy comes": ([role_policy("a", None, [READ])], "plan.json#aws_iam_role_policy.a.policy:"),
    "a statement moves to another role": (
        [role_policy("a", [READ, SEND], [READ]), role_policy("b", [PUBLISH], [PUBLISH, SEND], role="other")],
        "plan.json#aws_iam_role_policy.b.policy:",
    ),
    "a policy is known later alone": (
        [change('module.x.aws_iam_policy.p["k"]', None, {"name": "n"}, {"policy": True})],
        'plan.json#module.x.aws_iam_policy.p["k"].policy:1:1: error[readable] This is known after the apply alone',
    ),
    "a boundary goes": ([change("aws_iam_user.u", BOUNDED, FREE)], "plan.json#aws_iam_user.u.permissions_boundary:"),
    "a bucket becomes public": (
        [
            change(
                "aws_s3_bucket_policy.b",
                {"bucket": "b", "policy": policy({**allow("s3:GetObject"), "Principal": {"AWS": "111122223333"}})},
                {"bucket": "b", "policy": policy({**allow("s3:GetObject"), "Principal": "*"})},
            )
        ],
        "plan.json#aws_s3_bucket_policy.b.policy:",
    ),
    "a policy in an argument that is not listed": (
        [change("aws_new_thing.t", {"json": policy(READ)}, {"json": policy(SEND)})],
        "plan.json#aws_new_thing.t.json:",
    ),
    "an inline policy of a role": (
        [
            change(
                "aws_iam_role.r",
                {"name": "r", "inline_policy": [{"name": "i", "policy": policy(READ)}]},
                {"name": "r", "inline_policy": [{"name": "i", "policy": policy(READ, SEND)}]},
            )
        ],
        "plan.json#aws_iam_role.r.inline_policy[0]:",
    ),
    "a policy in a block is widened": (
        [
            change(
                "aws_s3control_multi_region_access_point_policy.p",
                {"details": [{"name": "n", "policy": policy(dict(READ, Principal="*"))}]},
                {"details": [{"name": "n", "policy": policy(dict(READ, Principal="*"), dict(SEND, Principal="*"))}]},
            )
        ],
        "plan.json#aws_s3control_multi_region_access_point_policy.p.details[0]:",
    ),
    "a policy in a list of awscc is known later": (
        [
            change(
                "awscc_iam_role.r",
                {"policies": [{"policy_document": policy(READ)}]},
                {"policies": [{"policy_name": "n"}]},
                {"policies": [{"policy_document": True}]},
            )
        ],
        "plan.json#awscc_iam_role.r.policies.policy_document:",
    ),
    "a role of awscc has another managed policy": (
        [
            change(
                "awscc_iam_role.r",
                {"managed_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
                {"managed_policy_arns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
            )
        ],
        "plan.json#awscc_iam_role.r.managed_policy_arns:",
    ),
    "a permission of a function comes": (
        granting("aws_lambda_permission", None, CALL, {"id": True}),
        "plan.json#aws_lambda_permission.x.grant:1:1: error[no-new-access]",
    ),
    "a permission of a function loses its source": (
        granting("aws_lambda_permission", {**CALL, **UPLOADS}, CALL),
        "plan.json#aws_lambda_permission.x.grant:1:1: error[no-new-access]",
    ),
    "a permission is for all versions of a function": (
        granting("aws_lambda_permission", {**CALL, "qualifier": "1"}, CALL),
        "plan.json#aws_lambda_permission.x.grant:",
    ),
    "a permission is not for function URLs only": (
        granting("aws_lambda_permission", {**CALL, "invoked_via_function_url": True}, CALL),
        "plan.json#aws_lambda_permission.x.grant:",
    ),
    "a permission has a source that is known later": (
        granting("aws_lambda_permission", {**CALL, **UPLOADS}, CALL, {"source_arn": True}),
        "plan.json#aws_lambda_permission.x.grant:1:1: error[readable] This is known after the apply alone",
    ),
    "a permission is no permission": (
        granting("aws_lambda_permission", CALL, {"principal": [{"a": 1}], "action": 1}),
        "plan.json#aws_lambda_permission.x.grant:",
    ),
    "a bucket blocks less of public access": (
        granting(BLOCKS, BLOCK, OPEN),
        f"plan.json#{BLOCKS}.x.grant:1:1: error[other-access]",
    ),
    "a bucket loses its block of public access": (granting(BLOCKS, BLOCK, None), f"plan.json#{BLOCKS}.x.grant:"),
    "a block of public access is for another bucket": (
        granting(BLOCKS, BLOCK, {**BLOCK, "bucket": "other"}),
        f"plan.json#{BLOCKS}.x.grant:",
    ),
    "a bucket lets public access in from the start": (granting(BLOCKS, None, OPEN), f"plan.json#{BLOCKS}.x.grant:"),
    "what a bucket blocks is known later": (
        granting(BLOCKS, BLOCK, {**BLOCK, "block_public_acls": None}, {"block_public_acls": True}),
        f"plan.json#{BLOCKS}.x.grant:1:1: error[readable] This is known after the apply alone",
    ),
    "a bucket is forgotten and loses its block of public access": (
        [*granting(BLOCKS, BLOCK, None), gone(change("aws_s3_bucket.b", {"bucket": "b"}, None), "forget")],
        f"plan.json#{BLOCKS}.x.grant:",
    ),
    "an account loses its block of public access": (
        granting("aws_s3_account_public_access_block", {"account_id": "1", **dict.fromkeys(FLAGS, True)}, None),
        "plan.json#aws_s3_account_public_access_block.x.grant:",
    ),
    "a user joins another group": (
        granting("aws_iam_user_group_membership", MEMBER, {**MEMBER, "groups": ["readers", "admins"]}),
        "plan.json#aws_iam_user_group_membership.x.grant:",
    ),
    "a user joins a group that is known later": (
        granting("aws_iam_user_group_membership", MEMBER, {"user": "u"}, {"groups": True}),
        "plan.json#aws_iam_user_group_membership.x.grant:1:1: error[readable]",
    ),
    "a URL of a function asks nobody": (
        granting("aws_lambda_function_url", URL, {**URL, "authorization_type": "NONE"}),
        "plan.json#aws_lambda_function_url.x.grant:",
    ),
    "a grant of a key allows more": (
        granting("aws_kms_grant", GRANT, {**GRANT, "operations": ["Decrypt", "CreateGrant"]}),
        "plan.json#aws_kms_grant.x.grant:",
    ),
}


@pytest.mark.parametrize("changes", PASSES.values(), ids=list(PASSES))
def test_a_plan_that_grants_nothing_new_passes(scratch: Scratch, changes: list[dict[str, Any]]) -> None:
    answer = judged(scratch, plan(*changes))
    assert (answer.code, answer.out.count("error[")) == (0, 0), answer


@pytest.mark.parametrize(("changes", "place"), FAILS.values(), ids=list(FAILS))
def test_a_plan_that_grants_more_fails_at_its_address(
    scratch: Scratch, changes: list[dict[str, Any]], place: str
) -> None:
    answer = judged(scratch, plan(*changes))
    assert answer.code == 1
    assert place in answer.out


def _values(path: str, value: Any) -> dict[str, Any]:
    """The values of a resource in which one lies at a path through blocks."""
    name, _, rest = path.partition(".")
    return {name: [_values(rest, value)] if rest else value}


@pytest.mark.parametrize("part", [0, *map(nightly, range(1, 5))])
def test_what_grants_without_a_document_is_judged_as_in_files(scratch: Scratch, part: int) -> None:
    types = sorted(terraform_types())[part::5]
    paths = {type_: next(iter((*details_of(type_).needed, *terraform_types()[type_][1])), "what") for type_ in types}
    changes = [granting(type_, _values(path, "a"), _values(path, "b"))[0] for type_, path in paths.items()]
    answer = judged(scratch, plan(*changes))
    assert answer.code == 1
    assert [type_ for type_ in types if f"plan.json#{type_}.x.grant:" not in answer.out] == []


def test_roles_of_one_name_in_two_accounts_are_two(scratch: Scratch) -> None:
    moved = [role_policy("a", [READ, SEND], [READ]), role_policy("b", [PUBLISH], [PUBLISH, SEND])]
    accounts = {"provider_config": {"aws": {}, "aws.other": {"alias": "other"}}}
    assert judged(scratch, plan(*moved, configuration=accounts)).code == 1
    assert judged(scratch, plan(*moved, configuration=None)).code == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"a": 1}, "plan.json is no plan of Terraform"),
        ([], "plan.json is no plan of Terraform"),
        (plan(errored=True), "a plan that ended with an error"),
        (plan(complete=False), "not complete"),
        (plan(deferred_changes=[{"reason": "resource_config_unknown"}]), "not complete"),
        (plan(format_version="2.0"), "only 1 is read"),
        ({**plan(), "resource_changes": [1]}, "not a plan as Terraform writes it"),
        ("[" * 100_000, "plan.json is no JSON"),
    ],
)
def test_what_is_no_plan_is_no_pass(scratch: Scratch, given: Any, words: str) -> None:
    scratch.write("plan.json", given)
    answer = scratch.guard("compare", "plan.json")
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err


def test_check_judges_a_plan_beside_the_files(scratch: Scratch) -> None:
    scratch.write("plan.json", plan(role_policy("a", [READ], [READ, SEND])))
    answer = scratch.guard("check", "--plan", "plan.json", "--format", "concise")
    assert answer.code == 1
    assert "plan.json#aws_iam_role_policy.a.policy:" in answer.out
    assert scratch.guard("check", "--plan", "missing.json").code == 2


DENY, DELETE = {**allow("s3:Delete*"), "Effect": "Deny"}, allow("s3:DeleteBucket")
ARN = "arn:aws:iam::111122223333:policy/deny"
ATTACHED: list[tuple[str, Any, Any]] = [
    ("aws_iam_role_policy_attachment.a", {"role": "r", "policy_arn": ARN}, None),
    ("aws_iam_policy_attachment.a", {"roles": ["q", "r"], "policy_arn": ARN}, {"roles": ["q"], "policy_arn": ARN}),
    ("aws_iam_role.a", {"name": "r", "managed_policy_arns": [ARN]}, {"name": "r", "managed_policy_arns": []}),
    (
        "aws_iam_role_policy_attachments_exclusive.a",
        {"role_name": "r", "policy_arns": [ARN]},
        {"role_name": "r", "policy_arns": []},
    ),
]


def managed(*statements: dict[str, Any]) -> dict[str, Any]:
    values = {"arn": ARN, "name": "deny", "policy": policy(*statements)}
    return change("aws_iam_policy.deny", values, values)


@pytest.mark.parametrize(("address", "before", "after"), ATTACHED)
def test_a_policy_of_the_plan_is_its_document_where_it_is_attached(
    scratch: Scratch, address: str, before: Any, after: Any
) -> None:
    detached = plan(managed(DENY), role_policy("b", [DELETE], [DELETE]), change(address, before, after))
    assert judged(scratch, detached).code == 1
    moved = plan(managed(READ), role_policy("b", [SEND], [SEND, READ]), change(address, before, after))
    assert judged(scratch, moved).code == 0


def test_a_deny_of_the_plan_that_is_attached_to_another_role_is_lost(scratch: Scratch) -> None:
    before, after = ({"role": role, "policy_arn": ARN} for role in ("r", "q"))
    attachment = change("aws_iam_role_policy_attachment.a", before, after)
    assert judged(scratch, plan(managed(DENY), role_policy("b", [DELETE], [DELETE]), attachment)).code == 1


def test_a_boundary_of_the_plan_is_its_document(scratch: Scratch) -> None:
    old, new = ({"name": "r", "permissions_boundary": arn} for arn in (ARN, f"{ARN}2"))
    values = {"arn": f"{ARN}2", "name": "deny2", "policy": policy(READ)}
    wider = {**values, "policy": policy(READ, SEND)}
    for other, code in ((values, 0), (wider, 1)):
        given = plan(managed(READ), change("aws_iam_policy.two", other, other), change("aws_iam_role.r", old, new))
        assert judged(scratch, given).code == code


@pytest.mark.parametrize(
    ("role", "unknown", "code"),
    [
        ({"permissions_boundary": ARN}, {}, 0),
        ({"permissions_boundary": None}, {}, 1),
        ({}, {"permissions_boundary": True}, 1),
        ({"permissions_boundary": f"{ARN}2"}, {}, 1),
        ({"permissions_boundary": ARN, "name": "q"}, {}, 1),
    ],
    ids=["a boundary of the plan", "no boundary", "a boundary that is known later", "one elsewhere", "another role"],
)
def test_a_role_of_the_plan_gets_what_its_boundary_leaves(
    scratch: Scratch, role: dict[str, Any], unknown: dict[str, Any], code: int
) -> None:
    values = {"name": "r", **role}
    changes = managed(READ), change("aws_iam_role.r", values, values, unknown), role_policy("b", [READ], [READ, SEND])
    assert judged(scratch, plan(*changes)).code == code
    wider = managed(READ), change("aws_iam_role.r", values, values, unknown), role_policy("b", [SEND], [READ, SEND])
    assert judged(scratch, plan(*wider)).code == 1


@pytest.mark.parametrize(("target", "code"), [("ou-2", 1), ("ou-1", 0)])
def test_a_policy_of_an_organization_caps_its_targets(scratch: Scratch, target: str, code: int) -> None:
    values = {"id": "p-1", "type": "SERVICE_CONTROL_POLICY", "content": policy(DENY)}
    attachments = ({"policy_id": "p-1", "target_id": each, "skip_destroy": each} for each in ("ou-1", target))
    cap = change("aws_organizations_policy.p", values, values)
    assert judged(scratch, plan(cap, change("aws_organizations_policy_attachment.a", *attachments))).code == code


def test_a_policy_deep_in_the_resource_of_another_provider_is_judged(scratch: Scratch) -> None:
    manifests = (
        {"manifest": {"spec": {"forProvider": {"policy": policy(allow(each))}}}} for each in ("s3:GetObject", "s3:*")
    )
    answer = judged(scratch, plan(change("kubernetes_manifest.m", *manifests)))
    assert (answer.code, "manifest.spec.forProvider.policy" in answer.out) == (1, True), answer


def test_an_attachment_to_a_user_and_a_group_is_told_for_each(scratch: Scratch) -> None:
    arguments = {"users": ["u"], "groups": ["g"], "policy_arn": "arn:aws:iam::123456789012:policy/one"}
    scratch.write("plan.json", plan(change("aws_iam_policy_attachment.a", None, arguments)))
    out = scratch.guard("check", "--plan", "plan.json").out
    assert out.count("attaches a policy whose document is not known here") == 2
    assert "to       user u" in out and "to       group g" in out
    assert "example" not in out


def test_the_policies_of_a_plan_are_not_called_unchecked(scratch: Scratch) -> None:
    scratch.write("plan.json", plan(role_policy("a", [READ], [READ, SEND])))
    out = scratch.guard("check", "--plan", "plan.json").out
    assert "1 by the plan plan.json: 0 proved, 1 failed." in out
    assert "not checked" not in out
    assert "contains 2 embedded policies" in scratch.guard("check").out


ROLE, OTHER_ROLE = (f"arn:aws:iam::111122223333:role/{name}" for name in ("reports", "admin"))


def _changed(type_: str) -> tuple[Any, Any]:
    """Values of a resource of a type of the table before and after, of which the second gives more."""
    row = ROWS[type_]
    name = row.arguments[0]
    if row.capping:
        return {name: list(row.capping)}, {name: []}
    if type_ == OWNERSHIP:
        rules = [{"bucket": "b", name: [{"object_ownership": each}]} for each in (*row.harmless, "ObjectWriter")]
        return rules[0], rules[1]
    return {name: "a"}, {name: "b"}


@pytest.mark.parametrize("type_", sorted(ROWS))
def test_a_setting_that_counts_for_what_was_there_is_judged_there_alone(scratch: Scratch, type_: str) -> None:
    before, after = _changed(type_)
    answer = judged(scratch, plan(*granting(type_, before, after)))
    assert (answer.code, f"plan.json#{type_}.x.lasting:" in answer.out) == (1, True), answer
    assert judged(scratch, plan(*granting(type_, after, {**after, "tags": {"a": "b"}}))).code == 0
    bucket = change("aws_s3_bucket.b", None, {"bucket": "b"})
    made = judged(scratch, plan(bucket, *granting(type_, None, after)))
    assert f"{type_}.x.lasting:" not in made.out


def _without(changed: dict[str, Any]) -> dict[str, Any]:
    """The resource, which goes."""
    return {**changed, "change": {**changed["change"], "actions": ["delete"], "after": None}}


def test_a_bucket_that_was_there_gets_an_owner_of_objects(scratch: Scratch) -> None:
    _, after = _changed(OWNERSHIP)
    bucket = change("aws_s3_bucket.b", {"bucket": "b"}, {"bucket": "b"})
    assert judged(scratch, plan(bucket, *granting(OWNERSHIP, None, after))).code == 1
    assert judged(scratch, plan(_without(bucket), *granting(OWNERSHIP, after, None))).code == 0
    assert judged(scratch, plan(bucket, *granting(OWNERSHIP, after, None))).code == 1


@pytest.mark.parametrize(
    ("type_", "values", "of"),
    [
        ("aws_api_gateway_rest_api_policy", {"rest_api_id": "i"}, "aws_api_gateway_rest_api"),
        ("aws_efs_file_system_policy", {"file_system_id": "i"}, "aws_efs_file_system"),
    ],
)
def test_a_policy_without_which_everybody_has_access_goes(
    scratch: Scratch, type_: str, values: dict[str, Any], of: str
) -> None:
    read = {**values, "policy": policy({**READ, "Principal": {"AWS": "111122223333"}})}
    stays = change(f"{of}.x", {"id": "i"}, {"id": "i"})
    assert judged(scratch, plan(stays, *granting(type_, read, None))).code == 1
    assert judged(scratch, plan(_without(stays), *granting(type_, read, None))).code == 0


@pytest.mark.parametrize(
    ("after", "unknown", "references", "code"),
    [
        (OTHER_ROLE, {}, [], 1),
        (ROLE, {}, [], 0),
        (None, {"role": True}, ["aws_iam_role.new.arn", "aws_iam_role.new"], 0),
        (None, {"role": True}, ["aws_iam_role.kept.arn", "aws_iam_role.kept"], 1),
        (None, {"role": True}, ["var.role"], 1),
    ],
    ids=["another role", "the same", "a new role", "a role that was there", "a role that nobody knows"],
)
def test_a_function_that_was_there_acts_by_another_role(
    scratch: Scratch, after: Any, unknown: Any, references: list[str], code: int
) -> None:
    function = change("aws_lambda_function.f", {"role": ROLE}, {"role": after}, unknown)
    roles = [
        change("aws_iam_role.new", None, {"name": "new"}),
        change("aws_iam_role.kept", {"name": "k"}, {"name": "k"}),
    ]
    expressions = {"address": "aws_lambda_function.f", "expressions": {"role": {"references": references}}}
    configuration = {"provider_config": {"aws": {"name": "aws"}}, "root_module": {"resources": [expressions]}}
    assert judged(scratch, plan(function, *roles, configuration=configuration)).code == code
