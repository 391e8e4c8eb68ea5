"""The policies of a folder and of the modules that it calls, and which of them may differ between two sides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from policy_guard.documents.containers.choices import (
    Impossible,
    Need,
)
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.plain import PolicyDocument
from policy_guard.documents.containers.terraform.accounts import moved_accounts
from policy_guard.documents.containers.terraform.attached import attached_addresses, attached_units, is_attachment
from policy_guard.documents.containers.terraform.attributes import attribute
from policy_guard.documents.containers.terraform.blocks import (
    former_addresses,
    fresh_addresses,
    missed_blocks,
    resource_of,
    with_openings,
)
from policy_guard.documents.containers.terraform.deciding import changed_spots, first_changed_line
from policy_guard.documents.containers.terraform.documents import Unit, name_at, unit_at, used_document
from policy_guard.documents.containers.terraform.elsewhere import (
    without_ceiling,
)
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.functions import call_value
from policy_guard.documents.containers.terraform.grants import open_access
from policy_guard.documents.containers.terraform.holdings import bounding_units, joined_users
from policy_guard.documents.containers.terraform.ignored import keeps, takes_effect
from policy_guard.documents.containers.terraform.known_principals import Holding, known_holdings
from policy_guard.documents.containers.terraform.modules import module_reference
from policy_guard.documents.containers.terraform.moves import moved_places
from policy_guard.documents.containers.terraform.objects import objects
from policy_guard.documents.containers.terraform.places import (
    CEILING,
    MADE,
    Use,
    documents,
    is_document,
    type_of,
    uses,
)
from policy_guard.documents.containers.terraform.policy_objects import policy_reference
from policy_guard.documents.containers.terraform.principals import (
    argument_label,
    argument_of_principal,
    principal_of,
    provider_texts,
)
from policy_guard.documents.containers.terraform.rendered import render
from policy_guard.documents.containers.terraform.scope import Scope, Ways
from policy_guard.documents.containers.terraform.settled import settled_addresses
from policy_guard.documents.containers.terraform.values import (
    is_null,
)
from policy_guard.documents.containers.terraform.variables import variable_value
from policy_guard.documents.source import Problem, Span, Unreadable
from policy_guard.records import NamedTuple


def root(folder: Folder, called_folder: Callable[[str], Folder | None], changed_variables: frozenset[str]) -> Scope:
    """The scope of a folder by itself."""
    return Scope(
        folder,
        Ways(called_folder, call_value, module_reference, variable_value, render, policy_reference, attribute),
        changed_variables,
    )


def changed_variables(old: Folder, new: Folder) -> frozenset[str]:
    """The variables that have another value in the repository now."""
    names = {name.removeprefix("var.") for name in {**old.definitions, **new.definitions} if name.startswith("var.")}
    return frozenset(
        name
        for name in names
        if _value_text(old, name) != _value_text(new, name)
        or (_value_text(new, name) and _type_text(old, name) != _type_text(new, name))
    )


def _value_text(folder: Folder, name: str) -> str:
    assignment, definition = folder.assignments.get(name), folder.definitions.get(f"var.{name}")
    if assignment is not None and assignment.value is not None:
        return assignment.written(assignment.value)
    default = definition.body.value("default") if definition else None
    return definition.written(default) if definition and default is not None else ""


def _type_text(folder: Folder, name: str) -> str:
    """The type of a variable, if it has defaults of its own."""
    definition = folder.definitions.get(f"var.{name}")
    type_ = definition.body.value("type") if definition else None
    text = definition.written(type_) if definition and type_ is not None else ""
    return text if "optional" in text else ""


class Sides(NamedTuple):
    """The policies of two versions of a folder that may differ, and of the new one what caps principals, or they have.

    `bounds` are boundaries, and `holdings` what those have whose boundary differs, as far as all of it is known.
    """

    old: tuple[Unit, ...]
    new: tuple[Unit, ...]
    bounds: tuple[Unit, ...] = ()
    holdings: tuple[Holding, ...] = ()


def differing_units(old: Scope | None, new: Scope | None, files_differ: bool) -> Sides:
    """The policies that may differ; with `files_differ`, files that are no Terraform do."""
    old_uses, new_uses, places = _placed_sides(old, new, files_differ)
    old_ceilings = {each for each in (*old_uses, *places.values()) if each.endswith(f".{CEILING}")}
    differing_addresses = [
        address
        for address in _differing_addresses(old_uses, new_uses, files_differ)
        if not address.endswith(f".{CEILING}") or address in old_ceilings
    ]
    side_units = [
        [
            unit
            for each in differing_addresses
            if each in old_uses
            for unit in _before(old_uses[each], new_uses.get(places.get(each, each)), places)
        ],
        [
            unit
            for each in differing_addresses
            if each in new_uses
            for unit in _apart(_with_changes(old_uses.get(each), new_uses[each]), old_uses.get(each), new_uses[each])
        ],
    ]
    principals = {unit.principal for side in side_units for unit in side} - {""}
    unchanged_addresses = [
        address for address in old_uses if principals and address not in differing_addresses and address in new_uses
    ]
    for side, policies in zip((old_uses, new_uses), side_units, strict=True):
        policies += (unit for address in unchanged_addresses for unit in _of_principals(side[address], principals))
    joined = joined_users((old_uses.values(), new_uses.values()), principals)
    for side, policies, groups in zip((old_uses, new_uses), side_units, joined, strict=True):
        policies += (unit for use in side.values() for unit in _of_groups(use, groups, principals))
    lost_ceilings = [e for e in differing_addresses if e in old_ceilings and e in old_uses and e not in new_uses]
    unbounded = [unit for each in lost_ceilings if new for unit in _unbounded(old_uses[each], new)]
    changed_uses = {e: old_uses[e] for e in differing_addresses if e in old_uses and e not in places}
    opened_blocks = _opened_blocks(missed_blocks(changed_uses, new), side_units[1]) if new else ()
    accounts = list(moved_accounts(old, new)) if old and new and new_uses else []
    accounts += _taken_names(old_uses, {each: new_uses[each] for each in differing_addresses if each in new_uses})
    side_units[0] += (before for before, _ in accounts)
    sides = side_units[0], [*side_units[1], *unbounded, *opened_blocks, *(after for _, after in accounts)]
    bounds = bounding_units(new_uses.values(), principals) if principals else ()
    ceilings = [old_uses[each] for each in differing_addresses if each in old_ceilings and each in old_uses]
    holdings = known_holdings(ceilings, new, list(new_uses.values()), units) if new and ceilings else ()
    return Sides(
        tuple(_but_held(sides[0], sides[1])), tuple(_but_held(sides[1], sides[0])), tuple(bounds), tuple(holdings)
    )


def _placed_sides(
    old: Scope | None, new: Scope | None, files_differ: bool
) -> tuple[dict[str, Use], dict[str, Use], dict[str, str]]:
    """The places of both sides, and the new addresses of those that move from module to module."""
    if old and new:
        new.former_addresses.update(former_addresses(old, new))
    settled = settled_addresses(old, new, files_differ) if old and new else frozenset()
    old_uses, placed_uses = _lifted(_placed(old, settled)), _placed(new, settled)
    places = moved_places(new, old_uses, placed_uses) if new else {}
    fresh = fresh_addresses(old, new) - {resource_of(placed_uses[end]) for end in places.values()}
    new_uses = _lifted(with_openings(_moved_uses(old_uses, places), placed_uses, fresh))
    old_uses |= _unused_documents(old, new_uses.keys() - old_uses, new_uses)
    return old_uses, new_uses, places


def _moved_uses(uses_of_side: dict[str, Use], places: Mapping[str, str]) -> dict[str, Use]:
    """The places of a side by the addresses to which they move."""
    return {places.get(address, address): use for address, use in uses_of_side.items()} if places else uses_of_side


def _before(old: Use, new: Use | None, places: Mapping[str, str]) -> Iterator[Unit]:
    """The policies at a place before a change, at its new address; what was ignored and counts now had none."""
    if not takes_effect(old, new):
        old_units = units(old, one_by_one=_is_written_otherwise(old, new))
        yield from (_at_new_place(unit, old.address, places) for unit in _apart(old_units, old, new))


def _is_written_otherwise(old: Use | None, new: Use | None) -> bool:
    """Tell whether one version of a place has a number of objects, and the other keys or one object."""
    if old is None or new is None:
        return False
    return (old.definition.body.value("count") is None) != (new.definition.body.value("count") is None)


def _apart(units: Iterable[Unit], old: Use | None, new: Use | None) -> Iterator[Unit]:
    """The policies at a place that was there, by themselves if it keeps what it has.

    They then neither allow nor deny what another policy of the principal does.
    """
    is_kept = old is not None and new is not None and keeps(new)
    return (unit._replace(principal="") if is_kept else unit for unit in units)


def _at_new_place(unit: Unit, address: str, places: Mapping[str, str]) -> Unit:
    """The old version of a policy at this address, with that to which it moves, as does what it attaches."""
    attached = places.get(unit.attached, unit.attached)
    return unit._replace(address=f"{places.get(address, address)}{unit.address[len(address) :]}", attached=attached)


def _placed(scope: Scope | None, settled: Container[str]) -> dict[str, Use]:
    return {use.address: use for use in uses(scope, settled)} if scope else {}


def _unused_documents(old: Scope | None, addresses: Collection[str], new: Mapping[str, Use]) -> dict[str, Use]:
    """The old versions of documents that nothing uses any more."""
    unused = {address for address in addresses if is_document(new[address])}
    return {use.address: use for use in documents(old) if use.address in unused} if old and unused else {}


def _but_held(units: Sequence[Unit], others: Iterable[Unit]) -> Iterator[Unit]:
    """The units of a side, without the managed policies that are not on the other, and are judged where they serve."""
    held_addresses = {unit.attached for unit in units if f".{CEILING}" not in unit.address} - {""}
    held_addresses -= {unit.address for unit in others if unit.policy or unit.problems}
    return (unit for unit in units if unit.attached or unit.address not in held_addresses)


def _lifted(side: Mapping[str, Use]) -> dict[str, Use]:
    """The places of a side; a boundary that is null leaves all, if there was one."""
    return {
        address: replace(use, opens=True) if address.endswith(f".{CEILING}") else use for address, use in side.items()
    }


def _differing_addresses(old: Mapping[str, Use], new: Mapping[str, Use], files_differ: bool) -> Iterator[str]:
    """The places that may differ, those among them at which a policy is attached by its name that does."""
    addresses = {**old, **new}
    differing = [each for each in addresses if _differs(old.get(each), new.get(each), files_differ)]
    yield from differing
    policies = {each.removesuffix("policy") for each in differing if ".aws_iam_policy." in f".{each}"}
    unchanged = addresses.keys() - differing if policies else set()
    for address in addresses:
        if address in unchanged and any(not policies.isdisjoint(_attached(side[address])) for side in (old, new)):
            yield address


def _attached(use: Use) -> Iterator[str]:
    """The places of the policies of the root that are attached at a place, as far as they are known."""
    try:
        evaluator = Evaluator(use.scope, use.definition.source, {})
        for _, names in objects(evaluator, use) if is_attachment(use) else ():
            yield from attached_addresses(use, evaluator.with_names(names))
    except (Opaque, Impossible):
        return


def _with_changes(old: Use | None, new: Use) -> Iterator[Unit]:
    """The policies at a place, with the definitions that changed since the old version of the place."""
    changed = changed_spots((old.scope, new.scope), old.deciding, new.deciding) if old else []
    if old and old.definition.text != new.definition.text:
        changed.insert(0, first_changed_line(new.definition, old.definition.text, new.definition.text))
    new_units = units(new, one_by_one=_is_written_otherwise(old, new))
    yield from (unit._replace(changed=tuple(changed)) for unit in new_units)


def _opened_blocks(blocks: Iterable[Use], new: Iterable[Unit]) -> Iterator[Unit]:
    """The blocks of public access that are gone from an address or a bucket, each as one that blocks nothing."""
    new_keys = {(unit.address, unit.holder) for unit in new}
    for use in blocks:
        source, span = use.definition.source, use.definition.span
        node = open_access(type_of(use), {}, Span(span.start, span.start + 1))
        for unit in units(use):
            if (unit.address, unit.holder) not in new_keys:
                policy = PolicyDocument(unit.address, node, source, unit.holder, kind=use.kind)
                yield unit._replace(source=source, policy=policy, problems=())


def _taken_names(old: Mapping[str, Use], changed: Mapping[str, Use]) -> Iterator[tuple[Unit, Unit]]:
    """The trust policies of roles that take the name of another, each after that of the role that had it.

    What is attached by the name then serves whom this one trusts. One at a new address is new as a whole.
    """
    changed_trusts = [use for address, use in changed.items() if address in old and _is_trust(use)]
    trusts = [use for use in old.values() if _is_trust(use)] if changed_trusts else []
    former_units = {name: unit for use in trusts for name, unit in _named(use)}
    for use in changed_trusts:
        former_names = {(name, unit.address) for name, unit in _named(old[use.address])}
        for name, unit in _named(use):
            former = former_units.get(name)
            if former is not None and (name, unit.address) not in former_names:
                address = f"{unit.address} as {name}"
                yield former._replace(address=address), unit._replace(address=address)


def _is_trust(use: Use) -> bool:
    return type_of(use) == "aws_iam_role" and use.kind == "trust"


def _named(use: Use) -> Iterator[tuple[str, Unit]]:
    """The policies at a place by the names of their roles, as far as these are known."""
    value = use.definition.body.value("name")
    evaluator = Evaluator(use.scope, use.definition.source, {})
    try:
        for label, names in objects(evaluator, use):
            instance = evaluator.with_names(names)
            name = instance.value(value) if value is not None else None
            if name is not None and not is_null(name):
                texts = (argument_label("name", name), *provider_texts(use.scope, use.definition))
                yield "\n".join(texts), unit_at(use, f"{use.address}{label}", instance)
    except (Need, Opaque, Impossible, Unreadable):
        return


def _of_principals(use: Use, principals: Collection[str]) -> Iterator[Unit]:
    """The other policies of these principals: what one policy gives up, another may have given them all along."""
    if argument_of_principal(use) and not keeps(use):
        yield from (unit for unit in units(use, principals) if unit.policy is not None)


def _of_groups(use: Use, groups: Mapping[str, Collection[str]], principals: Collection[str]) -> Iterator[Unit]:
    """The policies that users have from their groups, and of users who are not looked at otherwise also their own."""
    names = {name for user, user_groups in groups.items() for name in (user, *user_groups)}
    for unit in _of_principals(use, names) if names else ():
        for user, user_groups in groups.items():
            if unit.principal in user_groups or (unit.principal == user and user not in principals):
                yield unit._replace(principal=user)


def all_units(scope: Scope) -> tuple[Unit, ...]:
    """All policies of a folder and of the modules that it calls."""
    return tuple(
        unit._replace(elsewhere=is_elsewhere(use), address=unit.address.removesuffix(f".{MADE}"))
        for use in uses(scope)
        for unit in units(use)
    )


def is_elsewhere(use: Use) -> bool:
    """Tell whether a policy is what a module makes of which nobody reads what it makes."""
    return use.value is None and use.address.removeprefix(use.scope.name).startswith("module.")


def _unbounded(use: Use, scope: Scope) -> Iterator[Unit]:
    """The policies of boundaries that are gone from what stays: they leave everything. What is in a module stays."""
    address = use.address.removesuffix(f".{CEILING}")
    definition = scope.folder.definitions.get(address)
    if definition is None and not address.startswith("module."):
        return
    source = definition.source if definition else use.definition.source
    span = Span(definition.span.start, definition.span.start + 1) if definition else Span(0, 0)
    for unit in units(use):
        if unit.policy or unit.problems:
            policy = PolicyDocument(unit.address, without_ceiling(span), source, unit.holder, kind="identity")
            yield Unit(unit.address, unit.holder, source, policy)


def _differs(old: Use | None, new: Use | None, files_differ: bool) -> bool:
    if old is not None and new is not None and old.is_settled and new.is_settled:
        return False
    if old is None or new is None or (files_differ and (old.reads or new.reads)):
        return True
    return old.deciding != new.deciding


def units(use: Use, principals: Collection[str] | None = None, one_by_one: bool = False) -> Iterator[Unit]:
    """The policies at a place, one for each object that is known to be there, or those of some principals only.

    With `one_by_one` the objects of a number are told apart, too, of which else any stands for all.
    """
    evaluator = Evaluator(use.scope, use.definition.source, {})
    source = use.definition.source
    try:
        for label, names in objects(evaluator, use, one_by_one):
            address = f"{use.address}{label}"
            instance = evaluator.with_names(names)
            try:
                if is_attachment(use):
                    named = "" if keeps(use) else name_at(use, instance)
                    yield from (
                        unit._replace(named=named) for unit in attached_units(use, address, instance, principals)
                    )
                elif principals is None or principal_of(use, instance) in principals:
                    named = "" if keeps(use) else name_at(use, instance)
                    yield unit_at(use, address, instance)._replace(named=named)
            except Unreadable as error:
                yield Unit(address, "", source, None, error.problems)
    except Opaque as error:
        yield Unit(use.address, "", source, None, (_local_problem(error.problem, use),))
    except Impossible:
        return


def _local_problem(problem: Problem, use: Use) -> Problem:
    """The problem at its place; one of another file where the block begins."""
    definition, document = use.definition, used_document(use)
    blocks = [definition.span, *([document.span] if document and document.source == definition.source else [])]
    if any(span.start <= problem.span.start and problem.span.end <= span.end for span in blocks):
        return problem
    return problem._replace(span=Span(definition.span.start, definition.span.start + 1))
