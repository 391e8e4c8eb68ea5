"""Settings that let more in or cap less than before: told only of a resource that both versions have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.grant_statements import allow_statement, unit_of
from policy_guard.documents.containers.cloudformation.parts import NOTHING, NoValue, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import type_of
from policy_guard.documents.containers.holes import hole
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.source import Object, Scalar

_LEAVES = "boundary:LeavesAllowed"


class _Row(NamedTuple):
    """What is told of a type: the action that stands for it, and the properties that decide.

    Without the first of them, or where its text is `open`, all is open.
    """

    action: str
    properties: tuple[str, ...]
    open: str = ""


_ROUTE = _Row(action_of("endpoint"), ("AuthorizationType", "AuthorizerId", "AuthorizationScopes"), open="NONE")
_GUARDRAILS = _Row(_LEAVES, ("GuardrailPolicies",))
# Sources: API Gateway Developer Guide, "Control and manage access to REST APIs"; AWS AppSync Developer Guide,
# "Configuring authorization and authentication"; Amazon EKS User Guide, "Change authentication mode"; Amazon Q
# Developer in chat applications Administrator Guide, "Channel guardrail policies".
_ROWS = {
    "AWS::ApiGateway::Method": _ROUTE,
    "AWS::ApiGatewayV2::Route": _ROUTE,
    "AWS::ApiGateway::Authorizer": _Row(
        action_of("endpoint"), ("Type", "AuthorizerUri", "IdentitySource", "ProviderARNs")
    ),
    "AWS::ApiGatewayV2::Authorizer": _Row(
        action_of("endpoint"), ("AuthorizerType", "AuthorizerUri", "IdentitySource", "JwtConfiguration")
    ),
    "AWS::AppSync::GraphQLApi": _Row(
        action_of("endpoint"),
        (
            *("AuthenticationType", "AdditionalAuthenticationProviders", "UserPoolConfig"),
            *("OpenIDConnectConfig", "LambdaAuthorizerConfig"),
        ),
    ),
    "AWS::EKS::Cluster": _Row(action_of("cluster-access"), ("AccessConfig",)),
    "AWS::Chatbot::SlackChannelConfiguration": _GUARDRAILS,
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": _GUARDRAILS,
}


def lasting_units(reading: Reading, name: str) -> Iterator[Unit]:
    """The settings of a resource of both versions, as one policy: others let in what these did not."""
    row = _ROWS.get(type_of(reading.template.resources[name]))
    if row is None or name not in reading.lasting:
        return
    span = reading.template.spans[name].span
    statements: list[Object] = []
    for truths in reading.existing(name):
        for outcome in outcomes(lambda case: _setting(reading, name, row, case), truths, span):
            if outcome.value is not None:
                action = text_of((row.action,), outcome.value.span)
                statements.append(
                    allow_statement(reading, outcome.value.span, outcome.truths, Action=action, Resource=outcome.value)
                )
    yield from unit_of(reading, f"Resources.{name}", f"settings of {name}", "identity", statements)


def _setting(reading: Reading, name: str, row: _Row, truths: Truths) -> Scalar:
    """What the settings come to: everything, or what is known by their text."""
    properties, evaluator = reading.properties(name), reading.evaluator(truths)
    nodes = {key: properties.get(key) for key in row.properties}
    values = {key: evaluator.value(node) if node is not None else NOTHING for key, node in nodes.items()}
    span = next((node.span for node in nodes.values() if node is not None), reading.template.spans[name].span)
    first = values[row.properties[0]]
    if isinstance(first, NoValue) or (row.open and isinstance(first, Scalar) and first.text == row.open):
        return text_of(("*",), span)
    texts = {key: canonical(value) for key, value in values.items() if not isinstance(value, NoValue)}
    words = "what the boundary leaves" if row.action == _LEAVES else "what its access settings let in"
    return text_of((hole(words, sorted(texts.items())),), span)
