"""What is known of texts in which letters stand for texts that are not known, and what of that can be left out.

An argument for each step that leaves something out stands at it. A system that it turns into allows as much or more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from typing import TypeAlias

from policy_guard.records import NamedTuple
from policy_guard.solver.strings.automaton import (
    ANYTHING,
    Caseless,
    Glob,
    Letter,
    Step,
    Symbol,
    Verbatim,
    accepts,
    glob_of,
    the_symbol,
)
from policy_guard.solver.strings.glob import either_case
from policy_guard.solver.strings.language import EVERYTHING, Budget, Language, Slot
from policy_guard.solver.strings.pattern import Unknown, Variable, folded
from policy_guard.solver.strings.placeholders import without_letters
from policy_guard.solver.strings.segments import ON, Constraint

MOST_TEXTS = 50
"""Texts of one variable that are tried one by one."""
Place: TypeAlias = "str | Slot"


class System(NamedTuple):
    """The languages that the text of each place lies in, and those that it lies outside of.

    The value of a variable is the text of its place, `Slot(key, 0)`. `defined` are places whose text a pattern gives,
    and `freed` variables that took the place of letters, which are as well to have the same text.
    """

    inside: Mapping[Place, tuple[Language, ...]]
    outside: Mapping[Place, tuple[Language, ...]]
    defined: tuple[tuple[Variable, Glob], ...] = ()
    freed: tuple[tuple[Variable, Letter], ...] = ()


def by_itself(system: System) -> System:
    """The system with every pattern gone that compares a text with itself, or with more than itself.

    A text lies in `*${key}*` always if it is the value of the key. With another character in the pattern, it is too
    short for it, and with the variable twice it has to be empty; so has another variable beside it. The same of a
    text that a pattern gives.
    """
    inside, outside = dict(system.inside), {place: system.outside.get(place, ()) for place in system.inside}
    defined = {Slot(variable.key, 0) for variable, _ in system.defined}
    for place in inside:
        if isinstance(place, Slot) and place.index == 0 and place not in defined:
            _simplify_by_own_key(Variable(place.key), inside, outside)
        for definition in [language for language in inside[place] if _gives_text(language)]:
            inside[place] = tuple(
                language if language is definition else _simplify_by_pattern(language, definition)
                for language in inside[place]
            )
            outside[place] = tuple(_simplify_by_pattern(language, definition) for language in outside[place])
    return system._replace(inside=inside, outside=outside)


def _simplify_by_own_key(
    key: Variable, inside: dict[Place, tuple[Language, ...]], outside: dict[Place, tuple[Language, ...]]
) -> None:
    """Takes patterns with the variable out of what is known of its own key's value."""
    place, empty = Slot(key.key, 0), Language(texts=[""])
    for letters in (_letters_beside(language, key) for language in inside[place]):
        for slot in (Slot(letter.key, 0) for letter in letters if isinstance(letter, Variable)):
            inside[slot] = (*inside.get(slot, ()), empty)
            outside.setdefault(slot, ())
    for letters in (_letters_beside(language, key) for language in outside[place]):
        if len(letters) == 1 and isinstance(letters[0], Variable) and (slot := Slot(letters[0].key, 0)) in inside:
            outside[slot] += (empty,)
    inside[place] = tuple(_without_variable(language, key, EVERYTHING) for language in inside[place])
    outside[place] = tuple(_without_variable(language, key, Language()) for language in outside[place])


def _gives_text(language: Language) -> bool:
    """Tell whether the language is one pattern with letters, all of whose texts have the same length."""
    single = language.letters and len(language.globs) == len(language) == 1
    return bool(single) and all(the_symbol(step) and not _is_free(the_symbol(step)) for step in language.globs[0])


def _is_free(symbol: Symbol | None) -> bool:
    """Tell whether the letter can stand for texts of different lengths."""
    return symbol is not None and not isinstance(symbol, str) and isinstance(uncased(symbol), Unknown)


def _letters_beside(language: Language, variable: Variable) -> list[Letter]:
    """The letters beside a key's own, if the language is one pattern with that once and no character besides."""
    if language.letters.isdisjoint({variable, Caseless(variable)}) or not len(language.globs) == len(language) == 1:
        return []
    letters = [uncased(symbol) for step in language.globs[0] for symbol in step.symbols if not isinstance(symbol, str)]
    alone = letters.count(variable) == 1 and all(step.loop or _is_letter(step) for step in language.globs[0])
    return [letter for letter in letters if letter != variable] if alone else []


