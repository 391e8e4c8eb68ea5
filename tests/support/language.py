"""Random policies and requests over the whole language, for hypothesis."""

from __future__ import annotations

import random
from itertools import permutations
from typing import Any, NamedTuple

from hypothesis import strategies as st

from policy_guard.iam.meaning.interpretations import READINGS
from policy_guard.iam.policy import Caller, Request

ACTIONS = ["s3:GetObject", "s3:Get*", "s3:*", "*", "s3:?etObject", "ec2:RunInstances", "s*:PutObject", " s3:Put* "]
ACTIONS += ["s3:${verb}Object", "${verb}"]
RESOURCES = ["*", "arn:aws:s3:::a", "arn:aws:s3:::a/*", "arn:aws:s3:::?", "arn:aws:s3:::${aws:username}"]
RESOURCES += [
    "arn:aws:s3:::${h}*",
    "arn:aws:logs:*:1:a",
    "arn:aws:logs:${h}:1:*",
    "arn:aws:logs:*",
    "arn:aws:logs:?:1:a",
]
TEXTS = ["a", "A", "a*", "b", "", "?", "true", "${aws:username}", "${h}", "${aws:username, 'b'}", "arn:*"]
NUMBERS = ["5", "-5", "0.5", "05", "50", "${most}"]
DATES = ["2026-01-31T08:00:00Z", "2026-01-31", "1769846400", "2026", "2026-01-31T10:00:00.5+02:00", "${day}"]
ADDRESSES = ["10.0.0.0/8", "10.1.0.0/20", "10.1.15.9", "2001:db8::/33", "0.0.0.0/0", "${block}"]
ARNS = [
    "arn:aws:s3:::a*",
    "arn:aws:*:*:1:a",
    "arn:aws:s3:::${h}",
    "*",
    "arn:aws:?3:::a",
    "arn:aws:s3:::${aws:username}",
]
FAMILIES = {
    "custom:one": [f"String{name}" for name in ("Equals", "NotEquals", "Like", "NotLike", "EqualsIgnoreCase")],
    "aws:username": ["StringEquals", "StringNotLike", "StringEqualsIgnoreCase"],
    "aws:tagkeys": ["StringEquals", "StringLike", "StringNotEquals"],
    "aws:multifactorauthpresent": ["Bool"],
    "s3:max-keys": ["NumericEquals", "NumericLessThan", "NumericGreaterThanEquals", "NumericNotEquals"],
    "aws:currenttime": ["DateEquals", "DateLessThan", "DateGreaterThanEquals", "DateNotEquals", "DateLessThanEquals"],
    "aws:sourceip": ["IpAddress", "NotIpAddress"],
    "aws:sourcearn": ["ArnEquals", "ArnLike", "ArnNotLike", "StringLike"],
    "custom:blob": ["BinaryEquals"],
}
MIXED = ["StringLike", "NumericLessThan", "DateLessThan", "IpAddress", "ArnLike", "Bool", "BinaryEquals"]
ROLE = "arn:aws:iam::111122223333:role/r"
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "111122223333"},
    {"AWS": ROLE},
    {"AWS": ["111122223333", "arn:aws:sts::111122223333:assumed-role/r/s"]},
    {"Service": "ec2.amazonaws.com"},
    {"AWS": "${p}"},
    {"AWS": ["arn:aws:iam::${a}:root", "arn:aws:iam::111122223333:role/${h}"]},
    {"AWS": ["${p}", "111122223333"], "Service": "${h}.amazonaws.com"},
]
CALLERS = [
    Caller("Anonymous"),
    Caller("AWS", ROLE),
    Caller("AWS", ROLE, "s"),
    Caller("AWS", ROLE, "t"),
    Caller("AWS", "arn:aws:iam::111122223333:user/u"),
    Caller("AWS", "arn:aws:iam::444455556666:user/u"),
    Caller("Service", "ec2.amazonaws.com"),
]


def _values(operator: str) -> list[str]:
    pools = (
        ("Bool", ["true", "false", "${truth}"]),
        ("Numeric", NUMBERS),
        ("Date", DATES),
        ("Binary", ["QUJD", "QUI=", "${secret}"]),
        ("Arn", ARNS),
        ("Ip", ADDRESSES),
        ("NotIp", ADDRESSES),
    )
    return next((values for start, values in pools if operator.startswith(start)), TEXTS)


def _some(values: list[str], least: int = 1) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=2)


@st.composite
def _conditions(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(list(FAMILIES)), max_size=2, unique=True)):
        mixed = key == "custom:one" and draw(st.booleans())
        operator = draw(st.sampled_from([*(MIXED if mixed else FAMILIES[key]), "Null"]))
        if operator == "Null":
            quantifier = draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
            block.setdefault(f"{quantifier}Null", {})[key] = draw(st.sampled_from(["true", "false", "${truth}"]))
            continue
        quantifier = draw(st.sampled_from(["", "ForAllValues:", "ForAnyValue:"])) if key != "custom:one" else ""
        suffix = draw(st.sampled_from(["", "IfExists"]))
        block.setdefault(quantifier + operator + suffix, {})[key] = draw(_some(_values(operator), least=0))
    return block


