"""Roles that the Serverless Framework makes: the one that functions share, and those that they have for themselves.

Version 4 does by itself what the plug-in serverless-iam-roles-per-function did: where they differ, the plug-in counts
if it is used. Sources: Serverless Framework, "AWS - IAM Permissions For Functions" and roles-per-function.js.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.serverless_framework.made import (
    BARE_ROLE,
    RoleContents,
    is_given,
    known,
    known_by_text,
    of_events,
    of_provider,
    role,
    without_contents,
)
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Entry, Node, Object, Scalar
from policy_guard.records import NamedTuple

SHARED = "IamRoleLambdaExecution"
_PLUGIN = "serverless-iam-roles-per-function"
PERHAPS = f"{SHARED}Perhaps"
"""The shared role where the framework may make none; where it does for sure, this is another one."""
_MODES = ("shared", "perFunction")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_VERSION = re.compile(r"[\^~=v]?(\d+)(?:\.[\dx*]+)*")


class _Provider(NamedTuple):
    """What the provider says of roles: what they get, and which of its statements functions may inherit."""

    node: Object
    contents: RoleContents
    inherited: tuple[Node, ...]
    per_function: bool
    is_certain: bool
    is_reference: bool


class _File(NamedTuple):
    """What else of a file decides the roles of functions."""

    plugin: Scalar | None
    settings: Node | None
    version: Node | None

    @property
    def uses_plugin(self) -> bool:
        """Tell whether the plug-in is used for sure."""
        return self.plugin is not None and self.plugin.text == _PLUGIN


def function_roles(
    variables: Variables, root: Object, provider_node: Object, functions: Sequence[tuple[Scalar, Object]]
) -> list[Entry]:
    """The roles of functions, that of the provider last."""
    provider = _provider(variables, provider_node)
    settings_node = variables.at(root, "custom", _PLUGIN)
    file = _File(_plugin(variables, root), settings_node, variables.value(root.get("frameworkVersion")))
    settings = tuple(of_provider(variables, provider_node))
    entries: list[Entry] = []
    for key, function in functions:
        contents = _own_role(variables, function, provider, file)
        if contents is not None:
            contents = contents.with_statements((*settings, *of_events(variables, key, function)))
            entries += role(f"{normalized(key.text)}{SHARED}", contents, key.span, key.span)
    entries += _version(functions, file)
    return entries + _shared_role(variables, provider, provider.contents.with_statements(settings), functions, file)


def _provider(variables: Variables, provider: Object) -> _Provider:
    """Return what the provider says of roles, in the present and in the earlier spelling."""
    iam_role = variables.at(provider, "iam", "role")
    target = variables.target(iam_role) if iam_role is not None else None
    own = target if isinstance(target, Object) and not is_reference(target) else None
    earlier = variables.items(provider.get("iamRoleStatements"))
    statements, managed = variables.at(own, "statements"), variables.at(own, "managedPolicies")
    own_statements = variables.items(statements)
    contents = RoleContents(
        statements=own_statements if variables.value(statements) is not None else earlier,
        managed=variables.items(
            managed if variables.value(managed) is not None else provider.get("iamManagedPolicies")
        ),
        boundary=_first(
            variables,
            variables.at(own, "permissionsBoundary"),
            variables.at(own, "permissionBoundary"),
            provider.get("rolePermissionsBoundary"),
        ),
    )
    return _Provider(
        node=provider,
        contents=contents,
        inherited=own_statements if provider.get("iam") is not None else earlier,
        per_function=_mode(variables, own) == "perFunction",
        is_certain=provider.get("role") is None and (iam_role is None or own is not None),
        is_reference=is_given(variables, provider.get("role"))
        or (iam_role is not None and own is None and is_given(variables, iam_role)),
    )


def _mode(variables: Variables, iam_role: Object | None) -> str:
    node = variables.value(variables.at(iam_role, "mode"))
    if node is None:
        return _MODES[0]
    if not isinstance(node, Scalar) or node.text not in _MODES:
        raise Opaque("nobody can tell from the repository whether each function has a role of its own", node.span)
    return node.text


def is_reference(iam_role: Object) -> bool:
    """Tell whether a mapping is a function of the template that gives a role which stands elsewhere."""
    return any("::" in entry.key.text for entry in iam_role.entries)


def _first(variables: Variables, *nodes: Node | None) -> Node | None:
    """The first of some nodes that says something."""
    return next((value for node in nodes if (value := variables.value(node)) is not None), None)


def _shared_role(
    variables: Variables,
    provider: _Provider,
    contents: RoleContents,
    functions: Sequence[tuple[Scalar, Object]],
    file: _File,
) -> list[Entry]:
    """The role of all functions without one of their own; under another name if there may be none of these."""
    sharing_functions = [(key, each) for key, each in functions if not _has_own_role(variables, each, file)]
    if provider.is_reference or (functions and not sharing_functions):
        return []
    is_certain = provider.is_certain and not provider.per_function
    is_certain = is_certain and any(_shares(variables, each, file) for _, each in sharing_functions)
    events = [each for key, function in sharing_functions for each in of_events(variables, key, function)]
    user = sharing_functions[0][0].span if sharing_functions else provider.node.span
    name = SHARED if is_certain else PERHAPS
    return role(name, contents.with_statements(events), provider.node.span, user)


def _plugin(variables: Variables, root: Object) -> Scalar | None:
    """The plug-in that makes roles for functions, where it is or may be used."""
    return next(used_plugins(variables, root, _PLUGIN), None)


def used_plugins(variables: Variables, root: Object, name: str) -> Iterator[Scalar]:
    """The plug-ins of a file that are, or may be, the one of a name."""
    node = variables.value(root.get("plugins"))
    for plugin in variables.items(node.get("modules") if isinstance(node, Object) else node):
        if isinstance(plugin, Scalar) and (name in plugin.text or plugin.parts):
            yield plugin


def _has_own_role(variables: Variables, function: Object, file: _File) -> bool:
    """Tell whether a function has a role of its own for sure: not every version reads `iam` of a function."""
    from_plugin = file.uses_plugin and is_given(variables, function.get("iamRoleStatements"))
    return from_plugin or is_given(variables, function.get("role"))


def _shares(variables: Variables, function: Object, file: _File) -> bool:
    """Tell whether a function has the shared role for sure."""
    by_plugin = file.plugin is not None and function.get("iamRoleStatements") is not None
    return not by_plugin and function.get("role") is None and not _says_what_it_may(variables, function)


def _says_what_it_may(variables: Variables, function: Object) -> bool:
    """Tell whether a function has statements or managed policies of its own, for which a role may be made."""
    own = variables.at(function, "iam", "role")
    nodes = (function.get("iamRoleStatements"), *(variables.at(own, key) for key in ("statements", "managedPolicies")))
    return any(node is not None for node in nodes)


def _own_role(variables: Variables, function: Object, provider: _Provider, file: _File) -> RoleContents | None:
    """Return what a function's own role gets; None if it has none that is made here."""
    iam_role = variables.at(function, "iam", "role")
    own = variables.target(iam_role) if iam_role is not None else None
    own = own if isinstance(own, Object) and not is_reference(own) else None
    earlier, present = function.get("iamRoleStatements"), variables.at(own, "statements")
    by_plugin = file.uses_plugin and earlier is not None
    is_made = provider.per_function or _says_what_it_may(variables, function)
    if not is_made or is_given(variables, function.get("role")):
        return None
    managed = variables.items(variables.at(own, "managedPolicies"))
    if by_plugin or provider.per_function:
        managed = (*provider.contents.managed, *managed)
    boundary = _first(
        variables,
        variables.at(own, "permissionsBoundary"),
        function.get("iamPermissionsBoundary"),
        variables.at(file.settings, "iamGlobalPermissionsBoundary"),
    )
    statements = earlier if present is None or by_plugin else present
    return RoleContents(
        statements=(
            *variables.items(statements),
            *_inherited_statements(variables, function, provider, file),
            *_of_plugin(function, provider, file),
        ),
        managed=managed,
        boundary=boundary or provider.contents.boundary,
    )


