"""Boundaries of roles, users and permission sets: what they leave to their principal, everything if there is none.

The document of a boundary of AWS is known; of any other its ARN alone. IAM User Guide, access_policies_boundaries.
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.calls import LOOP, canonical
from policy_guard.documents.containers.cloudformation.documents import Unit, attempt
from policy_guard.documents.containers.cloudformation.grant_statements import (
    allow_statement,
    resource_holders,
    unit_of,
)
from policy_guard.documents.containers.cloudformation.parts import NOTHING, NoValue, parts_of, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import type_of
from policy_guard.documents.containers.holes import hole, spelling
from policy_guard.documents.containers.managed import statements as managed_statements
from policy_guard.documents.source import Entry, Node, Object, Scalar

BOUNDED = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::SSO::PermissionSet")
BOUNDARY = "PermissionsBoundary"
_BEYOND = "boundary:LeavesAllowed"


def has_boundary(reading: Reading, name: str) -> bool:
    """Tell whether a resource says something of a boundary, or a loop may."""
    properties = reading.template.resources[name].get("Properties")
    keys = [entry.key.text for entry in properties.entries] if isinstance(properties, Object) else []
    return any(key == BOUNDARY or key.startswith(LOOP) for key in keys)


def has_functions(reading: Reading, name: str) -> bool:
    """Tell whether some property of a resource, or what all of them are, comes from a function."""
    properties = reading.template.resources[name].get("Properties")
    return not isinstance(properties, Object) or any(":" in entry.key.text for entry in properties.entries)


def has_document(reading: Reading, name: str) -> bool:
    """Tell whether the boundary of a resource is one of AWS, in some case."""
    return any(unit.holder for unit in attempt(lambda: _of_aws(reading, name), name))


def _of_aws(reading: Reading, name: str) -> Iterator[Unit]:
    node = reading.properties(name).get(BOUNDARY)
    for truths in reading.existing(name) if node is not None else ():
        for outcome in outcomes(lambda case: texts_of_boundary(reading, node, case), truths, node.span):  # type: ignore[union-attr]
            if any(managed_statements(parts_of(text), text.span) for text in outcome.value or ()):
                yield Unit(name, name, None)


def boundary_units(reading: Reading, name: str, documented: bool) -> Iterator[Unit]:
    """The boundary of a resource. With `documented` one of both versions is known by its document, and compared so."""
    node = reading.properties(name).get(BOUNDARY)
    at = reading.template.spans[name].span
    for holder, truths in resource_holders(reading, name):
        statements: list[Object] = []
        span = node.span if node is not None else at
        for outcome in outcomes(lambda case: texts_of_boundary(reading, node, case), truths, span):
            for text in outcome.value or (text_of(("*",), span),):
                statements += _leaving(reading, text, outcome.truths, documented)
        noun = type_of(reading.template.resources[name]).rpartition(":")[2]
        unit_holder = f"{BOUNDARY} of {noun} {holder}"
        yield from unit_of(reading, f"Resources.{name}.{BOUNDARY}", unit_holder, "identity", statements)


def _leaving(reading: Reading, text: Scalar, truths: Truths, documented: bool) -> Iterator[Object]:
    """The statements for what a boundary leaves: all but what nobody knows, if its document is not known."""
    span, everything = text.span, text_of(("*",), text.span)
    if not documented:
        yield allow_statement(reading, span, truths, Action=text_of((_BEYOND,), span), Resource=text)
        return
    aws_statements = managed_statements(parts_of(text), span)
    yield from (statement._replace(guards=reading.guards(truths)) for statement in aws_statements)
    if aws_statements:
        return
    yield allow_statement(reading, span, truths, Action=everything, Resource=everything)
    if parts_of(text) != ("*",):
        action = hole(f"what {spelling(parts_of(text))} does not allow", parts_of(text))
        denied = {"Effect": text_of(("Deny",), span), "Action": text_of((action,), span), "Resource": everything}
        entries = tuple(Entry(Scalar(key, span), value) for key, value in denied.items())
        yield Object(entries, span, guards=reading.guards(truths))


def texts_of_boundary(reading: Reading, node: Node | None, truths: Truths) -> tuple[Scalar, ...]:
    """Return the ARN of a boundary, or what else says which it is; nothing if there is none."""
    value = reading.evaluator(truths).value(node) if node is not None else NOTHING
    if isinstance(value, NoValue):
        return ()
    if isinstance(value, Object) and isinstance(arn := value.get("ManagedPolicyArn"), Scalar):
        return (arn,)
    if not isinstance(value, Scalar):
        return (text_of((hole("the boundary", canonical(value)),), value.span),)
    return (value,)
