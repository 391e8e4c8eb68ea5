"""Resources of Terraform that grant access without a document: permissions of functions, and others by what they say.

Sources: the AWS provider's documentation of each resource; Lambda Developer Guide, access-control-resource-based.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policy_guard.documents.containers.terraform.elsewhere import attached_policy
from policy_guard.documents.containers.terraform.evaluate import Evaluator
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

PERMISSION = "aws_lambda_permission"
# What they grant is known by their arguments alone: other arguments are new access.
_BY_ARGUMENTS = (
    *("aws_lambda_function_url", "aws_lambda_layer_version_permission", "aws_kms_grant", "aws_iam_instance_profile"),
    *("aws_iam_user_group_membership", "aws_iam_group_membership", "aws_ssoadmin_account_assignment"),
    *("aws_eks_access_policy_association", "aws_eks_access_entry", "aws_eks_pod_identity_association"),
    *("aws_ram_principal_association", "aws_ram_resource_association", "aws_cloudwatch_event_permission"),
    *("aws_vpc_endpoint_service_allowed_principal", "aws_ami_launch_permission", "aws_s3_bucket_acl"),
    *("aws_snapshot_create_volume_permission", "aws_cognito_identity_pool_roles_attachment"),
    "aws_organizations_delegated_administrator",
)
_META = ("count", "for_each", "depends_on", "provider", "lifecycle", "timeouts", "tags")
# What AWS answers stands in a plan beside the arguments: it follows from them, or names what they made.
_ANSWERED = (
    *("id", "arn", "unique_id", "create_date", "created_at", "modified_at", "associated_at", "tags_all"),
    *("function_arn", "function_url", "url_id", "grant_id", "grant_token", "access_entry_arn", "association_arn"),
    *("association_id", "external_id", "revision_id", "status", "email", "joined_method", "joined_timestamp"),
    "delegation_enabled_date",
)
# Amazon S3 User Guide, "Blocking public access": a new bucket blocks all of it, and one that loses its block nothing.
BLOCKS = ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block")
_FLAGS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
GRANTING = (PERMISSION, *_BY_ARGUMENTS, *BLOCKS)
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
_NAMES = {PERMISSION: _OF_PERMISSION, **dict.fromkeys(BLOCKS, _FLAGS)}


def granted_policy(evaluator: Evaluator, type_: str, address: str, body: Body) -> Node:
    """The policy that a resource stands for. Raises `Need` and `Opaque`."""
    if names := _NAMES.get(type_):
        values = {name: body.value(name) for name in names}
        arguments = {name: single(evaluator.value(value)) for name, value in values.items() if value is not None}
        return _permission(arguments, body.span) if type_ == PERMISSION else open_access(arguments, body.span)
    return attached_policy(unknown(address, body.span, list(_arguments(evaluator, body)), is_list=False))


def decides(type_: str, name: str) -> bool:
    """Tell whether an attribute of a resource in a plan decides what it grants."""
    return name in _NAMES[type_] if type_ in _NAMES else name not in (*_META, *_ANSWERED)


def granted_by(type_: str, address: str, values: Mapping[str, Any], span: Span) -> Node:
    """The policy that a resource with these values stands for."""
    if type_ in _NAMES:
        arguments = {name: text_of((_text(value),), span) for name, value in values.items()}
        return _permission(arguments, span) if type_ == PERMISSION else open_access(arguments, span)
    return attached_policy(unknown(address, span, json.dumps(values, sort_keys=True), is_list=False))


def open_access(arguments: Mapping[str, Node], span: Span) -> Node:
    """Return what a block of public access with these flags leaves open: all that a flag blocks unless it is true."""
    flags = {name: arguments.get(name) or Scalar("false", span) for name in _FLAGS}
    openings = (
        unknown(f"what {name} blocks", flag.span, *_flag_names(flag)) for name, flag in flags.items() if _is_open(flag)
    )
    return attached_policy(Array(tuple(openings), span))


def _is_open(flag: Node) -> bool:
    return not is_known(flag) or label_of(flag) != "true"


def _flag_names(flag: Node) -> Iterator[str]:
    if not is_known(flag):
        yield name_of(flag)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _arguments(evaluator: Evaluator, body: Body) -> Iterator[object]:
    """Return what the arguments come to, and what else is written there."""
    for name, argument in sorted(body.arguments.items()):
        if name not in _META:
            yield name, name_of(evaluator.value(argument.value))
    yield from (evaluator.block(block) for block in body.blocks if block.type not in _META)


def _permission(arguments: Mapping[str, Node], span: Span) -> Object:
    """The statement that a permission adds to the policy of its function."""
    present_arguments = {name: node for name, node in arguments.items() if not is_null(node)}
    principal, action, function = (
        present_arguments.get(n) or unknown(n, span, is_list=False) for n in _OF_PERMISSION[:3]
    )
    entries = [
        Entry(Scalar("Effect", span), Scalar("Allow", span)),
        Entry(Scalar("Principal", span), _principal(principal)),
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
    return _policy(Object(tuple(entries), span), span)


def _policy(statement: Object, span: Span) -> Object:
    version = Entry(Scalar("Version", span), Scalar("2012-10-17", span))
    return Object((version, Entry(Scalar("Statement", span), Array((statement,), span))), span)


def _principal(principal: Node) -> Node:
    principal_parts = parts(principal)
    if principal_parts == ("*",):
        return principal
    last = principal_parts[-1] if principal_parts else ""
    kind = "Service" if isinstance(last, str) and last.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "AWS"
    return Object((Entry(Scalar(kind, principal.span), principal),), principal.span)


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
