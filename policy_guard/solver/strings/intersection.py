"""The words that several sets of globs share and another set lacks, read symbol by symbol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from policy_guard.solver.strings.automaton import Automaton, Glob, Letter, Symbol


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
