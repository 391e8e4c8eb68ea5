"""Sections of the Serverless Framework beside functions, and of its plug-ins, that make roles or let others in.

Sources: Serverless Framework, guides "AWS - Agents", "AWS - Sandboxes", "AWS - AppSync", "API Gateway service proxies";
the plug-ins serverless-step-functions and serverless-appsync-plugin.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.serverless_framework.made import RoleContents, known, role
from policy_guard.documents.containers.serverless_framework.roles import normalized
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

_SECTIONS = (
    *(("ai",), ("sandboxes",), ("appSync",), ("custom", "appSync"), ("stepFunctions",), ("constructs",)),
    *(("custom", "apiGatewayServiceProxies"), ("custom", "stepFunctions")),
)
_STATEMENTS = ("statements", "iamRoleStatements")
_MANAGED = ("managedPolicies", "iamManagedPolicies")
_BOUNDARY = ("permissionsBoundary", "permissionBoundary", "iamPermissionsBoundary")
_ROLE_KEYS = (*_STATEMENTS, *_MANAGED, *_BOUNDARY)
_AUTHENTICATION = ("authentication", "additionalAuthentications", "authorizer")
_USED = ("memory", "gateway")
# What names the thing that a state, a tool or a proxy acts on.
_TARGET = regex(
    r"(?i)\w*(?:name|arn|url|uri|id|bucket|function|action|queue|topic|table|stream|gateway|memory)(?:\.\$)?"
)
_OWN_NAME = ("name", "description", "path", "method")
_DEEPEST, _DEEPEST_TARGET = 60, 8
_LONGEST = 200


class _Found(NamedTuple):
    """What a section makes: roles by path, and what is known by its text."""

    roles: list[tuple[str, Object]]
    known: list[Node]


def section_resources(variables: Variables, root: Object) -> list[Entry]:
    """The roles that sections make, and what else they give access to, as resources of a template."""
    entries: list[Entry] = []
    for names in _SECTIONS:
        node = variables.at(root, *names)
        if node is None:
            continue
        name = "".join(map(normalized, names))
        found = _Found([], [])
        _search(variables.resolve(node), name, found, _DEEPEST)
        for path, mapping in found.roles:
            entries += role(path, _contents(variables, mapping), mapping.span, mapping.span)
        entries += known(f"{name}Access", name, ".".join(names), found.known)
    return entries


def _contents(variables: Variables, mapping: Object) -> RoleContents:
    statements = (item for key in _STATEMENTS for item in variables.items(mapping.get(key)))
    managed = (item for key in _MANAGED for item in variables.items(mapping.get(key)))
    boundary = next((value for key in _BOUNDARY if (value := variables.value(mapping.get(key))) is not None), None)
    return RoleContents(tuple(statements), tuple(managed), boundary)


def _search(node: Node, path: str, found: _Found, depth_limit: int) -> None:
    """Collects the roles in a node, and what is known by its text; lists are named by the names in them."""
    if not depth_limit:
        found.known.append(node)
        return
    if isinstance(node, Array):
        for number, item in enumerate(node.items):
            _search(item, _below(path, _name(item) or str(number)), found, depth_limit - 1)
    if not isinstance(node, Object):
        return
    if any(node.get(key) is not None for key in _ROLE_KEYS):
        found.roles.append((path, node))
    found.known.extend(_known(node, path))
    for key, value in node.entries:
        if key.text not in _ROLE_KEYS:
            _search(value, _below(path, normalized(key.text)), found, depth_limit - 1)


def _below(path: str, name: str) -> str:
    """The path of what stands under a name, cut where it is long."""
    below = path + name
    return below if len(below) <= _LONGEST else f"{below[:_LONGEST]}{digest(below)}"


def _known(node: Object, path: str) -> Iterator[Object]:
    """Return what a mapping gives access to beside statements: whom an API asks, and what a state or tool acts on."""
    for key, value in node.entries:
        if key.text in _AUTHENTICATION or (key.text in _USED and isinstance(value, Scalar)):
            yield Object((Entry(key, value),), key.span)
    if _acts(node, path):
        resource = node.get("Resource")
        entries = () if resource is None else (Entry(Scalar("Resource", resource.span), resource),)
        yield Object((*entries, *_targets(node, _DEEPEST_TARGET)), node.span)


def _acts(node: Object, path: str) -> bool:
    """Tell whether a mapping acts on something: a state with its resource, or a source of data, a proxy or a tool."""
    return (node.get("Resource") is not None and node.get("Effect") is None) or _is_source(node, path)


def _is_source(node: Object, path: str) -> bool:
    """Tell whether a mapping is a source of data, a proxy of an API, or a tool, whose role is made of what it names."""
    return (
        ("DataSources" in path and node.get("type") is not None)
        or "ApiGatewayServiceProxies" in path
        or ("Tools" in path and node.get("function") is not None)
    )


def _targets(node: Node, depth_limit: int) -> Iterator[Entry]:
    """The entries that say what is acted on, a few levels down."""
    if not depth_limit:
        return
    for item in node.items if isinstance(node, Array) else ():
        yield from _targets(item, depth_limit - 1)
    for key, value in node.entries if isinstance(node, Object) else ():
        if key.text == "type" or (_TARGET.fullmatch(key.text) and key.text not in _OWN_NAME):
            yield Entry(key, value)
        elif key.text not in _ROLE_KEYS and not isinstance(value, Scalar):
            yield from _targets(value, depth_limit - 1)


def _name(item: Node) -> str:
    name = item.get("name") if isinstance(item, Object) else None
    if isinstance(name, Scalar):
        return normalized(name.text)
    keys = item.entries if isinstance(item, Object) else ()
    return normalized(keys[0].key.text) if len(keys) == 1 else ""
