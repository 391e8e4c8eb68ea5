"""Policies that a resource has if its template gives it none: without the old policy, these decide."""

from __future__ import annotations

from typing import Any

from policy_guard.documents.containers.cloudformation.calls import LOOP, NO_VALUE, call
from policy_guard.documents.containers.cloudformation.serverless_data import node_of
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span

_ROOT = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
_CLIENT = [f"elasticfilesystem:Client{name}" for name in ("Mount", "Write", "RootAccess")]
# The property, and what its policy allows if it is not there. Sources: API Gateway Developer Guide, "Control access to
# a REST API with API Gateway resource policies"; Amazon EFS User Guide, "Using IAM to control access to file systems";
# AWS KMS Developer Guide, "Default key policy"; aws-sam-translator, samtranslator/model/iam.py.
_DEFAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "AWS::ApiGateway::RestApi": ("Policy", {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}),
    "AWS::EFS::FileSystem": ("FileSystemPolicy", {"Principal": "*", "Action": _CLIENT, "Resource": "*"}),
    "AWS::KMS::Key": ("KeyPolicy", {"Principal": {"AWS": _ROOT}, "Action": "kms:*", "Resource": "*"}),
    "AWS::Serverless::Function": (
        "AssumeRolePolicyDocument",
        {"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ),
}
_DEEPEST = 20


def names_with_default(old: Template, new: Template) -> frozenset[str]:
    """The resources of both that have a policy in one version at least, and may have the default one in the other."""
    return frozenset(name for name in old.resources if name in new.resources and _has_policy(old, new, name))


def _has_policy(old: Template, new: Template, name: str) -> bool:
    resources = old.resources[name], new.resources[name]
    types = {type_of(resource) for resource in resources}
    if len(types) > 1 or not types <= _DEFAULTS.keys():
        return False
    key = _DEFAULTS[types.pop()][0]
    properties = [resource.get("Properties") for resource in resources]
    names = {entry.key.text for node in properties if isinstance(node, Object) for entry in node.entries}
    return key in names or any(name.startswith(LOOP) for name in names)


def with_default(type_: str, properties: Object) -> Object:
    """The properties of a resource, with the default policy where no other is."""
    key, elements = _DEFAULTS[type_]
    statement = {"Effect": "Allow", **elements}
    span = Span(properties.span.start, properties.span.start + 1)
    default = node_of({"Version": "2012-10-17", "Statement": [statement]}, span)
    if properties.get(key) is None:
        return properties._replace(entries=(*properties.entries, Entry(Scalar(key, span), default)))
    entries = (Entry(k, _filled(value, default) if k.text == key else value) for k, value in properties.entries)
    return properties._replace(entries=tuple(entries))


def _filled(node: Node, default: Node, depth_limit: int = _DEEPEST) -> Node:
    """The node with the default for each branch of a condition that gives nothing."""
    function_call = call(node)
    if function_call is None or not depth_limit:
        return node
    argument = function_call.argument
    if function_call.name == "Ref":
        return default if isinstance(argument, Scalar) and argument.text == NO_VALUE else node
    if function_call.name != "Fn::If" or not isinstance(argument, Array) or len(argument.items) != 3:
        return node
    condition, *branches = argument.items
    filled_branches = (_filled(branch, default, depth_limit - 1) for branch in branches)
    items = Array((condition, *filled_branches), argument.span)
    return Object((Entry(Scalar("Fn::If", node.span), items),), node.span)
