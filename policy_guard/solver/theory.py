"""Whether texts for action, resource, principal and condition keys exist that make some literals true together."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain, islice, product, zip_longest
from typing import TypeAlias

from policy_guard.records import NamedTuple
from policy_guard.solver.answers import Answers
from policy_guard.solver.formula import Choice, Literal, Member, Present, negation, present
from policy_guard.solver.strings.automaton import Glob, Letter, Verbatim, the_symbol
from policy_guard.solver.strings.candidates import candidates
from policy_guard.solver.strings.language import Budget, Language, OverBudget, Slot, find, instance, nothing_left
from policy_guard.solver.strings.pattern import Unknown, Variable
from policy_guard.solver.strings.placeholders import (
    Texts,
    loosened,
    spelling_of,
    stem,
    substituted,
    with_readings,
    without_letters,
)
from policy_guard.solver.strings.systems import System

MOST_TRIES = 6
"""Assignments to letters that are tried for one set of literals."""
TYPED = ("0", "100", "2000-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "0.0.0.0/0", "203.0.113.7", "::/0", "QUJD")
"""Texts of every type, for unknown parts of typed values."""
STEPS_OF_LAST_RESORT = 200_000
MOST_CANDIDATES = 40
"""Assignments to letters that are tried for one set of literals when the likely ones have failed."""
Place: TypeAlias = "str | Slot"


class Point(NamedTuple):
    """A text for each variable and present slot, one for each unknown part, and a truth value for each choice."""

    texts: Mapping[Place, str]
    unknowns: Mapping[str, str]
    choices: Mapping[str, bool]


class Impossible(NamedTuple):
    """Literals that cannot be true together."""

    literals: tuple[Literal, ...]


class Open(NamedTuple):
    """No point was found, and no proof that there is none; `reason` names what was too hard."""

    reason: str


class Theory:
    """What is known of the texts that a variable can have, and of likely ones to try first."""

    def __init__(
        self,
        domains: Mapping[str, Language],
        keys: Callable[[str], Language | None],
        likely: Callable[[Place, Glob, dict[Place, str]], Iterable[str]],
        always: tuple[str, ...],
    ) -> None:
        self._domains = domains
        self._keys = keys
        self._likely = likely
        self._always = always
        self._answers = Answers()

    def point(self, literals: Sequence[Literal], budget: Budget, explained: bool = True) -> Point | Impossible | Open:
        """A point at which all literals are true. Raises `OverBudget`.

        Where there is none, as few of the literals as show it if that is to be `explained`, or else all.
        """
        places: dict[Place, list[Literal]] = {place: [] for place in self._always}
        places |= _places(literals)
        letters = sorted(
            {letter for each in places.values() for literal in each for letter in _letters(literal)}, key=repr
        )
        choices = {each.atom.name: each.positive for each in literals if isinstance(each.atom, Choice)}
        if not letters:
            return self._plain(places, choices, budget, explained)
        impossible = self._impossible(places, budget, explained)
        if impossible is not None:
            return impossible
        for values in islice(self._values(letters, places, budget), MOST_TRIES):
            texts = self._texts(places, values, budget)
            if texts is not None:
                return Point(texts, _unknowns(values), choices)
        return self._last_resort(literals, letters, choices, budget, explained)

    def _last_resort(
        self,
        literals: Sequence[Literal],
        letters: Iterable[Letter],
        choices: Mapping[str, bool],
        budget: Budget,
        explained: bool,
    ) -> Point | Impossible | Open:
        """The same, for literals of which neither a likely text nor one place by itself tells it."""
        places: dict[Place, list[Literal]] = {place: [] for place in self._always}
        places |= _with_variables(literals)
        names = ", ".join(sorted({spelling_of(letter) for letter in letters}))
        stems = set(map(stem, letters))
        unknown: list[Letter] = sorted((each for each in stems if isinstance(each, Unknown)), key=repr)
        part = budget.part(STEPS_OF_LAST_RESORT)
        try:
            attempts = list(islice(candidates(self._system(literals), part), MOST_CANDIDATES))
            for candidate, text in product(attempts, ("example", "")):
                candidate_values = {letter: each for letter, each in candidate.items() if letter in stems}
                values = with_readings({**dict.fromkeys(unknown, text), **candidate_values})
                texts = self._texts(places, values, part)
                if texts is not None:
                    return Point(texts, _unknowns(values), choices)
        except OverBudget:
            return Open(f"what {names} would have to be")
        if attempts:
            return Open(f"what {names} would have to be")
        return Impossible(self._smallest_core(literals, budget) if explained else tuple(literals))

    def _smallest_core(self, literals: Sequence[Literal], budget: Budget) -> tuple[Literal, ...]:
        """As few of the literals as still have no candidate, if that is not hard to find out."""
        try:
            return _smallest(literals, partial(self._no_candidates, budget=budget.part(STEPS_OF_LAST_RESORT)))
        except OverBudget:
            return tuple(literals)

    def _plain(
        self, places: Mapping[Place, list[Literal]], choices: Mapping[str, bool], budget: Budget, explained: bool
    ) -> Point | Impossible:
        texts: dict[Place, str] = {}
        for place, literals in places.items():
            text = self._text(place, literals, {}, texts, budget)
            if text is None:
                ways = (partial(way, place, budget=budget) for way in (self._has_no_value, self._has_no_text))
                return Impossible(_smallest(literals, *ways) if explained else tuple(literals))
            texts[place] = text
        return Point(texts, {}, choices)

    def _text(
        self, place: Place, literals: Iterable[Literal], values: Texts, texts: dict[Place, str], budget: Budget
    ) -> str | None:
        question = ("text", place, tuple(literals), frozenset(values.items()), frozenset(texts.items()))
        return self._answers.answer(question, budget, lambda: self._new_text(place, literals, values, texts, budget))

    def _new_text(
        self, place: Place, literals: Iterable[Literal], values: Texts, texts: dict[Place, str], budget: Budget
    ) -> str | None:
        inside, outside = _sides(literals)
        inside = [*inside, domain] if (domain := self._domain(place)) else inside

        def likely(glob: Glob) -> Iterable[str]:
            return self._likely(place, glob, texts)

        word = find(
            [substituted(language, values) for language in inside],
            [substituted(language, values) for language in outside],
            budget,
            likely,
        )
        return None if word is None else "".join(map(str, word))

    def _domain(self, place: Place) -> Language | None:
        return self._domains.get(place) if isinstance(place, str) else self._keys(place.key)

    def _texts(self, places: Mapping[Place, list[Literal]], values: Texts, budget: Budget) -> dict[Place, str] | None:
        """Texts for all places where each letter stands for its value."""
        texts: dict[Place, str] = {}
        for place, literals in places.items():
            fixed = values.get(Variable(place.key)) if isinstance(place, Slot) and place.index == 0 else None
            text = self._text(place, literals, values, texts, budget) if fixed is None else fixed
            if text is None or (fixed is not None and not self._fits(place, fixed, literals, values)):
                return None
            texts[place] = text
        return texts

    def _fits(self, place: Place, text: str, literals: Iterable[Literal], values: Texts) -> bool:
        inside, outside = _sides(literals)
        domain = self._domain(place)
        return (
            (domain is None or text in domain)
            and all(text in substituted(language, values) for language in inside)
            and not any(text in substituted(language, values) for language in outside)
        )

    def _impossible(self, places: Mapping[Place, list[Literal]], budget: Budget, explained: bool) -> Impossible | None:
        """A place that has no text whatever its letters stand for, if that can be shown.

        Two ways: let every letter be any text, and forget the languages with letters that must not hold; or keep the
        letters as they are and look at one language at a time that must hold. Both allow too much, never too little.
        """
        for place, literals in places.items():
            ways = [partial(way, place, budget=budget) for way in (self._has_no_value, self._has_no_text)]
            ways += [partial(_has_no_text_in, literal, budget=budget) for literal in literals if _must_match(literal)]
            for proof in ways:
                if proof(literals):
                    return Impossible(_smallest(literals, proof) if explained else tuple(literals))
        return None

    def _has_no_value(self, place: Place, literals: Sequence[Literal], budget: Budget) -> bool:
        """Tell whether the values of numbers or dates alone show that the place has no text, which is quickly seen."""
        return self._answers.answer(
            ("no value", place, tuple(literals)),
            budget,
            lambda: nothing_left(*self._loosened_sides(place, literals), budget),
        )

    def _has_no_text(self, place: Place, literals: Sequence[Literal], budget: Budget) -> bool:
        return self._answers.answer(
            ("no text", place, tuple(literals)),
            budget,
            lambda: find(*self._loosened_sides(place, literals), budget) is None,
        )

    def _loosened_sides(self, place: Place, literals: Sequence[Literal]) -> tuple[list[Language], list[Language]]:
        """The languages of a place that have to hold and those that must not, with any text for each letter."""
        inside, outside = _sides(literals)
        domain = [domain] if (domain := self._domain(place)) else []
        return [*map(loosened, inside), *domain], [*map(without_letters, outside)]

    def _no_candidates(self, literals: Sequence[Literal], budget: Budget) -> bool:
        return next(candidates(self._system(literals), budget), None) is None

    def _system(self, literals: Sequence[Literal]) -> System:
        """Return what the literals say of the texts of places, those of absent values left out.

        A pattern with the variable of an absent value matches nothing. A variable that may be absent leaves out its
        patterns that must not match, which allows more.
        """
        places = _with_variables(literals)
        absent = {
            literal.atom.slot for literal in literals if isinstance(literal.atom, Present) and not literal.positive
        }
        inside: dict[Place, tuple[Language, ...]] = {}
        outside: dict[Place, tuple[Language, ...]] = {}
        for place, place_literals in places.items():
            inside_languages, outside_languages = _sides(place_literals)
            domain = self._domain(place)
            inside[place] = (
                *(_without_slots(language, absent) for language in inside_languages),
                *([domain] if domain else []),
            )
            free = {slot for language in outside_languages for slot in _values_of(language)}
            outside[place] = tuple(_without_slots(language, free - places.keys()) for language in outside_languages)
        return System(inside, outside)

    def assignments(self, literals: Sequence[Literal], budget: Budget) -> Iterator[Texts]:
        """Texts to try for all letters of the literals."""
        places = _places(literals)
        letters = sorted(
            {letter for each in places.values() for literal in each for letter in _letters(literal)}, key=repr
        )
        return self._values(letters, places, budget)

    def _values(
        self, letters: Sequence[Letter], places: Mapping[Place, list[Literal]], budget: Budget
    ) -> Iterator[Texts]:
        """For each letter first a plain text, then pieces of the patterns about, one letter at a time."""
        pieces = sorted(self._all_pieces(places))
        stems = dict.fromkeys(stem(letter) for letter in letters)
        options = {
            letter: self._options(letter, f"example{number or ''}", pieces, places, budget)
            for number, letter in enumerate(stems)
        }
        first = {letter: texts[0] for letter, texts in options.items()}
        yield with_readings(first)
        for column in zip_longest(*options.values()):
            for letter, text in zip(options, column, strict=True):
                if text is not None and text != first[letter]:
                    yield with_readings({**first, letter: text})

    def _all_pieces(self, places: Mapping[Place, list[Literal]]) -> set[str]:
        """Return texts that may matter anywhere: pieces of patterns, of typed values, and those of the domains."""
        pieces = {piece for literals in places.values() for literal in literals for piece in _pieces(literal)}
        if any(language.late for each in places.values() for side in _sides(each) for language in side):
            pieces |= set(TYPED)
        return pieces | {text for place in places if (domain := self._domain(place)) for text in domain.texts}

    def _options(
        self, letter: Letter, plain: str, pieces: list[str], places: Mapping[Place, list[Literal]], budget: Budget
    ) -> list[str]:
        """Return the texts to try for a letter, one that suits it by itself before all others."""
        wildcard = [] if isinstance(letter, Variable) else ["*"]
        texts = [*(self._allowed_values(letter, places, budget) or [plain]), *wildcard, *pieces]
        suitable = next((text for text in texts if self._suits(letter, text, places)), texts[0])
        return list(dict.fromkeys([suitable, *texts]))

    def _suits(self, letter: Letter, text: str, places: Mapping[Place, list[Literal]]) -> bool:
        """Tell whether no language that has to hold becomes empty with this text, as far as it depends on it alone."""
        values = with_readings({letter: text})
        for place, literals in places.items():
            for language in _sides(literals)[0]:
                if language.letters and language.letters <= values.keys():
                    substitution, domain = substituted(language, values), self._domain(place)
                    if not substitution or (
                        domain and not domain.globs and not any(each in substitution for each in domain.texts)
                    ):
                        return False
        return True

    def _allowed_values(self, letter: Letter, places: Mapping[Place, list[Literal]], budget: Budget) -> list[str]:
        """Values that the conditions on the key of a variable allow."""
        if not isinstance(letter, Variable):
            return []
        place = Slot(letter.key, 0)
        plain = [each for each in places.get(place, []) if not _letters(each)]
        text = self._text(place, plain, {}, {}, budget) if plain else None
        inside = [each.atom.language for each in plain if each.positive and isinstance(each.atom, Member)]
        return [*([text] if text is not None else []), *sorted(t for each in inside for t in each.texts)[:20]]


def _places(literals: Sequence[Literal]) -> dict[Place, list[Literal]]:
    """The literals about each variable and each slot that holds a value."""
    absent = {each.atom.slot for each in literals if isinstance(each.atom, Present) and not each.positive}
    places: dict[Place, list[Literal]] = {}
    for literal in literals:
        if isinstance(literal.atom, Present) and literal.positive:
            places.setdefault(literal.atom.slot, [])
    for literal in literals:
        if isinstance(literal.atom, Member) and literal.atom.variable not in absent:
            places.setdefault(literal.atom.variable, []).append(literal)
    return {
        place: place_literals
        for place, place_literals in places.items()
        if not isinstance(place, Slot) or _needs_value(place, literals)
    }


def _with_variables(literals: Sequence[Literal]) -> dict[Place, list[Literal]]:
    """The same, and the slots of variables in patterns that have to match: without a value they match nothing."""
    places = _places(literals)
    patterns = (literal.atom.language for literal in literals if literal.positive and isinstance(literal.atom, Member))
    for slot in (slot for pattern in patterns if len(pattern) == 1 for slot in _values_of(pattern)):
        if slot not in places and negation(present(slot)) not in literals:
            places[slot] = [one for one in literals if isinstance(one.atom, Member) and one.atom.variable == slot]
    return places


def _needs_value(slot: Slot, literals: Sequence[Literal]) -> bool:
    """Tell whether the slot has to hold a value: a text that must not match is none where there is none."""
    return any(
        literal.positive
        and (literal.atom == Present(slot) or (isinstance(literal.atom, Member) and literal.atom.variable == slot))
        for literal in literals
    )


def _sides(literals: Iterable[Literal]) -> tuple[list[Language], list[Language]]:
    sides: tuple[list[Language], list[Language]] = [], []
    for literal in literals:
        if isinstance(literal.atom, Member):
            sides[not literal.positive].append(literal.atom.language)
    return sides


def _letters(literal: Literal) -> frozenset[Letter]:
    return literal.atom.language.letters if isinstance(literal.atom, Member) else frozenset()


def _values_of(language: Language) -> Iterator[Slot]:
    """The slots whose values the variables of the language are."""
    variables = sorted({core.key for letter in language.letters if isinstance(core := stem(letter), Variable)})
    return (Slot(key, 0) for key in variables)


def _unknowns(values: Texts) -> dict[str, str]:
    return {letter.name: text for letter, text in values.items() if isinstance(letter, Unknown | Verbatim)}


def _without_slots(language: Language, slots: Container[Slot]) -> Language:
    """The language without its patterns that have variables with the values of these slots."""
    letters = {
        letter
        for letter in language.letters
        if isinstance(core := stem(letter), Variable) and Slot(core.key, 0) in slots
    }
    if not letters:
        return language
    globs = (glob for glob in language.globs if all(step.symbols.isdisjoint(letters) for step in glob))
    return Language(globs, language.texts, language.late)


def _must_match(literal: Literal) -> bool:
    return literal.positive and isinstance(literal.atom, Member)


def _has_no_text_in(literal: Literal, literals: Sequence[Literal], budget: Budget) -> bool:
    """Tell whether the languages that must not hold cover, letter for letter, this one that must."""
    if literal not in literals:
        return False
    inside, _ = _sides([literal])
    _, outside = _sides(literals)
    late = frozenset(late for language in outside for late in language.late)
    return late.issuperset(inside[0].late) and find(inside, outside, budget) is None


def _pieces(literal: Literal) -> Iterable[str]:
    """Texts of the patterns: the shortest as a whole, and the runs of plain text cut at the usual separators."""
    if not isinstance(literal.atom, Member):
        return ()
    shortest, runs = _pieces_of(literal.atom.language)
    if literal.atom.variable == "principal":
        shortest = frozenset(text.removeprefix("AWS ") for text in shortest)
    return chain(shortest, runs)


@lru_cache(maxsize=500)
def _pieces_of(language: Language) -> tuple[frozenset[str], frozenset[str]]:
    """The shortest texts of the patterns, and the runs of plain text in them; kept, as a question asks often."""
    shortest: set[str] = set()
    runs: set[str] = set()
    for glob in islice(language, 50):
        symbols = (the_symbol(step) for step in glob)
        run = "".join(symbol if isinstance(symbol, str) else "/" for symbol in symbols)
        runs.update(piece for piece in run.replace(":", "/").split("/") if piece)
        shortest.add("".join(symbol for symbol in instance(glob, "") if isinstance(symbol, str)))
    return frozenset(shortest), frozenset(runs)


def _smallest(literals: Sequence[Literal], *ways: Callable[[Sequence[Literal]], bool]) -> tuple[Literal, ...]:
    """As few of the literals as still show it in the first way in which all do, dropping ever smaller runs."""
    proof = next((way for way in ways[:-1] if way(literals)), ways[-1])
    subset = list(literals)
    run = max(1, len(subset) // 2)
    while True:
        at = 0
        while at < len(subset):
            smaller = subset[:at] + subset[at + run :]
            if smaller and proof(smaller):
                subset = smaller
            else:
                at += run
        if run == 1:
            return tuple(subset)
        run //= 2
