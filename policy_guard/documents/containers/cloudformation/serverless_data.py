"""The policy templates that AWS SAM ships, and where the managed policies of AWS lie that it knows by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span
from policy_guard.records import NamedTuple

_FILE = Path(__file__).with_name("serverless_policies.json")
_MANAGED = "arn:${AWS::Partition}:iam::aws:policy/"


class PolicyTemplates(NamedTuple):
    """`templates` are parameters and statements by name, `managed` the paths of managed policies by name."""

    templates: Mapping[str, Mapping[str, Any]]
    managed: Mapping[str, str]


@cache
def policy_templates() -> PolicyTemplates:
    """The data as the script wrote it."""
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    return PolicyTemplates(templates=data["templates"], managed=data["managed"])


def managed_arn(name: str) -> str:
    """The ARN of a managed policy of AWS, to be filled in by `Fn::Sub`; the name may be with or without its path."""
    path = policy_templates().managed.get(name, "")
    return f"{_MANAGED}{path}/{name}" if path else f"{_MANAGED}{name}"


def is_policy_template(name: str) -> bool:
    """Tell whether AWS SAM has a policy template of this name."""
    return name in policy_templates().templates


def template_statements(name: str, arguments: Node, span: Span) -> Node:
    """The statements of a policy template with what is given for its parameters; all of it stands at one place."""
    mapping = arguments if isinstance(arguments, Object) else Object((), span)
    template = policy_templates().templates[name]
    values = {key: value for key in template["parameters"] if (value := mapping.get(key)) is not None}
    return node_of(template["statements"], span, values)


def node_of(value: Any, span: Span, values: Mapping[str, Node] | None = None) -> Node:
    """The tree of some JSON, with `Ref` to the name of a value replaced by that value."""
    if isinstance(value, list):
        return Array(tuple(node_of(item, span, values) for item in value), span)
    if not isinstance(value, dict):
        return value if isinstance(value, Scalar | Array | Object) else Scalar(str(value), span)
    if values and set(value) == {"Ref"} and value["Ref"] in values:
        return values[value["Ref"]]
    entries = (Entry(Scalar(key, span), node_of(item, span, values)) for key, item in value.items())
    return Object(tuple(entries), span)
