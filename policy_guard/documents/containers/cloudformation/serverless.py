"""AWS SAM: the resources that its transform adds to a template, as far as they grant access.

A function or state machine without a role gets one, here as there, with the policies that it lists. Globals are merged
into what they are for. Connectors attach policies that have no text in the template.

Source: AWS SAM Developer Guide, sam-resource-function and sam-specification-generated-resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from policy_guard.documents.containers.cloudformation.calls import NO_VALUE, call
from policy_guard.documents.containers.cloudformation.serverless_access import attached_by_use, inline_by_use
from policy_guard.documents.containers.cloudformation.serverless_apis import has_implicit_api
from policy_guard.documents.containers.cloudformation.serverless_data import (
    is_policy_template,
    managed_arn,
    node_of,
    template_statements,
)
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Span
from policy_guard.records import NamedTuple

PREFIX = "AWS::Serverless::"
WITH_ROLES = (f"{PREFIX}Function", f"{PREFIX}StateMachine")
API = f"{PREFIX}Api"
IMPLICIT_API = "ServerlessRestApi"
"""What AWS SAM calls the API that it makes for events that name none."""
_GLOBALS = "Globals"
_IGNORED = "IgnoreGlobals"
_KEPT = ("Condition",)
_DEEPEST = 20


class AddedResource(NamedTuple):
    """A resource that the transform makes of one of the template, named `origin`."""

    name: str
    origin: str
    node: Object


def with_globals(root: Object, resource: Object, type_: str) -> Object:
    """The resource with the properties that Globals give to all of its type."""
    section = root.get(_GLOBALS)
    global_properties = section.get(type_.removeprefix(PREFIX)) if isinstance(section, Object) else None
    if not isinstance(global_properties, Object):
        return resource
    ignored_keys = _ignored_keys(resource)
    if "*" in ignored_keys:
        return resource
    kept_entries = tuple(entry for entry in global_properties.entries if entry.key.text not in ignored_keys)
    global_properties = global_properties._replace(entries=kept_entries)
    own_properties = resource.get("Properties") or Object((), resource.span)
    entries = tuple(entry for entry in resource.entries if entry.key.text != "Properties")
    properties = Entry(Scalar("Properties", own_properties.span), _merge(global_properties, own_properties, _DEEPEST))
    return resource._replace(entries=(*entries, properties))


def _ignored_keys(resource: Object) -> tuple[str, ...]:
    """Return which of the global properties a resource does without; "*" stands for all of them."""
    node = resource.get(_IGNORED)
    if isinstance(node, Scalar):
        return (node.text,)
    items = node.items if isinstance(node, Array) else ()
    return tuple(item.text for item in items if isinstance(item, Scalar) and item.text != "*")


def globals_problem(resource: Object) -> Problem | None:
    """Return what is wrong with a resource of which nobody can tell what of Globals it does without."""
    node = resource.get(_IGNORED)
    if node is None or (isinstance(node, Scalar) and node.tag is None and node.text in ("*", "")):
        return None
    items = node.items if isinstance(node, Array) and node.tag is None else (node,)
    if isinstance(node, Array) and all(isinstance(item, Scalar) and item.tag is None for item in items):
        return None
    return Problem(f'nobody can tell what {_IGNORED} leaves out; write "*" or a list of names', node.span)


def implicit_api(root: Object, resources: Mapping[str, Object]) -> Object | None:
    """The API that the transform makes for the events that name none, with what Globals say of it; None without one."""
    for resource in resources.values():
        type_node, properties = resource.get("Type"), resource.get("Properties")
        has_events = isinstance(type_node, Scalar) and type_node.text in WITH_ROLES and isinstance(properties, Object)
        if has_events and has_implicit_api(properties):  # type: ignore[arg-type]
            api = _mapping({"Type": Scalar(API, resource.span)}, Span(resource.span.start, resource.span.start + 1))
            return with_globals(root, api, API)
    return None


def size(node: Node, limit: int) -> int:
    """Return how many values a node holds, counted until there are too many."""
    count, stack = 0, [node]
    while stack and count <= limit:
        node = stack.pop()
        count += 1
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            stack += (entry.value for entry in node.entries)
    return count


def _merge(global_node: Node, own_node: Node, depth_limit: int) -> Node:
    """Return what Globals and the resource say together: mappings are merged, lists joined, all else replaced."""
    if isinstance(global_node, Array) and isinstance(own_node, Array):
        return own_node._replace(items=(*global_node.items, *own_node.items))
    if (
        not isinstance(global_node, Object)
        or not isinstance(own_node, Object)
        or call(global_node)
        or call(own_node)
        or not depth_limit
    ):
        return own_node
    names = {entry.key.text for entry in own_node.entries}
    entries = [entry for entry in global_node.entries if entry.key.text not in names]
    global_values = {entry.key.text: entry.value for entry in global_node.entries}
    for key, value in own_node.entries:
        global_value = global_values.get(key.text)
        entries.append(Entry(key, value if global_value is None else _merge(global_value, value, depth_limit - 1)))
    return own_node._replace(entries=tuple(entries))


def has_own_role(resource: Object, type_: str) -> bool:
    """Tell whether the transform makes a role for the resource, which may give one under a condition only."""
    properties = resource.get("Properties")
    if type_ not in WITH_ROLES or not isinstance(properties, Object) or call(properties):
        return False
    role = properties.get("Role")
    if isinstance(role, Scalar) and not role.tag and not role.text:
        return True
    return role is None or (call(role) is not None and call(role).name == "Fn::If")  # type: ignore[union-attr]


def added_resources(name: str, resource: Object, type_: str) -> Iterator[AddedResource]:
    """Return what the transform makes of a resource."""
    properties = resource.get("Properties")
    if not isinstance(properties, Object) or call(properties):
        return
    if has_own_role(resource, type_):
        yield AddedResource(f"{name}Role", name, _resource(resource, "AWS::IAM::Role", _role(properties)))
    address = properties.get("FunctionUrlConfig")
    if type_ == WITH_ROLES[0] and address is not None:
        url = {
            "TargetFunctionArn": node_of({"Ref": name}, address.span),
            "AuthType": _map_branches(
                address, lambda node: (isinstance(node, Object) and node.get("AuthType")) or node
            ),
        }
        yield AddedResource(f"{name}Url", name, _resource(resource, "AWS::Lambda::Url", url))


def _resource(origin: Object, type_: str, properties: Mapping[str, Node]) -> Object:
    entries = tuple(entry for entry in origin.entries if entry.key.text in _KEPT)
    return Object(
        (
            *entries,
            *_mapping(
                {"Type": Scalar(type_, origin.span), "Properties": _mapping(properties, origin.span)}, origin.span
            ).entries,
        ),
        origin.span,
    )


def _mapping(values: Mapping[str, Node], span: Span) -> Object:
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in values.items()), span)


def _role(properties: Object) -> dict[str, Node]:
    """The properties of the role that the transform makes."""
    policies = properties.get("Policies")
    items = policies.items if isinstance(policies, Array) and policies.tag is None else ()
    if policies is not None and not items:
        items = (policies,) if not isinstance(policies, Array) or policies.tag is not None else ()
    inline_policies = [_map_branches(item, _inline) for item in items]
    attached_policies = [_map_branches(item, _attached_policy) for item in items]
    span = properties.span
    inline_policies += (_inline_policy(node_of(policy, span)) for policy in inline_by_use(properties))
    attached_policies += (_by_name(Scalar(each, span)) for each in attached_by_use(properties))
    role_properties: dict[str, Node] = {
        "Policies": Array(tuple(node for node in inline_policies if not _is_no_value(node)), span),
        "ManagedPolicyArns": Array(tuple(node for node in attached_policies if not _is_no_value(node)), span),
    }
    boundary, path = properties.get("PermissionsBoundary"), properties.get("RolePath")
    role_properties |= {"PermissionsBoundary": boundary} if boundary is not None else {}
    return role_properties | ({"Path": path} if path is not None else {})


def _map_branches(node: Node, change: Callable[[Node], Node], depth_limit: int = _DEEPEST) -> Node:
    """The node changed; if conditions choose, each of what they choose between."""
    function_call = call(node)
    argument = function_call.argument if function_call and function_call.name == "Fn::If" else None
    if not isinstance(argument, Array) or len(argument.items) != 3 or not depth_limit:
        return node if _is_no_value(node) else change(node)
    condition, if_true, if_false = argument.items
    branches = [_map_branches(branch, change, depth_limit - 1) for branch in (if_true, if_false)]
    if all(map(_is_no_value, branches)):
        return branches[0]
    return _mapping({"Fn::If": Array((condition, *branches), node.span)}, node.span)


def _is_no_value(node: Node) -> bool:
    function_call = call(node)
    return (
        function_call is not None
        and function_call.name == "Ref"
        and isinstance(function_call.argument, Scalar)
        and function_call.argument.text == NO_VALUE
    )


def _no_value(span: Span) -> Node:
    return node_of({"Ref": NO_VALUE}, span)


def _is_document(item: Node) -> bool:
    """Tell whether an item of Policies is written out, by a document or by a policy template of AWS SAM."""
    return isinstance(item, Object) and not call(item)


def _inline(item: Node) -> Node:
    if not _is_document(item) or not isinstance(item, Object):
        return _no_value(item.span)
    if item.get("Statement") is not None:
        return _inline_policy(item)
    (entry, *entries) = item.entries or (Entry(Scalar("an empty mapping", item.span), item),)
    if entries or not is_policy_template(entry.key.text):
        words = f"{entry.key.text} is not a policy template that is known here"
        return _inline_policy(_mapping({f"Fn::{words}": item}, item.span))
    statements = template_statements(entry.key.text, entry.value, item.span)
    return _inline_policy(_mapping({"Statement": statements}, item.span))


def _inline_policy(document: Node) -> Node:
    """An inline policy; its name decides nothing here."""
    return _mapping({"PolicyName": Scalar("policy", document.span), "PolicyDocument": document}, document.span)


def _attached_policy(item: Node) -> Node:
    if _is_document(item):
        return _no_value(item.span)
    return _by_name(item) if isinstance(item, Scalar) and item.tag is None and item.parts is None else item


def _by_name(item: Scalar) -> Node:
    """The ARN of a managed policy that may be named without one."""
    if item.text.startswith("arn:") or "{" in item.text:
        return item
    return _mapping({"Fn::Sub": item._replace(text=managed_arn(item.text))}, item.span)
