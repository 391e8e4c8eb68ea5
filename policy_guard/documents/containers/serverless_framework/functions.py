"""Functions of the Serverless Framework: the roles that they have for themselves, and their URLs."""

from __future__ import annotations

from collections.abc import Sequence

from policy_guard.documents.containers.serverless_framework.made import (
    RoleContents,
    entry,
    is_given,
    known_by_text,
    mapping,
    of_events,
    of_provider,
    role,
    text,
)
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Entry, Node, Object, Scalar

_PLUGIN = "serverless-iam-roles-per-function"
_SHARED = "IamRoleLambdaExecution"
# The framework may make no such role; when it does for sure, the name says that this is another one.
_PERHAPS = f"{_SHARED}Perhaps"


def function_resources(
    variables: Variables,
    root: Object,
    provider: Object,
    provider_role: RoleContents,
    functions: Sequence[tuple[Scalar, Object]],
) -> list[Entry]:
    """The roles of functions, that of the provider last, and the URLs that they have."""
    plugin = _plugin(variables, root)
    settings = tuple(of_provider(variables, provider))
    inherits = _is_true(variables, variables.at(root, "custom", _PLUGIN, "defaultInherit"))
    entries: list[Entry] = []
    for key, function in functions:
        function_role = _own_role(variables, function, provider_role, inherits)
        if function_role is not None:
            events = of_events(variables, key, function)
            contents = function_role.with_statements((*settings, *events, *_plugin_access(plugin, function)))
            entries += role(f"{_normalize(key.text)}{_SHARED}", contents, key.span, key.span)
        entries += _url(variables, key, function)
    return entries + _shared_role(variables, provider, provider_role.with_statements(settings), functions, plugin)


def _shared_role(
    variables: Variables,
    provider: Object,
    provider_role: RoleContents,
    functions: Sequence[tuple[Scalar, Object]],
    plugin: Scalar | None,
) -> list[Entry]:
    """The role of all functions without one of their own; under another name if there may be none of these."""
    sharing_functions = [(key, each) for key, each in functions if not _has_own_role(variables, each, plugin)]
    if _is_provided(variables, provider) or (functions and not sharing_functions):
        return []
    iam_role = variables.at(provider, "iam", "role")
    is_certain = provider.get("role") is None and not isinstance(iam_role, Scalar)
    is_certain = is_certain and any(_shares(each, plugin) for _, each in sharing_functions)
    events = [each for key, function in sharing_functions for each in of_events(variables, key, function)]
    user = sharing_functions[0][0].span if sharing_functions else provider.span
    return role(_SHARED if is_certain else _PERHAPS, provider_role.with_statements(events), provider.span, user)


def _plugin(variables: Variables, root: Object) -> Scalar | None:
    """The plug-in that makes roles for functions, where it is or may be used."""
    node = variables.value(root.get("plugins"))
    for name in variables.items(node.get("modules") if isinstance(node, Object) else node):
        if isinstance(name, Scalar) and (_PLUGIN in name.text or name.parts):
            return name
    return None


def _plugin_access(plugin: Scalar | None, function: Object) -> list[Node]:
    """Access by statements of a function that nothing reads without the plug-in."""
    if plugin is None or function.get("iamRoleStatements") is None:
        return []
    return [known_by_text("plugins", plugin)]


def _has_own_role(variables: Variables, function: Object, plugin: Scalar | None) -> bool:
    """Tell whether a function has a role of its own for sure: not every version reads `iam` of a function."""
    by_plugin = plugin is not None and plugin.text == _PLUGIN
    from_plugin = by_plugin and is_given(variables, function.get("iamRoleStatements"))
    return from_plugin or is_given(variables, function.get("role"))


def _shares(function: Object, plugin: Scalar | None) -> bool:
    """Tell whether a function has the shared role for sure."""
    by_plugin = plugin is not None and function.get("iamRoleStatements") is not None
    return not by_plugin and function.get("role") is None and function.get("iam") is None


def _is_provided(variables: Variables, provider: Object) -> bool:
    """Tell whether the role of all functions is one that stands elsewhere, for sure."""
    iam_role = variables.at(provider, "iam", "role")
    is_reference = iam_role is not None and not isinstance(variables.target(iam_role), Object)
    return is_given(variables, provider.get("role")) or (is_reference and is_given(variables, iam_role))


def _own_role(
    variables: Variables, function: Object, provider_role: RoleContents, inherits: bool
) -> RoleContents | None:
    """Return what a function's own role gets; None if it has none that is made here."""
    iam_role = variables.at(function, "iam", "role")
    if function.get("iamRoleStatements") is not None:
        statements = variables.items(function.get("iamRoleStatements"))
        inherit_setting = function.get("iamRoleStatementsInherit")
        inherits = _is_true(variables, inherit_setting) if inherit_setting is not None else inherits
        return RoleContents(
            statements=(*statements, *(provider_role.statements if inherits else ())),
            managed=provider_role.managed,
            boundary=variables.value(function.get("iamPermissionsBoundary")) or provider_role.boundary,
        )
    if iam_role is None or not isinstance(variables.target(iam_role), Object):
        return None
    merged = _is_true(variables, variables.at(iam_role, "inherit"))
    return RoleContents(
        statements=(
            *variables.items(variables.at(iam_role, "statements")),
            *(provider_role.statements if merged else ()),
        ),
        managed=(
            *variables.items(variables.at(iam_role, "managedPolicies")),
            *(provider_role.managed if merged else ()),
        ),
        boundary=variables.value(variables.at(iam_role, "permissionsBoundary")) or provider_role.boundary,
    )


def _url(variables: Variables, key: Scalar, function: Object) -> list[Entry]:
    """The URL of a function, open to everyone unless it asks for IAM."""
    node = variables.value(function.get("url"))
    if node is None or (isinstance(node, Scalar) and node.text in ("false", "null")):
        return []
    authorizer = node.get("authorizer") if isinstance(node, Object) else None
    asks = isinstance(authorizer, Scalar) and authorizer.text == "aws_iam"
    name = _normalize(key.text)
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
    value = variables.value(node)
    return isinstance(value, Scalar) and value.text == "true"


def _normalize(name: str) -> str:
    """The name of a function as it begins the logical ids of what is made for it."""
    return f"{name[:1].upper()}{name[1:]}".replace("-", "Dash").replace("_", "Underscore")
