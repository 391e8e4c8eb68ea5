"""Values that are told by their names alone: two names are equal only if the values are, whatever parameters hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from random import Random
from typing import Any

import pytest

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.cloudformation.calls import canonical
from policy_guard.documents.containers.cloudformation.evaluate import Changes, Evaluator
from policy_guard.documents.containers.cloudformation.parts import NoValue
from policy_guard.documents.containers.cloudformation.template import Template, read_template
from policy_guard.documents.formats import read
from policy_guard.documents.source import Object, Source
from tests.support.examples import examples

PARAMETERS, CONDITIONS, VALUES = ("P", "Q", "R"), ("A", "B", "C"), ("a", "b", "")
NOTHING = {"Ref": "AWS::NoValue"}


def _text(random: Random, depth: int) -> Any:
    kinds: list[Any] = ["a", "b", {"Ref": random.choice(PARAMETERS)}]
    if depth:
        first, second = _text(random, depth - 1), _text(random, depth - 1)
        choice = {"Fn::If": [random.choice(CONDITIONS), first, second]}
        kinds += [
            choice,
            choice,
            {"Fn::Sub": f"x-${{{random.choice(PARAMETERS)}}}"},
            {"Fn::Join": ["-", [first, second]]},
        ]
        kinds += [{"Fn::Select": [random.choice((0, 1, 2)), [first, second]]}, {"Fn::FindInMap": ["M", first, "k"]}]
    return random.choice(kinds)


def _value(random: Random, depth: int) -> Any:
    inner = _value(random, depth - 1) if depth else "a"
    choice = {"Fn::If": [random.choice(CONDITIONS), inner, NOTHING]}
    return random.choice([[inner, choice], choice, {"K": _text(random, depth), "L": inner}, _text(random, depth)])


def _condition(random: Random, depth: int, later: tuple[str, ...]) -> Any:
    parameter = {"Ref": random.choice(PARAMETERS)}
    compared = random.choice([parameter, {"Fn::FindInMap": ["M", parameter, "k"]}, {"Fn::Select": [0, [parameter]]}])
    kinds: list[Any] = [{"Fn::Equals": [compared, random.choice(VALUES)]}]
    if depth:
        operands = [_condition(random, depth - 1, later) for _ in "12"]
        kinds += [{"Fn::And": operands}, {"Fn::Or": operands}, {"Fn::Not": operands[:1]}]
    return random.choice([*kinds, *({"Condition": name} for name in later)])


def _document(random: Random) -> dict[str, Any]:
    names = ("A", ("B", "C")), ("B", ("C",)), ("C", ())
    return {
        "Parameters": {name: {"Type": "String"} for name in PARAMETERS},
        "Mappings": {"M": {"a": {"k": "m"}, "b": {"k": random.choice("mn")}, "": {"k": "m"}}},
        "Conditions": {name: _condition(random, 2, later) for name, later in names},
        "Resources": {"X": {"Type": "AWS::SNS::Topic", "Properties": {"V": _value(random, 2)}}},
    }


def _variant(random: Random, document: dict[str, Any]) -> dict[str, Any]:
    """The template after one change, which keeps what its value comes to more often than not."""
    texts = {key: json.dumps(section) for key, section in document.items()}
    name = random.choice(CONDITIONS)
    definition = {**document["Conditions"], name: _condition(random, 1, ())}
    changes = [
        {"Conditions": definition},
        {"Conditions": {**document["Conditions"], "D": document["Conditions"][name]}}
        | {"Resources": json.loads(texts["Resources"].replace(f'"{name}"', '"D"'))},
        {"Resources": json.loads(texts["Resources"].replace('"A"', '"B"'))},
        {"Resources": json.loads(texts["Resources"].replace('"a"', '"b"', 1))},
        {"Mappings": json.loads(texts["Mappings"].replace('"n"', '"m"'))},
    ]
    return {**document, **random.choice(changes)}


def _written_out(node: Any, values: Mapping[str, str]) -> Any:
    """What is written if parameters have these values."""
    if isinstance(node, list):
        return [_written_out(each, values) for each in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Ref"}:
        return values.get(node["Ref"], node)
    if set(node) == {"Fn::Sub"}:
        return node["Fn::Sub"].replace("${P}", values["P"]).replace("${Q}", values["Q"]).replace("${R}", values["R"])
    return {key: _written_out(each, values) for key, each in node.items()}


def _template(document: dict[str, Any]) -> Template:
    source = Source("t.json", json.dumps(document))
    (root,) = read(source)
    assert isinstance(root, Object)
    return read_template(source, root)


def _name(document: dict[str, Any], changes: Changes, for_names: bool) -> str | None:
    """What the value is told by; None where a truth is missing."""
    template = _template(document)
    properties = template.resources["X"].get("Properties")
    node = properties.get("V") if isinstance(properties, Object) else None
    assert node is not None
    try:
        value = Evaluator(template, changes, {}, for_names=for_names).value(node)
    except Impossible:
        return "no stack"
    except Need:
        return None
    return "nothing" if isinstance(value, NoValue) else canonical(value)


@pytest.mark.parametrize("seed", range(examples(40)))
def test_equal_names_are_equal_values_whatever_parameters_hold(seed: int) -> None:
    random = Random(seed)
    old = _document(random)
    new = _variant(random, old)
    changes = Changes(mappings=frozenset("M") if old["Mappings"] != new["Mappings"] else frozenset())
    names = [_name(document, changes, for_names=True) for document in (old, new)]
    if names[0] is None or names[0] != names[1]:
        return
    for values in product(VALUES, repeat=3):
        assignment = dict(zip(PARAMETERS, values, strict=True))
        one, other = (_name(_written_out(document, assignment), Changes(), for_names=False) for document in (old, new))
        assert one == other, (assignment, old, new)
