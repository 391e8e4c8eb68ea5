"""Words in which a letter stands for a text that is chosen with the word, out of a language of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from policy_guard.records import NamedTuple
from policy_guard.solver.strings.automaton import Letter, Symbol
from policy_guard.solver.strings.intersection import Intersection, unnamed
from policy_guard.solver.strings.language import Budget, Language

Place: TypeAlias = "tuple[int, int]"
"""The states of the base, and of the languages that have to hold and those that must not."""
Predecessors: TypeAlias = "dict[Place, tuple[Place, str | Segment] | None]"
ON = "the texts that variables and unknown parts stand for"


class Constraint(NamedTuple):
    """The languages that the text of a letter lies in, and those that it lies outside of."""

    inside: tuple[Language, ...] = ()
    outside: tuple[Language, ...] = ()


class Segment(NamedTuple):
    """A letter of a word, and a text that it stands for."""

    letter: Letter
    text: str


class Product:
    """The texts that lie in `base`, in all of `inside` and in none of `outside`, and perhaps some more.

    A text in `base` is a word: each letter of `base` stands for a segment of it. The automata of `inside`, which have
    no letters, read the characters of the segment. Those of `outside` read the characters too, and besides step over
    their own letter at once. So `outside` takes every word that it surely takes, whatever the letters stand for, and
    may not take one that it only takes by chance, because a letter's text occurs in another place. Two segments of
    one letter may differ, unless the text is fixed. Therefore, a text that exists is always found as a word; a word
    that is found may be none of a text.
    """

    def __init__(
        self,
        base: Language,
        inside: Sequence[Language],
        outside: Sequence[Language],
        constraints: Mapping[Letter, Constraint],
        budget: Budget,
    ) -> None:
        self.letters = sorted(base.letters, key=repr)
        self._symbols = [symbol for glob in base for step in glob for symbol in step.symbols]
        self._base = base.full_automaton
        self.restriction = _intersection(inside, outside)
        self._constraints = {letter: _intersection(*constraints.get(letter, Constraint())) for letter in self.letters}
        self._budget = budget
        self._through: dict[tuple[int, Letter], dict[int, str]] = {}
        automata = [self._base, self.restriction.automaton]
        self._fresh = unnamed([*automata, *(text.automaton for text in self._constraints.values())])
        self._size = 1 + sum(len(automaton.steps) for automaton in automata) // 2000

    def times(self, letter: Letter) -> int:
        """Return how often the letter occurs in the base."""
        return self._symbols.count(letter)

    def word(self, fixed: Mapping[Letter, str]) -> list[str | Segment] | None:
        """A word in which the letters in `fixed` stand for these texts; None if there is no word."""
        predecessors: Predecessors = {(self._base.start, self.restriction.start): None}
        queue = deque(predecessors)
        while queue:
            place = queue.popleft()
            if place[0] & self._base.final and self.restriction.accepts(place[1]):
                return _path(predecessors, place)
            for successor, symbol in self._next(place, fixed):
                if successor not in predecessors:
                    predecessors[successor] = (place, symbol)
                    queue.append(successor)
        return None

    def starts(self, letter: Letter) -> set[int]:
        """Every state in which a word may come to this letter."""
        first = (self._base.start, self.restriction.start)
        places, queue = {first}, deque([first])
        while queue:
            for successor, _ in self._next(queue.popleft(), {}):
                if successor not in places:
                    places.add(successor)
                    queue.append(successor)
        return {state for base, state in places if self._base.move(base, letter)}

    def _next(self, place: Place, fixed: Mapping[Letter, str]) -> Iterator[tuple[Place, str | Segment]]:
        base, state = place
        symbols = [self._fresh, *_characters(self._base.telling(base), self.restriction.telling(state))]
        self._budget.spend(self._size * len(symbols), ON)
        for symbol in symbols:
            ahead = self._base.move(base, symbol)
            if ahead and (successor := self.restriction.after(state, symbol)) is not None:
                yield (ahead, successor), symbol
        for letter in self.letters:
            if ahead := self._base.move(base, letter):
                for successor, text in self._segments(state, letter, fixed):
                    self._budget.spend(1, ON)
                    yield (ahead, successor), Segment(letter, text)

    def _segments(self, start: int, letter: Letter, fixed: Mapping[Letter, str]) -> Iterator[tuple[int, str]]:
        """The states after the letter, each with a text that leads there."""
        stepped = self.restriction.over(start, letter)
        if stepped is not None:
            for state, text in self._read(start, letter, fixed).items():
                yield state | stepped, text

    def _read(self, start: int, letter: Letter, fixed: Mapping[Letter, str]) -> dict[int, str]:
        """The states after the characters of a text of the letter."""
        if letter in fixed:
            state: int | None = start
            for symbol in fixed[letter]:
                self._budget.spend(self._size, ON)
                state = self.restriction.after(state, symbol) if state is not None else None
            return {state: fixed[letter]} if state is not None else {}
        if (start, letter) not in self._through:
            self._through[start, letter] = self._any_text(start, self._constraints[letter])
        return self._through[start, letter]

    def _any_text(self, start: int, constraint: Intersection) -> dict[int, str]:
        first = start, constraint.start
        texts = {first: ""}
        queue = deque([first])
        states: dict[int, str] = {}
        while queue:
            pair = queue.popleft()
            if constraint.accepts(pair[1]):
                states.setdefault(pair[0], texts[pair])
            symbols = [self._fresh, *_characters(self.restriction.telling(pair[0]), constraint.telling(pair[1]))]
            self._budget.spend(self._size * len(symbols), ON)
            for symbol in symbols:
                state, at = self.restriction.after(pair[0], symbol), constraint.after(pair[1], symbol)
                if state is not None and at is not None and (state, at) not in texts:
                    texts[state, at] = texts[pair] + symbol
                    queue.append((state, at))
        return states


def classes(letter: Letter, constraint: Constraint, products: Iterable[Product], budget: Budget) -> Iterator[str]:
    """A text of the letter for each way in which such texts can lead on in the products.

    Two texts lead on alike if from every state in which a word may come to the letter they lead to the same state.
    A word of a product exists with the one text if and only if it exists with the other.
    """
    text = _intersection(*constraint)
    starts = [(product.restriction, state) for product in products for state in product.starts(letter)]
    fresh = unnamed([text.automaton, *(restriction.automaton for restriction, _ in starts)])
    first: tuple[int, tuple[int | None, ...]] = text.start, tuple(state for _, state in starts)
    texts = {first: ""}
    queue = deque([first])
    destinations: set[tuple[int | None, ...]] = set()
    while queue:
        node = queue.popleft()
        at, states = node
        if text.accepts(at) and states not in destinations:
            destinations.add(states)
            yield texts[node]
        live_starts = (
            (restriction, state) for (restriction, _), state in zip(starts, states, strict=True) if state is not None
        )
        symbols = [
            fresh,
            *_characters(text.telling(at), *(restriction.telling(state) for restriction, state in live_starts)),
        ]
        budget.spend((1 + len(starts)) * len(symbols), ON)
        for symbol in symbols:
            successor = text.after(at, symbol)
            if successor is None:
                continue
            ahead = tuple(
                restriction.after(state, symbol) if state is not None else None
                for (restriction, _), state in zip(starts, states, strict=True)
            )
            if (successor, ahead) not in texts:
                texts[successor, ahead] = texts[node] + symbol
                queue.append((successor, ahead))


def _path(predecessors: Predecessors, last: Place) -> list[str | Segment]:
    word: list[str | Segment] = []
    while (step := predecessors[last]) is not None:
        last, symbol = step
        word.append(symbol)
    return word[::-1]


def _intersection(inside: Sequence[Language], outside: Sequence[Language]) -> Intersection:
    return Intersection(
        [tuple(language) for language in inside], tuple(dict.fromkeys(glob for each in outside for glob in each))
    )


def _characters(*symbols: Iterable[Symbol]) -> list[str]:
    """The symbols without the letters, in an order of their own."""
    return sorted({symbol for group in symbols for symbol in group if isinstance(symbol, str)})
