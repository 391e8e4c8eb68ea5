"""Whether one text matches one pattern, with the values of one request filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from policy_guard.solver.strings.pattern import STAR, Part, Pattern, Unknown, Variable, Wildcard, as_text, folded

_LARGE = 250_000
"""From how many pairs of a token and a character on a text is matched in another way."""


def resolve(
    pattern: Pattern, context: Mapping[str, tuple[str, ...]], unknowns: Mapping[str, str], wild: bool
) -> Pattern | None:
    """The pattern with its variables and unknown parts replaced by text; None if a variable has no value.

    With `wild`, a `*` or `?` in the text of an unknown part is a wildcard. A wildcard in the value of a variable
    never is one (AWS: IAM User Guide, reference_policies_variables).
    """
    parts: list[Part] = []
    for part in pattern.parts:
        if isinstance(part, Variable):
            values = context.get(part.key)
            if not values and part.default is None:
                return None
            parts.append(values[0] if values else part.default or "")
        elif isinstance(part, Unknown):
            text = unknowns.get(part.name, "")
            parts += [Wildcard(c, part.stays) if wild and not part.verbatim and c in "*?" else c for c in text]
        else:
            parts.append(part)
    return Pattern(tuple(parts))


def matches(pattern: Pattern, text: str, *, wild: bool = True, fold: bool = False) -> bool:
    """Tell whether the whole text matches a resolved pattern; without `wild` its `*` and `?` are plain characters."""
    if wild and pattern.parts == (STAR,):
        return True
    spell = folded if fold else str
    text = spell(text)
    first = pattern.parts[0] if pattern.parts else ""
    if isinstance(first, str) and not text.startswith(spell(first)):
        return False
    pieces = _pieces(pattern, wild, spell)
    if pieces is not None:
        return _has_in_order(pieces, text)
    tokens: list[str | Wildcard] = []
    for part in pattern.parts:
        if isinstance(part, Wildcard):
            tokens.append(part)
        elif isinstance(part, str):
            tokens += spell(part)
    if len(tokens) * len(text) > _LARGE:
        return _matches_at_once(tokens, text)
    if any(isinstance(token, Wildcard) and token.spared for token in tokens):
        return _matches_in_parts(tokens, text)
    return _matches(tokens, text)


def _pieces(pattern: Pattern, wild: bool, spell: Callable[[str], str]) -> list[str] | None:
    """The texts between the `*` of a pattern that has no other wildcards; None if it has some."""
    pieces: list[list[str]] = [[]]
    for part in pattern.parts:
        if wild and part == STAR:
            pieces.append([])
        elif wild and isinstance(part, Wildcard):
            return None
        else:
            pieces[-1].append(spell(as_text(part)))
    return ["".join(piece) for piece in pieces]


def _has_in_order(pieces: list[str], text: str) -> bool:
    """Tell whether the text is the pieces in their order, with any text between two of them."""
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _matches(tokens: list[str | Wildcard], text: str) -> bool:
    """Greedy matching with one point to go back to: linear in memory, at worst quadratic in time."""
    at = star = 0
    back = -1
    place = 0
    while place < len(text):
        token = tokens[at] if at < len(tokens) else None
        if isinstance(token, Wildcard) and token.symbol == "*":
            back, star = at, place
            at += 1
        elif token is not None and (isinstance(token, Wildcard) or token == text[place]):
            at += 1
            place += 1
        elif back >= 0:
            star += 1
            at, place = back + 1, star
        else:
            return False
    return all(isinstance(token, Wildcard) and token.symbol == "*" for token in tokens[at:])


def _matches_in_parts(tokens: list[str | Wildcard], text: str) -> bool:
    """Matching where some wildcards do not stand for every character: every place that can be reached, at once."""
    reached = _past_stars(tokens, {0})
    for character in text:
        successors: set[int] = set()
        for at in reached:
            token = tokens[at] if at < len(tokens) else None
            if isinstance(token, Wildcard) and character not in token.spared:
                successors.add(at if token.symbol == "*" else at + 1)
            elif token == character:
                successors.add(at + 1)
        reached = _past_stars(tokens, successors)
    return len(tokens) in reached


def _past_stars(tokens: list[str | Wildcard], places: set[int]) -> set[int]:
    reached = set(places)
    for at in places:
        while at < len(tokens) and isinstance(token := tokens[at], Wildcard) and token.symbol == "*":
            at += 1
            reached.add(at)
    return reached


def _matches_at_once(tokens: list[str | Wildcard], text: str) -> bool:
    """The same for long patterns and texts, every place being a bit of one number: the others take hours for some."""
    stars = [isinstance(token, Wildcard) and token.symbol == "*" for token in tokens]
    starred = _bits(at for at, star in enumerate(stars) if star)
    reached = _closure(1, starred)
    places_by_character: dict[str, int] = {}
    for character in text:
        if character not in places_by_character:
            places_by_character[character] = _bits(at for at, token in enumerate(tokens) if _accepts(token, character))
        accepting = reached & places_by_character[character]
        reached = _closure((accepting & ~starred) << 1 | (accepting & starred), starred)
        if not reached:
            return False
    return bool(reached >> len(tokens) & 1)


def _accepts(token: str | Wildcard, character: str) -> bool:
    return character not in token.spared if isinstance(token, Wildcard) else token == character


def _bits(places: Iterable[int]) -> int:
    field = bytearray()
    for place in places:
        field.extend(bytes(max(0, place // 8 + 1 - len(field))))
        field[place // 8] |= 1 << place % 8
    return int.from_bytes(field, "little")


def _closure(reached: int, starred: int) -> int:
    while (extended := reached | (reached & starred) << 1) != reached:
        reached = extended
    return reached
