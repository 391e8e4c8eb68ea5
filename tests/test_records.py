"""Named tuples do what those of `typing` do."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import pytest

from policy_guard.records import NamedTuple


class Ours(NamedTuple):
    """A record."""

    first: int
    second: str = "b"
    third: tuple[int, ...] = ()

    @property
    def both(self) -> str:
        return f"{self.first}{self.second}"

    @classmethod
    def empty(cls) -> Ours:
        return cls(0)


class Theirs(typing.NamedTuple):
    first: int
    second: str = "b"
    third: tuple[int, ...] = ()


class Nothing(NamedTuple):
    """A record without fields."""


@pytest.mark.parametrize("arguments", [((1,), {}), ((1, "x"), {"third": (2,)}), ((), {"second": "y", "first": 3})])
def test_a_record_is_made_of_its_fields(arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    ours, theirs = Ours(*arguments[0], **arguments[1]), Theirs(*arguments[0], **arguments[1])
    assert ours == theirs == tuple(theirs)
    assert hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours._asdict() == theirs._asdict()
    assert ours._replace(second="z") == theirs._replace(second="z")
    assert type(ours._replace(first=9)) is Ours
    assert (ours.first, ours.second, ours.third) == (theirs.first, theirs.second, theirs.third)


@pytest.mark.parametrize("arguments", [((), {}), ((1, "a", (), 4), {}), ((1,), {"fourth": 2}), ((1,), {"first": 2})])
def test_what_does_not_fit_is_refused(arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    for _ in range(2):
        for record in (Ours, Theirs):
            with pytest.raises(TypeError):
                record(*arguments[0], **arguments[1])


def test_no_record_has_a_field_that_it_does_not_name() -> None:
    with pytest.raises(ValueError, match="fourth"):
        Ours(1)._replace(fourth=2)
    with pytest.raises(TypeError):
        Ours._make([1])
    with pytest.raises(AttributeError):
        Ours(1).first = 2  # type: ignore[misc]


def test_a_record_is_matched_copied_and_sent() -> None:
    match Ours(1, "c"):
        case Ours(first, second):
            assert (first, second) == (1, "c")
    assert pickle.loads(pickle.dumps(Ours(1))) == Ours(1)
    assert type(pickle.loads(pickle.dumps(Ours(1)))) is Ours
    assert type(copy.deepcopy(Ours(1))) is Ours
    assert (Ours.empty().both, Ours._make([1, "x", ()]).both) == ("0b", "1x")
    assert (Ours._fields, Ours._field_defaults) == (Theirs._fields, Theirs._field_defaults)
    assert (Nothing(), Ours.__doc__, Ours.__module__) == ((), "A record.", __name__)
