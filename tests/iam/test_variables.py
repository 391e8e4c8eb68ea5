"""What is proved of policies with variables and unknown parts, compared with every request of a small universe."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_guard import check_no_new_access
from policy_guard.iam.meaning import concrete
from policy_guard.iam.policy import Policy, Request
from tests.support.examples import examples
from tests.support.policies import policy

KEYS = ("aws:username", "aws:principaltag/t")
BUCKET = "arn:aws:s3:::"
PARTS = ["${aws:username}", "${aws:principaltag/t}", "${aws:username, 'a'}", "${h}", "a", "b", "*", "?", "${*}", ""]
OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "ArnLike"]
TEXTS = ["", "a", "b", "A", "*", "ab", "ba"]
WORDS = ["".join(word) for length in range(5) for word in product("ab", repeat=length)] + ["*", "a*", "A", "AA"]
UNKNOWN = ["", "a", "*", "?", "ab"]


def _spelled(most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(PARTS), min_size=1, max_size=most).map("".join)


@st.composite
def _statements(draw: st.DrawFn, effects: tuple[str, ...]) -> dict[str, Any]:
    resources = draw(st.lists(_spelled(3), min_size=1, max_size=2))
    made: dict[str, Any] = {"Effect": draw(st.sampled_from(effects)), "Action": "s3:*"}
    made[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = [BUCKET + each for each in resources]
    block: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True)):
        operator = draw(st.sampled_from(OPERATORS)) + draw(st.sampled_from(["", "", "IfExists"]))
        block.setdefault(operator, {})[key] = draw(st.lists(_spelled(2), min_size=1, max_size=2))
    if block:
        made["Condition"] = block
    return made


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two small policies, the new one often what the old one is with something more or less in it."""
    old = [draw(_statements(("Allow",))), *draw(st.lists(_statements(("Allow", "Deny")), max_size=1))]
    new = [dict(each) for each in old]
    at = draw(st.integers(0, len(new) - 1))
    new[at] = draw(_statements((new[at]["Effect"],))) if draw(st.booleans()) else _pinned(draw, new[at])
    turned = draw(st.booleans())
    before, after = ({"Version": "2012-10-17", "Statement": each} for each in ((new, old) if turned else (old, new)))
    return after, before


def _pinned(draw: st.DrawFn, statement: dict[str, Any]) -> dict[str, Any]:
    """The statement with a condition on the key of its variables."""
    value = draw(_spelled(2))
    operator, key = draw(st.sampled_from(OPERATORS)), draw(st.sampled_from(KEYS))
    return {**statement, "Condition": {**statement.get("Condition", {}), operator: {key: value}}}


def _requests(new: Policy, old: Policy) -> list[Request]:
    texts = [f"{part}" for each in (new, old) for part in _parts(each)]
    unknown = UNKNOWN if any("${h}" in each for each in texts) else [""]
    some: list[tuple[str, ...]] = [(), *((text,) for text in TEXTS)]
    return [
        Request(None, "s3:getobject", BUCKET + word, {k: v for k, v in zip(KEYS, values, strict=True) if v}, {"h": h})
        for h in unknown
        for values in product(some, some)
        for word in WORDS
    ]


def _parts(one: Policy) -> list[str]:
    values = [value for s in one.statements for value in (s.resource.values if s.resource else ())]
    values += [value for s in one.statements for condition in s.conditions for value in condition.values]
    return [value.text for value in values]


def _freed_by_two_values() -> tuple[dict[str, Any], dict[str, Any]]:
    """A new and an old version whose key with several values takes the place of an unknown part."""
    user, tag = "aws:username", "aws:principaltag/t"
    names = {user: ["${aws:username}${aws:username}", "${aws:principaltag/t}"]}
    conditions = (
        {"StringEquals": {user: ["a"], tag: ["b"]}},
        {"StringEquals": names, "ArnLike": {tag: ["${aws:username}${h}"]}},
    )
    statements = (
        {"Effect": "Allow", "Action": "s3:*", "Resource": [BUCKET + "${aws:username}"], "Condition": condition}
        for condition in conditions
    )
    new, old = ({"Version": "2012-10-17", "Statement": [statement]} for statement in statements)
    return new, old


