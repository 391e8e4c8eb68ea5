"""Policies for access that is known by its text alone: another text is new access, a part that goes is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from math import prod

from policy_guard.documents.containers.choices import Truths, outcomes
from policy_guard.documents.containers.cloudformation.access_types import (
    adds,
    deciding_properties,
    inner_paths,
    is_custom,
    is_deciding_value,
    is_harmless,
    is_nested,
    kind_of_type,
    receivers_of,
    speaks_of_access,
    tells_all,
    value_speaks_of_access,
)
from policy_guard.documents.containers.cloudformation.calls import call, canonical
from policy_guard.documents.containers.cloudformation.documents import Unit, attempt
from policy_guard.documents.containers.cloudformation.encoded import encoded_policies
from policy_guard.documents.containers.cloudformation.evaluate import Evaluator, entries_of
from policy_guard.documents.containers.cloudformation.grant_statements import allow_statement, resource_holders, unit_of
from policy_guard.documents.containers.cloudformation.named import all_decide
from policy_guard.documents.containers.cloudformation.parts import NoValue, Value, parts_of, text_of
from policy_guard.documents.containers.cloudformation.reading import Reading
from policy_guard.documents.containers.cloudformation.serverless import API, WITH_ROLES
from policy_guard.documents.containers.cloudformation.serverless_apis import open_places, policies
from policy_guard.documents.containers.cloudformation.serverless_known import access_beside
from policy_guard.documents.containers.cloudformation.template import type_of
from policy_guard.documents.containers.holes import hole, visible
from policy_guard.documents.containers.opaque import Excess, Opaque
from policy_guard.documents.containers.other_access import access_words, action_of
from policy_guard.documents.source import Array, Hole, Node, Object, Span, scalars
from policy_guard.records import NamedTuple

_MOST_COMBINATIONS = 1_000


class _Part(NamedTuple):
    """Something that grants access: what decides it, beside the other properties, where it stands, and to whom.

    With `speaks` the value says that it is about access.
    """

    label: str
    text: str
    span: Span
    receivers: tuple[str, ...] = ()
    speaks: bool = False


def text_units(reading: Reading, name: str, had_policy: bool) -> list[Unit]:
    """Return what a resource grants by its text. Raises nothing: a unit says what cannot be told.

    With `had_policy`, an API of AWS SAM without a resource policy, or an event of one, may have lost it: it is open.
    """
    resource = reading.template.resources[name]
    type_ = type_of(resource)
    units: list[Unit] = []
    if had_policy and type_ in (API, *WITH_ROLES):
        for place in open_places(resource.get("Properties"), type_ == API):
            address = f"Resources.{name}.{place}"
            units += attempt(partial(_open_unit, reading, name, address), address)
    guarded = policies(resource.get("Properties"), type_ == API) if type_ in (API, *WITH_ROLES) else ()
    guarded_places = {place for place, _ in guarded}
    for place, node in (*access_beside(resource, type_), *encoded_policies(resource, reading.template)):
        address = f"Resources.{name}.{place}"
        kind = "open-api" if place in guarded_places else "serverless"
        units += attempt(partial(_node_units, reading, name, address, kind, node), address)
    if isinstance(resource.get("Properties"), Object):
        units += attempt(partial(_property_units, reading, name, type_), f"Resources.{name}")
    return units


def account_units(reading: Reading) -> list[Unit]:
    """Return what a stack grants by being made in an account, as far as its file names that."""
    node = reading.template.account
    if node is None or not reading.template.resources:
        return []
    address = "the account"
    part = _Part(address, canonical(node), node.span)
    return [*unit_of(reading, address, address, "identity", [_statement(reading, "account", part, {})])]


def has_api_policy(resource: Object) -> bool:
    """Tell whether a resource is an API of AWS SAM with a resource policy, or has an event with one."""
    type_ = type_of(resource)
    return type_ in (API, *WITH_ROLES) and any(policies(resource.get("Properties"), type_ == API))


def _open_unit(reading: Reading, name: str, address: str) -> Iterator[Unit]:
    span = reading.template.spans[name].span
    statements = [
        allow_statement(
            reading, span, truths, Action=text_of((action_of("open-api"),), span), Resource=text_of(("*",), span)
        )
        for truths in reading.existing(name)
    ]
    yield from unit_of(reading, address, address, "identity", statements)


def _node_units(reading: Reading, name: str, address: str, kind: str, node: Node) -> Iterator[Unit]:
    """Access that only a transform works out."""
    statements: list[Object] = []
    for truths in reading.existing(name):
        for outcome in outcomes(lambda case: reading.evaluator(case).value(node), truths, node.span):
            if outcome.value is not None and not isinstance(outcome.value, NoValue):
                part = _Part(address, canonical(outcome.value), node.span)
                statements.append(_statement(reading, kind, part, outcome.truths))
    yield from unit_of(reading, address, address, "identity", statements)


def _property_units(reading: Reading, name: str, type_: str) -> Iterator[Unit]:
    """Access by properties. Where their text tells all, a type is one holder: another logical id grants nothing."""
    written = reading.template.resources[name].get("Properties")
    assert isinstance(written, Object)
    is_written_out = call(written) is None and not any(entry.key.text.startswith("Fn::") for entry in written.entries)
    if is_written_out and not _keys(type_, written):
        return
    properties = reading.properties(name)
    by_holder: dict[str, list[Object]] = {}
    for key, truths in _holders(reading, name, type_):
        for outcome in outcomes(partial(_parts, reading, name, properties), truths, properties.span):
            by_holder.setdefault(key, []).extend(
                _statement(reading, kind_of_type(type_), part, outcome.truths) for part in outcome.value or ()
            )
    for key, statements in by_holder.items():
        yield from unit_of(reading, f"Resources.{name}", key, "identity", statements)


def _keys(type_: str, properties: Object) -> tuple[str, ...]:
    deciding = deciding_properties(type_, properties)
    values = properties.get("Parameters")
    return (*deciding, "Parameters") if values is not None and is_nested(type_) else deciding


def _holders(reading: Reading, name: str, type_: str) -> Iterator[tuple[str, Truths]]:
    """The holder of the access: by its type, by what the resource is called, or by its logical id where all decides."""
    if tells_all(type_) or all_decide(type_):
        key = f"every {type_}" if tells_all(type_) else f"{type_} {name}"
        yield from ((key, truths) for truths in reading.existing(name))
    else:
        yield from ((f"{type_} {key}", truths) for key, truths in resource_holders(reading, name))


def _parts(reading: Reading, name: str, properties: Object, truths: Truths) -> list[_Part]:
    """Return the items of the lists, each with all properties that are none: one less grants no more.

    If all of a type is one holder, each combination of items is a part: a principal of one share has not the other's.
    """
    type_ = type_of(reading.template.resources[name])
    # What is made elsewhere of the values is known by their text alone, and so one text for all cases.
    is_elsewhere = is_nested(type_) or is_custom(type_)
    evaluator = reading.evaluator(truths, for_names=is_elsewhere)
    lists: list[list[_Part]] = []
    single: list[_Part] = []
    for key in _keys(type_, properties):
        node = properties.get(key)
        assert node is not None
        given = reading.resolved(node, truths) if key == "Parameters" and is_nested(type_) else None
        if isinstance(given, Object) and call(given) is None:
            single += _given_values(reading, evaluator, name, given)
            continue
        value = _value_by_case(reading, evaluator, node) if is_elsewhere else evaluator.value(node)
        if not isinstance(value, NoValue) and (items := _items(evaluator, type_, key, value)) is not None:
            lists += [items] if items else []
        elif not isinstance(value, NoValue) and not is_harmless(type_, key, value, name not in reading.lasting):
            part = _Part(key, canonical(value), value.span, _texts(value), value_speaks_of_access(value))
            if adds(type_, key):
                lists.append([part])
            else:
                single.append(part)
    if tells_all(type_) and prod(map(len, lists)) > _MOST_COMBINATIONS:
        raise Opaque("too many combinations of access are granted here; divide the resource", properties.span)
    context = sorted((part.label, part.text) for part in single)
    telling = sorted(single, key=lambda part: not (speaks_of_access(part.label) or part.speaks))[:1]
    combined = product(*lists) if tells_all(type_) else ((item,) for each in lists for item in each)
    combinations = list(combined) if lists else [tuple(telling)] if telling else []
    texts = (repr((type_, context, [(part.label, part.text) for part in parts])) for parts in combinations)
    return [
        _Part(parts[0].label, text, parts[0].span, _receivers(type_, (*parts, *single)))
        for parts, text in zip(combinations, texts, strict=True)
    ]


def _value_by_case(reading: Reading, evaluator: Evaluator, node: Node) -> Value:
    """The value of a property, or the items of a list, under the truths that decide whether they are there."""
    resolved = reading.resolved(node, evaluator.truths)
    if isinstance(resolved, NoValue):
        return resolved
    if not isinstance(resolved, Array) or call(resolved):
        return evaluator.value(resolved)
    items = (reading.resolved(item, evaluator.truths) for item in resolved.items)
    values = (evaluator.value(item) for item in items if not isinstance(item, NoValue))
    return resolved._replace(items=tuple(value for value in values if not isinstance(value, NoValue)))


def _given_values(reading: Reading, evaluator: Evaluator, name: str, written: Object) -> Iterator[_Part]:
    """The values that are given to a template of its own, as far as they may decide a policy there."""
    values = evaluator.value(written)
    assert isinstance(values, Object)
    nodes = {key.text: value for key, value in entries_of(written)}
    nested = reading.template.nested.get(name)
    deciding_names = nested.deciding if nested else frozenset()
    for key, value in values.entries:
        if key.text in deciding_names or _may_decide(reading, key.text, nodes[key.text], evaluator.truths):
            yield _Part(f"Parameters.{key.text}", canonical(value), value.span)


def _may_decide(reading: Reading, key: str, node: Node, truths: Truths) -> bool:
    """Tell whether a value that is given to a template of its own may decide a policy there, in any case."""
    try:
        cases = outcomes(lambda case: reading.evaluator(case).value(node), truths, node.span)
    except Excess:
        return True
    values = [case.value for case in cases if case.value is not None]
    return any(not isinstance(value, NoValue) and is_deciding_value(key, value) for value in values)


def _items(evaluator: Evaluator, type_: str, key: str, value: Node) -> list[_Part] | None:
    """The items of a property, or of what lies in it; None if it is one value."""
    if paths := inner_paths(type_, key):
        values = [each for steps in paths for each in _values_at(evaluator, value, steps)]
    elif isinstance(value, Array) and value.items:
        values = [*value.items]
    else:
        return None
    return [_Part(key, canonical(each), each.span, _texts(each)) for each in values]


def _values_at(evaluator: Evaluator, value: Node, steps: Sequence[str]) -> Iterator[Node]:
    """The values to which steps lead through lists and mappings; what nobody knows on the way is one."""
    if not isinstance(value, Array) and (not steps or not isinstance(value, Object)):
        yield value
        return
    inner = value.items if isinstance(value, Array) else [each for each in (value.get(steps[0]),) if each is not None]
    for node in inner:
        inner_value = evaluator.value(node)
        if not isinstance(inner_value, NoValue):
            yield from _values_at(evaluator, inner_value, steps if isinstance(value, Array) else steps[1:])


def _receivers(type_: str, parts: Iterable[_Part]) -> tuple[str, ...]:
    """Return to whom the parts of a resource give access, as far as they say so."""
    names = receivers_of(type_)
    return tuple(dict.fromkeys(text for part in parts if part.label in names for text in part.receivers))


def _statement(reading: Reading, kind: str, part: _Part, truths: Truths) -> Object:
    resource = hole(access_words(part.label, part.receivers), part.label, part.text)
    action = text_of((action_of(kind),), part.span)
    return allow_statement(reading, part.span, truths, Action=action, Resource=text_of((resource,), part.span))


def _texts(node: Node) -> tuple[str, ...]:
    """The texts in a value, as people read them."""
    return tuple("".join(map(_seen, parts_of(scalar))) for scalar in scalars(node))


def _seen(part: str | Hole) -> str:
    return part if isinstance(part, str) else visible(part)
