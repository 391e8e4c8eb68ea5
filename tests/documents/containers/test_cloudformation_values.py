"""Random templates: what is proved over unknown parameters holds for every value that is filled in first."""

from __future__ import annotations

import json
from itertools import product
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from policy_guard import check_no_new_access
from policy_guard.api import Result, _answer
from policy_guard.documents.containers.cloudformation.template import Template, read_template
from policy_guard.documents.formats import read
from policy_guard.documents.source import Object, Source
from policy_guard.iam.meaning.symbolic import Access
from policy_guard.pipeline.pairing.templates import compared_policies
from policy_guard.verify.check import Question
from policy_guard.verify.checks.no_new_access import CHECK as NO_NEW_ACCESS
from tests.support.examples import examples

# `Env` and `Kind` are asked for by conditions, `Bucket` and `Other` stand in texts: no parameter is used for both.
VALUES = {"Env": ["prod", "dev", "x"], "Kind": ["a", "b", "c"], "Bucket": ["a", "b*", "*"], "Other": ["a", "zz"]}
NOTHING = object()
World: TypeAlias = "dict[str, str | None]"
REF = {"Env": {"Ref": "Env"}, "Kind": {"Ref": "Kind"}}
CONDITIONS: dict[str, list[Any]] = {
    "One": [
        {"Fn::Equals": [REF["Env"], "prod"]},
        {"Fn::Equals": ["dev", REF["Env"]]},
        {"Fn::Not": [{"Fn::Equals": [REF["Env"], "prod"]}]},
        {"Fn::Or": [{"Fn::Equals": [REF["Env"], "prod"]}, {"Fn::Equals": [REF["Env"], "dev"]}]},
    ],
    "Two": [
        {"Fn::And": [{"Condition": "One"}, {"Fn::Equals": [REF["Kind"], "a"]}]},
        {"Fn::Equals": [{"Fn::Join": ["-", [REF["Kind"], "x"]]}, "a-x"]},
        {"Fn::Not": [{"Condition": "One"}]},
        {"Fn::Equals": ["p", "p"]},
    ],
}
MAPS = [{"k": {"v": "arn:aws:s3:::a"}, "l": {"v": "arn:aws:s3:::b"}}, {"k": {"v": "arn:aws:s3:::a"}}]
TEXTS: list[Any] = [
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::*",
    {"Fn::Sub": "arn:aws:s3:::${Bucket}"},
    {"Fn::Sub": "arn:aws:s3:::${Bucket}/in/*"},
    {"Fn::Sub": ["arn:aws:s3:::${Bucket}", {"Bucket": "a"}]},
    {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "Bucket"}, {"Ref": "Other"}]]},
    {"Fn::FindInMap": ["Names", "k", "v"]},
    {"Fn::Select": ["1", ["x", {"Fn::Sub": "arn:aws:s3:::${Other}"}]]},
    "arn:aws:s3:::${Bucket}",
]
ACTIONS = ["s3:GetObject", "s3:*", ["s3:PutObject", "s3:GetObject"]]


def _chosen(values: st.SearchStrategy[Any], absent: bool = False) -> st.SearchStrategy[Any]:
    other = st.just({"Ref": "AWS::NoValue"}) if absent else values
    choice = st.builds(lambda name, a, b: {"Fn::If": [name, a, b]}, st.sampled_from(["One", "Two"]), values, other)
    return st.one_of(values, choice)


@st.composite
def _statement(draw: st.DrawFn) -> dict[str, Any]:
    made = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    made["Action"] = draw(_chosen(st.sampled_from(ACTIONS)))
    made["Resource"] = draw(_chosen(st.sampled_from(TEXTS)))
    if draw(st.booleans()):
        block = {"StringEquals": {"aws:username": draw(_chosen(st.sampled_from(["u", {"Ref": "Other"}])))}}
        made["Condition"] = draw(_chosen(st.just(block), absent=True))
    return made


@st.composite
def _template(draw: st.DrawFn) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for name, values in VALUES.items():
        parameters[name] = {"Type": "String"}
        if draw(st.booleans()):
            parameters[name]["Default"] = draw(st.sampled_from(values))
        elif name in ("Env", "Kind") and draw(st.booleans()):
            parameters[name]["AllowedValues"] = values[: draw(st.integers(1, 2))]
    statements = st.lists(_chosen(_statement(), absent=True), min_size=1, max_size=2)
    document = {"Version": "2012-10-17", "Statement": draw(_chosen(statements))}
    resource: dict[str, Any] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    if draw(st.booleans()):
        resource["Condition"] = draw(st.sampled_from(["One", "Two"]))
    return {
        "Parameters": parameters,
        "Mappings": {"Names": draw(st.sampled_from(MAPS))},
        "Conditions": {name: draw(st.sampled_from(each)) for name, each in CONDITIONS.items()},
        "Resources": {"M": resource},
    }


