"""The objects that a place of Terraform stands for, each with the names that it has there."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.choices import Need, Truths, outcomes
from policy_guard.documents.containers.opaque import Opaque, digest
from policy_guard.documents.containers.terraform.documents import digest_of
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.instances import keys_of
from policy_guard.documents.containers.terraform.places import Use
from policy_guard.documents.containers.terraform.values import (
    count_object,
    each_of,
    label_of,
    name_of,
    pairs_of,
    unknown,
)
from policy_guard.documents.source import Entry, Node, Object, Scalar

_MOST_UNITS = 5_000


def objects(evaluator: Evaluator, use: Use, one_by_one: bool = False) -> Iterator[tuple[str, dict[str, Node]]]:
    """The objects at a place, by what follows its address; one that stands for all where nobody knows them.

    With `one_by_one` the objects of a known number are told apart, too.
    """
    for_each = use.definition.body.value("for_each")
    if one_by_one and for_each is None and (indexes := _numbers(evaluator, use)):
        yield from ((f"[{label_of(key)}]", {"count": count_object(key)}) for key in indexes)
        return
    if for_each is None:
        yield "", _numbered(evaluator, use)
        return
    try:
        collection = evaluator.value(for_each)
    except Need:
        collection = unknown("for_each", for_each.span, digest_of(use, evaluator, for_each))
    pairs = pairs_of(collection)
    if pairs is None:
        keys = (
            unknown(f"{noun} of {label_of(collection)}", for_each.span, name_of(collection))
            for noun in ("a key", "one")
        )
        yield f"[{label_of(collection)}]{digest(name_of(collection))}", {"each": each_of(*keys)}
        return
    if len(pairs) > _MOST_UNITS:
        raise Opaque("there are too many of these to judge each; write fewer", for_each.span)
    for key, item in pairs:
        name = key if isinstance(collection, Object) else item
        yield f"[{name_of(name)}]", {"each": each_of(name, item)}


def _numbers(evaluator: Evaluator, use: Use) -> list[Node]:
    """The indexes of more than one object of a known number."""
    try:
        keys = keys_of(evaluator, use.definition) or []
    except (Need, Opaque):
        return []
    return keys if len(keys) > 1 else []


def _numbered(evaluator: Evaluator, use: Use) -> dict[str, Node]:
    """Return what `count.index` stands for, also where a condition decides the number."""
    count = use.definition.body.value("count")
    if count is None:
        return {}

    def run(truths: Truths) -> Node:
        inner = Evaluator(use.scope, evaluator.source, truths, evaluator.names, evaluator.steps)
        return inner.numbered(use.definition.body)["count"]

    indexes = {
        name_of(outcome.value): outcome.value for outcome in outcomes(run, {}, count.span) if outcome.value is not None
    }
    if len(indexes) == 1:
        return {"count": next(iter(indexes.values()))}
    index = unknown("count.index", count.span, sorted(indexes), is_list=False)
    return {"count": Object((Entry(Scalar("index", count.span), index),), count.span)}
