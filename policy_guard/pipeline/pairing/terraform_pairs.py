"""The policies of two sides of Terraform in pairs: those of one principal as one, and others by their addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from policy_guard.documents.containers.terraform.documents import STATEMENTS, Unit, denials, signature
from policy_guard.documents.containers.terraform.known_principals import Holding
from policy_guard.documents.containers.terraform.units import Sides
from policy_guard.documents.source import Unreadable
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy, united
from policy_guard.pipeline.pairing import FileResult, Pair, split_pair
from policy_guard.pipeline.pairing.within import Within, is_certain, is_known
from policy_guard.records import NamedTuple
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable_findings


class _Managed(NamedTuple):
    """A policy that is attached and judged by itself: its signatures, old and new, and whether no Deny is lost."""

    signatures: tuple[str, str]
    keeps_denials: bool


def of_plan(sides: Sides, by_principal: bool) -> FileResult:
    """The pairs of a plan, those of one principal as one or not, and what of it cannot be judged."""
    return compare_sides(
        sides if by_principal else one_by_one(sides),
        [finding for unit in sides.new for finding in unreadable_findings(unit.source, unit.problems)],
    )


def one_by_one(sides: Sides) -> Sides:
    """Both sides with each policy as a question of its own."""
    old, new = (tuple(unit._replace(principal="") for unit in side) for side in sides[:2])
    return Sides(old, new)


def compare_sides(sides: Sides, findings: list[Finding]) -> FileResult:
    """The policies of both sides in pairs, and the findings with those about what cannot be parsed."""
    pairs = tuple(part for pair in _pairs(_at_their_addresses(sides), findings) for part in split_pair(pair))
    return FileResult(pairs, tuple(dict.fromkeys(findings)))


def _at_their_addresses(sides: Sides) -> Sides:
    """Both sides with the statements of resources that stand at one address on both compared there.

    A policy that moves out of its resource to stand beside it, or back, is compared as the policy of that resource.
    """
    common_addresses = {unit.address for unit in sides.old if _is_there(unit)}
    common_addresses &= {unit.address for unit in sides.new if _is_there(unit)}
    moved = [
        Counter(
            unit.target for unit in side if unit.target and _is_there(unit) and unit.address not in common_addresses
        )
        for side in sides[:2]
    ]
    targets = {target for target, number in moved[0].items() if number == moved[1][target] == 1}

    def located(unit: Unit) -> Unit:
        if unit.target in targets and _is_there(unit) and unit.address not in common_addresses:
            return unit._replace(principal=unit.target)
        stays = unit.principal.startswith(STATEMENTS) and unit.address in common_addresses
        return unit._replace(principal="") if stays else unit

    return sides._replace(old=tuple(map(located, sides.old)), new=tuple(map(located, sides.new)))


def _is_there(unit: Unit) -> bool:
    return bool(unit.policy or unit.problems)


def _pairs(sides: Sides, findings: list[Finding]) -> Iterator[Pair]:
    old, new = (units_by_principal(side) for side in (sides.old, sides.new))
    removed_signatures = {
        (units[0].holder, _signatures(units)) for key, units in old.items() if key not in new and units[0].holder
    }
    removed_names = {_known_by_name(units) for key, units in old.items() if key not in new and units[0].named}
    attached_addresses = {unit.attached for unit in sides.new} - {""}
    managed = {
        key[0]: _Managed((signature(units[0]), signature(new[key][0])), denials(units[0]) <= denials(new[key][0]))
        for key, units in old.items()
        if key[0] in attached_addresses and key in new
    }
    old_addresses = {unit.address for unit in sides.old}
    within = {key: Within(policy) for key, policy in _bounds(sides.bounds).items()}
    within |= {holding.boundary: known for holding in sides.holdings if (known := _known(holding))}
    follow = {key for key, units in new.items() if _follows(old.get(key, ()), units, managed)}
    for key, units in new.items():
        old_units = old.get(key, [])
        is_renamed = not old_units and (
            (units[0].holder, _signatures(units)) in removed_signatures or _known_by_name(units) in removed_names
        )
        if is_renamed or _are_equal(old_units, units):
            continue
        if policy := union(units, findings):
            old_policy = union(old_units, [])
            if _takes_other_document(old_units, units):
                old_policy, policy = _changed_alone(old_units, units), _changed_alone(units, old_units) or policy
            counted = within.get(key[0] or key[1])
            if counted is not None and counted.named and not all(map(is_known, (policy, *filter(None, (old_policy,))))):
                counted = None
            yield Pair(
                path=policy.source.path,
                old=old_policy,
                new=policy,
                fresh=not old_units,
                changed=tuple(dict.fromkeys(spot for unit in units for spot in unit.changed)),
                follows=key in follow,
                leads_to_changes=True,
                moved=not old_units and not old_addresses.isdisjoint(unit.address for unit in units),
                within=counted.policy if counted else None,
                named=counted.named if counted else (),
            )
    for key, units in old.items():
        if not any(unit.policy or unit.problems for unit in new.get(key, ())) and (policy := union(units, [])):
            yield Pair(path=policy.source.path, old=policy, new=None)
        yield from _lost_guards(units, new.get(key, ())) if key not in follow else ()


def _bounds(units: Iterable[Unit]) -> dict[str, Policy]:
    """The boundaries of principals of which nothing is left open."""
    grouped: dict[str, list[Unit]] = {}
    for unit in units:
        grouped.setdefault(unit.principal, []).append(unit)
    policies = {name: _policy(each[0], []) for name, each in grouped.items() if len(each) == 1 and not each[0].problems}
    return {name: policy for name, policy in policies.items() if policy is not None and is_certain(policy)}


def _known(holding: Holding) -> Within | None:
    """What a principal has, if all of it is known."""
    policy = union(holding.units, [])
    return Within(policy, (holding.name,)) if policy is not None and is_known(policy) else None


def _known_by_name(units: Sequence[Unit]) -> tuple[str, str, str, tuple[str, ...]]:
    """Return what is equal for the policies of objects that AWS knows by one name, and that are of one holder."""
    return units[0].named, units[0].holder, units[0].principal, _signatures(units)


def _are_equal(old_units: Sequence[Unit], new_units: Sequence[Unit]) -> bool:
    is_read = bool(old_units) and all(unit.policy for unit in old_units)
    return is_read and _signatures(old_units) == _signatures(new_units)


def _follows(old_units: Sequence[Unit], new_units: Sequence[Unit], managed: Mapping[str, _Managed]) -> bool:
    """Tell whether two versions of a principal's policies differ in documents alone that are judged by themselves.

    What such a document does not allow newly, and denies as before, gives nothing new to those it is attached to.
    """
    signatures = [{signature(unit) for unit in units} for units in (old_units, new_units)]
    old_changed = [unit for unit in old_units if signature(unit) not in signatures[1]]
    new_changed = [unit for unit in new_units if signature(unit) not in signatures[0]]
    addresses = {unit.attached for unit in old_changed}
    if not addresses or addresses != {unit.attached for unit in new_changed} or not addresses <= managed.keys():
        return False
    return all(managed[address].keeps_denials for address in addresses) and all(
        signature(unit) == managed[unit.attached].signatures[number]
        for number, changed_units in enumerate((old_changed, new_changed))
        for unit in changed_units
    )


def _takes_other_document(old_units: Sequence[Unit], new_units: Sequence[Unit]) -> bool:
    """Tell whether a policy takes its document from another data source than before, and no Deny of any changed."""
    documents = {unit.address: unit.document for unit in old_units if unit.document}
    is_other = any(documents.get(unit.address, unit.document) != unit.document for unit in new_units)
    return is_other and _denials(old_units) == _denials(new_units)


def _denials(units: Iterable[Unit]) -> list[str]:
    return sorted(denial for unit in units for denial in denials(unit))


def _changed_alone(units: Sequence[Unit], counterparts: Sequence[Unit]) -> Policy | None:
    """The policies of a principal that changed, with what the others deny.

    What one of them gets with another document is new, even where another policy of the principal allows it today.
    """
    unchanged = {(unit.address, signature(unit)) for unit in counterparts}
    policies = [
        policy
        if (unit.address, signature(unit)) not in unchanged
        else policy._replace(statements=tuple(s for s in policy.statements if s.effect == "Deny"))
        for unit in units
        if (policy := _policy(unit, []))
    ]
    return united(policies, policies[0].label, units[0].principal or policies[0].holder) if policies else None


def _lost_guards(old_units: Sequence[Unit], new_units: Sequence[Unit]) -> Iterator[Pair]:
    """The attached policies that only deny and are gone from a principal, each against what is still denied there.

    They guard against what others allow the principal, and not against its own policies alone.
    """
    remaining_signatures = {signature(unit) for unit in new_units}
    gone_units = [unit for unit in old_units if unit.attached and signature(unit) not in remaining_signatures]
    if not gone_units or _only_denies(union(old_units, [])):
        return
    for unit in gone_units:
        policy = _policy(unit, [])
        if policy is not None and policy.kind == "identity" and _only_denies(policy):
            new_policy = union(new_units, [])
            denying = tuple(s for s in new_policy.statements if s.effect == "Deny") if new_policy else ()
            new = new_policy._replace(statements=denying) if new_policy else None
            yield Pair(path=policy.source.path, old=policy._replace(holder=unit.principal or policy.holder), new=new)


def _only_denies(policy: Policy | None) -> bool:
    return policy is not None and all(statement.effect == "Deny" for statement in policy.statements)


def units_by_principal(units: Iterable[Unit]) -> dict[tuple[str, str], list[Unit]]:
    """Units by their principal, which has what any of its policies allows, and others by address and holder."""
    grouped: dict[tuple[str, str], list[Unit]] = {}
    for unit in units:
        grouped.setdefault(("", unit.principal) if unit.principal else (unit.address, unit.holder), []).append(unit)
    return grouped


def _signatures(units: Iterable[Unit]) -> tuple[str, ...]:
    return tuple(sorted(map(signature, units)))


def union(units: Iterable[Unit], findings: list[Finding]) -> Policy | None:
    """The policies of one principal as one, each statement with the place of its own; None if none can be read."""
    units_read = [(unit, policy) for unit in units if (policy := _policy(unit, findings))]
    if not units_read:
        return None
    (first, policy), *other_pairs = units_read
    holder = first.principal or policy.holder
    return united([policy, *(other for _, other in other_pairs)], policy.label, holder)


def _policy(unit: Unit, findings: list[Finding]) -> Policy | None:
    if unit.policy is None:
        return None
    try:
        return parse(unit.policy)
    except Unreadable as error:
        findings += unreadable_findings(unit.source, error.problems)
        return None
