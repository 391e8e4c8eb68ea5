"""What the boundary of a principal of a template leaves it, whatever policies it has."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.choices import outcomes
from policy_guard.documents.containers.cloudformation.boundaries import BOUNDARY, has_functions, texts_of_boundary
from policy_guard.documents.containers.cloudformation.documents import Unit, attempt
from policy_guard.documents.containers.cloudformation.grant_statements import policy_unit, resource_holders
from policy_guard.documents.containers.cloudformation.parts import name_of, parts_of
from policy_guard.documents.containers.cloudformation.principals import Principals, is_bounded
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import key_repetitions
from policy_guard.documents.containers.managed import statements as managed_statements
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.source import Scalar

_DOCUMENT = "PolicyDocument"


def bounding_unit(reading: Reading, index: Principals, key: str) -> Unit | None:
    """The boundary of a principal, in its group; None where any case leaves open what it is.

    AWS: a boundary caps all identity policies of its principal, those of groups and from elsewhere, too (IAM User
    Guide, access_policies_boundaries).
    """
    name = defining_resource(reading, index, key)
    units = attempt(lambda: _units(reading, index, key, name), key) if name else []
    unit = units[0] if len(units) == 1 else None
    return unit if unit is not None and unit.policy is not None else None


def defining_resource(reading: Reading, index: Principals, key: str) -> str:
    """Return the only resource that makes a principal, whatever conditions hold; nothing if there is none."""
    resources = reading.template.resources
    names = {member.resource for member in index.members[key] if is_bounded(resources[member.resource])}
    name = names.pop() if len(names) == 1 else ""
    if not name or index.problems.get(name) or resources[name].get("Condition") is not None:
        return ""
    return "" if has_functions(reading, name) or any(key_repetitions(resources[name])) else name


def _units(reading: Reading, index: Principals, key: str, name: str) -> Iterator[Unit]:
    node = reading.properties(name).get(BOUNDARY)
    if node is None or any(truths for _, truths in resource_holders(reading, name)):
        return
    arns = outcomes(lambda case: texts_of_boundary(reading, node, case), {}, node.span)
    texts = arns[0].value or () if len(arns) == 1 else ()
    if not texts:
        return
    address = f"Resources.{name}.{BOUNDARY}"
    if aws_statements := managed_statements(parts_of(texts[0]), texts[0].span):
        yield from policy_unit(reading, address, address, key, list(aws_statements))
    elif document := _document(reading, index, texts[0], address, key):
        yield Unit(address, key, document, group=key)


def _document(reading: Reading, index: Principals, arn: Scalar, address: str, key: str) -> PolicyDocument | None:
    """The document of a managed policy of the template, if no condition decides any of it."""
    name = index.managed.get(name_of(parts_of(arn)), "")
    resource = reading.template.resources.get(name)
    if resource is None or index.problems.get(name) or resource.get("Condition") is not None:
        return None
    properties = reading.properties(name)
    nodes = [*reading.property(properties, _DOCUMENT, f"Resources.{name}", {})]
    if len(nodes) != 1 or nodes[0][2]:
        return None
    mapping = reading.document(nodes[0][1], [{}])
    return PolicyDocument(address, mapping, reading.template.source, key, kind="identity") if mapping else None
