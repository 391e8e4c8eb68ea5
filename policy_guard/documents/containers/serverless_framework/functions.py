"""Functions of the Serverless Framework: the roles that they have for themselves, and their URLs."""

from __future__ import annotations

from collections.abc import Iterable

from policy_guard.documents.containers.serverless_framework.made import Made, entry, mapping, of_events, role, text
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Entry, Node, Object, Scalar

_PLUGIN = "serverless-iam-roles-per-function"


def function_resources(
    variables: Variables, root: Object, shared: Made, functions: Iterable[tuple[Scalar, Object]]
) -> list[Entry]:
    """The roles of functions, and the URLs that they have."""
    inherits = _is_true(variables, variables.at(root, "custom", _PLUGIN, "defaultInherit"))
    entries: list[Entry] = []
    for key, function in functions:
        own = _own_role(variables, function, shared, inherits)
        if own is not None:
            events = tuple(of_events(variables, function))
            complete = own._replace(statements=(*own.statements, *events))
            entries += role(f"{_normalized(key.text)}IamRoleLambdaExecution", complete, key.span)
        entries += _url(variables, key, function)
    return entries


def _own_role(variables: Variables, function: Object, shared: Made, inherits: bool) -> Made | None:
    """What a function's own role gets; None if it has none that is made here."""
    inside = variables.at(function, "iam", "role")
    if function.get("iamRoleStatements") is not None:
        statements = variables.items(function.get("iamRoleStatements"))
        set_ = function.get("iamRoleStatementsInherit")
        inherits = _is_true(variables, set_) if set_ is not None else inherits
        return Made(
            statements=(*statements, *(shared.statements if inherits else ())),
            managed=shared.managed,
            boundary=variables.given(function.get("iamPermissionsBoundary")) or shared.boundary,
        )
    if inside is None or not isinstance(variables.whole(inside), Object):
        return None
    merged = _is_true(variables, variables.at(inside, "inherit"))
    return Made(
        statements=(*variables.items(variables.at(inside, "statements")), *(shared.statements if merged else ())),
        managed=(*variables.items(variables.at(inside, "managedPolicies")), *(shared.managed if merged else ())),
        boundary=variables.given(variables.at(inside, "permissionsBoundary")) or shared.boundary,
    )


def _url(variables: Variables, key: Scalar, function: Object) -> list[Entry]:
    """The URL of a function, open to everyone unless it asks for IAM."""
    node = variables.given(function.get("url"))
    if node is None or (isinstance(node, Scalar) and node.text in ("false", "null")):
        return []
    authorizer = node.get("authorizer") if isinstance(node, Object) else None
    asks = isinstance(authorizer, Scalar) and authorizer.text == "aws_iam"
    name = _normalized(key.text)
    properties = mapping(
        key.span,
        AuthType=text("AWS_IAM" if asks else "NONE", (authorizer or node).span),
        TargetFunctionArn=text(f"{name}LambdaFunction", key.span),
    )
    return [
        entry(
            f"{name}LambdaFunctionUrl",
            mapping(node.span, Type=text("AWS::Lambda::Url", node.span), Properties=properties),
        )
    ]


def _is_true(variables: Variables, node: Node | None) -> bool:
    found = variables.given(node)
    return isinstance(found, Scalar) and found.text == "true"


def _normalized(name: str) -> str:
    """The name of a function as it begins the logical ids of what is made for it."""
    return f"{name[:1].upper()}{name[1:]}".replace("-", "Dash").replace("_", "Underscore")
