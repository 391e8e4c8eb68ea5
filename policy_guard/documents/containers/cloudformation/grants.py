"""What grants access without a document: permissions of functions, policies of permission sets.

Each becomes a policy, so that it is compared as one. A permission is a statement of the function's own policy. Attached
is what has no text in the template: a statement says so, with an action that AWS does not have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from policy_guard.documents.containers.choices import Outcome, Truths, outcomes
from policy_guard.documents.containers.cloudformation.access_types import BLOCKED, BUCKET, BUS_POLICY
from policy_guard.documents.containers.cloudformation.acting_roles import acting_role_units
from policy_guard.documents.containers.cloudformation.api_bodies import body_units
from policy_guard.documents.containers.cloudformation.attachments import ATTACHED_POLICY, attached_statements
from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.documents import Unit, attempt
from policy_guard.documents.containers.cloudformation.evaluate import Evaluator
from policy_guard.documents.containers.cloudformation.grant_statements import allow_statement, resource_holders, unit_of
from policy_guard.documents.containers.cloudformation.known_by_text import text_units
from policy_guard.documents.containers.cloudformation.lasting import block_units, event_units, lasting_units
from policy_guard.documents.containers.cloudformation.parts import NOTHING, NoValue, name_of, parts_of, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.resource_statements import (
    POD_IDENTITY,
    acl_units,
    bus_units,
    pod_units,
)
from policy_guard.documents.containers.cloudformation.template import type_of
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.other_access import action_of
from policy_guard.documents.source import Array, Entry, Hole, Node, Object, Scalar, Span

PERMISSION = "AWS::Lambda::Permission"
_LAYER = "AWS::Lambda::LayerVersionPermission"
_URL = "AWS::Lambda::Url"
# AWS Lambda Developer Guide, urls-auth: who calls such a URL needs a policy that allows it, which is judged itself.
_SIGNED = ("AWS_IAM",)
# The property with what a permission is of.
_OF = {PERMISSION: "FunctionName", _LAYER: "LayerVersionArn"}
# Lambda Developer Guide, access-control-resource-based: what the properties of a permission become.
_CONDITIONS = (
    ("SourceArn", "ArnLike", "AWS:SourceArn"),
    ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
    ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("OrganizationId", "StringEquals", "aws:PrincipalOrgID"),
    ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ("InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
)
# A permission set is a principal of another kind, with its own policies each by itself.
_ATTACHING = {"AWS::SSO::PermissionSet": "ManagedPolicies"}
_STATING = {BUS_POLICY: bus_units, POD_IDENTITY: pod_units, BUCKET: acl_units}
_BLOCK = "PublicAccessBlockConfiguration"
_TRUE = ("true", "yes", "on", "y")
_FLAGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
# Amazon S3 User Guide, "Blocking public access": a new bucket blocks all of it, and one that loses its block nothing.
_UNSET = action_of("public-access-block")


def grant_units(reading: Reading, name: str, managed: Collection[str], bounded: bool) -> list[Unit]:
    """Return what a resource grants without a document.

    `managed` are the keys of the policies of the template, which are read themselves. With `bounded`, a bucket without
    a block of public access lost it.
    """
    type_ = type_of(reading.template.resources[name])
    units: list[Unit] = []
    if type_ in _OF:
        units += attempt(partial(_permission, reading, name, _OF[type_]), f"Resources.{name}")
    if type_ == _URL:
        units += attempt(partial(_url, reading, name), f"Resources.{name}.AuthType")
    if type_ in _STATING:
        units += attempt(partial(_STATING[type_], reading, name), f"Resources.{name}")
    units += text_units(reading, name, bounded)
    for told_units in (acting_role_units, block_units, lasting_units, event_units, body_units):
        units += attempt(partial(told_units, reading, name), f"Resources.{name}")
    if key := _ATTACHING.get(type_):
        units += attempt(partial(_attached_units, reading, name, key, managed), f"Resources.{name}.{key}")
    if type_ in BLOCKED:
        # Without one, other types than buckets block everything.
        had_block = bounded and type_ == BUCKET
        units += attempt(partial(_block, reading, name, had_block), f"Resources.{name}.{_BLOCK}")
    return units


def may_have_block(reading: Reading, name: str) -> bool:
    """Tell whether a bucket says something of a block of public access, as far as its properties are written out."""
    resource = reading.template.resources[name]
    properties = resource.get("Properties")
    if type_of(resource) != BUCKET or properties is None:
        return False
    keys = [entry.key.text for entry in properties.entries] if isinstance(properties, Object) else []
    return not keys or any(key == _BLOCK or key.startswith("Fn::") for key in keys)


def _attached_units(reading: Reading, name: str, key: str, documents: Collection[str]) -> Iterator[Unit]:
    properties = reading.properties(name)
    for holder, truths in resource_holders(reading, name):
        statements = [
            statement
            for outcome in reading.texts(properties.get(key), truths)
            for text in outcome.value or ()
            for statement in attached_statements(reading, text, ATTACHED_POLICY, outcome.truths, documents)
        ]
        unit_holder = f"{key} of {holder}"
        yield from unit_of(reading, f"Resources.{name}.{key}", unit_holder, "identity", statements)


def _block(reading: Reading, name: str, bounded: bool) -> Iterator[Unit]:
    """Return what a bucket lets in that a block of public access could keep out."""
    node = reading.properties(name).get(_BLOCK)
    span = node.span if node is not None else reading.template.spans[name].span
    for holder, truths in resource_holders(reading, name):
        statements: list[Object] = []
        for outcome in outcomes(lambda case: _evaluate(reading, node, span, case), truths, span):
            openings = dict(_open_flags(outcome.value)) if outcome.value is not None else {}
            statements += (
                allow_statement(
                    reading, value.span, outcome.truths, Action=text_of((action,), value.span), Resource=value
                )
                for action, value in openings.items()
                if bounded or action != _UNSET
            )
        unit_holder = f"{_BLOCK} of {holder}"
        yield from unit_of(reading, f"Resources.{name}.{_BLOCK}", unit_holder, "identity", statements)


def _evaluate(reading: Reading, node: Node | None, span: Span, truths: Truths) -> Node:
    """Return what a block comes to; an empty list if there is none."""
    value = reading.evaluator(truths).value(node) if node is not None else NOTHING
    return Array((), span) if isinstance(value, NoValue) else value


def _open_flags(block: Node) -> Iterator[tuple[str, Scalar]]:
    """The flags that do not block, each with `*`, or with what nobody knows of it."""
    if not isinstance(block, Object):
        parts = () if isinstance(block, Array) else parts_of(block)
        yield _UNSET, text_of(parts or ("*",), block.span)
        return
    for flag in _FLAGS:
        value = block.get(flag)
        parts = parts_of(value) if isinstance(value, Scalar) else ()
        if "".join(part if isinstance(part, str) else "?" for part in parts).lower() not in _TRUE:
            unknown = any(isinstance(part, Hole) for part in parts)
            yield action_of("public-access-block", flag), text_of(parts if unknown else ("*",), (value or block).span)


def _url(reading: Reading, name: str) -> Iterator[Unit]:
    properties = reading.properties(name)
    for truths in reading.existing(name):
        for functions in reading.texts(properties.get("TargetFunctionArn"), truths):
            for outcome in reading.texts(properties.get("AuthType"), functions.truths):
                for text in (text for text in outcome.value or () if parts_of(text) != _SIGNED):
                    statement = allow_statement(
                        reading,
                        text.span,
                        outcome.truths,
                        Action=text_of((action_of("function-url"),), text.span),
                        Resource=text_of(("*",), text.span),
                    )
                    holder = f"url of {', '.join(name_of(parts_of(f)) for f in functions.value or ())}"
                    yield from unit_of(reading, f"Resources.{name}.AuthType", holder, "identity", [statement])


def _permission(reading: Reading, name: str, property_name: str) -> Iterator[Unit]:
    properties = reading.properties(name)
    by_holder: dict[str, list[Object]] = {}
    for truths in reading.existing(name):
        for outcome in outcomes(
            lambda case: _permission_texts(reading, name, property_name, case), truths, properties.span
        ):
            if outcome.value is not None:
                holder, statement = _of_permission(
                    reading, outcome, property_name, reading.template.resources[name].span
                )
                by_holder.setdefault(holder, []).append(statement)
    for holder, statements in by_holder.items():
        yield from unit_of(reading, f"Resources.{name}", holder, "resource", statements)


def _permission_texts(
    reading: Reading, name: str, property_name: str, truths: Truths
) -> tuple[tuple[str, Scalar], ...]:
    """The texts of a permission's properties; a function is an ARN."""
    properties = reading.properties(name)
    required_keys = (property_name, "Action", "Principal")
    evaluator = reading.evaluator(truths)
    texts: dict[str, Scalar] = {}
    for key in (*required_keys, *(row[0] for row in _CONDITIONS)):
        node = properties.get(key)
        value = evaluator.value(node) if node is not None else None
        if isinstance(value, Scalar):
            texts[key] = value
        elif value is not None and not isinstance(value, NoValue):
            raise Opaque("one text is expected here", properties.span)
    for key in required_keys:
        if key not in texts:
            raise Opaque(f'the permission has no "{key}"', reading.template.spans[name].span)
    function = properties.get("FunctionName")
    if function is not None and property_name == "FunctionName":
        texts[property_name] = _function(evaluator, function, texts[property_name])
    return tuple(texts.items())


