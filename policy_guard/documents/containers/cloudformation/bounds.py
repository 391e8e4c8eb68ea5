"""What the boundary of a principal of a template leaves it, and whether the template knows all that it has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from policy_guard.documents.containers.choices import Need, outcomes
from policy_guard.documents.containers.cloudformation.acting_roles import texts_but_acting_roles
from policy_guard.documents.containers.cloudformation.attachments import ADDITION
from policy_guard.documents.containers.cloudformation.boundaries import BOUNDARY, has_functions, texts_of_boundary
from policy_guard.documents.containers.cloudformation.documents import IDENTITY, Unit, attempt
from policy_guard.documents.containers.cloudformation.grant_statements import policy_unit, resource_holders
from policy_guard.documents.containers.cloudformation.parts import name_of, parts_of
from policy_guard.documents.containers.cloudformation.principals import Principals, is_bounded
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import Template, key_repetitions, type_of
from policy_guard.documents.containers.managed import statements as managed_statements
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.source import Object, Scalar, Unreadable, scalars
from policy_guard.regex import regex
from policy_guard.solver.strings.pattern import HIDDEN

_DOCUMENT, _GROUP = "PolicyDocument", "AWS::IAM::Group"
_WORD = regex(r"\w+")
_LONG = 6
"""How long a text in a name has to be that other files are searched for."""


def bounding_unit(reading: Reading, index: Principals, key: str) -> Unit | None:
    """The boundary of a principal, in its group; None where a case or a macro leaves open what it is.

    AWS: a boundary caps all identity policies of its principal, those of groups and from elsewhere, too (IAM User
    Guide, access_policies_boundaries).
    """
    is_as_written = not (reading.template.macros or reading.template.unknown)
    name = defining_resource(reading, index, key) if is_as_written else ""
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


def names_if_known(reading: Reading, index: Principals, keys: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return texts by which other files may name principals, of those that have nothing else in the template itself.

    A principal may where a condition decides what it is, a group has it for a member, another policy serves somebody
    whom the template is told, or a resource or an output speaks of it that does not only act by it.
    """
    template, names = reading.template, {}
    if not keys or template.macros or template.unknown or any(index.problems.values()):
        return {}
    spoken = _spoken_texts(template)
    for key in keys:
        try:
            names[key] = _names_if_known(reading, index, key, spoken)
        except (Need, Opaque, Unreadable):
            continue
    return {key: texts for key, texts in names.items() if texts}


def _names_if_known(reading: Reading, index: Principals, key: str, spoken: Sequence[str]) -> tuple[str, ...]:
    name = defining_resource(reading, index, key)
    if not name or any(truths for _, truths in resource_holders(reading, name)) or _may_join(reading, index, key, name):
        return ()
    names = tuple(_names(reading, name))
    if not names or any(_is_open(reading, index, other, key) for other in index.members):
        return ()
    if any(name in _WORD.findall(text) for text in spoken if name in text):
        return ()
    return () if any(each in text for text in spoken for each in names) else names


def _may_join(reading: Reading, index: Principals, key: str, name: str) -> bool:
    """Tell whether a group has, or may have, a user for a member."""
    resources = reading.template.resources
    types = {type_of(resources[member.resource]) for member in index.members[key]}
    return bool(types & {_GROUP, ADDITION}) or reading.properties(name).get("Groups") is not None


def _is_open(reading: Reading, index: Principals, other: str, key: str) -> bool:
    """Tell whether a principal that the template does not make may be this one: its name is no plain text."""
    noun, _, name = other.partition(" ")
    if noun != key.partition(" ")[0] or other == key or HIDDEN not in name:
        return False
    return not any(is_bounded(reading.template.resources[member.resource]) for member in index.members[other])


def _names(reading: Reading, name: str) -> Iterator[str]:
    """The longest text that is certain in the name of a principal; of one that AWS names, its logical id."""
    parts = reading.evaluator({}).attribute(name, "Ref", reading.template.resources[name].span)
    texts = [part for part in parts if isinstance(part, str)]
    longest = max(texts, key=len, default="")
    if not texts:
        properties = reading.properties(name)
        yield from () if any(entry.key.text.endswith("Name") for entry in properties.entries) else (f"-{name}-",)
    elif len(texts) == len(parts) or len(longest) >= _LONG:
        yield longest


def _spoken_texts(template: Template) -> list[str]:
    """The texts of a template that may give a principal something which is no policy of its own."""
    outputs = template.root.get("Outputs")
    texts = [scalar.text for scalar in scalars(outputs)] if outputs is not None else []
    for resource in template.resources.values():
        if type_of(resource) not in IDENTITY:
            texts += texts_but_acting_roles(resource)
        elif isinstance(properties := resource.get("Properties"), Object):
            trust = properties.get("AssumeRolePolicyDocument")
            texts += (scalar.text for scalar in scalars(trust)) if trust is not None else ()
    return texts
