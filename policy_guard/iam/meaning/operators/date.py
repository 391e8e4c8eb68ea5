"""DateEquals, DateLessThan and their siblings: moments, written as ISO 8601 or as seconds since 1970.

Source: IAM User Guide, reference_policies_elements_condition_operators, Conditions_Date, and the W3C note on date
and time formats that it names. A request is taken to spell a moment in UTC to the second, `2026-01-31T08:00:00Z`,
with a fraction if need be, or in seconds since 1970.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import TypeAlias

from policy_guard.iam.condition_values import TOO_EARLY, TOO_LATE, Moment, in_utc, moment, of_seconds
from policy_guard.iam.meaning.interpretations import FOUR_DIGITS_ARE_SECONDS
from policy_guard.iam.meaning.operator import Ambiguity, Operator, Spellings, Way, text_of, typed
from policy_guard.solver.formula import Formula, conjunction, member, negation
from policy_guard.solver.strings import spans
from policy_guard.solver.strings.automaton import ANYTHING, Glob, Step, glob_of
from policy_guard.solver.strings.language import Language, Slot
from policy_guard.solver.strings.number_ranges import DIGIT, DIGITS, differing, equal, numbers_above, numbers_below
from policy_guard.solver.strings.pattern import Pattern
from policy_guard.solver.strings.spans import Line, Span, Stretch

Globs: TypeAlias = "Iterator[Glob]"
_EARLY, _LATE = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"

_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
_YEAR_FIRST = re.compile(r"\d{4}(-.*)?", re.ASCII | re.DOTALL)


def _concatenate(*parts: Glob) -> Glob:
    return tuple(step for part in parts for step in part)


def _one_of(digits: str) -> Glob:
    return (Step(frozenset(digits)),)


def _days() -> Globs:
    """Every day of the calendar, from the year 1."""
    year = (DIGIT,) * 4
    long = (_concatenate(glob_of("0"), _one_of("13578")), _concatenate(glob_of("1"), _one_of("02")))
    short = (_concatenate(glob_of("0"), _one_of("469")), glob_of("11"))
    to_28 = (
        _concatenate(glob_of("0"), _one_of("123456789")),
        _concatenate(glob_of("1"), (DIGIT,)),
        _concatenate(glob_of("2"), _one_of("012345678")),
    )
    ends = (glob_of("29"), glob_of("30"), glob_of("31"))
    dash = glob_of("-")
    for months, days in ((long, to_28 + ends), (short, to_28 + ends[:2]), ((glob_of("02"),), to_28)):
        yield from (_concatenate(year, dash, month, dash, day) for month in months for day in days)
    fours = (
        _concatenate(glob_of("0"), _one_of("48")),
        _concatenate(_one_of("2468"), _one_of("048")),
        _concatenate(_one_of("13579"), _one_of("26")),
    )
    leap = [_concatenate((DIGIT,) * 2, four) for four in fours] + [_concatenate(four, glob_of("00")) for four in fours]
    yield from (_concatenate(steps, glob_of("-02-29")) for steps in leap)


def _times() -> Globs:
    """Every time of day in UTC after a day, to the second or finer."""
    day = (*(DIGIT,) * 4, *glob_of("-"), *(DIGIT,) * 2, *glob_of("-"), *(DIGIT,) * 2)
    minute = _concatenate(glob_of(":"), _one_of("012345"), (DIGIT,))
    for hour in (_concatenate(_one_of("01"), (DIGIT,)), _concatenate(glob_of("2"), _one_of("0123"))):
        for part in ((), (*glob_of("."), DIGIT, DIGITS)):
            yield _concatenate(day, glob_of("T"), hour, minute, minute, part, glob_of("Z"))


def _seconds() -> Globs:
    """Every number but those of four digits, which may be years."""
    for sign in ((), glob_of("+"), glob_of("-")):
        yield (*sign, DIGIT, DIGITS, *glob_of("."), DIGIT, DIGITS)
        lengths = range(1, 5) if sign else range(1, 4)
        yield from ((*sign, *(DIGIT,) * length) for length in lengths)
        yield (*sign, *(DIGIT,) * 5, DIGITS)


_NO_YEAR = Language([(*glob_of("0000-"), ANYTHING)])
DAYS = Language([*((*day, ANYTHING) for day in _days()), *_seconds()])
TIMES = Language([*_times(), *_seconds()])
"""Together with `DAYS`, and without the year 0: the moments as a request spells them."""
_YEARS_FIRST = Language([(DIGIT,) * 4, (*(DIGIT,) * 4, *glob_of("-"), ANYTHING)])


def _is_usual(slot: Slot) -> Formula:
    return conjunction([member(slot, DAYS), member(slot, TIMES), negation(member(slot, _NO_YEAR))])


def _spelled_otherwise(slot: Slot, patterns: tuple[Pattern, ...]) -> Formula:
    return conjunction([member(slot, _YEARS_FIRST), negation(_is_usual(slot))])


def _is_spelled_otherwise(patterns: tuple[Pattern, ...], text: str) -> bool:
    return bool(_YEAR_FIRST.fullmatch(text)) and not (_USUAL.fullmatch(text) and moment(text))


def _clock(digits: str) -> Glob:
    """The beginning of a moment as it is spelled, to as many digits as there are."""
    marks = {4: "-", 6: "-", 8: "T", 10: ":", 12: ":", 14: "."}
    return glob_of("".join(marks.get(at, "") + digit for at, digit in enumerate(digits)))


def _differing(clock: str, upwards: bool) -> Globs:
    """Moments that agree with this one up to some digit, and are later or earlier there."""
    for glob in differing(clock, upwards):
        digits = "".join(str(next(iter(step.symbols))) for step in glob[:-1])
        year = (*(DIGIT,) * (4 - len(glob)), *glob_of("-")) if len(glob) <= 4 else ()
        yield (*_clock(f"{digits}0")[:-1], glob[-1], *year, ANYTHING)


def _later(at: Moment) -> Globs:
    yield from numbers_above(at.seconds)
    if at.clock == TOO_EARLY:
        yield (DIGIT, DIGIT, DIGIT, DIGIT, *glob_of("-"), ANYTHING)
    elif at.clock != TOO_LATE:
        yield from _differing(at.clock, upwards=True)
        prefix = _clock(f"{at.clock}0")[:-1]
        yield (*prefix, Step(frozenset("0"), loop=True), *_one_of("123456789"), ANYTHING)


def _earlier(at: Moment) -> Globs:
    yield from numbers_below(at.seconds)
    if at.clock == TOO_LATE:
        yield (DIGIT, DIGIT, DIGIT, DIGIT, *glob_of("-"), ANYTHING)
    elif at.clock != TOO_EARLY:
        yield from _differing(at.clock, upwards=False)
        yield from ((*_clock(at.clock[:end]), *glob_of("Z")) for end in range(14, len(at.clock)))


def _simultaneous(at: Moment) -> Globs:
    yield from equal(at.seconds)
    if at.clock not in (TOO_EARLY, TOO_LATE):
        zeros = Step(frozenset("0"), loop=True)
        if len(at.clock) == 14:
            yield (*_clock(at.clock), *glob_of("Z"))
            yield (*_clock(at.clock), *glob_of(".0"), zeros, *glob_of("Z"))
        else:
            yield (*_clock(at.clock), zeros, *glob_of("Z"))


def _has_four_digits(pattern: Pattern) -> bool:
    return len(pattern.parts) == 1 and bool(re.fullmatch(r"[0-9]{4}", str(pattern.parts[0])))


def _as_seconds(text: str) -> Moment | None:
    return of_seconds(text) if re.fullmatch(r"[0-9]{4}", text) else moment(text)


def _holds(
    pattern: Pattern,
    value: str,
    *,
    read: Callable[[str], Moment | None],
    compare: Callable[[Decimal, Decimal], bool],
) -> bool:
    instant, limit = moment(value), read(text_of(pattern))
    return instant is not None and limit is not None and compare(instant.seconds, limit.seconds)


def _build(text: str, *, read: Callable[[str], Moment | None], way: Callable[[Moment], Globs]) -> Globs:
    at = read(text)
    if at is not None:
        yield from way(at)


def _stretch(text: str, *, read: Callable[[str], Moment | None], way: Callable[[Decimal], Stretch]) -> Stretch | None:
    at = read(text)
    return None if at is None else way(at.seconds)


_LINE = Line("date", in_utc, frozenset([DAYS, TIMES]), frozenset([_NO_YEAR]))
DAYS.span = TIMES.span = Span(_LINE, ((spans.FIRST, spans.LAST),))


def _ways(read: Callable[[str], Moment | None]) -> tuple[Way, Way, Way]:
    """Earlier, at the same time, and later: a value is one of these, and no two."""
    ways = (
        (_earlier, lambda value: _LATE, spans.below),
        (_simultaneous, str, spans.at),
        (_later, lambda value: _EARLY, spans.above),
    )
    earlier, simultaneous, later = (
        Way(
            build=partial(_build, read=read, way=way),
            order=f"date {read.__name__}",
            towards=towards,
            line=_LINE,
            stretch=partial(_stretch, read=read, way=stretch),
        )
        for way, towards, stretch in ways
    )
    return earlier, simultaneous, later


_WAYS = {read: _ways(read) for read in (moment, _as_seconds)}


def _encode(slot: Slot, patterns: tuple[Pattern, ...], *, ways: tuple[Way, ...]) -> Formula:
    return conjunction([_is_usual(slot), member(slot, typed(patterns, ways))])


def _operator(name: str, compare: Callable[[Decimal, Decimal], bool], *ways: int, negated: bool = False) -> Operator:
    as_year, as_seconds = (
        Operator(
            name=f"Date{name}",
            holds=partial(_holds, read=read, compare=compare),
            encode=partial(_encode, ways=tuple(_WAYS[read][way] for way in ways)),
            negated=negated,
            spellings=Spellings(_spelled_otherwise, _is_spelled_otherwise),
        )
        for read in (moment, _as_seconds)
    )
    four_digits = Ambiguity(FOUR_DIGITS_ARE_SECONDS.name, as_seconds, as_year)
    return as_year._replace(unclear=lambda pattern: four_digits if _has_four_digits(pattern) else None)


_EARLIER, _SAME, _LATER = range(3)
OPERATORS = (
    _operator("Equals", operator.eq, _SAME),
    _operator("NotEquals", operator.eq, _SAME, negated=True),
    _operator("LessThan", operator.lt, _EARLIER),
    _operator("LessThanEquals", operator.le, _EARLIER, _SAME),
    _operator("GreaterThan", operator.gt, _LATER),
    _operator("GreaterThanEquals", operator.ge, _LATER, _SAME),
)
