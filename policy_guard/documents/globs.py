"""File patterns: `**` stands for any folders, `*` and `?` for characters of one name; from the root, `/` between."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from policy_guard.regex import regex

# Where people would expect a meaning that there is none: a pattern with these would match nothing, silently.
_UNUSUAL = (
    (regex(r"[\x00-\x1f\x7f]"), "a path holds no control characters and stands on one line"),
    (regex(r"\\"), "folders are separated by /, not by a backslash"),
    (regex(r"^(?:[/~]|[A-Za-z]:/)"), "a path begins at the root of the repository, without / in front"),
    (regex(r"(?:^|/)\.\.(?:/|$)"), 'a path cannot leave the repository; write it without ".."'),
    (regex(r"/$"), "this names a folder; write folder/** for all files in it"),
    (regex(r"^$|//|(?:^|/)\.(?:/|$)"), 'leave out "." and empty names'),
    (regex(r"\.\w+#"), "a file is named without the address of a policy in it; leave out what stands behind #"),
)
_WILD = regex(r"[*?]")
_NO_PATTERN = (
    (regex(r"[\[\]{}]"), "brackets have no meaning in a pattern; write ? for one character, or list the patterns"),
    (regex(r"^!"), "a pattern cannot be negated; use exclude"),
    (regex(r"[^/]\*\*|\*\*[^/]"), "** stands for whole folders, alone between two /"),
)


def not_a_path(text: str) -> str | None:
    """Return what keeps `text` from being a path in the repository, in one sentence; None if nothing does."""
    return next((reason for pattern, reason in _UNUSUAL if pattern.search(text)), None)


def not_a_pattern(text: str) -> str | None:
    """Return what keeps `text` from being a pattern of paths in the repository; None if nothing does."""
    return not_a_path(text) or next((reason for pattern, reason in _NO_PATTERN if pattern.search(text)), None)


@lru_cache(maxsize=100_000)
def matches_any(patterns: tuple[str, ...], path: str) -> bool:
    """Tell whether the whole path matches one of the patterns. The same is asked several times of each changed file."""
    for head, part, tail, pattern in _prepare(patterns):
        if part in path and path.startswith(head) and path.endswith(tail) and matches_path(pattern, path):
            return True
    return False


@lru_cache(maxsize=1_000)
def _prepare(patterns: tuple[str, ...]) -> tuple[tuple[str, str, str, str], ...]:
    """The patterns, each with how every path begins that matches it, what is in it, and how it ends.

    `a/**` matches `a`, and `**/a` matches `a`, so that no slash beside a wildcard is sure.
    """
    return tuple((*_sure_parts(pattern), pattern) for pattern in patterns)


def _sure_parts(pattern: str) -> tuple[str, str, str]:
    pieces = _WILD.split(pattern)
    return pieces[0].rstrip("/"), max((piece.strip("/") for piece in pieces), key=len), pieces[-1].lstrip("/")


def matches_path(pattern: str, path: str) -> bool:
    """Tell whether the whole path, relative to the root, matches. Linear in memory, never exponential in time."""
    parts = path.split("/")
    positions = {0}
    for step in _steps(pattern):
        if step == "**":
            positions = set(range(min(positions), len(parts) + 1)) if positions else set()
        else:
            positions = {at + 1 for at in positions if at < len(parts) and glob(step)(parts[at])}
    return len(parts) in positions and bool(parts)


def reaches_below(pattern: str, folder: str) -> bool:
    """Tell whether some path in a folder, or deeper, matches."""
    parts, positions = folder.split("/"), {0}
    for step in _steps(pattern):
        if len(parts) in positions or (step == "**" and positions):
            return True
        positions = {at + 1 for at in positions if at < len(parts) and glob(step)(parts[at])}
    return False


def names_all_below(pattern: str, folder: str) -> bool:
    """Tell whether every path in a folder, or deeper, matches, as a pattern with ** at its end tells."""
    return _steps(pattern)[-1] == "**" and matches_path(pattern, folder)


@cache
def _steps(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("/"))


@cache
def glob(text: str) -> Callable[[str], bool]:
    """Tell whether a whole text matches: `*` is any number of characters, `?` is one, all others are themselves.

    Time grows with the product of both lengths at worst: each piece between stars is taken as early as can be.
    """
    pieces = [_piece(piece) for piece in text.split("*")]
    if len(pieces) == 1:
        return lambda candidate: pieces[0].fullmatch(candidate) is not None
    tail = len(text) - text.rfind("*") - 1
    return lambda candidate: _in_order(pieces, tail, candidate)


@cache
def begins_within(text: str) -> Callable[[str], bool]:
    """Tell whether all texts that begin with a prefix match.

    Characters that `text` does not spell out are matched by its wildcards alone, so any others would be, too; and of
    more than it has `?` one is matched by a `*`, so any number of more would be, too.
    """
    matches = glob(text)
    return lambda prefix: all(matches(prefix + "\0" * more) for more in range(text.count("?") + 2))


def _piece(text: str) -> re.Pattern[str]:
    return regex("".join("." if c == "?" else re.escape(c) for c in text), re.DOTALL)


def _in_order(pieces: list[re.Pattern[str]], tail: int, text: str) -> bool:
    match = pieces[0].match(text)
    for piece in pieces[1:-1]:
        match = match and piece.search(text, match.end())
    end = len(text) - tail
    return match is not None and match.end() <= end and pieces[-1].match(text, end) is not None


def holds_in_order(path: str, words: Sequence[str]) -> bool:
    """Tell whether a path holds the words one after the other, and ends with the last."""
    *leading_words, last_word = words
    at = 0
    for word in leading_words:
        at = path.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return path.endswith(last_word) and len(path) - len(last_word) >= at
