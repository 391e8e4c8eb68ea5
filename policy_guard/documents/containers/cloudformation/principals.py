"""The identity policies of a template by principal: all inline and attached ones of a role, user or group together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import NamedTuple

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.documents import IDENTITY, Unit, attempt
from policy_guard.documents.containers.cloudformation.parts import name_of, parts_of
from policy_guard.documents.containers.cloudformation.places import Place, places
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import twice, type_of
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.source import Node, Object, Problem, Unreadable

_PRINCIPALS = {"AWS::IAM::Role": "Role", "AWS::IAM::User": "User", "AWS::IAM::Group": "Group"}
_MANAGED = "AWS::IAM::ManagedPolicy"
_ALONE = "alone"


class Member(NamedTuple):
    """A policy of a principal: the resource that writes it, and the truths under which it is the principal's."""

    resource: str
    truths: Truths


class Principals(NamedTuple):
    """The members of each principal, by its key, with what people call it.

    `problems` are those of resources of which nobody can tell whose they are, by their names. `managed` are the managed
    policies of the template, by what `Ref` of them is.
    """

    members: dict[str, list[Member]]
    shown: dict[str, str]
    problems: dict[str, tuple[Problem, ...]]
    managed: dict[str, str]

    def touched(self, names: Collection[str]) -> set[str]:
        """The principals of which a policy stands in one of the resources."""
        return {key for key, members in self.members.items() if any(member.resource in names for member in members)}


def principals(reading: Reading) -> Principals:
    """Whose the identity policies of a template are; no policy is read for this."""
    managed: dict[str, str] = {}
    found = Principals(members={}, shown={}, problems={}, managed=managed)
    names = [name for name, node in reading.template.resources.items() if type_of(node) in IDENTITY]
    for name in names:
        if type_of(reading.template.resources[name]) == _MANAGED:
            found.problems[name] = _said(reading, name, partial(_note_managed, reading, name, managed))
    for name in names:
        problems = _said(reading, name, partial(_note, reading, name, found, managed))
        found.problems[name] = found.problems.get(name, ()) or problems
    _let_alone(reading, found, managed)
    return found


def _said(reading: Reading, name: str, noting: Callable[[], None]) -> tuple[Problem, ...]:
    def build() -> Iterator[Unit]:
        if repeated := tuple(twice(reading.template.resources[name])):
            raise Unreadable(*repeated)
        noting()
        return iter(())

    return tuple(problem for unit in attempt(build, name) for problem in unit.problems)


def _note_managed(reading: Reading, name: str, managed: dict[str, str]) -> None:
    for truths in reading.existing(name):
        for outcome in outcomes(lambda given: reading.own(name, given), truths, reading.template.resources[name].span):
            if outcome.value is not None:
                managed[outcome.value.key] = name


def _note(reading: Reading, name: str, found: Principals, managed: dict[str, str]) -> None:
    """Notes whom the policies of a resource serve, and which managed policies of the template it attaches."""
    type_, properties = type_of(reading.template.resources[name]), reading.properties(name)
    for truths in reading.existing(name):
        if type_ in _PRINCIPALS:
            for outcome in outcomes(lambda given: reading.own(name, given), truths, properties.span):
                if outcome.value is None:
                    continue
                key = f"{_PRINCIPALS[type_]} {outcome.value.key}"
                found.shown.setdefault(key, name)
                found.members.setdefault(key, []).append(Member(name, outcome.truths))
                _attached(reading, properties, key, outcome.truths, found, managed)
            continue
        place = next(iter(places()[type_]))
        for holder in reading.holders(name, place, properties, truths):
            if holder.own:
                _note_own(name, type_, holder.truths, found)
                continue
            noun = holder.key.partition(" ")[0]
            found.shown.setdefault(holder.key, f"{noun.lower()} {holder.shown}")
            found.members.setdefault(holder.key, []).append(Member(name, holder.truths))


def _note_own(name: str, type_: str, truths: Truths, found: Principals) -> None:
    """Notes a policy that says of nobody that it is theirs; managed ones have their own turn."""
    if type_ == _MANAGED:
        return
    key = f"{_ALONE} {name}"
    found.shown.setdefault(key, name)
    found.members.setdefault(key, []).append(Member(name, truths))


def _attached(
    reading: Reading, properties: Object, key: str, truths: Truths, found: Principals, managed: dict[str, str]
) -> None:
    for outcome in reading.texts(properties.get("ManagedPolicyArns"), truths):
        for text in outcome.value or ():
            if (own := managed.get(name_of(parts_of(text)))) is not None:
                found.members[key].append(Member(own, outcome.truths))


def _let_alone(reading: Reading, found: Principals, managed: dict[str, str]) -> None:
    """Managed policies that others may attach, since they have a name, are told to others, or serve nobody here."""
    serving = {member.resource for members in found.members.values() for member in members}
    outputs = reading.template.root.get("Outputs")
    told = reading.template.source.text[slice(*outputs.span)] if outputs is not None else ""
    for key, name in managed.items():
        properties = reading.template.resources[name].get("Properties")
        named = isinstance(properties, Object) and properties.get("ManagedPolicyName") is not None
        if named or name not in serving or name in told:
            own = f"{_ALONE} {key}"
            found.shown.setdefault(own, name)
            existing = found.members.setdefault(own, [])
            existing += (Member(name, truths) for truths in reading.existing(name))


def principal_units(reading: Reading, found: Principals, key: str) -> Iterator[Unit]:
    """The policies of a principal, to be judged as one."""
    shown = found.shown[key]
    alone = key.startswith(_ALONE)
    address = f"Resources.{shown}" if shown in reading.template.resources else shown
    address += ".PolicyDocument" if alone else ""
    by_resource: dict[str, list[Truths]] = {}
    for member in found.members[key]:
        by_resource.setdefault(member.resource, []).append(member.truths)
    for name, truths in by_resource.items():
        if problems := found.problems.get(name):
            yield Unit(address, key, None, problems, key)
            continue
        yield from attempt(partial(_policies, reading, name, address, key, truths), address, key, key)


def unknown_units(found: Principals, names: Collection[str]) -> Iterator[Unit]:
    """The resources among these of which nobody can tell whose policies they write."""
    for name, problems in found.problems.items():
        if problems and name in names:
            yield Unit(f"Resources.{name}", name, None, problems, name)


def _policies(reading: Reading, name: str, address: str, key: str, given: list[Truths]) -> Iterator[Unit]:
    type_, properties = type_of(reading.template.resources[name]), reading.properties(name)
    for place in places().get(type_, ()):
        if place.kind != "identity":
            continue
        for truths in _distinct(given):
            for label, node, under in _nodes(reading, name, place, properties, truths):
                document = reading.document(node, [under])
                if document is not None:
                    found = PolicyDocument(label, document, reading.template.source, key, kind="identity")
                    yield Unit(address, key, found, together=key)


def _distinct(given: list[Truths]) -> list[Truths]:
    return [truths for number, truths in enumerate(given) if truths not in given[:number]]


def _nodes(
    reading: Reading, name: str, place: Place, properties: Object, truths: Truths
) -> Iterator[tuple[str, Node, Truths]]:
    yield from reading.property(properties, place.path, f"Resources.{name}", truths)
