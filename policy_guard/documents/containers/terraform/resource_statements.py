"""Resources of Terraform that stand for statements of the policy of something else, each with AWS's page.

A layer's permission is a statement of the layer's policy, a grant of a key one of the key's, and so on. Each row says
which arguments make which element of the statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
from policy_guard.records import NamedTuple

_DOCS = "https://docs.aws.amazon.com/"
_TYPE, _KEY, _VALUE = "condition.type", "condition.key", "condition.value"


class Equal(NamedTuple):
    """A condition that a key has the text of an argument; with a `default` also where the argument is not there."""

    argument: str
    key: str
    operator: str = "StringEquals"
    default: str = ""


class Stands(NamedTuple):
    """What a type of resource stands for: the arguments that give the elements of its statements, and AWS's page.

    `resources` are arguments with ARNs or names; a name becomes an ARN in `arn`. `actions` are those that it always
    gives, `action` the argument with others, which begin with `service`. The one who gets it is in `principal`, or is
    the service `caller`. `digested` decides as a whole, by its text.
    """

    page: str
    resources: tuple[str, ...]
    arn: str = "{}"
    suffix: str = ""
    principal: str = ""
    caller: str = ""
    action: str = ""
    service: str = ""
    actions: tuple[str, ...] = ()
    conditions: tuple[Equal, ...] = ()
    digested: str = ""
    written_condition: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """Every argument that decides; those of a block are spelled with a dot."""
        written = (_TYPE, _KEY, _VALUE) if self.written_condition else ()
        single_names = (self.suffix, self.principal, self.action, self.digested)
        names = (*self.resources, *single_names, *(condition.argument for condition in self.conditions), *written)
        return tuple(name for name in names if name)


STANDS = {
    "aws_lambda_layer_version_permission": Stands(
        page=f"{_DOCS}lambda/latest/dg/permissions-layer-cross-account.html",
        resources=("layer_name",),
        arn="arn:aws:lambda:*:*:layer:{}",
        suffix="version_number",
        principal="principal",
        action="action",
        conditions=(Equal("organization_id", "aws:PrincipalOrgID"),),
    ),
    "awscc_lambda_layer_version_permission": Stands(
        page=f"{_DOCS}lambda/latest/dg/permissions-layer-cross-account.html",
        resources=("layer_version_arn",),
        principal="principal",
        action="action",
        conditions=(Equal("organization_id", "aws:PrincipalOrgID"),),
    ),
    "aws_kms_grant": Stands(
        page=f"{_DOCS}kms/latest/developerguide/grants.html",
        resources=("key_id",),
        arn="arn:aws:kms:*:*:key/{}",
        principal="grantee_principal",
        action="operations",
        service="kms:",
        digested="constraints",
    ),
    "aws_cloudwatch_event_permission": Stands(
        page=f"{_DOCS}eventbridge/latest/userguide/eb-event-bus-perms.html",
        resources=("event_bus_name",),
        arn="arn:aws:events:*:*:event-bus/{}",
        principal="principal",
        action="action",
        written_condition=True,
    ),
    "aws_eks_pod_identity_association": Stands(
        page=f"{_DOCS}eks/latest/userguide/pod-identities.html",
        resources=("role_arn", "target_role_arn"),
        caller="pods.eks.amazonaws.com",
        actions=("sts:AssumeRole", "sts:TagSession"),
        conditions=(
            Equal("cluster_name", "aws:RequestTag/eks-cluster-name"),
            Equal("namespace", "aws:RequestTag/kubernetes-namespace"),
            Equal("service_account", "aws:RequestTag/kubernetes-service-account"),
            Equal("disable_session_tags", "eks:DisableSessionTags", default="false"),
        ),
    ),
}
STANDS["awscc_eks_pod_identity_association"] = STANDS["aws_eks_pod_identity_association"]
_DEFAULTS = {"event_bus_name": "default", "action": "events:PutEvents"}


def arguments_of(evaluator: Evaluator, names: Sequence[str], body: Body) -> dict[str, Node]:
    """Return what arguments come to, those too that stand in a block of their own. Raises `Need` and `Opaque`."""
    values: dict[str, Node] = {}
    for name in names:
        block_name, _, inner = name.partition(".")
        blocks = [block for block in body.blocks if block_name in (block.type, *block.labels)]
        if len(blocks) == 1 and blocks[0].type == block_name and inner:
            expression = blocks[0].body.value(inner)
        elif blocks:
            contents = [evaluator.block(block) for block in blocks]
            values[name] = unknown(block_name, body.span, contents, is_list=False)
            continue
        else:
            expression = body.value(name)
        if expression is not None and not is_null(value := evaluator.value(expression)):
            values[name] = value
    return values


def arguments_in(names: Sequence[str], values: Mapping[str, Any], span: Span) -> dict[str, Node]:
    """Return the same arguments of a plan."""
    nodes: dict[str, Node] = {}
    for name in names:
        block_name, _, inner = name.partition(".")
        value = values.get(block_name)
        if inner and isinstance(value, list):
            value = value[0].get(inner) if len(value) == 1 and isinstance(value[0], dict) else value or None
        if isinstance(value, list | dict) and not all(isinstance(item, str) for item in value):
            nodes[name] = unknown(block_name, span, repr(value), is_list=False)
        elif isinstance(value, list):
            nodes[name] = Array(tuple(text_of((item,), span) for item in value), span)
        elif value is not None and value != "":
            nodes[name] = text_of((_text(value),), span)
    return nodes


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()


def statements(type_: str, arguments: Mapping[str, Node], span: Span) -> tuple[Object, ...]:
    """The statements that a resource with these arguments stands for."""
    row = STANDS[type_]
    resources = [name for name in row.resources if name in arguments] or row.resources[:1]
    return tuple(_statement(row, _argument(arguments, name, span), arguments, span) for name in resources)


def _argument(arguments: Mapping[str, Node], name: str, span: Span) -> Node:
    if name in arguments:
        return single(arguments[name])
    return text_of((_DEFAULTS[name],), span) if name in _DEFAULTS else unknown(name, span, is_list=False)


def _statement(row: Stands, resource: Node, arguments: Mapping[str, Node], span: Span) -> Object:
    elements: dict[str, Node] = {
        "Effect": Scalar("Allow", span),
        "Principal": _principal(row, arguments, span),
        "Action": _actions(row, arguments, span),
        "Resource": _arn(row, resource, arguments),
    }
    conditions = _conditions(row, arguments, span)
    if conditions:
        elements["Condition"] = _object({name: _object(entries, span) for name, entries in conditions.items()}, span)
    return _object(elements, span)


def _principal(row: Stands, arguments: Mapping[str, Node], span: Span) -> Node:
    if row.caller:
        return _object({"Service": text_of((row.caller,), span)}, span)
    return principal_element(_argument(arguments, row.principal, span))


def principal_element(principal: Node) -> Node:
    """The element for one principal: everybody, a service, or somebody of AWS."""
    principal_parts = parts(principal)
    if principal_parts == ("*",):
        return principal
    last = principal_parts[-1] if principal_parts else ""
    kind = "Service" if isinstance(last, str) and last.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "AWS"
    return _object({kind: principal}, principal.span)


def _actions(row: Stands, arguments: Mapping[str, Node], span: Span) -> Node:
    if not row.action:
        return Array(tuple(text_of((action,), span) for action in row.actions), span)
    node = arguments.get(row.action) or _argument(arguments, row.action, span)
    items = node.items if isinstance(node, Array) else (node,)
    return Array(tuple(text_of((row.service, *parts(item)), item.span) for item in items), span)


def _arn(row: Stands, resource: Node, arguments: Mapping[str, Node]) -> Node:
    """The ARN of what it is about: a name is the last part of one."""
    name_parts = parts(resource)
    is_name = bool(name_parts) and isinstance(name_parts[0], str) and not name_parts[0].startswith("arn:")
    head, _, tail = row.arn.partition("{}") if is_name else ("", "", "")
    suffix = (":", *parts(arguments[row.suffix])) if row.suffix in arguments else ()
    return text_of((head, *name_parts, tail, *suffix), resource.span)


def _conditions(row: Stands, arguments: Mapping[str, Node], span: Span) -> dict[str, dict[str, Node]]:
    conditions: dict[str, dict[str, Node]] = {}
    for condition in row.conditions:
        value = arguments.get(condition.argument)
        if value is None and condition.default:
            value = text_of((condition.default,), span)
        if value is not None:
            conditions.setdefault(condition.operator, {})[condition.key] = value
    if row.digested in arguments:
        deciding = arguments[row.digested]
        text = unknown(row.digested, span, name_of(deciding), is_list=False)
        conditions.setdefault("StringEquals", {})["kms:EncryptionContext"] = text
    if row.written_condition and _KEY in arguments:
        operator, key = arguments.get(_TYPE), arguments[_KEY]
        known = operator is not None and is_known(operator) and is_known(key)
        value = arguments.get(_VALUE) or unknown("value", span, is_list=False)
        if known and operator is not None:
            conditions.setdefault(label_of(operator), {})[label_of(key)] = value
        else:
            deciding_names = [name_of(node) for node in (operator, key, value) if node is not None]
            conditions["StringEquals"] = {
                "aws:PrincipalOrgID": unknown("condition", span, deciding_names, is_list=False)
            }
    return conditions


def _object(entries: Mapping[str, Node], span: Span) -> Object:
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in entries.items()), span)
