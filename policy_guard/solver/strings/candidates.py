"""Texts that variables and unknown parts may stand for, so that some languages hold and others do not.

The last resort of `theory`: it leaves out no texts that make them hold. So if there are no candidates, none do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from policy_guard.records import NamedTuple
from policy_guard.solver.strings.automaton import ANYTHING, Caseless, Glob, Letter, Step, the_symbol
from policy_guard.solver.strings.language import Budget, Deferred, Language, Slot, find
from policy_guard.solver.strings.pattern import Unknown, Variable
from policy_guard.solver.strings.placeholders import Texts, anything_on, loosened, without_letters
from policy_guard.solver.strings.segments import ON, Constraint, Product, Segment, classes
from policy_guard.solver.strings.systems import (
    Place,
    System,
    by_itself,
    constraint_of,
    size,
    solved,
    texts_of,
    uncased,
    variables,
    verbatim,
    with_text,
)

MOST_SYSTEMS = 3_000
"""Combinations of texts of variables that are tried one by one."""
MOST_WAYS = 64
"""Combinations of ways in which typed values match unknown parts that are looked at one by one."""
MOST_VARIANTS = 20
"""Patterns that one pattern may become if what is known of its letters takes their place."""


def candidates(system: System, budget: Budget) -> Iterator[Texts]:
    """Texts for the letters that are worth a try; if there are none, no texts make the system hold."""
    for branch in _by_text(solved(by_itself(system), budget), 1, budget):
        yield from _combine(branch, budget)


def _by_text(system: System, ways: int, budget: Budget) -> Iterator[System]:
    """The systems that come about if variables with few values have one of them each."""
    for letter in sorted(variables(system), key=repr):
        texts = texts_of(system, letter)
        if texts is not None and ways * len(texts) <= MOST_SYSTEMS:
            for text in texts:
                budget.spend(size(system), ON)
                yield from _by_text(with_text(system, letter, text), ways * len(texts), budget)
            return
    yield system


class Alternative(NamedTuple):
    """One way to look at a place: its products are all to have a word, and it has `text` if letters may be any text.

    `chosen` are the unknown parts that a typed value matches.
    """

    products: tuple[Product, ...]
    text: str
    chosen: tuple[Deferred, ...]


def _combine(system: System, budget: Budget) -> Iterator[Texts]:
    """Candidates for a system whose variables have many values each."""
    letters = sorted({*variables(system), *verbatim(system)}, key=repr)
    constraints = {letter: constraint_of(system, letter) for letter in letters}
    constraints |= {
        Caseless(letter): constraint_of(system, Caseless(letter)) for letter in letters if isinstance(letter, Variable)
    }
    places = {place: list(_alternatives(system, place, constraints, budget)) for place in system.inside}
    unsatisfiable = any(find(each.inside, each.outside, budget) is None for each in constraints.values())
    if unsatisfiable or not all(places.values()):
        return
    shared = [letter for letter in letters if _times(letter, places) > 1]
    for fixed in _assignments(places, shared, constraints, budget):
        words = _words(places, fixed)
        if words is not None:
            yield from _values(system, words, constraints, fixed, budget)


def _alternatives(
    system: System, place: Place, constraints: Mapping[Letter, Constraint], budget: Budget
) -> Iterator[Alternative]:
    """The ways to look at a place that leave it a text if letters may be any text of their own."""
    outside = system.outside.get(place, ())
    plain = [without_letters(language) for language in outside]
    barred = frozenset(glob for language in outside if language.letters for glob in language.globs)
    remainders = [_without_globs(language, barred) for language in system.inside[place]]
    for inside, chosen in _without_lates(remainders, outside):
        budget.spend(1 + len(inside) ** 2 + sum(map(len, (*inside, *outside))), ON)
        word = find([_bounded(language, constraints) for language in inside], plain, budget)
        if word is not None:
            text = "".join(map(str, word))
            yield Alternative(tuple(_products(inside, outside, constraints, budget)), text, chosen)


def _without_globs(language: Language, barred: frozenset[Glob]) -> Language:
    """The language without its patterns with letters that must not match: a text in them is none in the language."""
    if not language.letters or barred.isdisjoint(language.globs):
        return language
    return Language((g for g in language.globs if g not in barred), language.texts, language.late, language.span)


def _times(letter: Letter, places: Mapping[Place, list[Alternative]]) -> int:
    """Return how often the letter occurs in what has to hold."""
    products = (
        item for alternatives in places.values() for alternative in alternatives for item in alternative.products
    )
    return sum(item.times(letter) for item in products)


def _products(
    inside: Sequence[Language], outside: Sequence[Language], constraints: Mapping[Letter, Constraint], budget: Budget
) -> Iterator[Product]:
    """Each language with letters as the base once; the letters of the others are then any texts of their own."""
    for at, base in enumerate(inside):
        if base.letters:
            languages = [_bounded(language, constraints) for number, language in enumerate(inside) if number != at]
            yield Product(base, languages, outside, constraints, budget)


def _bounded(language: Language, constraints: Mapping[Letter, Constraint]) -> Language:
    """The language with letters replaced by what their texts are like."""
    if not language.letters or language.late:
        return loosened(language)
    globs: list[Glob] = []
    for glob in language.globs:
        choices = [_letter_globs(step, constraints) for step in glob]
        variants = [
            tuple(step for part in stepses for step in part) for stepses in islice(product(*choices), MOST_VARIANTS)
        ]
        too_many = len(variants) == MOST_VARIANTS
        globs += loosened(Language([glob])).globs if too_many else variants
    return Language(globs, language.texts)


def _letter_globs(step: Step, constraints: Mapping[Letter, Constraint]) -> list[Glob]:
    symbol = the_symbol(step)
    if symbol is None or isinstance(symbol, str):
        return [(step,)]
    options = [
        list(language) for language in constraints.get(symbol, Constraint()).inside if len(language) <= MOST_VARIANTS
    ]
    return min(options, key=len, default=[(ANYTHING,)])


def _without_lates(
    inside: Sequence[Language], outside: Sequence[Language]
) -> Iterator[tuple[list[Language], tuple[Deferred, ...]]]:
    """The languages that have to hold, with one way chosen for each in which a value matches an unknown part.

    A value that matches an unknown part in a way that must not hold is none, and no value matches one unknown part in
    two ways of an order.
    """
    barred = frozenset(late for each in outside for late in each.late)
    options: list[list[tuple[Language, Deferred | None]]] = []
    for language in inside:
        if not language.late:
            options.append([(language, None)])
            continue
        plain = Language(language.globs, language.texts, span=language.span)
        late = [each for each in language.late if each not in barred]
        options.append([*([(plain, None)] if plain else []), *((anything_on(each.line), each) for each in late)])
    ways = 1
    for alternatives in options:
        ways *= len(alternatives)
    if ways > MOST_WAYS:
        yield [loosened(each) if each.late else each for each in inside], ()
        return
    for chosen in product(*options):
        chosen_late = tuple(late for _, late in chosen if late)
        if not any(_exclude(deferred, two) for deferred in chosen_late for two in chosen_late):
            yield [language for language, _ in chosen], chosen_late


def _exclude(first: Deferred, second: Deferred) -> bool:
    same_order = first.order == second.order != "" and first.pattern == second.pattern
    return same_order and first.build is not second.build


class PlaceWords(NamedTuple):
    """A word for each product of an alternative of a place."""

    place: Place
    words: tuple[list[str | Segment], ...]
    alternative: Alternative


def _words(places: Mapping[Place, list[Alternative]], fixed: Mapping[Letter, str]) -> list[PlaceWords] | None:
    """Words for some alternative of each place; None if a place has none."""
    place_words: list[PlaceWords] = []
    for place, alternatives in places.items():
        for alternative in alternatives:
            words = [each.word(fixed) for each in alternative.products]
            if all(word is not None for word in words):
                place_words.append(PlaceWords(place, tuple(word for word in words if word is not None), alternative))
                break
        else:
            return None
    return place_words


def _assignments(
    places: Mapping[Place, list[Alternative]],
    shared: Sequence[Letter],
    constraints: Mapping[Letter, Constraint],
    budget: Budget,
) -> Iterator[Mapping[Letter, str]]:
    """A text of each class for each letter that occurs several times, in every combination.

    A letter that occurs once needs none: its segment is any text of its own.
    """
    products = [
        item for alternatives in places.values() for alternative in alternatives for item in alternative.products
    ]
    texts = [
        list(classes(letter, constraints[letter], (p for p in products if p.times(letter)), budget))
        for letter in shared
    ]
    for chosen in product(*texts):
        budget.spend(1 + len(places), ON)
        yield dict(zip(shared, chosen, strict=True))


def _values(
    system: System,
    place_words: list[PlaceWords],
    constraints: Mapping[Letter, Constraint],
    fixed: Mapping[Letter, str],
    budget: Budget,
) -> Iterator[Texts]:
    """Texts for all letters, out of words; of a letter that has several texts, each in turn."""
    texts_of_letters: dict[Letter, list[str]] = {_stem(letter): [text] for letter, text in fixed.items()}
    for segment in (
        symbol for item in place_words for word in item.words for symbol in word if isinstance(symbol, Segment)
    ):
        texts_of_letters.setdefault(_stem(segment.letter), []).append(segment.text)
    for letter, constraint in constraints.items():
        texts_of_letters.setdefault(_stem(letter), []).append(
            "".join(map(str, find(constraint.inside, constraint.outside, budget) or ()))
        )
    for late, text in ((late, item.alternative.text) for item in place_words for late in item.alternative.chosen):
        if len(late.pattern.parts) == 1 and isinstance(part := late.pattern.parts[0], Unknown):
            texts_of_letters[Unknown(part.name)] = [late.towards(text), *texts_of_letters.get(Unknown(part.name), ())]
    slots = ((item.place.key, item.alternative.text) for item in place_words if isinstance(item.place, Slot))
    texts_of_letters |= {key: [text] for name, text in slots if (key := Variable(name)) not in texts_of_letters}
    for variable, letter in system.freed:
        texts_of_letters[_stem(letter)] = [
            *texts_of_letters.get(variable, ()),
            *texts_of_letters.get(_stem(letter), ()),
        ] or [""]
    for number in range(min(4, max([1, *map(len, texts_of_letters.values())]))):
        values = {letter: texts[number % len(texts)] for letter, texts in texts_of_letters.items()}
        for variable, glob in reversed(system.defined):
            values[variable] = "".join(_text(step, values) for step in glob)
        yield values


def _stem(letter: Letter) -> Letter:
    """The letter that is given a text."""
    stem = uncased(letter)
    return stem if isinstance(stem, Variable) else Unknown(stem.name)


def _text(step: Step, values: Texts) -> str:
    symbol = the_symbol(step)
    assert symbol is not None
    return symbol if isinstance(symbol, str) else values.get(_stem(symbol), "")