def _function(evaluator: Evaluator, node: Node, text: Scalar) -> Scalar:
    """The ARN of a function: its name and its ARN are one."""
    function_call = call(node)
    name = (
        function_call.argument.text
        if function_call and function_call.name == "Ref" and isinstance(function_call.argument, Scalar)
        else ""
    )
    if name in evaluator.template.resources:
        return text_of(evaluator.attribute(name, "Arn", node.span), node.span)
    parts = parts_of(text)
    if parts and (isinstance(parts[0], Hole) or parts[0].startswith("arn:")):
        return text
    return text_of(evaluator.arn("arn:{P}:lambda:{R}:{A}:function:{name}", parts), node.span)


def _of_permission(
    reading: Reading, outcome: Outcome[tuple[tuple[str, Scalar], ...]], property_name: str, span: Span
) -> tuple[str, Object]:
    assert outcome.value is not None
    texts = dict(outcome.value)
    principal = texts["Principal"]
    principal_element: Node = principal
    if parts_of(principal) != ("*",):
        last = parts_of(principal)[-1] if parts_of(principal) else ""
        kind = "Service" if isinstance(last, str) and last.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "AWS"
        principal_element = _mapping({kind: principal}, principal.span)
    conditions: dict[str, dict[str, Node]] = {}
    for key, operator, condition_key in _CONDITIONS:
        if key in texts:
            conditions.setdefault(operator, {})[condition_key] = texts[key]
    elements: dict[str, Node] = {
        "Principal": principal_element,
        "Action": texts["Action"],
        "Resource": texts[property_name],
    }
    if conditions:
        elements["Condition"] = _mapping({key: _mapping(each, span) for key, each in conditions.items()}, span)
    return name_of(parts_of(texts[property_name])), allow_statement(reading, span, outcome.truths, **elements)


def _mapping(values: Mapping[str, Node], span: Span) -> Object:
    return Object(tuple(Entry(Scalar(key, span), value) for key, value in values.items()), span)