def _without_variable(language: Language, variable: Variable, unclear: Language) -> Language:
    """The language without patterns that have the key's own variable; `unclear` is for those with other letters too."""
    if language.letters.isdisjoint({variable, Caseless(variable)}):
        return language
    globs: list[Glob] = []
    for glob in language.globs:
        steps = [step for step in glob if step.symbols.isdisjoint({variable, Caseless(variable)})]
        times = len(glob) - len(steps)
        if not times:
            globs.append(glob)
        elif all(step.loop for step in steps):
            globs += [(ANYTHING,)] if times == 1 else [()]
        elif all(step.loop or _is_letter(step) for step in steps):
            globs += unclear.globs
    return Language(globs, language.texts, language.late)


def _simplify_by_pattern(language: Language, definition: Language) -> Language:
    """The language of a text in `definition`, without patterns that are too long for it or surely match."""
    if not language.letters:
        return language
    (definition_glob,) = definition.globs
    globs: list[Glob] = []
    for glob in language.globs:
        steps = [step for step in glob if not step.loop]
        pairs = zip(steps, definition_glob, strict=False)
        if len(steps) == len(definition_glob) and all(accepts(one, each) for one, each in pairs):
            globs.append((ANYTHING,))
        elif not _is_longer(glob, definition_glob):
            globs.append(glob)
    return Language(globs, language.texts, language.late)


def _is_longer(glob: Glob, fixed_glob: Glob) -> bool:
    """Tell whether every text of the glob is longer than the text of a pattern without wildcards."""
    letters = Counter(map(_length_of, glob))
    letters.subtract(map(_length_of, fixed_glob))
    characters = letters.pop(None, 0)
    return characters > 0 and all(number >= 0 for number in letters.values())


def _length_of(step: Step) -> Letter | None:
    """The letter that the text of the step is as long as; None for a character."""
    if step.loop:
        return Unknown("")
    symbol = next(iter(step.symbols)) if _is_letter(step) else None
    return symbol.of if isinstance(symbol, Caseless) else symbol if not isinstance(symbol, str) else None


def size(system: System) -> int:
    """Return what it costs to look at each step of each pattern."""
    return 1 + sum(1 + len(language) + sum(map(len, language.globs)) for language in _languages(system))


def _growth(system: System, variable: Variable, glob: Glob) -> int:
    """By how many steps the patterns grow if a pattern takes the place of the variable."""
    languages = (each for each in _languages(system) if not each.letters.isdisjoint({variable, Caseless(variable)}))
    steps = (step for language in languages for each in language.globs for step in each)
    return len(glob) * sum(not step.symbols.isdisjoint({variable, Caseless(variable)}) for step in steps)


def _languages(system: System) -> Iterator[Language]:
    return (language for languages in (*system.inside.values(), *system.outside.values()) for language in languages)


def solved(system: System, budget: Budget) -> System:
    """The system with each variable replaced by the pattern that its key's value has to match, if there is one.

    Wildcards of that pattern become variables of their own, which makes the replacement exact. So do letters that
    stand for no fixed text, which forgets what they have to do with other letters.
    """
    numbers = count()
    while definition := next(_definitions(system), None):
        budget.spend(size(system), ON)
        place, at = definition
        steps: list[Step] = []
        inside, freed = dict(system.inside), list(system.freed)
        for step in inside[place][at].globs[0]:
            symbol = the_symbol(step)
            if not isinstance(symbol, str | Variable | Verbatim):
                fresh = Slot(f"{place.key} {next(numbers)}", 0)
                inside[fresh] = (Language([(step if symbol is None else ANYTHING,)]),)
                freed += [(Variable(fresh.key), symbol)] if symbol is not None else []
                step = Step(frozenset([Variable(fresh.key)]))
            steps.append(step)
        glob, key = tuple(steps), Variable(place.key)
        budget.spend(_growth(system, key, glob), ON)
        inside[place] = (Language([glob]), *(each for n, each in enumerate(inside[place]) if n != at))
        replaced = {
            location: tuple(_substitute(language, key, glob) for language in languages)
            for location, languages in inside.items()
        }
        outside = {
            location: tuple(_substitute(language, key, glob) for language in languages)
            for location, languages in system.outside.items()
        }
        system = by_itself(System(replaced, outside, (*system.defined, (key, glob)), tuple(freed)))
    return system