@given(pairs())
@example(_freed_by_two_values())
@settings(max_examples=examples(12), deadline=None)
def test_no_request_of_a_small_universe_contradicts_a_proof(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    if check_no_new_access(*pair).result == "PASS":
        new, old = map(policy, pair)
        for asked in _requests(new, old):
            assert not concrete.allows(new, new.kind, asked) or concrete.allows(old, old.kind, asked), asked


HOME = "arn:aws:s3:::home/%s/*"
USER, TEAM, TIME = "aws:username", "aws:PrincipalTag/team", "aws:CurrentTime"
NAME, ALICE = HOME % "${aws:username}", HOME % "alice"


def allow(resource: str | list[str] = "*", **condition: Any) -> dict[str, Any]:
    """A statement; a condition is given as operator and keys."""
    made: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}
    return {**made, "Condition": condition} if condition else made


WINDOW = allow(DateGreaterThan={TIME: "${from}"}, DateLessThan={TIME: "${to}"})
PROVED = {
    "a variable with one value": (
        [allow(NAME, StringEquals={USER: "alice"})],
        [allow(ALICE)],
    ),
    "one value in place of a variable": (
        [allow(ALICE, StringEquals={USER: "alice"})],
        [allow(NAME)],
    ),
    "one of several values": (
        [allow(NAME, StringEquals={USER: ["alice", "bob"]})],
        [allow([ALICE, HOME % "bob"])],
    ),
    "a pattern of values": ([allow(NAME, StringLike={USER: "a*"})], [allow(HOME % "a*")]),
    "values but those of a pattern": (
        [allow(NAME, StringNotLike={USER: ["alice", "*/*"]}, Null={USER: "false"})],
        [
            {"Effect": "Deny", "Action": "*", "Resource": ALICE},
            allow("arn:aws:s3:::home/*"),
        ],
    ),
    "a star that is meant as it is": (
        [allow(HOME % "${aws:username}", StringEquals={USER: "a*"})],
        [allow(HOME % "a${*}")],
    ),
    "a value in other letters": (
        [allow(HOME % "x-${aws:username}", StringEqualsIgnoreCase={USER: "ab"})],
        [allow([HOME % "x-a?", HOME % "x-A?"])],
    ),
    "a variable in another condition": (
        [allow(StringEquals={USER: "alice", TEAM: "x-${aws:username}"})],
        [allow(StringEquals={TEAM: "x-alice"})],
    ),
    "a default in place of no value": (
        [allow(HOME % "${aws:username, 'alice'}", Null={USER: "true"})],
        [allow(ALICE)],
    ),
    "a default beside its own text": (
        [allow(HOME % "${aws:username, 'alice'}", StringEqualsIfExists={USER: "alice"})],
        [allow(ALICE)],
    ),
    "a variable that equals another": (
        [allow(HOME % "${aws:username}", StringEquals={USER: "${aws:PrincipalTag/team}"})],
        [allow(HOME % "${aws:PrincipalTag/team}")],
    ),
    "a variable that equals one with a value": (
        [allow(NAME, StringEquals={USER: "x-${aws:PrincipalTag/team}", TEAM: "a"})],
        [allow(HOME % "x-a")],
    ),
    "two variables with values": (
        [allow("arn:aws:s3:::${aws:username}/${aws:PrincipalTag/team}", StringEquals={USER: "a", TEAM: ["b", "c"]})],
        [allow("arn:aws:s3:::a/?")],
    ),
    "a variable twice": (
        [allow("arn:aws:s3:::${aws:username}/${aws:username}", StringLike={USER: ["a*", "b*"]})],
        [allow(["arn:aws:s3:::a*/a*", "arn:aws:s3:::b*/b*"])],
    ),
    "an unknown part that equals a value": (
        [allow(HOME % "${aws:username}", StringEquals={USER: "${h}"})],
        [allow(HOME % "${h}")],
    ),
    "a set operator on a key with a variable": (
        [allow(**{"ForAnyValue:StringEquals": {"aws:TagKeys": "${aws:username}"}, "StringEquals": {USER: "a"}})],
        [allow(**{"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}})],
    ),
    "a key compared with itself": (
        [allow(Null={USER: "false"})],
        [allow(StringEquals={USER: "${aws:username}"})],
    ),
    "a key compared with itself and more": (
        [allow(StringLike={USER: ["a${aws:username}*", "${aws:username}?"]})],
        [allow(ALICE)],
    ),
    "a key that differs from itself": (
        [allow(StringNotEquals={USER: "${aws:username}"})],
        [allow(Null={USER: "true"})],
    ),
    "a window between two unknown dates": (
        [WINDOW],
        [allow(DateGreaterThanEquals={TIME: "${from}"}, DateLessThanEquals={TIME: "${to}"})],
    ),
    "two windows of dates beside each other in place of one": (
        [allow(DateGreaterThanEquals={TIME: "2026-01-01T00:00:00Z"}, DateLessThan={TIME: "2027-01-01T00:00:00Z"})],
        [
            allow(DateGreaterThanEquals={TIME: "2026-01-01T00:00:00Z"}, DateLessThan={TIME: "2026-06-01T00:00:00Z"}),
            allow(DateGreaterThanEquals={TIME: "2026-06-01T00:00:00Z"}, DateLessThan={TIME: "2027-01-01T00:00:00Z"}),
        ],
    ),
    "an unknown number and an unknown number at most": (
        [allow(NumericLessThan={"s3:max-keys": "${most}"})],
        [allow(NumericLessThanEquals={"s3:max-keys": "${most}"})],
    ),
    "a number that is below and above an unknown one": (
        [allow(NumericLessThan={"s3:max-keys": "${most}"}, NumericGreaterThanEquals={"s3:max-keys": "${most}"})],
        [allow(ALICE)],
    ),
}
REFUSED = {
    "a variable with one value more": (
        [allow(NAME, StringEquals={USER: ["alice", "bob"]})],
        [allow(ALICE)],
    ),
    "a variable with a value in other letters": (
        [allow(NAME, StringEqualsIgnoreCase={USER: "alice"})],
        [allow(ALICE)],
    ),
    "a variable that is something else": (
        [allow(NAME, StringNotEquals={USER: "alice"})],
        [allow(ALICE)],
    ),
    "a pattern in place of a star that is meant as it is": (
        [allow(HOME % "a*")],
        [allow(NAME, StringEquals={USER: "a*"})],
    ),
    "a value that a default is not": (
        [allow(HOME % "${aws:username, 'alice'}", StringEqualsIfExists={USER: "bob"})],
        [allow(HOME % "bob")],
    ),
    "an unknown part in place of its own star": (
        [allow(HOME % "${h}")],
        [allow(HOME % "${aws:username}", StringEquals={USER: "${h}"})],
    ),
    "an unknown part twice": (
        [allow("arn:aws:s3:::${h}/${h}")],
        [allow(HOME % "${h}")],
    ),
    "two unknown windows beside each other": (
        [WINDOW],
        [
            allow(DateGreaterThan={TIME: "${from}"}, DateLessThan={TIME: "${between}"}),
            allow(DateGreaterThanEquals={TIME: "${between}"}, DateLessThan={TIME: "${to}"}),
        ],
    ),
}


def _result(new: list[dict[str, Any]], old: list[dict[str, Any]]) -> str:
    version = {"Version": "2012-10-17"}
    return check_no_new_access({**version, "Statement": new}, {**version, "Statement": old}).result


@pytest.mark.parametrize("case", PROVED)
def test_what_a_variable_stands_for_is_proved(case: str) -> None:
    assert _result(*PROVED[case]) == "PASS"


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_variable_stands_for_is_refused(case: str) -> None:
    assert _result(*REFUSED[case]) == "FAIL"