@st.composite
def _changed(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two templates, of which the second is often the first with some parts of another."""
    old, other = draw(_template()), draw(_template())
    parts = draw(st.sets(st.sampled_from(list(old)), min_size=1))
    return old, {**old, **{part: other[part] for part in parts}}


class Filled:
    """A template with its parameters filled in, as CloudFormation does it."""

    def __init__(self, template: dict[str, Any], given: dict[str, str]) -> None:
        self.template = template
        self.given = given

    @classmethod
    def of(cls, template: dict[str, Any], given: World) -> Filled | None:
        """None if there is no such stack: a value is not allowed, or not given without a default."""
        filled = {}
        for name, parameter in template["Parameters"].items():
            value = given[name] if given[name] is not None else parameter.get("Default")
            if value is None or value not in parameter.get("AllowedValues", [value]):
                return None
            filled[name] = value
        return cls(template, filled)

    def policy(self) -> dict[str, Any] | None:
        resource = self.template["Resources"]["M"]
        if "Condition" in resource and not self.holds({"Condition": resource["Condition"]}):
            return None
        made: dict[str, Any] = self.value(resource["Properties"]["PolicyDocument"])
        return made if made["Statement"] else None

    def holds(self, condition: dict[str, Any]) -> bool:
        ((name, argument),) = condition.items()
        if name == "Condition":
            return self.holds(self.template["Conditions"][argument])
        if name == "Fn::Equals":
            return bool(self.value(argument[0]) == self.value(argument[1]))
        if name == "Fn::Not":
            return not self.holds(argument[0])
        return (all if name == "Fn::And" else any)(map(self.holds, argument))

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for item in node if (value := self.value(item)) is not NOTHING]
        if not isinstance(node, dict):
            return node
        ((name, argument), *more) = node.items()
        if not more and (name == "Ref" or name.startswith("Fn::")):
            return self.called(name, argument)
        return {key: value for key, part in node.items() if (value := self.value(part)) is not NOTHING}

    def called(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return NOTHING if argument == "AWS::NoValue" else self.given[argument]
        if name == "Fn::If":
            return self.value(argument[1 if self.holds({"Condition": argument[0]}) else 2])
        if name == "Fn::Join":
            return argument[0].join(self.value(argument[1]))
        if name == "Fn::Select":
            return self.value(argument[1])[int(argument[0])]
        if name == "Fn::FindInMap":
            return self.template["Mappings"][argument[0]][argument[1]][argument[2]]
        assert name == "Fn::Sub"
        text, own = argument if isinstance(argument, list) else (argument, {})
        for key, value in {**self.given, **own}.items():
            text = text.replace(f"${{{key}}}", value)
        return text


def _read(template: dict[str, Any]) -> Template:
    source = Source("t.json", json.dumps(template))
    (document,) = read(source)
    assert isinstance(document, Object)
    return read_template(source, document)


def _verdict(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What is said over all values."""
    found = compared_policies(_read(old), _read(new), ())
    if found.new:
        return "UNREADABLE"
    results = []
    for before, after in found.pairs:
        if after is not None:
            every = [policy for policy in (after, before) if policy]
            question = Question(kind="identity", new=after, old=before, critical=(), access=Access(every))
            results.append(_answer(NO_NEW_ACCESS, question).result)
    return next((result for result in results if result != "PASS"), "PASS")


def _plain(old: dict[str, Any], new: dict[str, Any], given: World, strict: bool = False) -> str | None:
    """The verdict with the values filled in first; None if there is no stack with them afterwards.

    A value that is given nowhere is the default on both sides. Where the old template did not take a value, one that
    it took has to have granted as much; if one is `strict`, there was nothing then, or whatever it took.
    """
    after = Filled.of(new, given)
    if after is None or (policy := after.policy()) is None:
        return None
    worlds = _worlds_before(old, given, strict)
    before: list[Filled | None] = [filled for each in worlds if (filled := Filled.of(old, each))]
    if strict and not before:
        before = [None]
    results: list[Result] = [
        check_no_new_access(_literal(policy), _literal(filled.policy() if filled else None), "identity")
        for filled in before
    ]
    order = ["FAIL", "UNKNOWN", "PASS"] if strict else ["PASS", "UNKNOWN", "FAIL"]
    return min((result.result for result in results), key=order.index, default=None)


def _worlds_before(old: dict[str, Any], given: World, strict: bool) -> list[World]:
    """The values that the old template may have had."""
    choices: list[list[str | None]] = []
    for name, parameter in old["Parameters"].items():
        value, allowed = given[name], parameter.get("AllowedValues", VALUES[name])
        unset = value is None and strict and "Default" not in parameter
        is_open = unset or (value is not None and value not in allowed and not strict)
        choices.append(allowed if is_open else [value])
    return [dict(zip(old["Parameters"], each, strict=True)) for each in product(*choices)]


def _literal(policy: dict[str, Any] | None) -> Any:
    """The policy with no text in it that looks like a placeholder: IAM takes `${Bucket}` as it stands."""
    return json.loads(json.dumps(policy).replace("${Bucket}", "literal-of-bucket")) if policy else None


@given(_changed())
@settings(max_examples=examples(12), deadline=None, derandomize=True)
def test_the_verdict_over_unknown_values_is_that_for_each_of_them(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    old, new = pair
    verdict = _verdict(old, new)
    choices = [[None, *values] for values in VALUES.values()]
    worlds = [dict(zip(VALUES, each, strict=True)) for each in product(*choices)]
    if verdict == "PASS":
        assert not [world for world in worlds if _plain(old, new, world) not in (None, "PASS")]
    elif verdict == "FAIL":
        assert any(_plain(old, new, world, strict=True) == "FAIL" for world in worlds)
