"""The objects of a block with `count` or `for_each`."""

from __future__ import annotations

from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.evaluate import Evaluator
from policy_guard.documents.containers.terraform.values import count_object, each_of, is_known, label_of, pairs_of
from policy_guard.documents.source import Node, Object, Scalar

_MOST_OBJECTS = 100
"""Objects of a block that are told apart where all of them are meant, or one of them by its key."""


def keys_of(evaluator: Evaluator, definition: Definition) -> list[Node] | None:
    """The keys of the objects that a block makes; None if it makes one, or if nobody knows how many."""
    count, for_each = definition.body.value("count"), definition.body.value("for_each")
    if count is not None:
        number = evaluator.value(count)
        text = label_of(number) if is_known(number) else ""
        is_number = text.isdecimal() and len(text) < 6 and int(text) <= _MOST_OBJECTS
        return [Scalar(str(each), count.span, "number") for each in range(int(text))] if is_number else None
    collection = evaluator.value(for_each) if for_each is not None else None
    pairs = pairs_of(collection) if collection is not None else None
    if pairs is None or len(pairs) > _MOST_OBJECTS:
        return None
    keys = [key if isinstance(collection, Object) else item for key, item in pairs]
    return keys if all(isinstance(key, Scalar) and is_known(key) for key in keys) else None


def names_of_object(evaluator: Evaluator, definition: Definition, key: Node | None) -> dict[str, Node] | None:
    """Return what `count` or `each` stand for in one object of a block; None if it is not known which one is meant."""
    count, for_each = definition.body.value("count"), definition.body.value("for_each")
    if count is not None:
        return {"count": count_object(key or Scalar("0", count.span, "number"))}
    if for_each is None:
        return {} if key is None or label_of(key) == "0" else None
    collection = evaluator.value(for_each) if key is not None else None
    for name, item in (pairs_of(collection) if collection is not None else None) or ():
        item_key = name if isinstance(collection, Object) else item
        if key is not None and is_known(key) and label_of(item_key) == label_of(key):
            return {"each": each_of(item_key, item)}
    return None
