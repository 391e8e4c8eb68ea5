"""APIs of AWS SAM: their policies, which stand beside an API or beside an event that calls through one.

Source: AWS SAM Developer Guide, sam-property-api-resourcepolicystatement and sam-property-function-apifunctionauth.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.source import Entry, Node, Object, Scalar

POLICY = "Auth.ResourcePolicy"


def policies(properties: Node | None, is_api: bool) -> Iterator[tuple[str, Node]]:
    """The policies of an API, or those of the events of a function, each with its place."""
    yield from ((place, node) for place, node in _places(properties, is_api) if node is not None)


def open_places(properties: Node | None, is_api: bool) -> Iterator[str]:
    """The places at which an API or an event has no policy, so that everybody may call it."""
    yield from (place for place, node in _places(properties, is_api) if node is None)


def has_implicit_api(properties: Object) -> bool:
    """Tell whether a function is or may be called through the API that the transform makes."""
    events = properties.get("Events")
    if events is None or not isinstance(events, Object) or call(events):
        return events is not None
    return any(_may_be_api(event) and _rest_api(event) is None for _, event in events.entries)


def _rest_api(event: Node) -> Node | None:
    event_properties = event.get("Properties") if isinstance(event, Object) else None
    return event_properties.get("RestApiId") if isinstance(event_properties, Object) else None


def _may_be_api(event: Node) -> bool:
    kind = event.get("Type") if isinstance(event, Object) else None
    return not isinstance(kind, Scalar) or kind.tag is not None or kind.text == "Api"


def _places(properties: Node | None, is_api: bool) -> Iterator[tuple[str, Node | None]]:
    if is_api:
        yield POLICY, _policy(properties)
        return
    events = properties.get("Events") if isinstance(properties, Object) else None
    for name, event in _api_events(events):
        yield f"Properties.Events.{name.text}.{POLICY}", _policy(event.get("Properties"))


def _api_events(events: Node | None) -> Iterator[tuple[Scalar, Object]]:
    entries: tuple[Entry, ...] = events.entries if isinstance(events, Object) and call(events) is None else ()
    for key, event in entries:
        if isinstance(event, Object) and call(event) is None and _may_be_api(event):
            yield key, event


def _policy(properties: Node | None) -> Node | None:
    """The policy that stands in properties; what a function of the template chooses may be one."""
    auth = _given(properties.get("Auth")) if isinstance(properties, Object) else None
    return auth if auth is None or call(auth) or not isinstance(auth, Object) else _given(auth.get("ResourcePolicy"))


def _given(node: Node | None) -> Node | None:
    return None if isinstance(node, Scalar) and node.kind == "null" and node.tag is None else node