def _inherited_statements(variables: Variables, function: Object, provider: _Provider, file: _File) -> tuple[Node, ...]:
    """The statements of the provider that a function inherits, which the first of some settings decides."""
    settings = (
        variables.at(function, "iam", "inheritStatements"),
        function.get("iamRoleStatementsInherit"),
        variables.at(file.settings, "defaultInherit"),
        # An earlier spelling here, which the framework does not read.
        variables.at(function, "iam", "role", "inherit"),
    )
    setting = next((node for node in settings if node is not None), None)
    if setting is None:
        return provider.inherited if provider.per_function else ()
    value = variables.value(setting)
    if value is None or (isinstance(value, Scalar) and value.kind == "boolean" and value.text in _FALSE):
        return ()
    if isinstance(value, Scalar) and value.kind == "boolean" and value.text in _TRUE:
        return provider.inherited
    return (known_by_text("the statements of the provider", value, *map(canonical, provider.inherited)),)


def _of_plugin(function: Object, provider: _Provider, file: _File) -> Iterator[Node]:
    """Return what decides whether the earlier spelling counts, where the plug-in is or may be used."""
    if file.plugin is not None and function.get("iamRoleStatements") is not None:
        managed = () if file.uses_plugin else provider.contents.managed
        yield known_by_text("plugins", file.plugin, *map(canonical, managed))


def _version(functions: Sequence[tuple[Scalar, Object]], file: _File) -> list[Entry]:
    """What decides whether functions have roles of their own without the plug-in: the version of the framework."""
    have_own = any(each.get(key) is not None for _, each in functions for key in ("iam", "iamRoleStatements"))
    if not have_own or file.uses_plugin or not isinstance(file.version, Scalar):
        return []
    match = _VERSION.fullmatch(file.version.text.strip())
    version = file.version._replace(text=match[1]) if match else file.version
    return known("FrameworkVersion", "FrameworkVersion", "frameworkVersion", [version])


def normalized(name: str) -> str:
    """The name of a function as it begins the logical ids of what is made for it."""
    return f"{name[:1].upper()}{name[1:]}".replace("-", "Dash").replace("_", "Underscore")


def with_bare_roles(template: Template, other: Template) -> Template:
    """The template, with its bare roles as roles where the other side has more of them, such as a boundary."""
    names = [
        name
        for name, resource in template.resources.items()
        if type_of(resource) == BARE_ROLE and type_of(other.resources.get(name)) not in ("", BARE_ROLE)
    ]
    roles = {name: without_contents(template.resources[name].span) for name in names}
    return template._replace(resources={**template.resources, **roles}) if roles else template


def with_lesser_role(old: Template, new: Template) -> Template:
    """The old template, with the shared role by the name that it has where nobody can tell whether there is one.

    That is if it was certain and is not any more, as without functions: it is one and the same role.
    """
    if SHARED not in old.resources or PERHAPS in old.resources or SHARED in new.resources:
        return old
    if PERHAPS not in new.resources:
        return old
    resources = {PERHAPS if name == SHARED else name: node for name, node in old.resources.items()}
    spans = {PERHAPS if name == SHARED else name: node for name, node in old.spans.items()}
    return old._replace(resources=resources, spans=spans)
