"""Policies that stand for what a resource grants without a document: their statements, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers import Kind
from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.parts import text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Span


def unit_of(reading: Reading, address: str, holder: str, kind: Kind, statements: list[Object]) -> Iterator[Unit]:
    """Return the policy with these statements; nothing without any."""
    yield from policy_unit(reading, address, address, holder, statements, kind)


def policy_unit(
    reading: Reading, label: str, address: str, holder: str, statements: list[Object], kind: Kind = "identity"
) -> Iterator[Unit]:
    """The policy with these statements, which stands at `label` and belongs to what is at an address."""
    if statements:
        span = statements[0].span
        version = Entry(Scalar("Version", span), Scalar("2012-10-17", span))
        policy = Object((version, Entry(Scalar("Statement", span), Array(tuple(statements), span))), span)
        document = PolicyDocument(label, policy, reading.template.source, holder, kind=kind)
        yield Unit(address, holder, document, group=holder)


def allow_statement(reading: Reading, span: Span, truths: Truths, **elements: Node) -> Object:
    """Return an Allow with these elements, under what holds when it is there."""
    all_elements: dict[str, Node] = {"Effect": text_of(("Allow",), span), **elements}
    entries = (Entry(Scalar(key, span), value) for key, value in all_elements.items())
    return Object(tuple(entries), span, guards=reading.guards(truths))


def resource_holders(reading: Reading, name: str) -> Iterator[tuple[str, Truths]]:
    """A resource as a holder, in every case."""
    for truths in reading.existing(name):
        span = reading.template.resources[name].span
        for outcome in outcomes(lambda case: reading.own_holder(name, case), truths, span):
            if outcome.value is not None:
                yield outcome.value.key, outcome.truths
