"""Resources of Terraform that grant access without a document: permissions of functions, and others by what they say.

Sources: the AWS provider's documentation of each resource; Lambda Developer Guide, access-control-resource-based.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy_guard.documents.containers.other_access import EVERY, access_words, action_of, terraform_types
from policy_guard.documents.containers.terraform.elsewhere import ABSENT
from policy_guard.documents.containers.terraform.evaluate import Evaluator
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
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span, scalars

PERMISSIONS = ("aws_lambda_permission", "awscc_lambda_permission")
# Arguments that grant nothing with these texts. Source: Amazon S3 User Guide, "Access control list (ACL) overview";
# Amazon EBS User Guide, "Block public access for EBS snapshots"; Amazon EC2 User Guide, "Block public access to AMIs".
_HARMLESS = {
    "acl": ("private", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"),
    "access_control": ("Private", "BucketOwnerRead", "BucketOwnerFullControl", "LogDeliveryWrite"),
    "state": ("block-all-sharing", "block-new-sharing"),
}
# Snapshots give nothing that are shared with nobody.
_SHARED = "shared_accounts"
_META = ("count", "for_each", "depends_on", "provider", "lifecycle", "timeouts", "tags", "description")
# What AWS answers stands in a plan beside the arguments: it follows from them, or names what they made.
_ANSWERED = (
    *("id", "arn", "unique_id", "create_date", "created_at", "modified_at", "associated_at", "tags_all"),
    *("function_arn", "function_url", "url_id", "grant_id", "grant_token", "access_entry_arn", "association_arn"),
    *("association_id", "external_id", "revision_id", "status", "email", "joined_method", "joined_timestamp"),
    "delegation_enabled_date",
)
# Amazon S3 User Guide, "Blocking public access": a new bucket blocks all of it, and one that loses its block nothing.
BLOCKS = ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block")
# A boundary that is gone leaves everything that the policies beside it allow.
CAP = "aws_ssoadmin_permissions_boundary_attachment"
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
_FLAGS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
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
# AWS Lambda Developer Guide, urls-auth: who calls a signed URL needs a policy that allows it, which is judged itself.
_AUTHORIZATION = {"aws_lambda_function_url": "authorization_type", "awscc_lambda_url": "auth_type"}
_NAMES = {**dict.fromkeys(PERMISSIONS, _OF_PERMISSION), **dict.fromkeys(BLOCKS, _FLAGS)}
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
    if _SHARED in _deciding(type_) and not _is_shared(evaluator, body):
        return ABSENT
    authorization = body.value(_AUTHORIZATION[type_]) if type_ in _AUTHORIZATION else None
    if authorization is not None and _is_signed(single(evaluator.value(authorization))):
        return ABSENT
    arguments_written = list(_arguments(evaluator, type_, body))
    if not arguments_written:
        return ABSENT
    receivers = _receivers(evaluator, type_, body)
    return _known_policy(type_, address, body.span, arguments_written, receivers)


def _is_signed(authorization: Node) -> bool:
    return is_known(authorization) and label_of(authorization) == "AWS_IAM"


def _deciding(type_: str) -> tuple[str, ...]:
    """The arguments of a type that decide what it grants by its text; all of them if none are named."""
    return terraform_types()[type_][1] if type_ in terraform_types() else EVERY


def _receivers(evaluator: Evaluator, type_: str, body: Body) -> Iterator[str]:
    """Return to whom a resource gives access, as far as its arguments say so."""
    for name in terraform_types()[type_][0].receivers if type_ in terraform_types() else ():
        if (argument := body.value(name)) is not None:
            yield from (label_of(scalar) for scalar in scalars(evaluator.value(argument)))


def _is_shared(evaluator: Evaluator, body: Body) -> bool:
    """Tell whether a snapshot is shared with anybody, or may be."""
    argument = body.value(_SHARED)
    if argument is None:
        return False
    value = evaluator.value(argument)
    return not is_null(value) and not (isinstance(value, Array) and not value.items)


def _known_policy(type_: str, address: str, span: Span, deciding: object, receivers: Iterable[str]) -> Node:
    """The policy for access that is known by what decides it."""
    if type_ == CAP:
        return _policy(span, _allowed(_LEAVES, unknown("the boundary", span, deciding, is_list=False), span))
    kind, _ = terraform_types()[type_]
    resource = unknown(access_words(address, receivers), span, address, deciding, is_list=False)
    return _policy(span, _allowed(action_of(kind.name), resource, span))


def decides(type_: str, name: str) -> bool:
    """Tell whether an attribute of a resource in a plan decides what it grants."""
    if type_ in _NAMES:
        return name in {argument.partition(".")[0] for argument in _NAMES[type_]}
    listed = _deciding(type_)
    return name in listed if listed else name not in (*_META, *_ANSWERED)


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
    if type_ in _AUTHORIZATION and values.get(_AUTHORIZATION[type_]) == "AWS_IAM":
        return ABSENT
    harmless: dict[str, tuple[Any, ...]] = {name: (None, [], {}, "", *_HARMLESS.get(name, ())) for name in values}
    deciding = {name: value for name, value in values.items() if value not in harmless[name]}
    if not deciding or (_SHARED in _deciding(type_) and _SHARED not in deciding):
        return open_access(type_, {}, span) if type_ == CAP else ABSENT
    names = terraform_types()[type_][0].receivers if type_ in terraform_types() else ()
    receivers = [_text(text) for name in names for text in _items(deciding.get(name))]
    return _known_policy(type_, address, span, json.dumps(deciding, sort_keys=True), receivers)


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
    flags = {name: arguments.get(name) or Scalar("false", span) for name in _FLAGS}
    openings = (
        _allowed(
            action_of("public-access-block", name),
            flag if not is_known(flag) else all_text._replace(span=flag.span),
            flag.span,
        )
        for name, flag in flags.items()
        if _is_open(flag)
    )
    return _policy(span, *openings)


def _is_open(flag: Node) -> bool:
    return not is_known(flag) or label_of(flag) != "true"


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _arguments(evaluator: Evaluator, type_: str, body: Body) -> Iterator[object]:
    """Return what the arguments that decide come to, and what else is written there."""
    names = _deciding(type_)
    for name, argument in sorted(body.arguments.items()):
        if (name in names if names else name not in _META) and not _is_harmless(evaluator, name, argument.value):
            yield name, name_of(evaluator.value(argument.value))
    for block in body.blocks:
        label = block.labels[0] if block.type == "dynamic" and block.labels else block.type
        if label in names if names else label not in _META:
            yield evaluator.block(block)


def _is_harmless(evaluator: Evaluator, name: str, expression: Any) -> bool:
    if name not in _HARMLESS:
        return False
    value = evaluator.value(expression)
    return is_null(value) or (is_known(value) and label_of(value) in _HARMLESS[name])


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
