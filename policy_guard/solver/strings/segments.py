"""Words in which a letter stands for a text that is chosen with the word, out of a language of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from policy_guard.solver.strings.automaton import Automaton, Letter
from policy_guard.solver.strings.language import Budget, Language

Rest: TypeAlias = "tuple[tuple[int, ...], int]"
"""Where the languages that have to hold are, and where those that must not hold are."""
Place: TypeAlias = "tuple[int, Rest]"
"""The same, after where the base is."""
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
        self._inside = [each.whole for each in inside]
        self._against = Language(glob for each in outside for glob in each).whole
        self._own = {letter: _Text(own.get(letter, Own())) for letter in self.letters}
        self._budget = budget
        self._through: dict[tuple[Rest, Letter], dict[Rest, str]] = {}
        self.automata = [self._base, *self._inside, self._against]
        texts = (automaton for text in self._own.values() for automaton in text.automata)
        self.symbols = _characters([*self.automata, *texts])
        self.start: Rest = tuple(each.start for each in self._inside), self._against.start
        self._size = 1 + sum(len(each.steps) for each in self.automata) // 2000

    def times(self, letter: Letter) -> int:
        """How often the letter occurs in the base."""
        return self._symbols.count(letter)

    def word(self, fixed: Mapping[Letter, str]) -> list[str | Segment] | None:
        """A word in which the letters in `fixed` stand for these texts; None if there is no word."""
        came: Came = {(self._base.start, self.start): None}
        queue = deque(came)
        while queue:
            here = queue.popleft()
            if here[0] & self._base.final and self._accepts(here[1]):
                return _path(came, here)
            for there, by in self._next(here, fixed):
                if there not in came:
                    came[there] = (here, by)
                    queue.append(there)
        return None

    def starts(self, letter: Letter) -> set[Rest]:
        """Every state in which a word may come to this letter."""
        first = (self._base.start, self.start)
        seen, queue = {first}, deque([first])
        while queue:
            for there, _ in self._next(queue.popleft(), {}):
                if there not in seen:
                    seen.add(there)
                    queue.append(there)
        return {rest for base, rest in seen if self._base.move(base, letter)}

    def _accepts(self, rest: Rest) -> bool:
        states, bad = rest
        return not bad & self._against.final and all(s & a.final for s, a in zip(states, self._inside, strict=True))

    def _next(self, here: Place, fixed: Mapping[Letter, str]) -> Iterator[tuple[Place, str | Segment]]:
        base, rest = here
        for symbol in self.symbols:
            self._budget.spend(self._size, ON)
            ahead = self._base.move(base, symbol)
            if ahead and (then := self.after(rest, symbol)) is not None:
                yield (ahead, then), symbol
        for letter in self.letters:
            if ahead := self._base.move(base, letter):
                for then, text in self._segments(rest, letter, fixed):
                    self._budget.spend(1, ON)
                    yield (ahead, then), Segment(letter, text)

    def after(self, rest: Rest, symbol: str) -> Rest | None:
        """The state after a character; None if no word goes on from there."""
        states, bad = rest
        worse = self._against.move(bad, symbol)
        if worse & self._against.sinks:
            return None
        ahead = tuple(a.move(s, symbol) for s, a in zip(states, self._inside, strict=True))
        return (ahead, worse) if all(ahead) else None

    def _segments(self, rest: Rest, letter: Letter, fixed: Mapping[Letter, str]) -> Iterator[tuple[Rest, str]]:
        """The states after the letter, each with a text that leads there."""
        stepped = self._against.move(rest[1], letter)
        if stepped & self._against.sinks:
            return
        for (states, bad), text in self._read(rest, letter, fixed).items():
            yield (states, bad | stepped), text

    def _read(self, rest: Rest, letter: Letter, fixed: Mapping[Letter, str]) -> dict[Rest, str]:
        """The states after the characters of a text of the letter."""
        if letter in fixed:
            then: Rest | None = rest
            for symbol in fixed[letter]:
                self._budget.spend(self._size, ON)
                then = self.after(then, symbol) if then is not None else None
            return {then: fixed[letter]} if then is not None else {}
        if (rest, letter) not in self._through:
            self._through[rest, letter] = self._any_text(rest, self._own[letter])
        return self._through[rest, letter]

    def _any_text(self, rest: Rest, own: _Text) -> dict[Rest, str]:
        first = rest, own.start
        came = {first: ""}
        queue = deque([first])
        found: dict[Rest, str] = {}
        while queue:
            here = queue.popleft()
            if own.accepts(here[1]):
                found.setdefault(here[0], came[here])
            for symbol in self.symbols:
                self._budget.spend(self._size, ON)
                then, at = self.after(here[0], symbol), own.after(here[1], symbol)
                if then is not None and at is not None and (then, at) not in came:
                    came[then, at] = came[here] + symbol
                    queue.append((then, at))
        return found


class _Text:
    """The texts that a letter may stand for, read character by character."""

    def __init__(self, own: Own) -> None:
        self._inside = [each.whole for each in own.inside]
        self._against = Language(glob for each in own.outside for glob in each).whole
        self.automata = [*self._inside, self._against]
        self.start: Rest = tuple(each.start for each in self._inside), self._against.start

    def after(self, at: Rest, symbol: str) -> Rest | None:
        worse = self._against.move(at[1], symbol)
        if worse & self._against.sinks:
            return None
        ahead = tuple(a.move(s, symbol) for s, a in zip(at[0], self._inside, strict=True))
        return (ahead, worse) if all(ahead) else None

    def accepts(self, at: Rest) -> bool:
        return not at[1] & self._against.final and all(s & a.final for s, a in zip(at[0], self._inside, strict=True))


def classes(letter: Letter, own: Own, products: Iterable[Product], budget: Budget) -> Iterator[str]:
    """A text of the letter for each way in which such texts can lead on in the products.

    Two texts lead on alike if from every state in which a word may come to the letter they lead to the same state.
    A word of a product exists with the one text if and only if it exists with the other.
    """
    text = _Text(own)
    starts = [(product, rest) for product in products for rest in product.starts(letter)]
    symbols = _characters([*text.automata, *(a for product, _ in starts for a in product.automata)])
    first: tuple[Rest, tuple[Rest | None, ...]] = text.start, tuple(rest for _, rest in starts)
    came = {first: ""}
    queue = deque([first])
    told: set[tuple[Rest | None, ...]] = set()
    while queue:
        here = queue.popleft()
        at, states = here
        if text.accepts(at) and states not in told:
            told.add(states)
            yield came[here]
        for symbol in symbols:
            budget.spend(1 + len(starts), ON)
            then = text.after(at, symbol)
            if then is None:
                continue
            ahead = tuple(
                product.after(state, symbol) if state is not None else None
                for (product, _), state in zip(starts, states, strict=True)
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


def _characters(automata: Iterable[Automaton]) -> list[str]:
    """Every character that some step names, and one that none names."""
    steps = (step for automaton in automata for step in automaton.steps if step)
    named = {symbol for step in steps for symbol in step.symbols if isinstance(symbol, str)}
    fresh = next(c for c in map(chr, range(ord("a"), 0x10FFFF)) if c not in named)
    return [fresh, *sorted(named)]
