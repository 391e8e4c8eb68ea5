"""Letters, which stand for the texts of variables and unknown parts: filled in, loosened, or left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from policy_guard.solver.strings.automaton import ANYTHING, Caseless, Glob, Letter, Step, Verbatim
from policy_guard.solver.strings.glob import either_case
from policy_guard.solver.strings.language import EVERYTHING, Deferred, Language
from policy_guard.solver.strings.pattern import Unknown, Variable, as_text, folded, visible_name
from policy_guard.solver.strings.spans import FIRST, LAST, Line, Span

Texts: TypeAlias = "Mapping[Letter, str]"


def substituted(language: Language, values: Texts) -> Language:
    """The language with texts in place of its letters; patterns with a letter that has no text are left out."""
    if not language.letters:
        return language
    globs = [glob for glob in language.globs if all(letter in values for letter in _glob_letters(glob))]
    late = [(deferred, text) for deferred in language.late if (text := _text_of(deferred, values)) is not None]
    built = (glob for deferred, text in late for glob in deferred.build(text))
    new_globs = [*(tuple(_fill_in(glob, values)) for glob in globs), *built]
    return Language(new_globs, language.texts, span=_span(language.span, late))


def _text_of(late: Deferred, values: Texts) -> str | None:
    """Return what the pattern spells; None if some letter has no text."""
    texts: list[str] = []
    for part in late.pattern.parts:
        letter = Verbatim(part.name) if isinstance(part, Unknown) else None
        if letter is not None and letter not in values:
            return None
        texts.append(values[letter] if letter else as_text(part))
    return "".join(texts)


def _span(span: Span | None, late: list[tuple[Deferred, str]]) -> Span | None:
    """The span of what is known, and of what the late patterns have become."""
    stretches = (stretch for deferred, text in late if (stretch := deferred.stretch(text)))
    return Span(span.line, (*span.stretches, *stretches)) if span else None


def _fill_in(glob: Glob, values: Texts) -> Iterator[Step]:
    for step in glob:
        letters = [symbol for symbol in step.symbols if not isinstance(symbol, str)]
        if not letters:
            yield step
        for letter in letters:
            for character in values[letter]:
                yield _read(letter, character)


def _read(letter: Letter, character: str) -> Step:
    core = letter.of if isinstance(letter, Caseless) else letter
    if isinstance(core, Unknown) and character in "*?":
        return Step(frozenset(":" if core.stays else ""), outside=True, loop=character == "*")
    return Step(frozenset(either_case(folded(character)) if isinstance(letter, Caseless) else character))


def _glob_letters(glob: Glob) -> Iterator[Letter]:
    yield from (symbol for step in glob for symbol in step.symbols if not isinstance(symbol, str))


def loosened(language: Language) -> Language:
    """The language with any text in place of each letter."""
    if not language.letters:
        return language
    if language.late:
        return anything_on(language.late[0].line if language.span else None)
    loose_globs = [tuple(ANYTHING if any(_glob_letters((step,))) else step for step in glob) for glob in language.globs]
    return Language(loose_globs, language.texts)


def anything_on(line: Line | None) -> Language:
    """The language of all texts, with the span of all values on the line, if its texts are those of such values."""
    return Language(EVERYTHING.globs, span=Span(line, ((FIRST, LAST),))) if line else EVERYTHING


def without_letters(language: Language) -> Language:
    """The language without its patterns that have letters."""
    if not language.letters:
        return language
    return Language((g for g in language.globs if not any(_glob_letters(g))), language.texts, span=language.span)


def stem(letter: Letter) -> Letter:
    """The letter whose value decides this one's."""
    if isinstance(letter, Caseless):
        letter = letter.of
    return letter if isinstance(letter, Variable) else Unknown(letter.name)


def with_readings(values: Texts) -> dict[Letter, str]:
    """The values, also for the letters that read the same text in another way."""
    all_texts: dict[Letter, str] = dict(values)
    for letter, text in values.items():
        if isinstance(letter, Unknown):
            readings: list[Letter] = [Unknown(letter.name, stays=True), Verbatim(letter.name)]
            readings += [Caseless(Verbatim(letter.name)), Caseless(letter)]
            all_texts |= dict.fromkeys(readings, text)
        elif isinstance(letter, Variable):
            all_texts[Caseless(letter)] = text
    return all_texts


def spelling_of(letter: Letter) -> str:
    """The letter as a policy spells it."""
    letter = stem(letter)
    assert isinstance(letter, Variable | Unknown)
    return f"${{{letter.key}}}" if isinstance(letter, Variable) else visible_name(letter.name)
