"""Resources of Terraform that grant access without a document: permissions of functions, and others by what they say.

Sources: the AWS provider's documentation of each resource; Lambda Developer Guide, access-control-resource-based.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from policy_guard.documents.containers.other_access import PREFIX, terraform_types
from policy_guard.documents.containers.terraform.elsewhere import ABSENT
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.known_by_text import decides_by_text, planned_access, written_access
from policy_guard.documents.containers.terraform.lasting import ROWS
from policy_guard.documents.containers.terraform.resource_statements import (
    STANDS,
    arguments_in,
    arguments_of,
    principal_element,
    statements,
)
from policy_guard.documents.containers.terraform.values import (
    is_known,
    is_null,
    label_of,
    name_of,
    parts,
    single,
    text_of,
    unknown,
)
from policy_guard.documents.hcl.syntax import Body
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span

PERMISSIONS = ("aws_lambda_permission", "awscc_lambda_permission")
_FLAGS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_OF_BUCKETS = tuple((f"public-access-block_{flag}", flag, ("true",)) for flag in _FLAGS)
_OF_SNAPSHOTS = (
    ("snapshot_block-all-sharing", "state", ("block-all-sharing",)),
    ("snapshot_block-new-sharing", "state", ("block-all-sharing", "block-new-sharing")),
)
# What each block keeps out, and the argument that does so with these texts; one that is gone keeps out nothing.
# Sources: Amazon S3 User Guide, "Blocking public access"; Amazon EBS User Guide, "Block public access for EBS
# snapshots"; Amazon EC2 User Guide, "Block public access to your AMIs".
BLOCKS = {
    "aws_s3_bucket_public_access_block": _OF_BUCKETS,
    "aws_s3_account_public_access_block": _OF_BUCKETS,
    "aws_ebs_snapshot_block_public_access": _OF_SNAPSHOTS,
    "awscc_ec2_snapshot_block_public_access": _OF_SNAPSHOTS,
    "aws_ec2_image_block_public_access": (("snapshot_block-new-sharing", "state", ("block-new-sharing",)),),
}
# A boundary that is gone leaves everything that the policies beside it allow.
CAP = "aws_ssoadmin_permissions_boundary_attachment"
_CAPPED = {"instance_arn", "permission_set_arn"}
# Policies that are gone leave everybody. Sources: API Gateway Developer Guide, "Control access to a REST API with API
# Gateway resource policies"; Amazon EFS User Guide, "Using IAM to control access to file systems".
OPEN_WITHOUT = {
    "aws_api_gateway_rest_api_policy": ("execute-api:Invoke",),
    "aws_efs_file_system_policy": tuple(f"elasticfilesystem:Client{name}" for name in ("Mount", "Write", "RootAccess")),
}
_ANSWERING = (
    *("aws_s3_bucket", "aws_s3_object", "aws_s3_bucket_object", "aws_s3_object_copy", "aws_vpc_endpoint_service"),
    "aws_organizations_organization",
)
_LEAVES = "boundary:LeavesAllowed"
GRANTING = (*PERMISSIONS, CAP, *STANDS, *terraform_types(), *BLOCKS)
OF_RESOURCES = (*PERMISSIONS, *STANDS)
"""Types that stand for statements of the policies of resources."""
_CONDITIONS = (
    ("source_arn", "ArnLike", "AWS:SourceArn"),
    ("source_account", "StringEquals", "AWS:SourceAccount"),
    ("principal_org_id", "StringEquals", "aws:PrincipalOrgID"),
    ("event_source_token", "StringEquals", "lambda:EventSourceToken"),
    ("function_url_auth_type", "StringEquals", "lambda:FunctionUrlAuthType"),
    ("invoked_via_function_url", "Bool", "lambda:InvokedViaFunctionUrl"),
)
_OF_PERMISSION: tuple[str, ...] = (
    "principal",
    "action",
    "function_name",
    "qualifier",
    *(argument for argument, _, _ in _CONDITIONS),
)
_NAMES = dict.fromkeys(PERMISSIONS, _OF_PERMISSION)
_NAMES |= {type_: tuple({argument for _, argument, _ in rows}) for type_, rows in BLOCKS.items()}
_NAMES |= {type_: row.arguments for type_, row in STANDS.items()}


def granted_policy(evaluator: Evaluator, type_: str, address: str, body: Body) -> Node:
    """The policy that a resource stands for; `ABSENT` for nothing. Raises `Need` and `Opaque`."""
    if type_ in STANDS:
        arguments = arguments_of(evaluator, _NAMES[type_], body)
        return _policy(body.span, *statements(type_, arguments, body.span))
    if names := _NAMES.get(type_):
        values = {name: body.value(name) for name in names}
        arguments = {name: single(evaluator.value(value)) for name, value in values.items() if value is not None}
        return _permission(arguments, body.span) if type_ in PERMISSIONS else open_access(type_, arguments, body.span)
    if type_ == CAP:
        written = [(name, name_of(evaluator.value(body.arguments[name].value))) for name in _CAPPED & {*body.arguments}]
        blocks = [evaluator.block(block) for block in body.blocks if block.type not in ("timeouts", "lifecycle")]
        return _boundary(body.span, [*sorted(written), *blocks])
    return written_access(evaluator, type_, address, body)


def _boundary(span: Span, deciding: object) -> Node:
    """What a boundary leaves of what the policies beside it allow."""
    return _policy(span, _allowed(_LEAVES, unknown("the boundary", span, deciding, is_list=False), span))


def decides(type_: str, name: str) -> bool:
    """Tell whether an attribute of a resource in a plan decides what it grants."""
    if type_ in _NAMES:
        return name in {argument.partition(".")[0] for argument in _NAMES[type_]}
    return decides_by_text(type_, name)


def may_be_answered(type_: str) -> bool:
    """Tell whether AWS answers what grants, if nothing is written: a plan does not know it before the apply."""
    return type_ in _ANSWERING


def granted_by(type_: str, address: str, values: Mapping[str, Any], span: Span) -> Node:
    """The policy that a resource with these values stands for."""
    if type_ in STANDS:
        return _policy(span, *statements(type_, arguments_in(_NAMES[type_], values, span), span))
    if type_ in _NAMES:
        arguments = {name: text_of((_text(value),), span) for name, value in values.items()}
        return _permission(arguments, span) if type_ in PERMISSIONS else open_access(type_, arguments, span)
    if type_ == CAP:
        return _boundary(span, json.dumps(values, sort_keys=True)) if values else open_access(type_, {}, span)
    return planned_access(type_, address, values, span)


def open_access(type_: str, arguments: Mapping[str, Node], span: Span) -> Node:
    """Return what a cap leaves open: a block all that a flag blocks unless it is true, one that is gone everything."""
    all_text = Scalar("*", span, parts=("*",))
    if type_ == CAP:
        return _policy(span, _allowed(_LEAVES, all_text, span))
    if type_ in ROWS:
        return _policy(span, _allowed(ROWS[type_].action, all_text, span))
    if type_ in OPEN_WITHOUT:
        openings = (_allowed(action, all_text, span) for action in OPEN_WITHOUT[type_])
        principal = Entry(Scalar("Principal", span), all_text)
        return _policy(span, *(each._replace(entries=(*each.entries, principal)) for each in openings))
    rows = [(action, arguments.get(name) or Scalar("", span), texts) for action, name, texts in BLOCKS[type_]]
    openings = (
        _allowed(f"{PREFIX}{action}", value if not is_known(value) else all_text._replace(span=value.span), value.span)
        for action, value, texts in rows
        if not is_known(value) or label_of(value) not in texts
    )
    return _policy(span, *openings)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _permission(arguments: Mapping[str, Node], span: Span) -> Node:
    """The statement that a permission adds to the policy of its function."""
    present_arguments = {name: node for name, node in arguments.items() if not is_null(node)}
    principal, action, function = (
        present_arguments.get(n) or unknown(n, span, is_list=False) for n in _OF_PERMISSION[:3]
    )
    entries = [
        Entry(Scalar("Effect", span), Scalar("Allow", span)),
        Entry(Scalar("Principal", span), principal_element(principal)),
        Entry(Scalar("Action", span), action),
        Entry(Scalar("Resource", span), _function(function, present_arguments.get("qualifier"))),
    ]
    conditions: dict[str, list[Entry]] = {}
    for argument, operator, key in _CONDITIONS:
        if (value := present_arguments.get(argument)) is not None:
            conditions.setdefault(operator, []).append(Entry(Scalar(key, value.span), value))
    if conditions:
        inner = (Entry(Scalar(name, span), Object(tuple(e), span)) for name, e in conditions.items())
        entries.append(Entry(Scalar("Condition", span), Object(tuple(inner), span)))
    return _policy(span, Object(tuple(entries), span))


def _policy(span: Span, *statements: Object) -> Node:
    """The policy with these statements; `ABSENT` for none."""
    version = Entry(Scalar("Version", span), Scalar("2012-10-17", span))
    return Object((version, Entry(Scalar("Statement", span), Array(statements, span))), span) if statements else ABSENT


def _allowed(action: str, resource: Node, span: Span) -> Object:
    """An Allow of an action that AWS does not have, and that stands for what is granted."""
    elements = {"Effect": Scalar("Allow", span), "Action": Scalar(action, span, parts=(action,)), "Resource": resource}
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in elements.items()), span)


def _function(name: Node, qualifier: Node | None) -> Node:
    """The ARN of a function, of which a name is the last part, or that of one of its versions."""
    name_parts = parts(name)
    if not name_parts:
        return name
    prefix = (
        ("arn:aws:lambda:*:*:function:",)
        if isinstance(name_parts[0], str) and not name_parts[0].startswith("arn:")
        else ()
    )
    suffix = (":", *parts(qualifier)) if qualifier is not None else ()
    return text_of((*prefix, *name_parts, *suffix), name.span)
