"""What is judged of a resource that was there before: the roles it acts by, what caps it, and who may call it.

All that a new role may do is new access by itself: only one that was there before counts, or one from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.other_access import EVERY, action_of, terraform_types
from policy_guard.documents.containers.terraform.elsewhere import ABSENT, policy_with
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.resource_statements import STANDS
from policy_guard.documents.containers.terraform.uses import is_of_aws
from policy_guard.documents.containers.terraform.values import (
    is_known,
    is_null,
    label_of,
    name_of,
    parts,
    text_of,
    unknown,
)
from policy_guard.documents.hcl.syntax import Body, Expression, List, Template, Text
from policy_guard.documents.hcl.syntax import Mapping as MappingNode
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

ACTING = "acting-role"
"""The name of the place at which the roles are that a resource acts by."""
_ROLE = regex(r"(?:\w*_)?roles?(?:_arns?|_name)?|iam_instance_profile|instance_profile(?:_name|_arn)?")
# Names of what is no role of IAM.
_NO_ROLE = regex(
    r"column_geographic_role|use_service_linked_role|snowflake_role|user_role|organization_role_name|iam_role_\w*tags"
)
_PROFILE = "iam_instance_profile"
# Source: the AWS provider's documentation of each resource; each gives what is there already another role.
_ATTACHING = regex(r"aws_(?:rds_cluster|db_instance)_role_association|aws_redshift_cluster_iam_roles")
_OF_IAM = ("aws_iam_", "awscc_iam_")
_OBJECT = regex(r"(?:module\.[\w-]+(?:\[[^\]]*\])?\.)*(?:aws|awscc)_iam_(?:role|instance_profile)\.[\w-]+")
_LEAVES = "boundary:LeavesAllowed"


class Row(NamedTuple):
    """What is told of a type of resource: the action that stands for it, and the arguments that decide.

    `open` is the text of the first argument that leaves all open, as where it is not there; `harmless` that of all
    that gives nothing. Of the first argument, a list, `capping` are items without which something is capped no more.
    Where `key` is true, calls need a key as well.
    """

    action: str
    arguments: tuple[str, ...]
    open: str = ""
    harmless: tuple[str, ...] = ()
    capping: tuple[str, ...] = ()
    key: str = ""


_KEY = "api_key_required"
_METHOD = Row(action_of("endpoint"), ("authorization", "authorizer_id", "authorization_scopes"), open="NONE", key=_KEY)
_ROUTE = Row(
    action_of("endpoint"), ("authorization_type", "authorizer_id", "authorization_scopes"), open="NONE", key=_KEY
)
_CLUSTER = Row(action_of("cluster-access"), ("access_config",))
_GUARDRAILS = (Row(_LEAVES, ("guardrail_policy_arns",)), Row(_LEAVES, ("guardrail_policies",)))
OWNERSHIP = "aws_s3_bucket_ownership_controls"
# Sources: API Gateway Developer Guide, "Control and manage access to REST APIs"; AWS AppSync Developer Guide,
# "Configuring authorization and authentication"; Amazon EKS User Guide, "Change authentication mode"; Amazon S3 User
# Guide, "Controlling ownership of objects"; AWS Chatbot Administrator Guide, "Channel guardrails"; IAM Identity Center
# User Guide, "Set a permissions boundary"; AWS Organizations User Guide, "Disabling a policy type".
ROWS = {
    "aws_api_gateway_method": _METHOD,
    "aws_apigatewayv2_route": _ROUTE,
    "awscc_apigateway_method": _ROUTE,
    "awscc_apigatewayv2_route": _ROUTE,
    "aws_api_gateway_authorizer": Row(
        action_of("endpoint"), ("type", "authorizer_uri", "identity_source", "provider_arns")
    ),
    "aws_apigatewayv2_authorizer": Row(
        action_of("endpoint"), ("authorizer_type", "authorizer_uri", "identity_sources", "jwt_configuration")
    ),
    "aws_appsync_graphql_api": Row(
        action_of("endpoint"),
        (
            *("authentication_type", "additional_authentication_provider", "user_pool_config"),
            *("openid_connect_config", "lambda_authorizer_config"),
        ),
    ),
    "aws_eks_cluster": _CLUSTER,
    "awscc_eks_cluster": _CLUSTER,
    "aws_organizations_organization": Row(
        action_of("organization"),
        ("enabled_policy_types",),
        capping=("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"),
    ),
    OWNERSHIP: Row(action_of("bucket-acl"), ("rule",), harmless=("BucketOwnerEnforced",)),
    "awscc_sso_permission_set": Row(_LEAVES, ("permissions_boundary",)),
    "aws_chatbot_slack_channel_configuration": _GUARDRAILS[0],
    "aws_chatbot_teams_channel_configuration": _GUARDRAILS[0],
    "awscc_chatbot_slack_channel_configuration": _GUARDRAILS[1],
    "awscc_chatbot_microsoft_teams_channel_configuration": _GUARDRAILS[1],
}
LASTING = "lasting"
"""The name of the place at which the rest is."""


def places(type_: str, body: Body) -> Iterator[str]:
    """The names of the places of a resource."""
    if type_ in ROWS:
        yield LASTING
    if may_act(type_) and any(True for _ in _role_expressions(type_, body)):
        yield ACTING


def is_lasting(type_: str, name: str) -> bool:
    """Tell whether a place counts only where its resource was there before."""
    return name == LASTING or (name == ACTING and not _ATTACHING.fullmatch(type_))


def decides_lasting(type_: str, told: str, name: str) -> bool:
    """Tell whether an argument or block decides what is told at a place of this name."""
    if told == LASTING:
        return name in ROWS[type_].arguments
    return told == ACTING and (names_role(type_, name) or name == _PROFILE)


def may_act(type_: str) -> bool:
    """Tell whether a resource of AWS may act by roles that its arguments name."""
    if not is_of_aws(type_) or type_.startswith(_OF_IAM) or type_ in STANDS:
        return False
    return type_ not in terraform_types() or terraform_types()[type_][1] != EVERY


def names_role(type_: str, name: str) -> bool:
    """Tell whether an argument of a resource names a role that it acts by."""
    listed = terraform_types()[type_][1] if type_ in terraform_types() else ()
    return bool(_ROLE.fullmatch(name)) and not _NO_ROLE.fullmatch(name) and name not in listed


def _role_expressions(type_: str, body: Body, above: str = "") -> Iterator[tuple[str, Expression]]:
    """The expressions that give roles, each with its path."""
    for name, argument in body.arguments.items():
        if names_role(type_, name) or above == f"{_PROFILE}.":
            yield f"{above}{name}", argument.value
        else:
            yield from _inner_expressions(type_, argument.value, f"{above}{name}.")
    for block in body.blocks:
        label = block.labels[0] if block.type == "dynamic" and block.labels else block.type
        path = above if block.type == "content" else f"{above}{label}."
        yield from _role_expressions(type_, block.body, path)


def _inner_expressions(type_: str, value: Expression, above: str) -> Iterator[tuple[str, Expression]]:
    if isinstance(value, List):
        for item in value.items:
            yield from _inner_expressions(type_, item, above)
    elif isinstance(value, MappingNode):
        for key, inner in value.items:
            name = _key_text(key)
            if names_role(type_, name):
                yield f"{above}{name}", inner
            else:
                yield from _inner_expressions(type_, inner, f"{above}{name}.")


def _key_text(key: Expression) -> str:
    key_parts = key.parts if isinstance(key, Template) else ()
    return "".join(part.value if isinstance(part, Text) else "?" for part in key_parts)


def lasting_policy(evaluator: Evaluator, type_: str, name: str, body: Body, fresh: frozenset[str]) -> Node:
    """The policy that stands for what is told at a place; `fresh` are the addresses of what is new. Raises `Need`."""
    if name == LASTING:
        return _row_policy(evaluator, ROWS[type_], body)
    statements = [
        allowed(action_of(ACTING), unknown(f"what the role {label_of(role)} may do", span, path, name_of(role)), span)
        for path, expression in _role_expressions(type_, body)
        for role in _roles(_value(evaluator, expression))
        if not _is_fresh(role, fresh)
        for span in (expression.span,)
    ]
    return policy_with(tuple(statements), body.span) if statements else ABSENT


def _value(evaluator: Evaluator, expression: Expression) -> Node:
    try:
        return evaluator.value(expression)
    except Opaque:
        return evaluator.opaque(expression)


def _roles(value: Node) -> Iterator[Node]:
    """The roles that a value names."""
    if isinstance(value, Array):
        for item in value.items:
            yield from _roles(item)
    elif not is_null(value) and name_of(value) != name_of(Scalar("", value.span)):
        yield value


def _is_fresh(role: Node, fresh: frozenset[str]) -> bool:
    """Tell whether a value is what a new role is called: all that this may do is new access by itself."""
    role_parts = parts(role)
    if len(role_parts) != 1 or not isinstance(role_parts[0], Hole):
        return False
    match = _OBJECT.match(label_of(role))
    return match is not None and match[0] in fresh


def _uncapped(evaluator: Evaluator, row: Row, body: Body) -> Node:
    """What is open without the items of a list that cap it, or may be where nobody knows the list."""
    expression = body.value(row.arguments[0])
    value = _value(evaluator, expression) if expression is not None else ABSENT
    items = value.items if isinstance(value, Array) else (value,)
    labels = {label_of(item) for item in items}
    resource = text_of(("*",), body.span) if all(map(is_known, items)) else value
    statements = tuple(
        allowed(action_of("organization", item), resource, body.span) for item in row.capping if item not in labels
    )
    return policy_with(statements, body.span) if statements else ABSENT


def _row_policy(evaluator: Evaluator, row: Row, body: Body) -> Node:
    if row.capping:
        return _uncapped(evaluator, row, body)
    written: list[object] = []
    values: list[Node] = []
    for name in row.arguments:
        if (expression := body.value(name)) is not None:
            value = _value(evaluator, expression)
            values += () if is_null(value) else (value,)
            written += () if is_null(value) else ((name, name_of(value)),)
        blocks = [block for block in body.blocks if name in (block.type, *block.labels)]
        written += (evaluator.block(block) for block in blocks)
        values += (_value(evaluator, each.value) for block in blocks for each in block.body.arguments.values())
    texts = {label_of(value) if is_known(value) else "" for value in values}
    if row.harmless and texts and texts <= {*row.harmless}:
        return ABSENT
    told = _told(row, not written or (bool(row.open) and row.open in texts), written, body.span)
    return policy_with((told, *_without_key(evaluator, row.key, body)), body.span)


def _told(row: Row, is_open: bool, deciding: object, span: Span) -> Object:
    all_text = text_of(("*",), span)
    words = "what the boundary leaves" if row.action == _LEAVES else "what its access settings let in"
    return allowed(row.action, all_text if is_open else unknown(words, span, deciding, is_list=False), span)


def _without_key(evaluator: Evaluator, name: str, body: Body) -> Iterator[Object]:
    """Which calls need no key."""
    if not name:
        return
    expression = body.value(name)
    value = _value(evaluator, expression) if expression is not None else ABSENT
    label = "false" if is_null(value) else label_of(value) if is_known(value) else ""
    if label != "true":
        is_open = label == "false"
        span = expression.span if expression is not None else body.span
        resource = text_of(("*",), span) if is_open else unknown("calls without a key", span, name_of(value))
        yield allowed(action_of("endpoint", name), resource, span)


def allowed(action: str, resource: Node, span: Span) -> Object:
    """Return an Allow of an action that AWS does not have, and that stands for what is told."""
    elements: dict[str, Node] = {
        "Effect": Scalar("Allow", span),
        "Action": text_of((action,), span),
        "Resource": resource,
    }
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in elements.items()), span)