def _definitions(system: System) -> Iterator[tuple[Slot, int]]:
    """The places of variables that some pattern has, each with the number of a language that gives the value."""
    defined = {variable for variable, _ in system.defined}
    for place, languages in system.inside.items():
        if isinstance(place, Slot) and place.index == 0 and Variable(place.key) not in defined:
            alone = (
                at
                for at, language in enumerate(languages)
                if language.letters and len(language.globs) == len(language) == 1
            )
            if (at := min(alone, key=lambda at: _looseness(languages[at].globs[0]), default=None)) is not None:
                yield place, at


def _looseness(glob: Glob) -> tuple[int, int]:
    """Return how many variables a pattern needs that take the place of letters, and of wildcards."""
    symbols = list(map(the_symbol, glob))
    return sum(isinstance(symbol, Caseless | Unknown) for symbol in symbols), symbols.count(None)


def _substitute(language: Language, variable: Variable, glob: Glob) -> Language:
    """The language with a pattern in place of the variable."""
    if language.letters.isdisjoint({variable, Caseless(variable)}):
        return language
    in_either_case = tuple(map(_in_either_case, glob))
    globs = []
    for pattern in language.globs:
        steps: list[Step] = []
        for step in pattern:
            symbol = the_symbol(step)
            steps += glob if symbol == variable else in_either_case if symbol == Caseless(variable) else (step,)
        globs.append(tuple(steps))
    return Language(globs, language.texts, language.late)


def _in_either_case(step: Step) -> Step:
    (symbol,) = step.symbols
    if isinstance(symbol, str):
        return Step(frozenset(either_case(folded(symbol))))
    assert isinstance(symbol, Variable | Verbatim)
    return Step(frozenset([Caseless(symbol)]))


def with_text(system: System, variable: Variable, text: str) -> System:
    place, glob = Slot(variable.key, 0), glob_of(text)
    inside = {**system.inside, place: (Language(texts=[text]), *system.inside.get(place, ()))}
    return by_itself(
        System(
            {
                location: tuple(_substitute(language, variable, glob) for language in languages)
                for location, languages in inside.items()
            },
            {
                location: tuple(_substitute(language, variable, glob) for language in languages)
                for location, languages in system.outside.items()
            },
            (*system.defined, (variable, glob)),
            system.freed,
        )
    )


def variables(system: System) -> set[Variable]:
    """The variables that occur in some pattern and have no text yet."""
    letters = {letter for language in _languages(system) for letter in language.letters}
    defined = {variable for variable, _ in system.defined}
    return {core for each in letters if isinstance(core := uncased(each), Variable)} - defined


def constraint_of(system: System, letter: Letter) -> Constraint:
    """Return what is known of the text of a letter by itself."""
    if isinstance(letter, Variable):
        place = Slot(letter.key, 0)
        return Constraint(
            tuple(language for language in system.inside.get(place, ()) if not language.letters),
            tuple(without_letters(language) for language in system.outside.get(place, ())),
        )
    if isinstance(letter, Caseless) and isinstance(letter.of, Variable):
        constraint = constraint_of(system, letter.of)
        return Constraint(
            tuple(Language(tuple(map(_caseless_step, glob)) for glob in language) for language in constraint.inside)
        )
    return Constraint()


def _caseless_step(step: Step) -> Step:
    """The step that also takes the characters of its own in the other case."""
    cases = {symbol: frozenset(either_case(folded(symbol))) for symbol in step.symbols if isinstance(symbol, str)}
    if step.outside:
        return step._replace(symbols=frozenset(symbol for symbol, both in cases.items() if len(both) == 1))
    return step._replace(symbols=step.symbols.union(*cases.values()))


def verbatim(system: System) -> set[Letter]:
    sides = (*system.inside.values(), *system.outside.values())
    return {
        core
        for languages in sides
        for language in languages
        for letter in language.letters
        if isinstance(core := uncased(letter), Verbatim)
    }


def uncased(letter: Letter) -> Variable | Verbatim | Unknown:
    return letter.of if isinstance(letter, Caseless) else letter


def _is_letter(step: Step) -> bool:
    return any(not isinstance(symbol, str) for symbol in step.symbols)


def texts_of(system: System, variable: Variable) -> list[str] | None:
    """The texts that a variable can stand for; None if they are not a few."""
    constraint = constraint_of(system, variable)
    listed = [language for language in constraint.inside if not language.globs and not language.late]
    if not listed or len(smallest := min(listed, key=len)) > MOST_TEXTS:
        return None
    return sorted(
        text
        for text in smallest.texts
        if all(text in each for each in constraint.inside) and not any(text in each for each in constraint.outside)
    )
