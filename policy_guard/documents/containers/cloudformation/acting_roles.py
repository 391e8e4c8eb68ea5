"""Roles that resources act by: with another one, what runs there may do other things, though no policy changes.

Only a role that was there before counts, or one from elsewhere: all that a new one may do is new access by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.access_types import deciding_properties
from policy_guard.documents.containers.cloudformation.calls import call, canonical
from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.grant_statements import allow_statement, unit_of
from policy_guard.documents.containers.cloudformation.parts import NoValue, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import type_of
from policy_guard.documents.containers.holes import hole
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.source import Array, Hole, Node, Object, Scalar

# AWS CloudFormation Template Reference: "Role" of functions, "TaskRoleArn", "ServiceRole", "RoleARN" of streams.
_ROLE = re.compile(r"\w*Role(?:A(?:rn|RN)|Name)?|IamInstanceProfile")
# "Credentials" of a method, "CredentialsArn" of an integration, and `credentials` of one in OpenAPI.
_CREDENTIALS = re.compile(r"(?:Authorizer)?[Cc]redentials(?:Arn)?")
_APIS = ("AWS::ApiGateway", "AWS::Serverless::")
_NAME, _ONE_NAME = re.compile(r"(\w+)"), re.compile(r"\$\{(\w+)(?:\.Arn)?\}")
_OF_IAM = "AWS::IAM::"
_PROFILE = "AWS::IAM::InstanceProfile"
# What these are told, another template may take for the name of a principal.
_MAKING = ("AWS::CloudFormation::", "AWS::Serverless::Application", "AWS::ServiceCatalog::")


def acting_role_units(reading: Reading, name: str) -> Iterator[Unit]:
    """The roles that a resource of both versions acts by: those of the template by name, others by their text."""
    if name not in reading.lasting:
        return
    statements = [
        statement
        for node in _role_nodes(reading.template.resources[name])
        if (role := _role_of_template(reading, node)) is None or role in reading.lasting
        for truths in reading.existing(name)
        for statement in _statements(reading, node, role, truths)
    ]
    yield from unit_of(reading, f"Resources.{name}", f"roles of {name}", "identity", statements)


def texts_but_acting_roles(resource: Object) -> Iterator[str]:
    """The texts of the properties of a resource, but of those that name roles that it acts by."""
    properties = resource.get("Properties")
    if properties is None or type_of(resource) == _PROFILE:
        return
    acting = {id(node) for node in _role_nodes(resource)} if not type_of(resource).startswith(_MAKING) else set()
    stack: list[Node] = [properties]
    while stack:
        node = stack.pop()
        if id(node) in acting:
            continue
        if isinstance(node, Scalar):
            yield node.text
        else:
            stack += node.items if isinstance(node, Array) else (entry.value for entry in node.entries)


def _role_nodes(resource: Object) -> Iterator[Node]:
    type_, properties = type_of(resource), resource.get("Properties")
    if not isinstance(properties, Object) or type_.startswith(_OF_IAM) or not type_.startswith("AWS::"):
        return
    known_keys = deciding_properties(type_, properties)
    stack: list[Node] = []
    for key, value in properties.entries:
        if key.text not in known_keys and _names_role(type_, key.text):
            yield value
        elif key.text not in known_keys:
            stack.append(value)
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object) and node.tag is None:
            yield from (value for key, value in node.entries if _names_role(type_, key.text))
            stack += (value for key, value in node.entries if not _names_role(type_, key.text))


def _names_role(type_: str, key: str) -> bool:
    return bool(_ROLE.fullmatch(key) or (type_.startswith(_APIS) and _CREDENTIALS.fullmatch(key)))


def _role_of_template(reading: Reading, node: Node) -> str | None:
    """The logical id of a role of the template, if a call of it stands there and nothing else."""
    function_call = call(node)
    if function_call is None or function_call.name not in ("Ref", "Fn::GetAtt", "Fn::Sub"):
        return None
    argument = function_call.argument
    if function_call.name == "Fn::GetAtt" and isinstance(argument, Array) and argument.items:
        argument = argument.items[0]
    pattern = _ONE_NAME if function_call.name == "Fn::Sub" else _NAME
    match = pattern.fullmatch(argument.text) if isinstance(argument, Scalar) else None
    if match is None or match[1] in reading.template.parameters:
        return None
    resource = reading.template.resources.get(match[1])
    # One without a type is refused anyway.
    is_role = resource is not None and (type_of(resource) or _OF_IAM).startswith(_OF_IAM)
    return match[1] if is_role else None


def _statements(reading: Reading, node: Node, role: str | None, truths: Truths) -> Iterator[Object]:
    for outcome in outcomes(lambda case: _acting_role(reading, node, role, case), truths, node.span):
        for acting_role in outcome.value or ():
            action, resource = text_of((action_of("acting-role"),), node.span), text_of((acting_role,), node.span)
            yield allow_statement(reading, node.span, outcome.truths, Action=action, Resource=resource)


def _acting_role(reading: Reading, node: Node, role: str | None, truths: Truths) -> tuple[Hole, ...]:
    """The role that a resource acts by, if any."""
    if role is not None:
        return (hole(f"what the role {role} may do", _OF_IAM, role),)
    value = reading.evaluator(truths).value(node)
    if isinstance(value, NoValue):
        return ()
    words = value.text if isinstance(value, Scalar) else "that is chosen here"
    return (hole(f"what the role {words.replace('${', '').replace('}', '')} may do", canonical(value)),)
