"""Sets of strings given by patterns, and whether some string lies in all of these sets and in none of those."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, islice, takewhile
from math import inf
from time import monotonic
from typing import TypeAlias

from policy_guard.records import NamedTuple
from policy_guard.solver.strings.affixes import edges_of, literal_prefix, plain_text, surely_apart
from policy_guard.solver.strings.automaton import ANYTHING, Automaton, Glob, Letter, Symbol, Verbatim, Word, glob_of
from policy_guard.solver.strings.intersection import Intersection
from policy_guard.solver.strings.pattern import Pattern, Unknown
from policy_guard.solver.strings.spans import Line, Span, Stretch, remaining_stretches, value_in

_STEPS_A_LOOK = 16_384
"""How often the clock is looked at."""
_PLACES_A_STEP = 4_000
"""How many places of an automaton are looked at in a step."""
MOST_NEAR = 200
"""With how many globs one is compared to tell whether it may meet them."""
MANY = 16
"""From how many globs on a text is looked up among those that only fix a beginning."""
MOST_VALUES = 4
"""Values on a line that are tried before a search is begun."""
SYMBOLS_ALONE = 4_000
"""Symbols that are tried in search of the shortest word before any word will do."""
FILLERS = ("example", "", "a/b:c")
"""What wildcards are filled with before a search is begun."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of a condition key; a key with one value has slot 0 only."""

    key: str
    index: int


class OverBudget(Exception):
    """The search needed more steps than it was given; the text names what it searched."""


class Budget:
    """Steps that may be spent, counted and not timed: the same on every machine. A step is a microsecond or two.

    `deadline`, a time of the monotonic clock, is a net for what is not counted well: nothing should ever reach it.
    """

    def __init__(self, steps: int, parent: Budget | None = None, deadline: float = inf) -> None:
        self._remainder = steps
        self._parent = parent
        self._deadline = deadline

    @property
    def remainder(self) -> int:
        """The steps that can be spent."""
        return min(self._remainder, self._parent.remainder) if self._parent else self._remainder

    @property
    def balance(self) -> int:
        """What is left of this budget, whatever is left of that which it is a part of."""
        return self._remainder

    @property
    def deadline(self) -> float:
        return self._parent.deadline if self._parent else self._deadline

    def part(self, steps: int) -> Budget:
        """A budget of its own for one question, which also counts against this one."""
        return Budget(steps, self)

    def spend(self, steps: int, on: str) -> None:
        """Raises `OverBudget`, naming what they were spent on, when there are none left."""
        previous = self._remainder
        self._remainder -= steps
        if self._remainder < 0:
            raise OverBudget(on)
        if self._parent:
            self._parent.spend(steps, on)
        elif previous // _STEPS_A_LOOK != self._remainder // _STEPS_A_LOOK and monotonic() > self._deadline:
            raise OverBudget("the run, which takes too long")

    def add(self, steps: int) -> None:
        """Makes room for more."""
        self._remainder += steps


class Deferred(NamedTuple):
    """A pattern of which only the text of its unknown parts tells what set it is: `build` makes that.

    Two of the same pattern and `order`, if they have one, but with another `build`, have no text in common. `towards`
    gives for a text one that the pattern could be, so that the text is likely to be in the set. `stretch` gives the
    values of the set on the `line`, if there is a line.
    """

    pattern: Pattern
    build: Callable[[str], Iterable[Glob]]
    order: str = ""
    towards: Callable[[str], str] = str
    line: Line | None = None
    stretch: Callable[[str], Stretch | None] = lambda text: None


