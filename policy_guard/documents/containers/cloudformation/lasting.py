"""Settings that let more in or cap less than before: told only of a resource that both versions have."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.grant_statements import allow_statement, policy_unit, unit_of
from policy_guard.documents.containers.cloudformation.parts import NOTHING, NoValue, Value, parts_of, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.serverless import WITH_ROLES
from policy_guard.documents.containers.cloudformation.template import type_of
from policy_guard.documents.containers.holes import Parts, hole
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.source import Hole, Object, Scalar, Span
from policy_guard.records import NamedTuple

_LEAVES = "boundary:LeavesAllowed"
# Judged by itself.
_POLICY = "ResourcePolicy"
_CALLED = ("Api", "HttpApi")


class _Row(NamedTuple):
    """The row of a type: the action that stands for it, and the properties that decide.

    Without the first of them, or where its text is `open`, all is open. Where `key` is true, calls need a key as well.
    """

    action: str
    properties: tuple[str, ...]
    open: str = ""
    key: str = ""


_ROUTE = _Row(
    action_of("endpoint"),
    ("AuthorizationType", "AuthorizerId", "AuthorizationScopes"),
    open="NONE",
    key="ApiKeyRequired",
)
_GUARDRAILS = _Row(_LEAVES, ("GuardrailPolicies",))
# Sources: API Gateway Developer Guide, "Control and manage access to REST APIs"; AWS AppSync Developer Guide,
# "Configuring authorization and authentication"; Amazon EKS User Guide, "Change authentication mode"; Amazon Q
# Developer in chat applications Administrator Guide, "Channel guardrail policies"; AWS SAM Developer Guide, "ApiAuth"
# and "HttpApiAuth".
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
    "AWS::Serverless::Api": _Row(action_of("endpoint"), ("Auth",)),
    "AWS::Serverless::HttpApi": _Row(action_of("endpoint"), ("Auth",)),
    "AWS::EKS::Cluster": _Row(action_of("cluster-access"), ("AccessConfig",)),
    "AWS::Chatbot::SlackChannelConfiguration": _GUARDRAILS,
    "AWS::Chatbot::MicrosoftTeamsChannelConfiguration": _GUARDRAILS,
}
# A block, and what it keeps out with which of its texts. Source: Amazon EBS User Guide, "Block public access for EBS
# snapshots": without one, nothing is blocked.
_BLOCK = "AWS::EC2::SnapshotBlockPublicAccess"
_KEPT_OUT = {
    "block-all-sharing": ("block-all-sharing",),
    "block-new-sharing": ("block-all-sharing", "block-new-sharing"),
}


def gone_blocks(old: Reading, new: Reading) -> Iterator[Unit]:
    """The blocks of public snapshots that only the old version has, as blocks that keep out nothing."""
    if any(type_of(resource) == _BLOCK for resource in new.template.resources.values()):
        return
    for name, resource in old.template.resources.items():
        if type_of(resource) == _BLOCK:
            span = old.template.spans[name].span
            yield from _block_unit(old, name, [_opened(old, detail, ("*",), {}, span) for detail in _KEPT_OUT])


def block_units(reading: Reading, name: str) -> Iterator[Unit]:
    """Return what a block of public snapshots leaves open."""
    if type_of(reading.template.resources[name]) != _BLOCK:
        return
    node = reading.properties(name).get("State")
    statements = [
        _opened(reading, detail, parts if any(isinstance(part, Hole) for part in parts) else ("*",), outcome.truths, at)
        for truths in reading.existing(name)
        for outcome in reading.texts(node, truths)
        for text in outcome.value or (text_of(("",), reading.template.spans[name].span),)
        for parts, at in ((parts_of(text), text.span),)
        for detail, closing in _KEPT_OUT.items()
        if parts not in [(each,) for each in closing]
    ]
    span = reading.template.spans[name].span
    statements += (
        _opened(reading, detail, ("*",), truths, span) for truths in reading.missing(name) for detail in _KEPT_OUT
    )
    yield from _block_unit(reading, name, statements)


def _opened(reading: Reading, detail: str, parts: Parts, truths: Truths, span: Span) -> Object:
    action = text_of((action_of("snapshot", detail),), span)
    return allow_statement(reading, span, truths, Action=action, Resource=text_of(parts, span))


def _block_unit(reading: Reading, name: str, statements: list[Object]) -> Iterator[Unit]:
    """The account has one block in a region, whatever a template calls it."""
    yield from policy_unit(reading, f"Resources.{name}", _BLOCK, _BLOCK, statements)


def lasting_units(reading: Reading, name: str) -> Iterator[Unit]:
    """The settings of a resource of both versions, as one policy: others let in what these did not."""
    row = _ROWS.get(type_of(reading.template.resources[name]))
    if row is not None and name in reading.lasting:
        statements = _statements(reading, name, row)
        yield from unit_of(reading, f"Resources.{name}", f"settings of {name}", "identity", statements)


def replacing_units(reading: Reading, other: Reading) -> Iterator[Unit]:
    """The settings of the resources of a type that one version alone has, if the other has others of it instead.

    Under another logical id such a resource is made anew, and lets in whom it does.
    """
    for type_, row in _ROWS.items():
        for name in _made_anew(reading, type_) if _made_anew(other, type_) else ():
            label, statements = f"settings of each new {type_}", _statements(reading, name, row)
            yield from policy_unit(reading, f"Resources.{name}", label, label, statements)


def _made_anew(reading: Reading, type_: str) -> list[str]:
    """The resources of a type that the other version does not have."""
    resources = reading.template.resources.items()
    return [name for name, resource in resources if name not in reading.lasting and type_of(resource) == type_]


def _statements(reading: Reading, name: str, row: _Row) -> list[Object]:
    span = reading.template.spans[name].span
    settings = [(row.action, partial(_setting, reading, name, row))]
    settings += [(action_of("endpoint", row.key), partial(_key_setting, reading, name, row.key))] if row.key else []
    return [
        allow_statement(reading, told.span, outcome.truths, Action=text_of((action,), told.span), Resource=told)
        for truths in reading.existing(name)
        for action, setting in settings
        for outcome in outcomes(setting, truths, span)
        if (told := outcome.value) is not None
    ]


def _key_setting(reading: Reading, name: str, key: str, truths: Truths) -> Scalar:
    """Return which calls are let in as far as keys go: all, or what is known by its text."""
    node = reading.properties(name).get(key)
    value = reading.evaluator(truths).value(node) if node is not None else NOTHING
    span = node.span if node is not None else reading.template.spans[name].span
    if isinstance(value, NoValue) or (isinstance(value, Scalar) and value.text.lower() == "false"):
        return text_of(("*",), span)
    is_needed = isinstance(value, Scalar) and value.text.lower() == "true"
    return text_of((hole("calls with a key", "" if is_needed else canonical(value)),), span)


def event_units(reading: Reading, name: str) -> Iterator[Unit]:
    """Who may call the endpoints of a function of AWS SAM that both versions have, each event by itself."""
    properties = reading.template.resources[name].get("Properties")
    events = properties.get("Events") if isinstance(properties, Object) else None
    if name not in reading.lasting or type_of(reading.template.resources[name]) not in WITH_ROLES:
        return
    for key, event in events.entries if isinstance(events, Object) else ():
        settings = event.get("Properties") if isinstance(event, Object) and type_of(event) in _CALLED else None
        if not isinstance(settings, Object):
            continue
        statements = [
            _endpoint(reading, outcome.value, outcome.truths)
            for truths in reading.existing(name)
            for outcome in outcomes(partial(_event_setting, reading, settings), truths, settings.span)
            if outcome.value is not None
        ]
        address = f"Resources.{name}.Events.{key.text}"
        yield from unit_of(reading, address, f"callers of {name} {key.text}", "identity", statements)


def _event_setting(reading: Reading, settings: Object, truths: Truths) -> Scalar:
    node = settings.get("Auth")
    value = _closing("Auth", reading.evaluator(truths).value(node)) if node is not None else NOTHING
    span = node.span if node is not None else settings.span
    if isinstance(value, NoValue):
        return text_of(("*",), span)
    return text_of((hole("what its access settings let in", canonical(value)),), span)


def _endpoint(reading: Reading, resource: Scalar, truths: Truths) -> Object:
    action = text_of((action_of("endpoint"),), resource.span)
    return allow_statement(reading, resource.span, truths, Action=action, Resource=resource)


def _setting(reading: Reading, name: str, row: _Row, truths: Truths) -> Scalar:
    """Return what the settings come to: everything, or what is known by their text."""
    properties, evaluator = reading.properties(name), reading.evaluator(truths)
    nodes = {key: properties.get(key) for key in row.properties}
    values = {key: _closing(key, evaluator.value(node)) if node is not None else NOTHING for key, node in nodes.items()}
    span = next((node.span for node in nodes.values() if node is not None), reading.template.spans[name].span)
    first = values[row.properties[0]]
    if isinstance(first, NoValue) or (row.open and isinstance(first, Scalar) and first.text == row.open):
        return text_of(("*",), span)
    texts = {key: canonical(value) for key, value in values.items() if not isinstance(value, NoValue)}
    words = "what the boundary leaves" if row.action == _LEAVES else "what its access settings let in"
    return text_of((hole(words, sorted(texts.items())),), span)


def _closing(key: str, value: Value) -> Value:
    """The value without what keeps nobody out: of an API of AWS SAM what is no authorizer or key of all its methods."""
    if key != "Auth" or not isinstance(value, Object):
        return value
    entries = tuple(each for each in value.entries if each.key.text != _POLICY)
    texts = {each.key.text: each.value.text for each in entries if isinstance(each.value, Scalar)}
    authorizers = {texts.get(name, "NONE") for name in ("DefaultAuthorizer", "Authorizer")}
    is_closed = authorizers != {"NONE"} or texts.get("ApiKeyRequired", "false") != "false"
    return value._replace(entries=entries) if is_closed else NOTHING
