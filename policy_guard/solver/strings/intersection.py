"""The words that several sets of globs share and another set lacks, read symbol by symbol."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import reduce
from heapq import heappop, heappush
from itertools import chain, count, product
from operator import or_
from typing import TypeAlias

from policy_guard.solver.strings.automaton import Automaton, Glob, Letter, Symbol, Word

Walk: TypeAlias = "Generator[int, None, Word | None]"
"""A search for a word that gives the number of symbols that it tries in each state, and at last the word, if any."""
_Predecessors: TypeAlias = "dict[int, tuple[int, Symbol] | None]"
_MOST_RIVALS = 16
"""With how many earlier states one is compared."""
_COMPARED = 64
"""With how many states one is compared at the cost of a symbol."""


class Intersection:
    """The words in each of `inside` and not in `outside`.

    One automaton reads all sets at once, so a state is one integer, with a run of bits for each set.
    """

    def __init__(self, inside: Sequence[Sequence[Glob]], outside: Sequence[Glob]) -> None:
        self.automaton = Automaton(chain(*inside, outside))
        *parts, self._against = _runs([*inside, outside])
        self._parts = parts
        self._finals = [part & self.automaton.final for part in parts]
        self._barred = self._against & self.automaton.final
        self._sunk = self._against & self.automaton.sinks
        self.start = self.automaton.start

    def __len__(self) -> int:
        """Return how many sets there are, the one outside included."""
        return len(self._parts) + 1

    def accepts(self, state: int) -> bool:
        """Tell whether a word may end in this state."""
        return not state & self._barred and all(state & final for final in self._finals)

    def after(self, state: int, symbol: Symbol) -> int | None:
        """The state after a symbol; None if no word goes on from there."""
        ahead = self.automaton.move(state, symbol)
        if ahead & self._sunk:
            return None
        # No generator: this is asked for every symbol in every state.
        for part in self._parts:
            if not ahead & part:
                return None
        return ahead

    def over(self, state: int, letter: Letter) -> int | None:
        """Return where a letter, read as itself, leads outside; None if all words are in it from there on."""
        ahead = self.automaton.move(state & self._against, letter)
        return None if ahead & self._sunk else ahead

    def telling(self, state: int) -> list[Symbol]:
        """The symbols that may lead elsewhere than a character that no glob names."""
        return self.automaton.telling(state)

    def shortest(self) -> Walk:
        """A walk to the shortest word, symbol by symbol.

        Of two states with the same places inside, the later one with more places outside leads to no other word.
        """
        fresh = unnamed([self.automaton])
        predecessors: _Predecessors = {self.start: None}
        earlier: dict[int, list[int]] = {}
        queue = deque(predecessors)
        while queue:
            state = queue.popleft()
            if self.accepts(state):
                return _path(predecessors, state)
            symbols = self._symbols(state, fresh)
            yield len(symbols)
            for symbol in symbols:
                ahead = self.after(state, symbol)
                if ahead is None or ahead in predecessors:
                    continue
                against = ahead & self._against
                rivals = earlier.setdefault(ahead ^ against, [])
                if any(not rival & ~against for rival in rivals):
                    continue
                if len(rivals) < _MOST_RIVALS:
                    rivals.append(against)
                predecessors[ahead] = state, symbol
                queue.append(ahead)
        return None

    def some(self) -> Walk:
        """A walk to some word, which guesses at what place of each set inside the word is.

        So `*a????*` has a state for each place and not one for each set of places. Of two states with the same places
        inside, the one with fewer places outside accepts all that the other does, which is not looked at; states with
        few of them come first.
        """
        fresh = unnamed([self.automaton])
        predecessors: _Predecessors = {}
        best: dict[int, list[int]] = {}
        numbers = count()
        queue: list[tuple[int, int, int]] = []

        def reach(state: int, origin: tuple[int, Symbol] | None) -> int:
            against = state & self._against
            rivals = best.setdefault(state ^ against, [])
            if any(not rival & ~against for rival in rivals):
                return len(rivals)
            rivals[:] = [against, *(rival for rival in rivals if against & ~rival)]
            predecessors[state] = origin
            heappush(queue, (against.bit_count(), next(numbers), state))
            return len(rivals)

        for state in self._guesses(self.start):
            reach(state, None)
        while queue:
            _, _, state = heappop(queue)
            if self.accepts(state):
                return _path(predecessors, state)
            symbols = self._symbols(state, fresh)
            compared = 0
            for symbol in symbols:
                ahead = self.after(state, symbol)
                for guess in self._guesses(ahead) if ahead is not None else ():
                    compared += _COMPARED + reach(guess, (state, symbol))
            yield len(symbols) + compared // _COMPARED
        return None

    def _symbols(self, state: int, fresh: str) -> list[Symbol]:
        """The symbols to go on with, one for all that no glob names."""
        for part in self._parts:
            if (needed := self.automaton.needed(state & part)) is not None:
                return needed
        return [fresh, *self.telling(state)]

    def _guesses(self, state: int) -> Iterator[int]:
        """The state taken apart, so that the word is at one place of each set inside."""
        against = state & self._against
        for places in product(*(self.automaton.apart(state & part) for part in self._parts)):
            yield reduce(or_, places, against)


def _path(predecessors: _Predecessors, last: int) -> Word:
    word: list[Symbol] = []
    while (step := predecessors[last]) is not None:
        last, symbol = step
        word.append(symbol)
    return tuple(reversed(word))


def _runs(sets: Iterable[Sequence[Glob]]) -> list[int]:
    """For each set the bits of its places in the automaton of all sets, in their order."""
    runs: list[int] = []
    first = 0
    for globs in sets:
        length = sum(len(glob) + 1 for glob in globs)
        runs.append(((1 << length) - 1) << first)
        first += length
    return runs


def unnamed(automata: Iterable[Automaton]) -> str:
    """A character that no glob of the automata names."""
    names = {symbol for automaton in automata for symbol in automaton.places_by_symbol}
    return next(c for c in map(chr, range(ord("a"), 0x10FFFF)) if c not in names)
