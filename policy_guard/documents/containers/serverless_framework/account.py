"""What decides the account of a service, and the values that the Serverless Framework gives to its stack."""

from __future__ import annotations

from policy_guard.documents.containers.serverless_framework.made import mapping, text
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Entry, Node, Object, Scalar


def account_of(variables: Variables, root: Object, provider: Object) -> Node:
    """Return what names the credentials that the service is made with, which may be those of another account."""
    span = provider.span
    nodes = {name: variables.value(provider.get(name)) for name in ("profile", "resolver")}
    resolvers = (
        Entry(stage, node)
        for stage, value in _entries(root.get("stages"))
        if (node := variables.at(value, "resolvers")) is not None
    )
    place = nodes["profile"] or nodes["resolver"]
    return mapping(
        place.span if place is not None else span,
        **{name: node if node is not None else text("", span) for name, node in nodes.items()},
        resolvers=Object(tuple(resolvers), span),
    )


def with_values(variables: Variables, parameters: list[Entry], provider: Object) -> list[Entry]:
    """The parameters of the stack, with the values that the provider gives them as their defaults."""
    values: dict[str, Node] = {}
    for item in variables.items(provider.get("stackParameters")):
        key, value = (item.get(name) if isinstance(item, Object) else None for name in _PARAMETER)
        if isinstance(key, Scalar) and value is not None:
            values[key.text] = value
    return [
        Entry(key, _with_default(node, values[key.text])) if key.text in values else Entry(key, node)
        for key, node in parameters
    ]


_PARAMETER = ("ParameterKey", "ParameterValue")


def _with_default(parameter: Node, value: Node) -> Node:
    if not isinstance(parameter, Object):
        return parameter
    entries = (each for each in parameter.entries if each.key.text != "Default")
    return parameter._replace(entries=(*entries, Entry(Scalar("Default", value.span), value)))


def _entries(node: Node | None) -> tuple[Entry, ...]:
    return node.entries if isinstance(node, Object) else ()
