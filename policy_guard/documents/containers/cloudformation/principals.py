"""The identity policies of a template by principal: all inline and attached ones of a role, user or group together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.attachments import ADDITION, attached_units
from policy_guard.documents.containers.cloudformation.boundaries import BOUNDARY
from policy_guard.documents.containers.cloudformation.calls import words_of
from policy_guard.documents.containers.cloudformation.documents import IDENTITY, Unit, attempt
from policy_guard.documents.containers.cloudformation.parts import name_of, parts_of
from policy_guard.documents.containers.cloudformation.places import Place, places
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import Template, key_repetitions, type_of
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.source import Node, Object, Problem, Scalar, Unreadable
from policy_guard.records import NamedTuple

_PRINCIPALS = {"AWS::IAM::Role": "Role", "AWS::IAM::User": "User", "AWS::IAM::Group": "Group"}
_MANAGED = "AWS::IAM::ManagedPolicy"
_USER = "AWS::IAM::User"
_ALONE = "alone"


class Member(NamedTuple):
    """A policy of a principal: the resource that writes it, and the truths under which it is the principal's.

    What a group has, its users have.
    """

    resource: str
    truths: Truths


class Principals(NamedTuple):
    """The members of each principal, by its key, with what people call it.

    `problems` are those of resources of which nobody can tell whose they are, by their names. `managed` are the managed
    policies of the template, by what `Ref` of them is.
    """

    members: dict[str, list[Member]]
    labels: dict[str, str]
    problems: dict[str, tuple[Problem, ...]]
    managed: dict[str, str]

    def touched_keys(self, names: Collection[str]) -> set[str]:
        """The principals of which a policy stands in one of the resources."""
        return {key for key, members in self.members.items() if any(member.resource in names for member in members)}


def is_principal(key: str) -> bool:
    """Tell whether a key is that of a role, user or group, whose policies are one question."""
    return key.partition(" ")[0] in _PRINCIPALS.values()


def is_alone(key: str) -> bool:
    """Tell whether a key is that of a managed policy, or of one that says of nobody that it is theirs."""
    return key.partition(" ")[0] == _ALONE


def is_bounded(resource: Node) -> bool:
    """Tell whether a resource is a principal that may have a boundary."""
    return _PRINCIPALS.get(type_of(resource)) in ("Role", "User")


def principals(reading: Reading) -> Principals:
    """Return whose the identity policies of a template are; no policy is read for this."""
    managed: dict[str, str] = {}
    index = Principals(members={}, labels={}, problems={}, managed=managed)
    names = [name for name, node in reading.template.resources.items() if type_of(node) in IDENTITY]
    for name in names:
        if type_of(reading.template.resources[name]) == _MANAGED:
            index.problems[name] = _noted_problems(reading, name, partial(_note_managed, reading, name, managed))
    for name in names:
        problems = _noted_problems(reading, name, partial(_note, reading, name, index, managed))
        index.problems[name] = index.problems.get(name, ()) or problems
    _note_attachable(reading, index, managed)
    _note_groups(reading, index)
    return index


def _noted_problems(reading: Reading, name: str, note: Callable[[], None]) -> tuple[Problem, ...]:
    def build() -> Iterator[Unit]:
        if repetitions := tuple(key_repetitions(reading.template.resources[name])):
            raise Unreadable(*repetitions)
        note()
        return iter(())

    return tuple(problem for unit in attempt(build, name) for problem in unit.problems)


def _note_managed(reading: Reading, name: str, managed: dict[str, str]) -> None:
    for truths in reading.existing(name):
        for outcome in outcomes(
            lambda case: reading.own_holder(name, case), truths, reading.template.resources[name].span
        ):
            if outcome.value is not None:
                managed[outcome.value.key] = name


def _note(reading: Reading, name: str, index: Principals, managed: dict[str, str]) -> None:
    """Notes whom the policies of a resource serve, and which managed policies of the template it attaches."""
    type_, properties = type_of(reading.template.resources[name]), reading.properties(name)
    for truths in reading.existing(name):
        if type_ in _PRINCIPALS:
            for outcome in outcomes(lambda case: reading.own_holder(name, case), truths, properties.span):
                if outcome.value is None:
                    continue
                key = f"{_PRINCIPALS[type_]} {outcome.value.key}"
                index.labels.setdefault(key, name)
                index.members.setdefault(key, []).append(Member(name, outcome.truths))
                _note_attached(reading, properties, key, outcome.truths, index, managed)
            continue
        place = next(iter(places()[type_]))
        for holder in reading.holders(name, place, properties, truths):
            if holder.is_resource:
                _note_ownerless(name, type_, holder.truths, index)
                continue
            noun = holder.key.partition(" ")[0]
            index.labels.setdefault(holder.key, f"{noun.lower()} {holder.label}")
            index.members.setdefault(holder.key, []).append(Member(name, holder.truths))


def _note_ownerless(name: str, type_: str, truths: Truths, index: Principals) -> None:
    """Notes a policy that says of nobody that it is theirs; managed ones have their own turn."""
    if type_ == _MANAGED:
        return
    key = f"{_ALONE} {name}"
    index.labels.setdefault(key, name)
    index.members.setdefault(key, []).append(Member(name, truths))


def _note_attached(
    reading: Reading, properties: Object, key: str, truths: Truths, index: Principals, managed: dict[str, str]
) -> None:
    for outcome in reading.texts(properties.get("ManagedPolicyArns"), truths):
        for text in outcome.value or ():
            if (managed_name := managed.get(name_of(parts_of(text)))) is not None:
                index.members[key].append(Member(managed_name, outcome.truths))


def _note_attachable(reading: Reading, index: Principals, managed: dict[str, str]) -> None:
    """Managed policies that others may attach, since they have a name, are told to others, or serve nobody here.

    So are those that are a boundary here.
    """
    member_resources = {member.resource for members in index.members.values() for member in members}
    telling_words = _telling_words(reading.template) if managed else set()
    for key, name in managed.items():
        properties = reading.template.resources[name].get("Properties")
        has_name = isinstance(properties, Object) and properties.get("ManagedPolicyName") is not None
        if has_name or name not in member_resources or name in telling_words:
            alone_key = f"{_ALONE} {key}"
            index.labels.setdefault(alone_key, name)
            alone_members = index.members.setdefault(alone_key, [])
            alone_members += (Member(name, truths) for truths in reading.existing(name))


def _telling_words(template: Template) -> set[str]:
    """The words of what is told to others: of outputs, of resources that are no policies, and of boundaries."""
    outputs = template.root.get("Outputs")
    words = words_of(outputs) if outputs is not None else set()
    for resource in template.resources.values():
        properties = resource.get("Properties")
        if properties is None or type_of(resource) not in IDENTITY:
            words |= words_of(properties) if properties is not None else set()
        elif isinstance(properties, Object) and (boundary := properties.get(BOUNDARY)) is not None:
            words |= words_of(boundary)
    return words


def _note_groups(reading: Reading, index: Principals) -> None:
    """Notes what the groups of the template give their users, by whichever resource they are members."""
    for name, resource in reading.template.resources.items():
        if type_of(resource) in (_USER, ADDITION):
            units = attempt(partial(_note_memberships, reading, name, type_of(resource), index), name)
            if type_of(resource) == ADDITION:
                # What cannot be read of a user is told where its groups are.
                index.problems[name] = tuple(problem for unit in units for problem in unit.problems)


def _note_memberships(reading: Reading, name: str, type_: str, index: Principals) -> Iterator[Unit]:
    properties = reading.properties(name)
    for truths in reading.existing(name):
        if type_ == ADDITION:
            for groups in reading.texts(properties.get("GroupName"), truths):
                for users in reading.texts(properties.get("Users"), groups.truths):
                    for user in users.value or ():
                        key = f"User {name_of(parts_of(user))}"
                        index.labels.setdefault(key, name)
                        index.members.setdefault(key, []).append(Member(name, users.truths))
                        _note_group(index, key, groups.value or (), users.truths)
            continue
        for outcome in outcomes(lambda case: reading.own_holder(name, case), truths, properties.span):
            for groups in reading.texts(properties.get("Groups"), outcome.truths) if outcome.value is not None else ():
                _note_group(index, f"User {outcome.value.key}", groups.value or (), groups.truths)  # type: ignore[union-attr]
    yield from ()


def _note_group(index: Principals, user_key: str, groups: Iterable[Scalar], truths: Truths) -> None:
    members = index.members.setdefault(user_key, [])
    for group in groups:
        members += [
            Member(member.resource, {**member.truths, **truths})
            for member in index.members.get(f"Group {name_of(parts_of(group))}", ())
            if all(member.truths.get(atom, truth) == truth for atom, truth in truths.items())
        ]


def principal_units(reading: Reading, index: Principals, key: str, with_attached: bool) -> Iterator[Unit]:
    """The policies of a principal, to be judged as one; with `with_attached` those, too, that stand elsewhere."""
    label = index.labels[key]
    alone = key.startswith(_ALONE)
    address = f"Resources.{label}" if label in reading.template.resources else label
    address += ".PolicyDocument" if alone else ""
    documents = {*index.managed, *(group for group in index.members if group.startswith("Group "))}
    by_resource: dict[str, list[Truths]] = {}
    for member in index.members[key]:
        by_resource.setdefault(member.resource, []).append(member.truths)
    for name, truths in by_resource.items():
        if problems := index.problems.get(name):
            yield Unit(address, key, None, problems, key)
            continue
        build = partial(_policies, reading, name, address, key, truths)
        yield from attempt(build, address, key, key)
        if with_attached and type_of(reading.template.resources[name]) in (*_PRINCIPALS, ADDITION):
            build = partial(attached_units, reading, name, _distinct(truths), address, key, documents)
            yield from attempt(build, address, key, key)


def unknown_units(index: Principals, names: Collection[str]) -> Iterator[Unit]:
    """The resources among these of which nobody can tell whose policies they write."""
    for name, problems in index.problems.items():
        if problems and name in names:
            yield Unit(f"Resources.{name}", name, None, problems, name)


def _policies(reading: Reading, name: str, address: str, key: str, cases: list[Truths]) -> Iterator[Unit]:
    type_, properties = type_of(reading.template.resources[name]), reading.properties(name)
    for place in places().get(type_, ()):
        if place.kind != "identity":
            continue
        for truths in _distinct(cases):
            for label, node, node_truths in _nodes(reading, name, place, properties, truths):
                document = reading.document(node, [node_truths])
                if document is not None:
                    policy = PolicyDocument(label, document, reading.template.source, key, kind="identity")
                    yield Unit(address, key, policy, group=key)


def _distinct(cases: list[Truths]) -> list[Truths]:
    return [truths for number, truths in enumerate(cases) if truths not in cases[:number]]


def _nodes(
    reading: Reading, name: str, place: Place, properties: Object, truths: Truths
) -> Iterator[tuple[str, Node, Truths]]:
    yield from reading.property(properties, place.path, f"Resources.{name}", truths)
