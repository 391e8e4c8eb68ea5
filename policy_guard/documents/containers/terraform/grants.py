"""Resources of Terraform that grant access without a document: permissions of functions, and others by what they say.

Sources: the AWS provider's documentation of each resource; Lambda Developer Guide, access-control-resource-based.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policy_guard.documents.containers.terraform.elsewhere import ABSENT
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
# What they grant is known by their arguments alone, all of them or those named: other arguments are new access.
_ALL: tuple[str, ...] = ()
_SHARED = "shared_accounts"
_SNAPSHOT = (
    *(_SHARED, "db_snapshot_identifier", "db_instance_identifier", "db_cluster_identifier"),
    *("db_cluster_snapshot_identifier", "source_db_snapshot_identifier", "target_db_snapshot_identifier"),
)
BY_ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *("aws_lambda_function_url", "aws_lambda_layer_version_permission", "aws_kms_grant"),
            *("aws_iam_instance_profile", "aws_iam_user_group_membership", "aws_iam_group_membership"),
            *("aws_iam_access_key", "aws_iam_user_login_profile", "aws_iam_saml_provider"),
            *("aws_ssoadmin_account_assignment", "aws_ssoadmin_customer_managed_policy_attachment"),
            *("aws_identitystore_group_membership", "aws_eks_identity_provider_config"),
            *("aws_eks_access_policy_association", "aws_eks_access_entry", "aws_eks_pod_identity_association"),
            *("aws_ram_principal_association", "aws_ram_resource_association", "aws_cloudwatch_event_permission"),
            *("aws_vpc_endpoint_service_allowed_principal", "aws_ami_launch_permission", "aws_s3_bucket_acl"),
            *("aws_snapshot_create_volume_permission", "aws_cognito_identity_pool_roles_attachment"),
            *("aws_organizations_delegated_administrator", "aws_lakeformation_data_lake_settings"),
            *(
                "aws_lakeformation_permissions",
                "aws_lakeformation_resource_lf_tag",
                "aws_lakeformation_resource_lf_tags",
            ),
            *("aws_lakeformation_opt_in", "aws_s3control_access_grant", "aws_s3control_access_grants_location"),
            *(
                "aws_rolesanywhere_profile",
                "aws_redshift_endpoint_authorization",
                "aws_signer_signing_profile_permission",
            ),
            *("aws_redshift_data_share_authorization", "aws_servicecatalog_principal_portfolio_association"),
            *("aws_servicecatalog_portfolio_share", "aws_opensearchserverless_access_policy"),
            *("aws_opensearchserverless_security_policy", "aws_opensearch_authorize_vpc_endpoint_access"),
            *("aws_transfer_user", "aws_securitylake_subscriber", "aws_quicksight_iam_policy_assignment"),
        ),
        _ALL,
    ),
    "aws_iam_openid_connect_provider": ("url", "client_id_list"),
    "aws_rolesanywhere_trust_anchor": ("source", "enabled"),
    "aws_ram_resource_share": ("allow_external_principals", "permission_arns"),
    "aws_s3_bucket": ("acl", "grant"),
    "aws_s3_access_point": ("public_access_block_configuration", "bucket", "bucket_account_id"),
    "aws_s3control_multi_region_access_point": ("details",),
    "aws_db_snapshot": _SNAPSHOT,
    "aws_db_snapshot_copy": _SNAPSHOT,
    "aws_db_cluster_snapshot": _SNAPSHOT,
    "aws_vpc_endpoint_service": ("allowed_principals",),
    "aws_cognito_user_group": ("role_arn",),
    "aws_cognito_identity_pool": (
        *("allow_unauthenticated_identities", "cognito_identity_providers", "developer_provider_name"),
        *("openid_connect_provider_arns", "saml_provider_arns", "supported_login_providers"),
    ),
    "aws_cloudformation_stack": ("template_url", "template_body", "parameters"),
    "aws_cloudformation_stack_set": ("template_url", "template_body", "parameters"),
    "aws_quicksight_data_set": ("permissions",),
    "aws_quicksight_data_source": ("permission",),
    "aws_quicksight_dashboard": ("permissions",),
    "aws_quicksight_analysis": ("permissions",),
    "aws_quicksight_folder": ("permissions",),
}
# Arguments that grant nothing with these texts. Source: Amazon S3 User Guide, "Access control list (ACL) overview".
_HARMLESS = {"acl": ("private", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write")}
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
# A boundary that is gone leaves everything that the policies beside it allow.
CAP = "aws_ssoadmin_permissions_boundary_attachment"
# Policies that are gone leave everybody. Sources: API Gateway Developer Guide, "Control access to a REST API with API
# Gateway resource policies"; Amazon EFS User Guide, "Using IAM to control access to file systems".
OPEN_WITHOUT = {
    "aws_api_gateway_rest_api_policy": ("execute-api:Invoke",),
    "aws_efs_file_system_policy": tuple(f"elasticfilesystem:Client{name}" for name in ("Mount", "Write", "RootAccess")),
}
_FLAGS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_LEAVES = "boundary:LeavesAllowed"
GRANTING = (PERMISSION, CAP, *BY_ARGUMENTS, *BLOCKS)
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
    """The policy that a resource stands for; `ABSENT` for nothing. Raises `Need` and `Opaque`."""
    if names := _NAMES.get(type_):
        values = {name: body.value(name) for name in names}
        arguments = {name: single(evaluator.value(value)) for name, value in values.items() if value is not None}
        return _permission(arguments, body.span) if type_ == PERMISSION else open_access(type_, arguments, body.span)
    if _SHARED in BY_ARGUMENTS.get(type_, _ALL) and not _is_shared(evaluator, body):
        return ABSENT
    arguments_written = list(_arguments(evaluator, type_, body))
    return _known_policy(type_, address, body.span, arguments_written) if arguments_written else ABSENT


def _is_shared(evaluator: Evaluator, body: Body) -> bool:
    """Tell whether a snapshot is shared with anybody, or may be."""
    argument = body.value(_SHARED)
    if argument is None:
        return False
    value = evaluator.value(argument)
    return not is_null(value) and not (isinstance(value, Array) and not value.items)


def _known_policy(type_: str, address: str, span: Span, deciding: object) -> Node:
    """The policy for access that is known by what decides it."""
    if type_ == CAP:
        return _policy(span, _allowed(_LEAVES, unknown("the boundary", span, deciding, is_list=False), span))
    resource = unknown(f"what {address} gives access to", span, deciding, is_list=False)
    return _policy(span, _allowed("attached:Access", resource, span))


def decides(type_: str, name: str) -> bool:
    """Tell whether an attribute of a resource in a plan decides what it grants."""
    if type_ in _NAMES:
        return name in _NAMES[type_]
    listed = BY_ARGUMENTS.get(type_, _ALL)
    return name in listed if listed else name not in (*_META, *_ANSWERED)


def may_be_answered(type_: str) -> bool:
    """Tell whether AWS answers what grants, if nothing is written: a plan does not know it before the apply."""
    return type_ in ("aws_s3_bucket", "aws_vpc_endpoint_service")


def granted_by(type_: str, address: str, values: Mapping[str, Any], span: Span) -> Node:
    """The policy that a resource with these values stands for."""
    if type_ in _NAMES:
        arguments = {name: text_of((_text(value),), span) for name, value in values.items()}
        return _permission(arguments, span) if type_ == PERMISSION else open_access(type_, arguments, span)
    harmless: dict[str, tuple[Any, ...]] = {name: (None, [], {}, "", *_HARMLESS.get(name, ())) for name in values}
    deciding = {name: value for name, value in values.items() if value not in harmless[name]}
    if not deciding or (_SHARED in BY_ARGUMENTS.get(type_, _ALL) and _SHARED not in deciding):
        return open_access(type_, {}, span) if type_ == CAP else ABSENT
    return _known_policy(type_, address, span, json.dumps(deciding, sort_keys=True))


def open_access(type_: str, arguments: Mapping[str, Node], span: Span) -> Node:
    """Return what a cap leaves open: a block all that a flag blocks unless it is true, one that is gone everything."""
    all_text = Scalar("*", span, parts=("*",))
    if type_ == CAP:
        return _policy(span, _allowed(_LEAVES, all_text, span))
    if type_ in OPEN_WITHOUT:
        statements = (_allowed(action, all_text, span) for action in OPEN_WITHOUT[type_])
        principal = Entry(Scalar("Principal", span), all_text)
        return _policy(span, *(each._replace(entries=(*each.entries, principal)) for each in statements))
    flags = {name: arguments.get(name) or Scalar("false", span) for name in _FLAGS}
    openings = (
        _allowed(f"public-access:{name}", flag if not is_known(flag) else all_text._replace(span=flag.span), flag.span)
        for name, flag in flags.items()
        if _is_open(flag)
    )
    return _policy(span, *openings)


def _is_open(flag: Node) -> bool:
    return not is_known(flag) or label_of(flag) != "true"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _arguments(evaluator: Evaluator, type_: str, body: Body) -> Iterator[object]:
    """Return what the arguments that decide come to, and what else is written there."""
    names = BY_ARGUMENTS.get(type_, _ALL)
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
    return _policy(span, Object(tuple(entries), span))


def _policy(span: Span, *statements: Object) -> Node:
    """The policy with these statements; `ABSENT` for none."""
    version = Entry(Scalar("Version", span), Scalar("2012-10-17", span))
    return Object((version, Entry(Scalar("Statement", span), Array(statements, span))), span) if statements else ABSENT


def _allowed(action: str, resource: Node, span: Span) -> Object:
    """An Allow of an action that AWS does not have, and that stands for what is granted."""
    elements = {"Effect": Scalar("Allow", span), "Action": Scalar(action, span, parts=(action,)), "Resource": resource}
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in elements.items()), span)


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
