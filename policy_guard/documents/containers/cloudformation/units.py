"""The units of a template, all of them or those that differ between two versions."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from functools import partial

from policy_guard.documents.containers.cloudformation.api_bodies import lasting_methods
from policy_guard.documents.containers.cloudformation.attachments import ADDITION
from policy_guard.documents.containers.cloudformation.boundaries import (
    BOUNDED,
    boundary_units,
    has_boundary,
    has_document,
)
from policy_guard.documents.containers.cloudformation.bounds import bounding_unit, defining_resource, names_if_known
from policy_guard.documents.containers.cloudformation.calls import shape
from policy_guard.documents.containers.cloudformation.compare import (
    changes_between,
    names_of_changed_meaning,
    notes,
    template_problems,
    touched_resources,
)
from policy_guard.documents.containers.cloudformation.default_policies import names_with_default
from policy_guard.documents.containers.cloudformation.documents import IDENTITY, Unit, attempt, resource_units
from policy_guard.documents.containers.cloudformation.evaluate import Changes
from policy_guard.documents.containers.cloudformation.grants import grant_units, may_have_block
from policy_guard.documents.containers.cloudformation.known_by_text import account_units, has_api_policy
from policy_guard.documents.containers.cloudformation.lasting import gone_blocks, replacing_units
from policy_guard.documents.containers.cloudformation.principals import (
    Principals,
    principal_units,
    principals,
    unknown_units,
)
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.source import Node, Problem
from policy_guard.records import NamedTuple


class Sides(NamedTuple):
    """The units of both sides of a comparison that may differ, and what keeps all of it from being judged.

    `notes` are sentences about what is not judged. `bounds` are the boundaries of the principals of the new side, as
    far as they are known, and `names` what other files may call those by of which the template knows all policies.
    """

    old: tuple[Unit, ...]
    new: tuple[Unit, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    bounds: tuple[Unit, ...] = ()
    names: Mapping[str, tuple[str, ...]] = {}


def all_units(template: Template, grants: bool) -> Iterator[Unit]:
    """All policies of a template, each read when it is asked for; with `grants`, also access without a document."""
    reading = Reading(template, Changes(partitions=template.other_partitions))
    index = principals(reading)
    names = list(template.resources)
    yield from _units(reading, index, names, index.members, names if grants else (), {})


def differing_units(old: Template, new: Template) -> Sides:
    """The policies of two versions of a template that may differ."""
    renamed_names = names_of_changed_meaning(old, new)
    names = touched_resources(old, new, renamed_names)
    problems, all_notes = tuple(template_problems(old, new, renamed_names)), tuple(notes(old, new))
    moves = _shape(old.account) != _shape(new.account)
    if not names and not moves:
        return Sides((), (), problems, all_notes)
    changes = changes_between(old, new)
    defaulted = names_with_default(old, new)
    lasting = frozenset(old.resources.keys() & new.resources.keys())
    both_sides = lasting | lasting_methods(old, new)
    readings = Reading(old, changes, defaulted, both_sides), Reading(new, changes, defaulted, both_sides)
    indexes = [principals(reading) for reading in readings]
    keys = indexes[0].touched_keys(names) | indexes[1].touched_keys(names)
    bounded_names = _bounded_names(readings, names, lasting)
    units = [
        tuple(_units(reading, index, [n for n in reading.template.resources if n in names], keys, names, bounded_names))
        for reading, index in zip(readings, indexes, strict=True)
    ]
    places = [account_units(reading) if moves else () for reading in readings]
    replacing = [attempt(partial(replacing_units, *pair), "Resources") for pair in (readings, readings[::-1])]
    opened = attempt(partial(gone_blocks, *readings), "Resources")
    old_units, new_units = (*units[0], *places[0], *replacing[0]), (*units[1], *places[1], *replacing[1], *opened)
    bounding_units = [bounding_unit(readings[1], indexes[1], key) for key in indexes[1].members if key in keys]
    bounded_keys = [
        key for key in indexes[1].members if defining_resource(readings[1], indexes[1], key) in bounded_names
    ]
    all_names = names_if_known(readings[1], indexes[1], bounded_keys)
    return Sides(old_units, new_units, problems, all_notes, tuple(filter(None, bounding_units)), all_names)


def _bounded_names(readings: tuple[Reading, Reading], names: set[str], lasting: frozenset[str]) -> dict[str, bool]:
    """The resources with a boundary, a block or a policy that may go; with True where its document is known."""
    templates = [reading.template for reading in readings]
    sides = {name: [r for r in readings if name in r.template.resources] for name in names}
    bounded_names = {name for name in names if any(has_boundary(reading, name) for reading in sides[name])}
    documented = {name for name in bounded_names if any(has_document(reading, name) for reading in sides[name])}
    bounded_names |= {name for name in names if name in templates[0].resources and may_have_block(readings[0], name)}
    bounded_names |= {n for n in names & lasting if any(has_api_policy(t.resources[n]) for t in templates)}
    return {name: name in documented for name in bounded_names}


def _shape(node: Node | None) -> Hashable:
    return shape(node) if node is not None else None


def _units(
    reading: Reading,
    index: Principals,
    names: Collection[str],
    keys: Collection[str],
    grants: Collection[str],
    bounded_names: Mapping[str, bool],
) -> Iterator[Unit]:
    for name in names:
        yield from resource_units(reading, name)
        if type_of(reading.template.resources[name]) in (*IDENTITY, *((ADDITION,) if grants else ())):
            yield from unknown_units(index, (name,))
    for key in index.members:
        if key in keys:
            build = partial(principal_units, reading, index, key, bool(grants))
            yield from attempt(build, index.labels[key], key, key)
    managed = index.managed
    for name in names:
        if name in grants:
            yield from grant_units(reading, name, managed, name in bounded_names)
            if name in bounded_names and type_of(reading.template.resources[name]) in BOUNDED:
                build = partial(boundary_units, reading, name, bounded_names[name])
                yield from attempt(build, f"Resources.{name}.PermissionsBoundary")
