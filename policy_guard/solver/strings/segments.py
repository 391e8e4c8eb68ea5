"""Words in which a letter stands for a text that is chosen with the word, out of a language of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from policy_guard.solver.strings.automaton import Letter, Symbol
from policy_guard.solver.strings.intersection import Intersection, unnamed
from policy_guard.solver.strings.language import Budget, Language

Place: TypeAlias = "tuple[int, int]"
"""The states of the base, and of the languages that have to hold and those that must not."""
Came: TypeAlias = "dict[Place, tuple[Place, str | Segment] | None]"
ON = "the texts that variables and unknown parts stand for"


class Own(NamedTuple):
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
        own: Mapping[Letter, Own],
        budget: Budget,
    ) -> None:
        self.letters = sorted(base.letters, key=repr)
        self._symbols = [symbol for glob in base for step in glob for symbol in step.symbols]
        self._base = base.whole
        self.rest = _intersection(inside, outside)
        self._own = {letter: _intersection(*own.get(letter, Own())) for letter in self.letters}
        self._budget = budget
        self._through: dict[tuple[int, Letter], dict[int, str]] = {}
        automata = [self._base, self.rest.automaton]
        self._fresh = unnamed([*automata, *(text.automaton for text in self._own.values())])
        self._size = 1 + sum(len(automaton.steps) for automaton in automata) // 2000

    def times(self, letter: Letter) -> int:
        """Return how often the letter occurs in the base."""
        return self._symbols.count(letter)

    def word(self, fixed: Mapping[Letter, str]) -> list[str | Segment] | None:
        """A word in which the letters in `fixed` stand for these texts; None if there is no word."""
        came: Came = {(self._base.start, self.rest.start): None}
        queue = deque(came)
        while queue:
            here = queue.popleft()
            if here[0] & self._base.final and self.rest.accepts(here[1]):
                return _path(came, here)
            for there, by in self._next(here, fixed):
                if there not in came:
                    came[there] = (here, by)
                    queue.append(there)
        return None

    def starts(self, letter: Letter) -> set[int]:
        """Every state in which a word may come to this letter."""
        first = (self._base.start, self.rest.start)
        seen, queue = {first}, deque([first])
        while queue:
            for there, _ in self._next(queue.popleft(), {}):
                if there not in seen:
                    seen.add(there)
                    queue.append(there)
        return {rest for base, rest in seen if self._base.move(base, letter)}

    def _next(self, here: Place, fixed: Mapping[Letter, str]) -> Iterator[tuple[Place, str | Segment]]:
        base, rest = here
        symbols = [self._fresh, *_characters(self._base.telling(base), self.rest.telling(rest))]
        self._budget.spend(self._size * len(symbols), ON)
        for symbol in symbols:
            ahead = self._base.move(base, symbol)
            if ahead and (then := self.rest.after(rest, symbol)) is not None:
                yield (ahead, then), symbol
        for letter in self.letters:
            if ahead := self._base.move(base, letter):
                for then, text in self._segments(rest, letter, fixed):
                    self._budget.spend(1, ON)
                    yield (ahead, then), Segment(letter, text)

    def _segments(self, rest: int, letter: Letter, fixed: Mapping[Letter, str]) -> Iterator[tuple[int, str]]:
        """The states after the letter, each with a text that leads there."""
        stepped = self.rest.over(rest, letter)
        if stepped is not None:
            for state, text in self._read(rest, letter, fixed).items():
                yield state | stepped, text

    def _read(self, rest: int, letter: Letter, fixed: Mapping[Letter, str]) -> dict[int, str]:
        """The states after the characters of a text of the letter."""
        if letter in fixed:
            then: int | None = rest
            for symbol in fixed[letter]:
                self._budget.spend(self._size, ON)
                then = self.rest.after(then, symbol) if then is not None else None
            return {then: fixed[letter]} if then is not None else {}
        if (rest, letter) not in self._through:
            self._through[rest, letter] = self._any_text(rest, self._own[letter])
        return self._through[rest, letter]

    def _any_text(self, rest: int, own: Intersection) -> dict[int, str]:
        first = rest, own.start
        came = {first: ""}
        queue = deque([first])
        states: dict[int, str] = {}
        while queue:
            here = queue.popleft()
            if own.accepts(here[1]):
                states.setdefault(here[0], came[here])
            symbols = [self._fresh, *_characters(self.rest.telling(here[0]), own.telling(here[1]))]
            self._budget.spend(self._size * len(symbols), ON)
            for symbol in symbols:
                then, at = self.rest.after(here[0], symbol), own.after(here[1], symbol)
                if then is not None and at is not None and (then, at) not in came:
                    came[then, at] = came[here] + symbol
                    queue.append((then, at))
        return states


def classes(letter: Letter, own: Own, products: Iterable[Product], budget: Budget) -> Iterator[str]:
    """A text of the letter for each way in which such texts can lead on in the products.

    Two texts lead on alike if from every state in which a word may come to the letter they lead to the same state.
    A word of a product exists with the one text if and only if it exists with the other.
    """
    text = _intersection(*own)
    starts = [(product.rest, state) for product in products for state in product.starts(letter)]
    fresh = unnamed([text.automaton, *(rest.automaton for rest, _ in starts)])
    first: tuple[int, tuple[int | None, ...]] = text.start, tuple(state for _, state in starts)
    came = {first: ""}
    queue = deque([first])
    told: set[tuple[int | None, ...]] = set()
    while queue:
        here = queue.popleft()
        at, states = here
        if text.accepts(at) and states not in told:
            told.add(states)
            yield came[here]
        alive = ((rest, state) for (rest, _), state in zip(starts, states, strict=True) if state is not None)
        symbols = [fresh, *_characters(text.telling(at), *(rest.telling(state) for rest, state in alive))]
        budget.spend((1 + len(starts)) * len(symbols), ON)
        for symbol in symbols:
            then = text.after(at, symbol)
            if then is None:
                continue
            ahead = tuple(
                rest.after(state, symbol) if state is not None else None
                for (rest, _), state in zip(starts, states, strict=True)
            )
            if (then, ahead) not in came:
                came[then, ahead] = came[here] + symbol
                queue.append((then, ahead))


def _path(came: Came, last: Place) -> list[str | Segment]:
    word: list[str | Segment] = []
    while (step := came[last]) is not None:
        last, by = step
        word.append(by)
    return word[::-1]


def _intersection(inside: Sequence[Language], outside: Sequence[Language]) -> Intersection:
    return Intersection(
        [tuple(language) for language in inside], tuple(dict.fromkeys(glob for each in outside for glob in each))
    )


def _characters(*symbols: Iterable[Symbol]) -> list[str]:
    """The symbols without the letters, in an order of their own."""
    return sorted({symbol for some in symbols for symbol in some if isinstance(symbol, str)})
