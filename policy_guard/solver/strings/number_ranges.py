"""Decimal numbers as texts: the globs of the texts that equal, exceed or undercut one.

A number is digits with an optional sign and fraction; zeros in front and behind do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from policy_guard.solver.strings.automaton import Glob, Step, glob_of

_ALL = "0123456789"
DIGIT = Step(frozenset(_ALL))
DIGITS = DIGIT._replace(loop=True)
_SOME = Step(frozenset("123456789"))
_ZEROS = Step(frozenset("0"), loop=True)
_POINT = glob_of(".")
_SIGNS: dict[bool, tuple[Glob, ...]] = {True: (glob_of("-"),), False: ((), glob_of("+"))}


def equal(value: Decimal) -> Iterator[Glob]:
    """The texts that spell this number."""
    for glob in _equal(*_digits(value)):
        for sign in (*_SIGNS[True], *_SIGNS[False]) if value == 0 else _SIGNS[value < 0]:
            yield sign + glob


def numbers_above(value: Decimal) -> Iterator[Glob]:
    """The texts that spell a greater number."""
    return _beyond(value, negative=False)


def numbers_below(value: Decimal) -> Iterator[Glob]:
    """The texts that spell a smaller number."""
    return _beyond(value, negative=True)


def _beyond(value: Decimal, negative: bool) -> Iterator[Glob]:
    """The texts on one side of the value: all of that side of zero if the value lies on the other."""
    if (value < 0) == negative or value == 0:
        yield from (sign + glob for sign in _SIGNS[negative] for glob in _greater(*_digits(value)))
        return
    yield from (sign + glob for sign in _SIGNS[negative] for glob in _greater("", ""))
    yield from equal(Decimal(0))
    yield from (sign + glob for sign in _SIGNS[not negative] for glob in _smaller(*_digits(value)))


def _digits(value: Decimal) -> tuple[str, str]:
    """The digits before and after the point, without the zeros that do not count."""
    integer, _, part = f"{value.copy_abs():f}".partition(".")
    return integer.lstrip("0"), part.rstrip("0")


def _integer_glob(digits: str) -> Glob:
    """The texts of the digits before the point, with any zeros in front."""
    return (_ZEROS, *glob_of(digits)) if digits else (_ZEROS, *glob_of("0"))


def _equal(integer: str, part: str) -> Iterator[Glob]:
    if part:
        yield (*_integer_glob(integer), *_POINT, *glob_of(part), _ZEROS)
    else:
        yield _integer_glob(integer)
        yield (*_integer_glob(integer), *_POINT, *glob_of("0"), _ZEROS)


def _greater(integer: str, part: str) -> Iterator[Glob]:
    """Magnitudes above this one."""
    ends: tuple[Glob, ...] = ((), (*_POINT, DIGIT, DIGITS))
    longer: Glob = (DIGITS, _SOME, *[DIGIT] * len(integer), DIGITS)
    same_length = ((_ZEROS, *glob, *[DIGIT] * (len(integer) - len(glob))) for glob in differing(integer, upwards=True))
    for glob in (longer, *same_length):
        yield from (glob + end for end in ends)
    yield from ((*_integer_glob(integer), *_POINT, *glob, DIGITS) for glob in differing(part, upwards=True))
    yield (*_integer_glob(integer), *_POINT, *glob_of(part), _ZEROS, _SOME, DIGITS)


def _smaller(integer: str, part: str) -> Iterator[Glob]:
    """Magnitudes below this one and above zero, or zero."""
    ends: tuple[Glob, ...] = ((), (*_POINT, DIGIT, DIGITS))
    shorter: list[Glob] = [(_ZEROS, *[DIGIT] * length) for length in range(1, len(integer))]
    same_length = ((_ZEROS, *glob, *[DIGIT] * (len(integer) - len(glob))) for glob in differing(integer, upwards=False))
    for glob in (*shorter, *same_length):
        yield from (glob + end for end in ends)
    if part:
        yield _integer_glob(integer)
    yield from ((*_integer_glob(integer), *_POINT, *glob, DIGITS) for glob in differing(part, upwards=False))
    yield from ((*_integer_glob(integer), *_POINT, *glob_of(part[:length])) for length in range(1, len(part)))


def differing(digits: str, upwards: bool) -> Iterator[Glob]:
    """Beginnings that agree with the digits up to some place and have a greater, or else a smaller, digit there."""
    for at, digit in enumerate(digits):
        other_digits = _ALL[int(digit) + 1 :] if upwards else _ALL[: int(digit)]
        if other_digits:
            yield (*glob_of(digits[:at]), Step(frozenset(other_digits)))