class Language:
    """The union of some globs and plain texts. Globs without wildcards and letters become plain texts.

    `late` are patterns that become globs when the texts of their unknown parts are filled in. A `span` says the same
    as the globs and texts, of texts on its line.
    """

    def __init__(
        self,
        globs: Iterable[Glob] = (),
        texts: Iterable[str] = (),
        late: Iterable[Deferred] = (),
        span: Span | None = None,
    ) -> None:
        self.span = span
        plain_texts = {glob: plain_text(glob) for glob in dict.fromkeys(globs)}
        self.texts = frozenset(texts).union(text for text in plain_texts.values() if text is not None)
        self.globs = tuple(glob for glob, text in plain_texts.items() if text is None)
        self.late = tuple(dict.fromkeys(late))
        self.universal = (ANYTHING,) in self.globs
        self._hash = hash((self.texts, self.globs, frozenset(self.late)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Language)
            and self.texts == other.texts
            and set(self.globs) == set(other.globs)
            and set(self.late) == set(other.late)
        )

    def __len__(self) -> int:
        return len(self.texts) + len(self.globs) + len(self.late)

    def __contains__(self, text: str) -> bool:
        if text in self.texts:
            return True
        if len(self.globs) < MANY:
            return self._may_accept(text, text) and self.automaton.accepts(text)
        beginnings, automaton = self._indexed_globs
        return any(text[:end] in heads for end, heads in beginnings.items()) or automaton.accepts(text)

    def __iter__(self) -> Iterator[Glob]:
        yield from map(glob_of, sorted(self.texts))
        yield from self.globs

    @cached_property
    def automaton(self) -> Automaton:
        return Automaton(self.globs)

    @cached_property
    def _indexed_globs(self) -> tuple[dict[int, set[str]], Automaton]:
        """Return what the globs that only fix a beginning fix, by its length, and the automaton of the other globs."""
        beginnings: dict[int, set[str]] = {}
        other_globs: list[Glob] = []
        for glob in self.globs:
            head = literal_prefix(glob)
            if glob[len(head) :] == (ANYTHING,):
                beginnings.setdefault(len(head), set()).add(head)
            else:
                other_globs.append(glob)
        return beginnings, Automaton(other_globs)

    @cached_property
    def full_automaton(self) -> Automaton:
        """Unlike `automaton`, with the plain texts."""
        return Automaton(self)

    def accepts(self, word: Word) -> bool:
        plain = [symbol for symbol in word if isinstance(symbol, str)]
        return "".join(plain) in self if len(plain) == len(word) else self.automaton.accepts(word)

    @cached_property
    def letters(self) -> frozenset[Letter]:
        symbols = (symbol for glob in self.globs for step in glob for symbol in step.symbols)
        parts = (part for late in self.late for part in late.pattern.parts)
        letters = {symbol for symbol in symbols if not isinstance(symbol, str)}
        return frozenset(letters | {Verbatim(part.name) for part in parts if isinstance(part, Unknown)})

    @cached_property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Return what the texts of each glob begin and end with."""
        return tuple(map(edges_of, self.globs))

    @cached_property
    def heads(self) -> frozenset[str] | None:
        """Return what the texts begin with up to the first colon; None if a wildcard or letter can stand there."""
        if self.late:
            return None
        heads = {text.partition(":")[0] for text in self.texts}
        for prefix, _ in self.edges:
            if ":" not in prefix:
                return None
            heads.add(prefix.partition(":")[0])
        return frozenset(heads)

    def covers(self, other: Language, budget: Budget | None = None) -> bool:
        """Tell whether each pattern of `other` lies within one of ours. True is certain, False only likely."""
        if self.universal:
            return True
        if not set(self.late) >= set(other.late) or not all(text in self for text in other.texts):
            return False
        for glob, edges in zip(other.globs, other.edges, strict=True):
            if budget:
                budget.spend(1 + len(glob) * (1 + self.places // _PLACES_A_STEP) // 4, "the number of patterns")
            if not self.covers_glob(glob, edges):
                return False
        return True

    @cached_property
    def places(self) -> int:
        """Return how many places its automaton has."""
        return sum(map(len, self.globs))

    def covers_glob(self, glob: Glob, edges: tuple[str, str]) -> bool:
        """Tell whether one of our globs surely takes every word of `glob`, whose edges these are."""
        return self._may_accept(*edges) and self.automaton.accepts_all_of(glob)

    def _may_accept(self, head: str, tail: str) -> bool:
        """Tell whether the edges of one of few globs let it take all texts with these edges."""
        return len(self.globs) >= MANY or any(head.startswith(h) and tail.endswith(t) for h, t in self.edges)

    def is_apart_from(self, other: Language) -> bool:
        """Tell whether no text lies in both. True is certain, False only likely."""
        if self.heads is not None and other.heads is not None and not self.heads & other.heads:
            return True
        if self.letters or other.letters or not self.texts.isdisjoint(other.texts):
            return False
        if any(text in other for text in self._texts_of(other.heads)):
            return False
        if any(text in self for text in other._texts_of(self.heads)):
            return False
        if len(self.globs) * len(other.globs) <= MOST_NEAR:
            return all(surely_apart(edge, two) for edge in self.edges for two in other.edges)
        return not any(other._may_meet(*edges) for edges in self.edges)

    def _texts_of(self, heads: frozenset[str] | None) -> Iterable[str]:
        """The texts that can lie in a language whose texts begin so."""
        if heads is None or len(self.texts) < MANY:
            return self.texts
        return chain.from_iterable(self._texts_by_head.get(head, ()) for head in heads)

    @cached_property
    def _texts_by_head(self) -> dict[str, list[str]]:
        by_head: dict[str, list[str]] = {}
        for text in self.texts:
            by_head.setdefault(text.partition(":")[0], []).append(text)
        return by_head

    def _may_meet(self, head: str, tail: str) -> bool:
        """Tell whether one of our globs may have a text in common with a glob of these edges."""
        ordered, by_head = self._by_head
        start = bisect_left(ordered, head)
        following = takewhile(lambda candidate: candidate.startswith(head), ordered[start : start + MOST_NEAR + 1])
        heads = chain(following, (head[:end] for end in range(len(head)) if head[:end] in by_head))
        tails = list(islice((own_tail for candidate in heads for own_tail in by_head[candidate]), MOST_NEAR + 1))
        return len(tails) > MOST_NEAR or any(tail.endswith(own_tail) or own_tail.endswith(tail) for own_tail in tails)

    @cached_property
    def _by_head(self) -> tuple[list[str], dict[str, list[str]]]:
        """The heads of the globs in order, and the tails that each of them has."""
        by_head: dict[str, list[str]] = {}
        for head, tail in self.edges:
            by_head.setdefault(head, []).append(tail)
        return sorted(by_head), by_head


EVERYTHING = Language([(ANYTHING,)])


Likely: TypeAlias = "Callable[[Glob], Iterable[str]] | None"


def find(inside: Sequence[Language], outside: Sequence[Language], budget: Budget, likely: Likely = None) -> Word | None:
    """A word that lies in all of `inside` and in none of `outside`; None if there is none.

    Letters count as symbols of their own. `likely` gives texts to try first for a pattern. Raises `OverBudget`.
    """
    for text in (text for line in _lines(inside, outside, budget) for text in line):
        if text is None:
            return None
        budget.spend(1 + len(inside) + len(outside), "many values")
        if all(text in each for each in inside) and not any(text in each for each in outside):
            return tuple(text)
    base = min(inside, key=_breadth, default=EVERYTHING)
    languages = [language for language in inside if language is not base]
    listed = base.texts.difference(*(each.texts for each in outside))
    for text in sorted(listed):
        budget.spend(1 + len(outside), "many texts")
        if all(text in each for each in languages) and not any(text in each for each in outside):
            return tuple(text)
    for glob in base.globs:
        word = _find_within(glob, languages, outside, budget, likely)
        if word is not None:
            return word
    return None


def nothing_left(inside: Sequence[Language], outside: Sequence[Language], budget: Budget) -> bool:
    """Tell whether the texts have to lie on a line, and no value on it is left. Raises `OverBudget`."""
    return any(text is None for line in _lines(inside, outside, budget) for text in line)


def _lines(inside: Sequence[Language], outside: Sequence[Language], budget: Budget) -> Iterator[Iterable[str | None]]:
    """For each line that the texts have to lie on, some on it; None if no value is left."""
    inside_spans = [language.span for language in inside if language.span and not language.late]
    outside_spans = [language.span for language in outside if language.span] if inside_spans else []
    budget.spend(sum(len(span.stretches) for span in (*inside_spans, *outside_spans)), "many values")
    for line in dict.fromkeys(span.line for span in inside_spans):
        if line.needed.issubset(inside) and line.barred.issubset(outside):
            stretches = remaining_stretches(
                (s for s in inside_spans if s.line == line), (s for s in outside_spans if s.line == line)
            )
            yield [*map(line.spell, map(value_in, stretches[:MOST_VALUES]))] if stretches else [None]


def _breadth(language: Language) -> tuple[bool, int]:
    """Small for languages with few patterns, and of those first the ones that fix how a text begins."""
    return any(not head for head, _ in language.edges), len(language)


def _find_within(
    glob: Glob, languages: Sequence[Language], outside: Sequence[Language], budget: Budget, likely: Likely
) -> Word | None:
    budget.spend(len(languages) + len(outside) + len(glob) // 4, "many patterns")
    edges = edges_of(glob)
    if any(language.covers_glob(glob, edges) for language in outside):
        return None
    for word in _tries(glob, likely):
        budget.spend(1 + (len(languages) + len(outside)) // 4, "many patterns")
        text = "".join(map(str, word)) if all(isinstance(symbol, str) for symbol in word) else None
        accepts = partial(_accepts, word=word, text=text)
        if all(map(accepts, languages)) and not any(map(accepts, outside)):
            return word
    budget.spend(sum(map(len, languages)) + sum(map(len, outside)), "many patterns")
    inside = [Language(_neighbours(glob, each)) for each in languages]
    if not all(map(len, inside)):
        return None
    return search([Language([glob]), *inside], Language(g for each in outside for g in _neighbours(glob, each)), budget)


def _accepts(language: Language, word: Word, text: str | None) -> bool:
    return language.accepts(word) if text is None else text in language


def _tries(glob: Glob, likely: Likely) -> Iterator[Word]:
    if likely:
        accepts = Automaton([glob]).accepts
        yield from (word for word in map(tuple, likely(glob)) if accepts(word))
    yield from (instance(glob, filler) for filler in FILLERS)


def _neighbours(glob: Glob, language: Language) -> Iterator[Glob]:
    """The patterns of the language that may meet the glob."""
    edges = edges_of(glob)
    for text in sorted(language.texts):
        if text.startswith(edges[0]) and text.endswith(edges[1]):
            yield glob_of(text)
    yield from (
        steps
        for steps, glob_edges in zip(language.globs, language.edges, strict=True)
        if not surely_apart(edges, glob_edges)
    )


def instance(glob: Glob, filler: str) -> Word:
    """A plain word of the glob: wildcards become `filler` as far as they take it."""
    word: list[Symbol] = []
    for step in glob:
        if not step.outside:
            word.append(min(step.symbols, key=str))
        elif step.loop:
            word += [character for character in filler if character not in step.symbols]
        else:
            word.append(next(c for c in "abcdefghijklmnopqrstuvwxyz0123456789" if c not in step.symbols))
    return tuple(word)


def search(inside: Sequence[Language], outside: Language, budget: Budget) -> Word | None:
    """A word in all of `inside` and not in `outside`, over the product of their automata: the shortest if that is easy.

    If it is not, two walks go on in turn, since for either there are patterns that only the other can do.
    """
    words = Intersection([tuple(language) for language in inside], tuple(outside))
    size = len(words) // 2 + len(words.automaton.steps) // 2000
    walks, symbols = [words.shortest()], 0
    while True:
        for walk in walks:
            try:
                symbols_of_state = next(walk)
            except StopIteration as end:
                word: Word | None = end.value
                return word
            budget.spend(size * symbols_of_state, "overlapping wildcard patterns")
            symbols += symbols_of_state
        if len(walks) == 1 and symbols > SYMBOLS_ALONE:
            walks.append(words.some())
