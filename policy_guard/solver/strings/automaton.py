"""Patterns as automata: what a pattern accepts step by step, and many of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from operator import and_, or_
from typing import TypeAlias

from policy_guard.records import NamedTuple
from policy_guard.solver.strings.pattern import Unknown, Variable


@dataclass(frozen=True, slots=True)
class Verbatim:
    """The text of an unknown part taken as it is: a `*` in it is a `*`."""

    name: str


@dataclass(frozen=True, slots=True)
class Caseless:
    """The text of a letter in any mixture of upper and lower case."""

    of: Variable | Verbatim | Unknown


Letter: TypeAlias = "Variable | Unknown | Verbatim | Caseless"
Symbol: TypeAlias = "str | Letter"
Word: TypeAlias = "tuple[Symbol, ...]"


class Step(NamedTuple):
    """What a pattern accepts next: one of `symbols`, or with `outside` any one character that is none of them.

    With `loop` it accepts any number of them. A letter stands for a text of any length that is not known here, so
    only the letter itself and a loop over all characters take it.
    """

    symbols: frozenset[Symbol]
    outside: bool = False
    loop: bool = False


Glob: TypeAlias = "tuple[Step, ...]"

ANY = Step(frozenset(), outside=True)
ANYTHING = Step(frozenset(), outside=True, loop=True)


def glob_of(text: str) -> Glob:
    return tuple(map(_exactly, text))


@cache
def _exactly(character: str) -> Step:
    return Step(frozenset(character))


def the_symbol(step: Step) -> Symbol | None:
    """The one symbol that the step stands for, if it is one."""
    return next(iter(step.symbols)) if len(step.symbols) == 1 and not step.outside and not step.loop else None


def accepts(step: Step, symbol: Symbol | Step) -> bool:
    """Tell whether `step` takes the symbol; a step taken as a symbol is taken only if all that it stands for is."""
    if isinstance(symbol, Step):
        if symbol.loop and not step.loop:
            return False
        if symbol.outside:
            return step.outside and step.symbols <= symbol.symbols
        return all(accepts(step, each) for each in symbol.symbols)
    if isinstance(symbol, str):
        return (symbol not in step.symbols) if step.outside else symbol in step.symbols
    if step.outside:
        return step.loop and not step.symbols
    return not step.symbols.isdisjoint(_covering_letters(symbol))


def _covering_letters(letter: Letter) -> tuple[Letter, ...]:
    """The letters whose texts include every text of this one."""
    if isinstance(letter, Variable):
        return letter, Caseless(letter)
    if isinstance(letter, Caseless):
        return (letter, Caseless(Unknown(letter.of.name))) if isinstance(letter.of, Verbatim) else (letter,)
    free = Unknown(letter.name)
    if isinstance(letter, Verbatim):
        return letter, Unknown(letter.name, stays=True), free, Caseless(letter), Caseless(free)
    return letter, free, Caseless(free)


_LETTER = Verbatim("")


class Automaton:
    """All globs at once, a state being the set of places reached in them, held as the bits of one integer."""

    def __init__(self, globs: Iterable[Glob]) -> None:
        self.steps: list[Step | None] = []
        starts, ends, sinks = [], [], []
        for glob in globs:
            starts.append(len(self.steps))
            self.steps += glob
            ends.append(len(self.steps))
            if glob and glob[-1] == ANYTHING:
                sinks.append(len(self.steps))
            self.steps.append(None)
        self.final, self.sinks = self._bits(ends), self._bits(sinks)
        self._loops = self._bits(at for at, step in enumerate(self.steps) if step and step.loop)
        self._outside = self._bits(at for at, step in enumerate(self.steps) if step and step.outside)
        self._moves: dict[Symbol | Step, tuple[int, int]] = {}
        self.start = self._closure(self._bits(starts))

    def _bits(self, places: Iterable[int]) -> int:
        field = bytearray(len(self.steps) // 8 + 1)
        for place in places:
            field[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(field, "little")

    @cached_property
    def places_by_symbol(self) -> dict[Symbol, tuple[int, int]]:
        """The places that name a symbol: to take it, and to refuse it."""
        places: dict[Symbol, tuple[list[int], list[int]]] = {}
        for at, step in enumerate(self.steps):
            for symbol in step.symbols if step else ():
                places.setdefault(symbol, ([], []))[step.outside].append(at)  # type: ignore[union-attr]
        return {symbol: (self._bits(taking), self._bits(refusing)) for symbol, (taking, refusing) in places.items()}

    def _closure(self, state: int) -> int:
        while (extended := state | (state & self._loops) << 1) != state:
            state = extended
        return state

    def _accepting_places(self, symbol: Symbol | Step) -> int:
        if isinstance(symbol, str):
            taking, refusing = self.places_by_symbol.get(symbol, (0, 0))
            return taking | (self._outside & ~refusing)
        if not isinstance(symbol, Step):
            return reduce(
                or_,
                (self.places_by_symbol.get(reading, (0, 0))[0] for reading in _covering_letters(symbol)),
                self._letter_places,
            )
        if symbol.outside:
            places = self._outside
            for name, refusing in self._refusing:
                if name not in symbol.symbols:
                    places &= ~refusing
        else:
            places = reduce(and_, map(self._accepting_places, symbol.symbols), self._taking)
        return places & self._loops if symbol.loop else places

    @cached_property
    def _refusing(self) -> list[tuple[Symbol, int]]:
        """The symbols that some place refuses, each with those places."""
        return [(symbol, refusing) for symbol, (_, refusing) in self.places_by_symbol.items() if refusing]

    @cached_property
    def _taking(self) -> int:
        """The places that take anything at all."""
        return self._bits(at for at, step in enumerate(self.steps) if step)

    @cached_property
    def _letter_places(self) -> int:
        """The places that take a letter, whatever it stands for."""
        return self._bits(at for at, step in enumerate(self.steps) if step and step.outside and accepts(step, _LETTER))

    def telling(self, state: int) -> list[Symbol]:
        """The symbols that may lead elsewhere than a character that no glob names."""
        return [symbol for symbol, places in self._differing if state & places]

    def needed(self, state: int) -> list[Symbol] | None:
        """The symbols without which none of the places goes on; None if one of them takes characters without a name."""
        if state & self._outside:
            return None
        return [symbol for symbol, places in self._taking_symbols if state & places]

    @cached_property
    def _taking_symbols(self) -> list[tuple[Symbol, int]]:
        """The symbols that are named, each with the places that take it."""
        return [(symbol, self._accepting_places(symbol)) for symbol in sorted(self.places_by_symbol, key=str)]

    @cached_property
    def _differing(self) -> list[tuple[Symbol, int]]:
        """The symbols that are named, each with the places where it leads elsewhere than characters that are not."""
        ways = (
            (symbol, self._accepting_places(symbol) ^ self._outside)
            for symbol in sorted(self.places_by_symbol, key=str)
        )
        return [(symbol, places) for symbol, places in ways if places]

    def move(self, state: int, symbol: Symbol | Step) -> int:
        masks = self._moves.get(symbol)
        if masks is None:
            taking = self._accepting_places(symbol)
            masks = self._moves[symbol] = (taking & ~self._loops, taking & self._loops)
        ahead = (state & masks[0]) << 1 | (state & masks[1])
        return self._closure(ahead) if ahead & self._loops else ahead

    def apart(self, state: int) -> Iterator[int]:
        """For each place of the state that does not follow from another, that place and what follows from it."""
        places = state & ~((state & self._loops) << 1)
        while places:
            place = places & -places
            places ^= place
            yield self._closure(place)

    def accepts(self, word: Iterable[Symbol | Step]) -> bool:
        """Tell whether a word is one of a glob; at the end of a glob that takes anything more, the rest is not read."""
        state = self.start
        for symbol in word:
            state = self.move(state, symbol)
            if not state:
                return False
            if state & self.sinks:
                return True
        return bool(state & self.final)

    def accepts_all_of(self, glob: Glob) -> bool:
        """Tell whether one of our globs surely takes every word of `glob`."""
        return self.accepts(only_symbol if (only_symbol := the_symbol(step)) is not None else step for step in glob)
