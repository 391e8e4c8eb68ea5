"""What roles, users and groups have attached without a document in the template: managed policies, and other groups.

An attached policy of AWS is its document. Any other one, and a group that the template does not make, has no text here:
a statement says so, with an action that AWS does not have. All of it is judged with the principal's own policies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from policy_guard.documents.containers.choices import Truths
from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.grant_statements import allow_statement, policy_unit
from policy_guard.documents.containers.cloudformation.parts import name_of, parts_of, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import type_of
from policy_guard.documents.containers.managed import statements as managed_statements
from policy_guard.documents.source import Object, Scalar

ADDITION = "AWS::IAM::UserToGroupAddition"
_MANAGED, _GROUPS = "ManagedPolicyArns", "Groups"
ATTACHED_POLICY, _GROUP_ACTION = "attached:ManagedPolicy", "attached:Group"


def attached_units(
    reading: Reading, name: str, cases: Collection[Truths], address: str, key: str, documents: Collection[str]
) -> Iterator[Unit]:
    """The policies attached to a principal that stand elsewhere, and the groups of a user that do.

    `documents` are the names of policies and groups of the template, which are read themselves.
    """
    properties, type_ = reading.properties(name), type_of(reading.template.resources[name])
    statements: list[Object] = []
    for truths in cases:
        if type_ == ADDITION:
            statements += _joined_groups(reading, properties, truths, key, documents)
            continue
        for property_name, action in ((_MANAGED, ATTACHED_POLICY), (_GROUPS, _GROUP_ACTION)):
            for outcome in reading.texts(properties.get(property_name), truths):
                for text in outcome.value or ():
                    statements += attached_statements(reading, text, action, outcome.truths, documents)
    yield from policy_unit(reading, f"Resources.{name}", address, key, statements)


def attached_statements(
    reading: Reading, text: Scalar, action: str, truths: Truths, documents: Collection[str]
) -> Iterator[Object]:
    """The statements of a managed policy of AWS, or one that says that something is attached."""
    name = name_of(parts_of(text))
    if (f"Group {name}" if action == _GROUP_ACTION else name) in documents:
        return
    aws_statements = managed_statements(parts_of(text), text.span)
    guards = reading.guards(truths)
    yield from (statement._replace(guards=guards) for statement in aws_statements)
    if not aws_statements:
        # Groups are named, policies have ARNs.
        parts = ("arn:aws:iam::*:group/", *parts_of(text)) if action == _GROUP_ACTION else parts_of(text)
        resource = text_of(parts, text.span, text.see)
        yield allow_statement(reading, text.span, truths, Action=text_of((action,), text.span), Resource=resource)


def _joined_groups(
    reading: Reading, properties: Object, truths: Truths, key: str, documents: Collection[str]
) -> Iterator[Object]:
    """The groups that a resource adds a user to, as far as the template does not make them."""
    for groups in reading.texts(properties.get("GroupName"), truths):
        for users in reading.texts(properties.get("Users"), groups.truths):
            for user in users.value or ():
                if f"User {name_of(parts_of(user))}" == key:
                    for group in groups.value or ():
                        yield from attached_statements(
                            reading, group._replace(span=user.span), _GROUP_ACTION, users.truths, documents
                        )
