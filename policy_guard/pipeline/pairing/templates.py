"""Templates: their policies on both sides, paired by address and holder, and what keeps some from being judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policy_guard.documents.containers.cloudformation.boundaries import BOUNDARY
from policy_guard.documents.containers.cloudformation.compare import template_problems
from policy_guard.documents.containers.cloudformation.documents import Unit
from policy_guard.documents.containers.cloudformation.principals import is_alone, is_principal
from policy_guard.documents.containers.cloudformation.renames import new_names, with_names
from policy_guard.documents.containers.cloudformation.template import Template, type_of
from policy_guard.documents.containers.cloudformation.units import all_units, differing_units
from policy_guard.documents.nesting import Nesting
from policy_guard.documents.source import Entry, Node, Object, Problem, Span, Spot, Unreadable, scalars
from policy_guard.iam.parse import parse
from policy_guard.iam.policy import Policy, PolicyId, united
from policy_guard.pipeline.pairing.within import Within, is_certain, is_known
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

_SUBSTITUTED = regex(r"\$\{(\w+)\}")


def with_holder(label: str, holder: str) -> str:
    """The name of one of several policies at one place, which tells whose it is."""
    return f"{label} of {holder}"


class Parsed(NamedTuple):
    """The policies of units by address and holder, and what is wrong with those that are not among them.

    `addresses` are those of the policies in `problems`.
    """

    policies: dict[PolicyId, Policy]
    problems: dict[PolicyId, tuple[Problem, ...]]
    addresses: dict[PolicyId, str]

    @property
    def address_by_problem(self) -> dict[Problem, str]:
        """The address of the policy that each problem is about."""
        return {problem: self.addresses[key] for key, problems in self.problems.items() for problem in problems}

    @property
    def every_problem(self) -> tuple[Problem, ...]:
        return tuple(dict.fromkeys(problem for problems in self.problems.values() for problem in problems))


def all_of(template: Template, placeholders: tuple[str, ...], grants: bool) -> Parsed:
    """All policies of a template by themselves."""
    return _parse(all_units(template, grants), placeholders)


def holds_policy(template: Template) -> bool:
    """Tell whether a template has any policy or grant, if only one that cannot be read; no more than one is read."""
    return any(unit.policy is not None or unit.problems for unit in all_units(template, grants=True))


def problems_of_new(template: Template) -> tuple[Problem, ...]:
    """Return what keeps a template that is new from being judged as a whole."""
    return tuple(template_problems(None, template, set()))


class PolicyPairs(NamedTuple):
    """The pairs of old and new policies, what is wrong on each side, and what is said of what is not judged.

    `within` are the policies within which new ones alone count, by their holders.
    """

    pairs: tuple[tuple[Policy | None, Policy | None], ...]
    old: tuple[Problem, ...]
    new: tuple[Problem, ...]
    notes: tuple[str, ...]
    within: Mapping[str, Within]


def compared_policies(
    old: Template, new: Template, placeholders: tuple[str, ...], by_principal: bool = True
) -> PolicyPairs:
    """The policies of two versions of a template that may differ, in pairs; those of one principal as one or not."""
    if new.filled:
        from policy_guard.documents.containers.serverless_framework.roles import with_bare_roles, with_lesser_role

        old = with_lesser_role(old, new)
        old, new = with_bare_roles(old, new), with_bare_roles(new, old)
    names = new_names(old, new)
    old = with_names(old, names)
    sides = differing_units(old, new)
    old_parsed, new_parsed = (_parse(units, placeholders, by_principal) for units in (sides.old, sides.new))
    keys = [*new_parsed.policies, *(key for key in old_parsed.policies if key not in new_parsed.policies)]
    twins = _twins(old_parsed, new_parsed)
    pairs = [
        (_of_holder(old_parsed.policies.get(twins.get(key, key)), key), new_parsed.policies.get(key))
        for key in keys
        if key not in new_parsed.problems and key not in twins.values()
    ]
    unread = tuple(
        problem
        for key, problems in old_parsed.problems.items()
        if key not in new_parsed.problems
        for problem in problems
    )
    renamed = _rename_notes(names, new)
    bounds = {key.holder: policy for key, policy in _parse(sides.bounds, placeholders).policies.items()}
    within = {holder: Within(policy) for holder, policy in bounds.items() if is_certain(policy)}
    within |= _holdings(sides.names, pairs, new_parsed)
    return PolicyPairs(
        tuple(pairs),
        unread,
        (*sides.problems, *new_parsed.every_problem),
        (*sides.notes, *renamed),
        within if by_principal else {},
    )


def _holdings(
    names: Mapping[str, tuple[str, ...]], pairs: Iterable[tuple[Policy | None, Policy | None]], new: Parsed
) -> Iterator[tuple[str, Within]]:
    """What each principal has of which all is known, by the holder of its boundary.

    One that has nothing here has it from elsewhere.
    """
    boundaries = {after.holder: (before, after) for before, after in pairs if before and after}
    for key, texts in names.items():
        holder, policy_id = f"{BOUNDARY} of {key}", PolicyId("", "", key)
        policy = new.policies.get(policy_id) if policy_id not in new.problems else None
        if policy is not None and all(map(is_known, (policy, *boundaries.get(holder, (policy,))))):
            yield holder, Within(policy, texts)


def _rename_notes(names: Mapping[str, str], new: Template) -> Iterator[str]:
    for old_name, name in names.items():
        if name in new.parameters:
            yield f"{name} is defined and used as {old_name} was, which is gone, and is taken to be given its value"
        elif type_of(new.resources[name]) == "AWS::IAM::Role":
            yield f"{name} has the trust and the users of {old_name}, which is gone, and is compared with it"


def _of_holder(policy: Policy | None, key: PolicyId) -> Policy | None:
    """The old version of a policy; of a managed one that had another name under the new name, which nobody had."""
    return policy._replace(holder=key.holder) if policy is not None and is_alone(key.holder) else policy


def _twins(old: Parsed, new: Parsed) -> dict[PolicyId, PolicyId]:
    """New policies and the old ones of the same holder that they replace under another address."""
    removed_keys = [key for key in old.policies if key not in new.policies and key not in new.problems]
    new_keys = [key for key in new.policies if key not in old.policies and key not in old.problems]
    removed_by_trait, new_by_trait = _by_trait(removed_keys, old), _by_trait(new_keys, new)
    return {
        keys[0]: removed_by_trait[trait][0]
        for trait, keys in new_by_trait.items()
        if len(keys) == len(removed_by_trait.get(trait, ())) == 1
    }


def _by_trait(keys: Iterable[PolicyId], parsed: Parsed) -> dict[tuple[object, ...], list[PolicyId]]:
    """The policies with a holder, by what a policy keeps under another address, or a managed one under another name."""
    by_trait: dict[tuple[object, ...], list[PolicyId]] = {}
    for key in keys:
        if is_alone(key.holder):
            by_trait.setdefault((parsed.policies[key].label,), []).append(key)
        elif key.holder:
            property_name = key.address.rpartition(".")[2].partition(" of ")[0]
            by_trait.setdefault((key.holder, parsed.policies[key].kind, property_name), []).append(key)
    return by_trait


def _parse(units: Iterable[Unit], placeholders: tuple[str, ...], by_principal: bool = True) -> Parsed:
    grouped: dict[PolicyId, list[Unit]] = {}
    for unit in units:
        key = PolicyId("", "" if unit.group else unit.address, unit.group or unit.holder)
        if not by_principal and unit.policy is not None and is_principal(unit.group):
            key = key._replace(address=unit.policy.label)
            unit = unit._replace(address=unit.policy.label)
        grouped.setdefault(key, []).append(unit)
    parsed = Parsed({}, {}, {})
    for key, members in grouped.items():
        problems: list[Problem] = []
        policies = list(_read(members, placeholders, problems))
        if problems:
            parsed.problems[key] = tuple(problems)
            parsed.addresses[key] = members[0].address
        elif policies:
            policy = united(policies, members[0].address, policies[0].holder)
            parsed.policies[key] = policy._replace(members=(*policy.members, with_holder(policy.label, key.holder)))
    return parsed


def _read(units: Iterable[Unit], placeholders: tuple[str, ...], problems: list[Problem]) -> Iterator[Policy]:
    for unit in units:
        problems += unit.problems
        if unit.policy is not None:
            try:
                yield parse(unit.policy, placeholders=placeholders)
            except Unreadable as error:
                problems += error.problems


def _definitions(root: Object) -> Iterator[tuple[str, Entry]]:
    """What resources name that is none: conditions, mappings, parameters."""
    for section in ("Mappings", "Parameters", "Conditions"):
        entries = root.get(section)
        yield from ((entry.key.text, entry) for entry in (entries.entries if isinstance(entries, Object) else ()))


def _span(entry: Entry) -> Span:
    """The stretch of a definition, with its name."""
    return Span(entry.key.span.start, entry.value.span.end)


class ResourceChanges:
    """Where the resources of a template changed, by their names and by their places."""

    def __init__(self, old: Template, new: Template) -> None:
        from policy_guard.verify.explain.changed_lines import changed_places

        self._nesting = Nesting(node.span for node in new.resources.values())
        self._definitions = {} if new.filled else dict(_definitions(new.root))
        definitions = Nesting(map(_span, self._definitions.values()))
        self._by_span: dict[Span, list[Span]] = {}
        for place in changed_places(new.source, old.source, new.root.span):
            for span in (*self._nesting.around(place.start), *definitions.around(place.start)):
                self._by_span.setdefault(span, []).append(place)
        self._resources = new.resources
        self._source = new.source

    def about(self, policy: Policy) -> tuple[Spot, ...]:
        """The places in the resource of a policy, and in those that hold a statement of it, but for the statements.

        So are those in what these name: conditions, mappings, parameters.
        """
        spans = {self._resources[name].span for name in policy.label.split(".") if name in self._resources}
        spans.update(span for each in policy.statements for span in self._nesting.around(each.span.start))
        spans.update(self._definitions_named_in(spans))
        places = {place for span in spans for place in self._by_span.get(span, ())}
        statements = Nesting(each.span for each in policy.statements)
        return tuple(Spot(self._source, place) for place in sorted(places) if not any(statements.around(place.start)))

    def _definitions_named_in(self, spans: Iterable[Span]) -> set[Span]:
        """The definitions whose names stand in some resources, and those that they name in turn."""
        if not any(_span(entry) in self._by_span for entry in self._definitions.values()):
            return set()
        inside = set(spans)
        waiting: list[Node] = [node for node in self._resources.values() if node.span in inside]
        names: set[str] = set()
        while waiting:
            texts = {scalar.text for scalar in scalars(waiting.pop())}
            texts |= {name for text in texts if "${" in text for name in _SUBSTITUTED.findall(text)}
            new_names = (texts & self._definitions.keys()) - names
            names |= new_names
            waiting += (self._definitions[name].value for name in new_names)
        return {_span(self._definitions[name]) for name in names}
