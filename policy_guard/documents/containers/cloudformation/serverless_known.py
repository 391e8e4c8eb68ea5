"""What AWS SAM makes of resources that is not worked out: it is known by the text of what decides it.

Connectors attach policies that have no text in the template, events let others call a function or a state machine, and
whatever a function of the template chooses may be any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.serverless import API, PREFIX, WITH_ROLES
from policy_guard.documents.containers.cloudformation.serverless_access import (
    BY_EVENT,
    BY_PROPERTY,
    SECRETS,
    enabled,
    failure_destination,
)
from policy_guard.documents.containers.cloudformation.serverless_apis import policies
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar

# AWS SAM Developer Guide, sam-property-function-eventsource: whose events a function is called for.
_CALLERS = {
    *("Bucket", "Topic", "SqsSubscription", "RestApiId", "ApiId", "EventBusName", "SkillId", "LogGroupName", "UserPool")
}
# The role that a schedule gets.
_OF_ROLE = {"ScheduleV2": {"RoleArn", "DeadLetterConfig", "PermissionsBoundary"}}
_DESTINATIONS = ("SQS", "SNS", "S3", "Kafka")
_DESCRIBING = ("Description", "Name")


def access_beside(resource: Object, type_: str) -> Iterator[tuple[str, Node]]:
    """Return what grants access in ways that are not worked out, each with its place in the resource.

    Source: AWS SAM Developer Guide, sam-resource-connector and sam-resource-graphqlapi.
    """
    properties = resource.get("Properties")
    if type_ == f"{PREFIX}Connector" and properties is not None:
        yield "Properties", properties
    if (connectors := resource.get("Connectors")) is not None:
        yield "Connectors", connectors
    if type_ == API or type_ in WITH_ROLES:
        yield from policies(properties, type_ == API)
    if not isinstance(properties, Object) or call(properties):
        return
    if type_ in WITH_ROLES:
        yield from ((f"Properties.{place}", node) for place, node in _by_use(properties))
    if type_ == f"{PREFIX}GraphQLApi":
        yield from ((f"Properties.{place}", node) for place, node in _of_graph(properties))


def _of_graph(properties: Object) -> Iterator[tuple[str, Node]]:
    """Who may ask a GraphQL API, and what each of its data sources may do."""
    if (auth := properties.get("Auth")) is not None:
        yield "Auth", auth
    sources = properties.get("DataSources")
    for kind, nodes in _entries(sources):
        for name, source in _entries(nodes):
            yield f"DataSources.{kind.text}.{name.text}", _without_descriptions(source)
        if not isinstance(nodes, Object) or call(nodes):
            yield f"DataSources.{kind.text}", nodes
    if sources is not None and (not isinstance(sources, Object) or call(sources)):
        yield "DataSources", sources


def _entries(node: Node | None) -> tuple[Entry, ...]:
    return node.entries if isinstance(node, Object) and call(node) is None else ()


def _without_descriptions(node: Node) -> Node:
    if not isinstance(node, Object) or call(node):
        return node
    return node._replace(entries=tuple(entry for entry in node.entries if entry.key.text not in _DESCRIBING))


def _by_use(properties: Object) -> Iterator[tuple[str, Node]]:
    """Return what a function or a state machine uses, as far as it is not worked out what it may do for that."""
    events = properties.get("Events")
    if isinstance(events, Object) and call(events) is None:
        for name, event in events.entries:
            if (node := _deciding(event)) is not None:
                yield f"Events.{name.text}", node
    elif events is not None:
        yield "Events", events
    for key in ("DeadLetterQueue", *BY_PROPERTY, "Tracing"):
        node = properties.get(key)
        if node is not None and _is_left_open(key, node):
            yield key, node
    invoke_config = properties.get("EventInvokeConfig")
    if invoke_config is not None:
        plain = isinstance(invoke_config, Object) and call(invoke_config) is None
        if (destinations := invoke_config.get("DestinationConfig") if plain else invoke_config) is not None:  # type: ignore[union-attr]
            yield "EventInvokeConfig", destinations


def _is_left_open(key: str, node: Node) -> bool:
    """Tell whether a function of the template decides what a property adds to the role, or a value that is no truth."""
    if not isinstance(node, Object) or call(node):
        return _is_chosen(node)
    return _is_chosen(node.get("Type")) or (key == "Tracing" and enabled(node) is None)


def _deciding(event: Node) -> Node | None:
    """Return what decides who may call by an event, and what its role may do; None if all of it is worked out."""
    kind = event.get("Type") if isinstance(event, Object) and call(event) is None else None
    event_properties = event.get("Properties") if isinstance(event, Object) else None
    if not isinstance(event, Object) or not isinstance(kind, Scalar) or kind.tag or _is_chosen(event_properties):
        return event
    entries = event_properties.entries if isinstance(event_properties, Object) else ()
    if kind.text in BY_EVENT or kind.text in SECRETS:
        entries = tuple(entry for entry in entries if _is_open(entry))
        return Object((Entry(Scalar("Type", event.span), kind), *entries), event.span) if entries else None
    keys = _CALLERS | _OF_ROLE.get(kind.text, set())
    entries = tuple(entry for entry in entries if entry.key.text in keys)
    return Object((Entry(Scalar("Type", event.span), kind), *entries), event.span)


def _is_open(entry: Entry) -> bool:
    """Tell whether what a property of a queue or a stream gives access to is not worked out."""
    return entry.key.text in _OPEN and _OPEN[entry.key.text](entry.value)


def _has_open_secrets(node: Node) -> bool:
    items = node.items if isinstance(node, Array) and node.tag is None else (None,)
    return not all(isinstance(item, Object) and call(item) is None and _is_plain(item.get("Type")) for item in items)


def _has_open_destination(node: Node) -> bool:
    if isinstance(node, Object) and call(node) is None and node.get("OnFailure") is None:
        return False
    destination = failure_destination(Object((Entry(Scalar("DestinationConfig", node.span), node),), node.span))
    kind = destination.get("Type") if destination is not None else None
    if destination is None or kind is None:
        return destination is None
    return not isinstance(kind, Scalar) or kind.tag is not None or kind.text not in _DESTINATIONS


_OPEN: dict[str, Callable[[Node], bool]] = {
    "SourceAccessConfigurations": _has_open_secrets,
    "DestinationConfig": _has_open_destination,
    "SecretsManagerKmsKeyId": lambda node: not _is_plain(node),
    "SchemaRegistryConfig": lambda node: True,
}


def _is_plain(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.tag is None


def _is_chosen(node: Node | None) -> bool:
    """Tell whether a function of the template decides what stands there."""
    return node is not None and call(node) is not None
