"""Numbers, dates and addresses as sets of texts: each holds exactly the texts that compare so, one by one."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_guard.conditions import operators
from policy_guard.formula import And, Formula, Literal, Member
from policy_guard.pattern import Pattern
from policy_guard.strings import Slot

SLOT = Slot("test:key", 0)
digits = st.text("0159", min_size=1, max_size=4)
numbers = st.builds(
    lambda sign, whole, part: sign + whole + part,
    st.sampled_from(["", "", "-", "+"]),
    digits,
    st.one_of(st.just(""), digits.map(lambda text: f".{text}")),
)
dates = st.one_of(
    st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + "Z"),
    st.builds(
        lambda second, part: f"2026-01-31T08:00:0{second}{part}Z",
        st.sampled_from("0189"),
        st.one_of(st.just(""), digits.map(lambda text: f".{text}")),
    ),
    st.sampled_from(["1769846400", "1769846400.5", "1769846401", "-1", "2026-02-29T00:00:00Z", "0000-01-01T00:00:00Z"]),
)
octets = st.sampled_from([0, 1, 9, 10, 99, 127, 128, 199, 200, 249, 250, 255])
quads = st.tuples(octets, octets, octets, octets).map(lambda four: ".".join(map(str, four)))
groups = st.sampled_from([0, 1, 0x0DB8, 0x2001, 0x7FFF, 0x8000, 0xFFFF])
sixes = st.lists(groups, min_size=8, max_size=8).map(lambda eight: ":".join(f"{each:04x}" for each in eight))
addresses = st.one_of(quads, sixes)
blocks = st.one_of(
    st.builds("{}/{}".format, quads, st.integers(0, 32)), st.builds("{}/{}".format, sixes, st.integers(0, 128)), quads
)


def inside(formula: Formula, text: str) -> bool:
    """Whether the slot may hold the text."""
    if isinstance(formula, Literal):
        assert isinstance(formula.atom, Member)
        return (text in formula.atom.language) == formula.positive
    return (all if isinstance(formula, And) else any)(inside(part, text) for part in formula.parts)


def agree(name: str, given_: str, text: str) -> bool:
    operator = operators()[name]
    assert operator.encode
    return inside(operator.encode(SLOT, (Pattern((given_,)),)), text) == operator.holds(Pattern((given_,)), text)


@pytest.mark.parametrize("name", [name for name in operators() if name.startswith("Numeric")])
@given(numbers, numbers)
@example("0.5", "0")
@example("0.505", "0.5")
@example("10.5", "10")
@settings(max_examples=80, deadline=None)
def test_numbers(name: str, policy: str, value: str) -> None:
    assert agree(name, policy, value)
    assert agree(name, policy, policy)


@pytest.mark.parametrize("name", [name for name in operators() if name.startswith("Date")])
@given(dates, dates)
@example("2026-01-31T08:00:00.505Z", "2026-01-31T08:00:00.5Z")
@settings(max_examples=80, deadline=None)
def test_dates(name: str, policy: str, value: str) -> None:
    assert agree(name, policy, value)
    assert agree(name, policy, policy)


@given(blocks, addresses)
@example("2001:0db8:0000:0000:0000:0000:0000:0000/33", "2001:0db8:8000:0000:0000:0000:0000:0000")
@example("2001:0db8:0000:0000:0000:0000:0000:0000/33", "2001:0db8:7fff:0000:0000:0000:0000:0000")
@settings(max_examples=300, deadline=None)
def test_addresses(policy: str, value: str) -> None:
    assert agree("IpAddress", policy, value)
    assert agree("IpAddress", policy, policy.partition("/")[0])
