"""Resources of Terraform that grant access without a document: permissions of functions, and others by what they say.

Sources: the AWS provider's documentation of each resource; Lambda Developer Guide, access-control-resource-based.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.terraform.elsewhere import attached
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.values import is_null, name_of, parts, single, unknown
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
_META = ("count", "for_each", "depends_on", "provider", "lifecycle", "timeouts")
GRANTING = (PERMISSION, *_BY_ARGUMENTS)
_CONDITIONS = (
    ("source_arn", "ArnLike", "AWS:SourceArn"),
    ("source_account", "StringEquals", "AWS:SourceAccount"),
    ("principal_org_id", "StringEquals", "aws:PrincipalOrgID"),
    ("event_source_token", "StringEquals", "lambda:EventSourceToken"),
    ("function_url_auth_type", "StringEquals", "lambda:FunctionUrlAuthType"),
)


def granted(evaluator: Evaluator, type_: str, address: str, body: Body) -> Node:
    """The policy that a resource stands for. Raises `Need` and `Opaque`."""
    if type_ == PERMISSION:
        return _permission(evaluator, body)
    return attached(unknown(address, body.span, list(_arguments(evaluator, body)), several=False))


def _arguments(evaluator: Evaluator, body: Body) -> Iterator[object]:
    """What the arguments come to, and what else is written there."""
    for name, argument in sorted(body.arguments.items()):
        if name not in _META:
            yield name, name_of(evaluator.value(argument.value))
    yield from (evaluator.block(block) for block in body.blocks if block.type not in _META)


def _permission(evaluator: Evaluator, body: Body) -> Object:
    """The statement that a permission adds to the policy of its function."""
    entries = [
        Entry(Scalar("Effect", body.span), Scalar("Allow", body.span)),
        Entry(Scalar("Principal", body.span), _principal(_value(evaluator, body, "principal"))),
        Entry(Scalar("Action", body.span), _value(evaluator, body, "action")),
        Entry(Scalar("Resource", body.span), _function(_value(evaluator, body, "function_name"))),
    ]
    conditions: dict[str, list[Entry]] = {}
    for argument, operator, key in _CONDITIONS:
        value = body.value(argument)
        found = single(evaluator.value(value)) if value is not None else None
        if found is not None and not is_null(found):
            conditions.setdefault(operator, []).append(Entry(Scalar(key, found.span), found))
    if conditions:
        inner = (Entry(Scalar(name, body.span), Object(tuple(e), body.span)) for name, e in conditions.items())
        entries.append(Entry(Scalar("Condition", body.span), Object(tuple(inner), body.span)))
    return _policy(Object(tuple(entries), body.span), body.span)


def _policy(statement: Object, span: Span) -> Object:
    version = Entry(Scalar("Version", span), Scalar("2012-10-17", span))
    return Object((version, Entry(Scalar("Statement", span), Array((statement,), span))), span)


def _value(evaluator: Evaluator, body: Body, name: str) -> Node:
    value = body.value(name)
    return single(evaluator.value(value)) if value is not None else unknown(name, body.span, several=False)


def _principal(who: Node) -> Node:
    own = parts(who)
    if own == ("*",):
        return who
    last = own[-1] if own else ""
    kind = "Service" if isinstance(last, str) and last.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "AWS"
    return Object((Entry(Scalar(kind, who.span), who),), who.span)


def _function(name: Node) -> Node:
    """The ARN of a function, of which a name is the last part."""
    own = parts(name)
    if not own or not isinstance(own[0], str) or own[0].startswith("arn:"):
        return name
    filled = ("arn:aws:lambda:*:*:function:", *own)
    return Scalar("".join(p if isinstance(p, str) else p.name for p in filled), name.span, parts=filled)
