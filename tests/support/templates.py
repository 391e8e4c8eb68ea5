"""Random CloudFormation templates about one role, changes of them, and what they come to with all values filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from hypothesis import strategies as st

VALUES = {
    "Env": ["prod", "dev", "x", "other"],
    "Kind": ["a", "b", "c", "other"],
    "Bucket": ["a", "b*", "*", "other"],
    "Other": ["a", "zz", "u", "other"],
    "Key": ["a", "b", "other"],
    "Zone": ["a", "b", "c", "other"],
    "Arns": ["arn:aws:s3:::a", "arn:aws:s3:::a,arn:aws:s3:::b", "*", "arn:aws:s3:::other"],
}
"""What parameters may be: conditions ask for `Env`, `Kind` and `Zone`, the others stand in texts, and `Arns` is a list.

No template says the last of each.
"""

World: TypeAlias = "dict[str, str | None]"
"""The values given to parameters; None for one that is left at its default."""

Pieces: TypeAlias = "dict[str, Any]"
"""A template by what of it changes on its own; None for a resource that is not there."""

NOTHING = object()
_ENV, _KIND = {"Ref": "Env"}, {"Ref": "Kind"}
_PROD = {"Fn::Equals": [_ENV, "prod"]}
_CONDITIONS: dict[str, list[Any]] = {
    "One": [
        _PROD,
        {"Fn::Equals": ["dev", _ENV]},
        {"Fn::Not": [_PROD]},
        {"Fn::Or": [_PROD, {"Fn::Equals": [_ENV, "dev"]}]},
    ],
    "Two": [
        {"Fn::And": [{"Condition": "One"}, {"Fn::Equals": [_KIND, "a"]}]},
        {"Fn::Equals": [{"Fn::Join": ["-", [_KIND, "x"]]}, "a-x"]},
        {"Fn::Not": [{"Condition": "One"}]},
        {"Fn::Equals": ["p", "p"]},
        {"Fn::Equals": [{"Fn::FindInMap": ["Stages", {"Ref": "Zone"}, "stage"]}, "a"]},
    ],
    "Three": [
        {"Fn::Or": [{"Condition": "One"}, {"Condition": "Two"}]},
        {"Fn::And": [{"Fn::Not": [{"Condition": "Two"}]}, {"Fn::Or": [_PROD, {"Fn::Equals": [_KIND, "b"]}]}]},
        {"Fn::Equals": [_KIND, "c"]},
    ],
}
_MAPPINGS: dict[str, list[Any]] = {
    "Names": [
        {"k": {"v": "arn:aws:s3:::a"}, "l": {"v": ["arn:aws:s3:::b", "arn:aws:s3:::a"]}},
        {"k": {"v": "arn:aws:s3:::a"}, "l": {"v": ["arn:aws:s3:::c"]}},
        {"k": {"v": "*"}},
    ],
    "Stages": [
        {"a": {"stage": "a"}, "b": {"stage": "b"}},
        {"a": {"stage": "b"}, "b": {"stage": "b"}, "c": {"stage": "a"}},
        {"a": {"stage": "a"}, "b": {"stage": "b"}, "c": {"stage": "c"}},
    ],
}


def _by_key(*default: Any) -> dict[str, Any]:
    return {"Fn::FindInMap": ["Stages", {"Ref": "Key"}, "stage", *default]}


_TEXTS: list[Any] = [
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::*",
    {"Fn::Sub": "arn:aws:s3:::${Bucket}"},
    {"Fn::Sub": "arn:aws:s3:::${Bucket}/in/*"},
    {"Fn::Sub": ["arn:aws:s3:::${Bucket}", {"Bucket": "a"}]},
    {"Fn::Sub": ["arn:aws:s3:::${Name}", {"Name": {"Fn::If": ["One", "a", {"Ref": "Other"}]}}]},
    {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "Bucket"}, {"Ref": "Other"}]]},
    {"Fn::FindInMap": ["Names", "k", "v"]},
    {"Fn::Select": ["1", ["x", {"Fn::Sub": "arn:aws:s3:::${Other}"}]]},
    {"Fn::Select": ["1", {"Fn::Split": ["|", "x|arn:aws:s3:::a|*"]}]},
    *({"Fn::Sub": ["arn:aws:s3:::${Stage}", {"Stage": _by_key({"DefaultValue": text})}]} for text in ("d", "e")),
    "arn:aws:s3:::${Bucket}",
]
_LISTS: list[Any] = [
    {"Ref": "Arns"},
    {"Fn::Split": [",", {"Fn::Join": [",", {"Ref": "Arns"}]}]},
    {"Fn::Split": [",", {"Fn::Join": [",", ["arn:aws:s3:::c", {"Fn::Join": [",", {"Ref": "Arns"}]}]]}]},
    {"Fn::FindInMap": ["Names", "l", "v"]},
]
_STAGE = {"Fn::FindInMap": ["Stages", _KIND, "stage", {"DefaultValue": "d"}]}
_LINKED: list[Any] = [
    {"Fn::Sub": "arn:aws:s3:::${Env}"},
    {"Fn::Sub": "arn:aws:s3:::${Kind}"},
    {"Fn::Sub": "arn:aws:s3:::${Key}"},
    {"Fn::Sub": ["arn:aws:s3:::${Stage}", {"Stage": _by_key()}]},
    {"Fn::Select": ["0", {"Ref": "Arns"}]},
    {"Fn::Sub": ["arn:aws:s3:::${Stage}", {"Stage": _STAGE}]},
]
"""Texts that say something of one another, or of conditions: what nobody knows is one text each here."""

_PLAIN = 7
"""How many of ten values are no choice."""
_ACTIONS = ["s3:GetObject", "s3:*", "s3:PutObject"]


@st.composite
def chosen(draw: st.DrawFn, values: st.SearchStrategy[Any], absent: bool = False, deep: int = 2) -> Any:
    """One of the values, or a choice by a condition, which may be nested; with `absent`, one that may be nothing."""
    if not deep or draw(st.integers(0, 9)) < _PLAIN:
        return draw(values)
    inner = chosen(values, absent, deep - 1)
    name, first = draw(st.sampled_from(list(_CONDITIONS))), draw(inner)
    second = {"Ref": "AWS::NoValue"} if absent and draw(st.booleans()) else draw(inner)
    return {"Fn::If": [name, first, second]}


@st.composite
def statements(draw: st.DrawFn, texts: list[Any]) -> dict[str, Any]:
    action = draw(st.one_of(st.sampled_from(_ACTIONS), st.sampled_from(_ACTIONS).map(lambda text: [text])))
    if isinstance(action, list):
        action.append(draw(chosen(st.sampled_from(_ACTIONS), absent=True)))
    text = chosen(st.sampled_from(texts), deep=1)
    resources = st.lists(chosen(st.sampled_from(texts), absent=True, deep=1), max_size=1).map(
        lambda more: ["*a", *more]
    )
    made = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])), "Action": action}
    made["Resource"] = draw(st.one_of(chosen(text), st.sampled_from(_LISTS), resources.map(_with_first)))
    if draw(st.booleans()):
        key = {"aws:username": draw(chosen(st.sampled_from(["u", {"Ref": "Other"}]), deep=1))}
        made["Condition"] = draw(chosen(st.just({"StringEquals": key}), absent=True, deep=1))
    return made


def _with_first(resources: list[Any]) -> list[Any]:
    return ["arn:aws:s3:::b", *resources[1:]]


@st.composite
def _policies(draw: st.DrawFn, texts: list[Any]) -> dict[str, Any]:
    others = st.lists(chosen(statements(texts), absent=True), max_size=1)
    inner = st.builds(lambda first, more: [first, *more], chosen(statements(texts)), others)
    return {"Version": "2012-10-17", "Statement": draw(st.one_of(statements(texts), chosen(inner, deep=1)))}


@st.composite
def _parameters(draw: st.DrawFn, name: str) -> dict[str, Any]:
    values = VALUES[name][:-1]
    parameter: dict[str, Any] = {"Type": "CommaDelimitedList" if name == "Arns" else "String"}
    if draw(st.booleans()):
        parameter["Default"] = draw(st.sampled_from(values))
    if name in ("Env", "Kind") and draw(st.integers(0, 2)) == 0:
        number = values.index(parameter["Default"]) + 1 if "Default" in parameter else 1
        parameter["AllowedValues"] = values[: draw(st.integers(number, len(values)))]
    return parameter


def _strategies(texts: list[Any]) -> dict[str, st.SearchStrategy[Any]]:
    document = _policies(texts)
    inline = st.builds(lambda each: {"PolicyName": "a", "PolicyDocument": each}, chosen(document, deep=1))
    conditions = st.sampled_from([None, None, *_CONDITIONS])
    return {
        **{f"Parameters.{name}": _parameters(name) for name in VALUES},
        **{f"Mappings.{name}": st.sampled_from(each) for name, each in _MAPPINGS.items()},
        **{f"Conditions.{name}": st.sampled_from(each) for name, each in _CONDITIONS.items()},
        "Role": st.one_of(st.just([]), chosen(st.lists(chosen(inline, absent=True), max_size=2), absent=True, deep=1)),
        "Policy": st.one_of(st.none(), st.tuples(document, conditions)),
        "Managed": st.one_of(st.none(), st.tuples(document, conditions)),
    }


@st.composite
def changes(draw: st.DrawFn, linked: bool) -> tuple[Pieces, Pieces]:
    """Two templates, of which the second is the first with some pieces of another.

    If they are `linked`, the parameters that conditions ask for stand in texts as well.
    """
    strategies = _strategies([*_TEXTS, *_LINKED] if linked else _TEXTS)
    old = {name: draw(strategy) for name, strategy in strategies.items()}
    names = draw(st.sets(st.sampled_from(list(strategies)), min_size=1, max_size=4))
    return old, {**old, **{name: draw(strategies[name]) for name in sorted(names)}}


def template(pieces: Pieces) -> dict[str, Any]:
    """The template that the pieces make: a role, and two policies that name it."""
    made: dict[str, Any] = {"Parameters": {}, "Mappings": {}, "Conditions": {}}
    for name, piece in pieces.items():
        section, _, key = name.partition(".")
        if key:
            made[section][key] = piece
    made["Resources"] = {"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": pieces["Role"]}}}
    for name, type_ in (("Policy", "AWS::IAM::Policy"), ("Managed", "AWS::IAM::ManagedPolicy")):
        if pieces[name] is not None:
            document, condition = pieces[name]
            properties = {"Roles": [{"Ref": "Role"}], "PolicyDocument": document}
            made["Resources"][name] = {"Type": type_, "Properties": properties}
            made["Resources"][name] |= {"Condition": condition} if condition else {}
    return made


class Impossible(Exception):
    """Raised if no stack has these values."""


class Filled:
    """A template with its parameters filled in, as CloudFormation does it; raises `Impossible`."""

    def __init__(self, pieces: Pieces, world: World) -> None:
        self._template = template(pieces)
        self._values: dict[str, str] = {}
        for name, parameter in self._template["Parameters"].items():
            value = world[name] if world[name] is not None else parameter.get("Default")
            if value is None or value not in parameter.get("AllowedValues", [value]):
                raise Impossible
            self._values[name] = value

    def policy(self) -> dict[str, Any] | None:
        """All statements of the role, as one policy; None if there is none."""
        every = [statement for document in self._documents() for statement in document["Statement"]]
        return {"Version": "2012-10-17", "Statement": every} if every else None

    def _documents(self) -> Iterator[dict[str, Any]]:
        for name, resource in self._template["Resources"].items():
            properties = resource["Properties"]
            if "Condition" in resource and not self._holds({"Condition": resource["Condition"]}):
                continue
            if name == "Role":
                inline = self._value(properties["Policies"])
                documents = [policy["PolicyDocument"] for policy in inline] if inline is not NOTHING else []
            else:
                documents = [self._value(properties["PolicyDocument"])]
            for document in documents:
                statement = document["Statement"]
                yield {"Statement": statement if isinstance(statement, list) else [statement]}

    def _holds(self, condition: dict[str, Any]) -> bool:
        ((name, argument),) = condition.items()
        if name == "Condition":
            return self._holds(self._template["Conditions"][argument])
        if name == "Fn::Equals":
            return bool(self._value(argument[0]) == self._value(argument[1]))
        if name == "Fn::Not":
            return not self._holds(argument[0])
        return (all if name == "Fn::And" else any)(map(self._holds, argument))

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for item in node if (value := self._value(item)) is not NOTHING]
        if not isinstance(node, dict):
            return node
        ((name, argument), *more) = node.items()
        if not more and (name == "Ref" or name.startswith("Fn::")):
            return _FUNCTIONS[name](self, argument)
        return {key: value for key, part in node.items() if (value := self._value(part)) is not NOTHING}

    def _ref(self, argument: str) -> Any:
        if argument in ("AWS::NoValue", "Role"):
            return NOTHING if argument == "AWS::NoValue" else argument
        return self._values[argument].split(",") if argument == "Arns" else self._values[argument]

    def _if(self, argument: list[Any]) -> Any:
        return self._value(argument[1 if self._holds({"Condition": argument[0]}) else 2])

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(self._value(argument[1]))

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self._value(argument[1])).split(argument[0])

    def _select(self, argument: list[Any]) -> Any:
        return self._value(argument[1])[int(argument[0])]

    def _find(self, argument: list[Any]) -> Any:
        first, second = self._value(argument[1]), self._value(argument[2])
        try:
            return self._template["Mappings"][argument[0]][first][second]
        except KeyError:
            if len(argument) < 4:
                raise Impossible from None
            return self._value(argument[3]["DefaultValue"])

    def _sub(self, argument: Any) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        for key, value in {**self._values, **{key: self._value(node) for key, node in own.items()}}.items():
            text = text.replace(f"${{{key}}}", value)
        return str(text)


_FUNCTIONS = {
    "Ref": Filled._ref,
    "Fn::If": Filled._if,
    "Fn::Join": Filled._join,
    "Fn::Split": Filled._split,
    "Fn::Select": Filled._select,
    "Fn::FindInMap": Filled._find,
    "Fn::Sub": Filled._sub,
}


def literal(policy: dict[str, Any] | None) -> Any:
    """The policy with no text in it that looks like a placeholder: IAM takes `${Bucket}` as it stands."""
    return json.loads(json.dumps(policy).replace("${Bucket}", "literal-of-bucket")) if policy else None
