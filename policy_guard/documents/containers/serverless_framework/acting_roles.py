"""The functions of the Serverless Framework as resources, each with the role that it acts by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policy_guard.documents.containers.serverless_framework.made import entry, is_given, mapping, text
from policy_guard.documents.containers.serverless_framework.roles import SHARED, is_reference, normalized
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar

_DEPLOYMENT, _STACK = "DeploymentOfService", "AWS::CloudFormation::Deployment"
FUNCTION = "LambdaFunction"
"""What the logical ids of functions end with."""


def functions_with_roles(
    variables: Variables, provider: Object, functions: Iterable[tuple[Scalar, Object]], roles: Sequence[Entry]
) -> Iterator[Entry]:
    """The functions; `roles` are those that the framework makes."""
    role_names = {role.key.text for role in roles}
    shared = variables.value(provider.get("role")) or _reference(variables, provider)
    for key, function in functions:
        names = [name for name in (f"{normalized(key.text)}{SHARED}", SHARED) if name in role_names]
        given = variables.value(function.get("role"))
        if given is None or not is_given(variables, function.get("role")):
            made = text(names[0], key.span) if names else None
            given = made if made is not None and names[0] != SHARED else given or shared or made
        if given is None:
            continue
        properties = mapping(given.span, Role=_as_call(given))
        yield entry(
            f"{normalized(key.text)}{FUNCTION}",
            mapping(key.span, Type=text("AWS::Lambda::Function", key.span), Properties=properties),
        )


def deployment(variables: Variables, provider: Object) -> Entry:
    """The deployment of the service, which CloudFormation may do in a role of its own.

    Source: Serverless Framework, "AWS - IAM", deploymentRole; in earlier versions it is `cfnRole`.
    """
    given = variables.value(variables.at(provider, "iam", "deploymentRole")) or variables.value(provider.get("cfnRole"))
    properties = mapping(provider.span, **({"Role": given} if given is not None else {}))
    return entry(_DEPLOYMENT, mapping(provider.span, Type=text(_STACK, provider.span), Properties=properties))


def _reference(variables: Variables, provider: Object) -> Node | None:
    """The role of all functions, if the provider names one instead of saying what it may do."""
    iam_role = variables.value(variables.at(provider, "iam", "role"))
    if iam_role is None or (isinstance(iam_role, Object) and not is_reference(iam_role)):
        return None
    return iam_role


def _as_call(role: Node) -> Node:
    """A role by its logical id is the call that gives its ARN."""
    if not isinstance(role, Scalar) or role.parts is not None or not role.text.isalnum():
        return role
    return mapping(role.span, **{"Fn::GetAtt": Array((role, text("Arn", role.span)), role.span)})
