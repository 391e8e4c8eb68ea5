"""Regular expressions for placeholders, from the settings: a part of the usual language, found in counted steps.

There are no groups, alternatives or backward references: a text is then searched without trying a way twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from policy_guard.records import NamedTuple

LONGEST = 200
"""How many characters a regular expression, and a placeholder, may have."""
MOST_STEPS = 2_000_000
_MOST_TIMES = 100
_MOST_ITEMS = 500
_ITEM = re.compile(
    r"(?P<one>\\.|\[\^?\]?(?:\\.|[^\]\\\[])*\]|[^\\\[\]()|*+?{}^$])(?P<times>[*+?]|\{\d{1,3}(?:,\d{0,3})?\})?",
    re.DOTALL,
)


class _Item(NamedTuple):
    """One character of a placeholder: `expression` is a regular expression for it, which may be left out or repeat."""

    expression: str
    optional: bool = False
    repeats: bool = False


class Placeholders:
    """Finds what is a placeholder by the settings. The steps are counted over all texts that it looks through."""

    def __init__(self, expressions: Iterable[str]) -> None:
        """Raises `ValueError` with a sentence for an expression that cannot be used."""
        self._machines = tuple(map(_machine, expressions))
        self._budget = MOST_STEPS

    def __bool__(self) -> bool:
        return bool(self._machines)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yields where the placeholders of a text stand. Raises `ValueError` with a sentence after too many steps."""
        at = 0
        while at < len(text):
            end = max((self._end(machine, text, at) for machine in self._machines), default=at)
            if end > at:
                yield at, end
            at = max(end, at + 1)

    def _end(self, machine: tuple[_Item, ...], text: str, start: int) -> int:
        """Return where the longest placeholder that begins here ends; `start` if none does."""
        loops, optional = _shape(machine)
        state, end = _close(1, loops | optional), start
        for at in range(start, min(len(text), start + LONGEST)):
            self._budget -= 1 if text[at].isascii() else 1 + len(machine)
            if self._budget < 0:
                raise ValueError("looking for the placeholders of the settings takes too long; name fewer of them")
            matching_state = state & _matching_items(machine, text[at])
            if not matching_state:
                break
            state = _close((matching_state << 1) | (matching_state & loops), loops | optional)
            if state >> len(machine) & 1:
                end = at + 1
        return end


@cache
def _shape(machine: tuple[_Item, ...]) -> tuple[int, int]:
    """Return which items repeat, and which may be left out, as the bits of two integers."""
    return (
        sum(1 << at for at, item in enumerate(machine) if item.repeats),
        sum(1 << at for at, item in enumerate(machine) if item.optional),
    )


def _close(state: int, skippable: int) -> int:
    while (next_state := state | (state & skippable) << 1) != state:
        state = next_state
    return state


@cache
def _matching_items(machine: tuple[_Item, ...], character: str) -> int:
    return sum(1 << at for at, item in enumerate(machine) if re.fullmatch(item.expression, character, re.DOTALL))


@cache
def _machine(expression: str) -> tuple[_Item, ...]:
    if not 0 < len(expression) <= LONGEST:
        raise ValueError(f"a regular expression for placeholders has 1 to {LONGEST} characters")
    items: list[_Item] = []
    at = 0
    while at < len(expression):
        match = _ITEM.match(expression, at)
        if match is None:
            raise ValueError(
                f"{expression[at]!r} has no meaning here; write characters, sets such as [A-Z_] and repetitions, "
                "a backslash before any other sign, and several expressions in place of groups"
            )
        items += _repeat(_check(match["one"]), match["times"])
        at = match.end()
    if len(items) > _MOST_ITEMS:
        raise ValueError(f"its repetitions add up to more than {_MOST_ITEMS} characters")
    if all(item.optional for item in items):
        raise ValueError("it matches the empty text; ask for at least one character")
    return tuple(items)


def _check(expression: str) -> str:
    if re.fullmatch(r"\\[A-Za-z0-9]", expression) and expression[1] not in "dswDSWtn":
        raise ValueError(f"{expression} has no meaning here")
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"{expression} is not a set of characters: {error.msg}") from None
    return expression


def _repeat(expression: str, times: str | None) -> Iterator[_Item]:
    if times in (None, "?"):
        yield _Item(expression, optional=times == "?")
        return
    low, comma, high = {"*": "0,", "+": "1,"}.get(times, times.strip("{}")).partition(",")
    if max(int(low), int(high or 0)) > _MOST_TIMES:
        raise ValueError(f"{times} repeats more than {_MOST_TIMES} times")
    if high and int(high) < int(low):
        raise ValueError(f"{times} ends below its beginning")
    yield from (_Item(expression) for _ in range(int(low)))
    if comma and not high:
        yield _Item(expression, optional=True, repeats=True)
    yield from (_Item(expression, optional=True) for _ in range(int(high or 0) - int(low)))