@st.composite
def _statements(draw: st.DrawFn, principal: bool) -> dict[str, Any]:
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    made: dict[str, Any] = {"Effect": effect}
    action, resource = (draw(st.sampled_from([name, name, f"Not{name}"])) for name in ("Action", "Resource"))
    made[action] = draw(_some(ACTIONS, least=action.startswith("Not")))
    made[resource] = draw(_some([*RESOURCES, "execute-api:/p/*"] if principal else RESOURCES, least=1))
    if principal:
        name = draw(st.sampled_from(["Principal", "NotPrincipal"])) if effect == "Deny" else "Principal"
        made[name] = draw(st.sampled_from(PRINCIPALS))
    if block := draw(_conditions()):
        made["Condition"] = block
    return made


def documents(principal: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Policies of up to three statements; with `principal` they are resource policies."""
    lists = st.lists(_statements(principal), min_size=1, max_size=3)
    versions = st.sampled_from(["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"])
    return st.builds(lambda version, each: {"Version": version, "Statement": each}, versions, lists)


def pairs() -> st.SearchStrategy[tuple[dict[str, Any], dict[str, Any]]]:
    """Two policies of one kind."""
    return st.booleans().flatmap(lambda kind: st.tuples(documents(kind), documents(kind)))


_USUAL = ["5", "4.9", "-5", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00.5Z", "1769846400", "10.1.15.9", "10.1.16.0"]
_USUAL += ["2001:0db8:0000:0000:0000:0000:0000:0001", "QUJD", "arn:aws:s3:::a", "arn:aws:s3::1:a:b", "true", "no"]


class Pools(NamedTuple):
    """What random requests are made of."""

    callers: list[Caller]
    actions: list[str]
    resources: list[str]
    context: dict[str, list[tuple[str, ...]]]
    unknowns: dict[str, list[str]]
    choices: list[str]


def requests_of(pools: Pools, count: int) -> st.SearchStrategy[list[Request]]:
    """Lists of random requests. Hypothesis draws the seed alone, which is much faster than drawing every value."""
    return st.integers(0, 2**32).map(lambda seed: _requests(pools, count, random.Random(seed)))


def _requests(pools: Pools, count: int, rng: random.Random) -> list[Request]:
    return [
        Request(
            rng.choice(pools.callers),
            rng.choice(pools.actions),
            rng.choice(pools.resources),
            {key: rng.choice(values) if rng.random() < 0.5 else () for key, values in pools.context.items()},
            {name: rng.choice(texts) for name, texts in pools.unknowns.items()},
            {name: rng.random() < 0.5 for name in pools.choices if rng.random() < 0.5},
        )
        for _ in range(count)
    ]


def single(*texts: str) -> list[tuple[str, ...]]:
    return [(text,) for text in texts]


def several(*texts: str) -> list[tuple[str, ...]]:
    """One of the texts, or two of them."""
    return [*single(*texts), *permutations(texts, 2)]


POOLS = Pools(
    CALLERS,
    ["s3:GetObject", "s3:getobject", "s3:PutObject", "s3:X", "ec2:RunInstances", "sx:PutObject"],
    [
        *("arn:aws:s3:::a", "arn:aws:s3:::ab", "arn:aws:s3:::a/x", "arn:aws:s3:::b", "arn:aws:s3:::", "x"),
        *("arn:aws:s3:::A", "arn:aws:logs:r:1:a", "arn:aws:logs:r:2:1:a", "arn:aws:logs:::1:a", "arn:aws:logs:x"),
    ],
    {
        "aws:username": single("a", "A", "b", "", "a*", "true", "ab"),
        "custom:one": single("a", "b", "ab", "true", "false", "?", *_USUAL),
        "aws:tagkeys": several("a", "A", "b", "true"),
        "aws:multifactorauthpresent": single("true", "false"),
        "s3:max-keys": single("5", "05", "4.9", "-5.1", "50", "none"),
        "aws:currenttime": single(*(text for text in _USUAL if text[0] in "12" and "." not in text[:3])),
        "aws:sourceip": single(*(text for text in _USUAL if text.count(".") == 3 or text.count(":") == 7)),
        "aws:sourcearn": single("arn:aws:s3:::a", "arn:aws:s3::1:a:b", "arn:aws:x:1:a", "arn:aws:s3:::ab"),
        "custom:blob": single("QUJD", "QUI=", "no"),
    },
    {
        "h": ["", "a", "*", "?", "b", "r"],
        "verb": ["", "get", "Get", "*", "s3:?etObject"],
        "most": ["5", "-1", "*"],
        "day": ["2026-01-31T08:00:00Z", "2026", ""],
        "block": ["10.0.0.0/9", "2001:db8::/32", "10.1.15.9"],
        "truth": ["true", "FALSE", "no"],
        "secret": ["QUJD", "no"],
        "p": ["*", "111122223333", ROLE, "arn:aws:sts::111122223333:assumed-role/r/s", "x"],
        "a": ["111122223333", "*", "4444?5556666"],
    },
    [*sorted(READINGS), "placeholder-is-unresolved h"],
)


def requests(count: int) -> st.SearchStrategy[list[Request]]:
    """Requests that meet the policies of this module."""
    return requests_of(POOLS, count)
