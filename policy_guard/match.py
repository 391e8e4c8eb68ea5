"""Whether one text matches one pattern, with the values of one request filled in."""

from __future__ import annotations

from collections.abc import Mapping

from policy_guard.pattern import STAR, Part, Pattern, Unknown, Variable, Wildcard, folded


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
    """Whether the whole text matches a resolved pattern; without `wild` its `*` and `?` are plain characters."""
    if wild and pattern.parts == (STAR,):
        return True
    spell = folded if fold else str
    text = spell(text)
    first = pattern.parts[0] if pattern.parts else ""
    if isinstance(first, str) and not text.startswith(spell(first)):
        return False
    tokens: list[str | Wildcard] = []
    for part in pattern.parts:
        if isinstance(part, Wildcard):
            tokens.append(part if wild else part.symbol)
        elif isinstance(part, str):
            tokens += spell(part)
    if any(isinstance(token, Wildcard) and token.spared for token in tokens):
        return _matches_in_parts(tokens, text)
    return _matches(tokens, text)


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
        ahead: set[int] = set()
        for at in reached:
            token = tokens[at] if at < len(tokens) else None
            if isinstance(token, Wildcard) and character not in token.spared:
                ahead.add(at if token.symbol == "*" else at + 1)
            elif token == character:
                ahead.add(at + 1)
        reached = _past_stars(tokens, ahead)
    return len(tokens) in reached


def _past_stars(tokens: list[str | Wildcard], places: set[int]) -> set[int]:
    reached = set(places)
    for at in places:
        while at < len(tokens) and isinstance(token := tokens[at], Wildcard) and token.symbol == "*":
            at += 1
            reached.add(at)
    return reached
