"""Layers of the Serverless Framework: which accounts may use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.documents.containers.serverless_framework.made import entry, mapping, text
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Entry, Node, Object, Scalar


def layer_permissions(variables: Variables, parts: Iterable[Object]) -> Iterator[Entry]:
    """The permissions of the layers in the mappings that the section is made of."""
    for part in parts:
        for key, layer in part.entries:
            accounts = variables.items(variables.at(layer, "allowedAccounts"))
            for number, account in enumerate(accounts):
                yield _permission(f"{key.text}{number}", key, account)


def _permission(name: str, layer: Scalar, account: Node) -> Entry:
    span = account.span
    properties = mapping(
        span,
        Action=text("lambda:GetLayerVersion", span),
        LayerVersionArn=text(f"arn:aws:lambda:*:*:layer:{layer.text}:*", span),
        Principal=account,
    )
    type_ = text("AWS::Lambda::LayerVersionPermission", span)
    return entry(f"{name}LambdaLayerPermission", mapping(span, Type=type_, Properties=properties))
