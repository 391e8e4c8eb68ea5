"""What the settings name: files by patterns, and behind `#` single policies in them by their addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from policy_guard.documents.globs import glob, matches_any, matches_path, not_a_path, not_a_pattern
from policy_guard.regex import regex

_MARK = regex(r"\.\w+#")
_WILD = regex(r"[*?]")
_CONTROL = regex(r"[\x00-\x1f\x7f]")


def parted(text: str) -> tuple[str, str]:
    """The path and the address in a text; without an address it names a whole file."""
    mark = _MARK.search(text)
    return (text[: mark.end() - 1], text[mark.end() :]) if mark else (text, "")


@lru_cache(maxsize=1_000)
def _parts(patterns: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The patterns of whole files, and those of policies as paths and addresses."""
    texts = [(text, *parted(text)) for text in patterns]
    return tuple(text for text, _, address in texts if not address), tuple(t[1:] for t in texts if t[2])


def names_policies(patterns: tuple[str, ...]) -> bool:
    """Tell whether one of the patterns names single policies."""
    return bool(_parts(patterns)[1])


def name_file(patterns: tuple[str, ...], path: str) -> bool:
    """Tell whether one of the patterns names the whole file."""
    return matches_any(_parts(patterns)[0], path)


def name_policies_in(patterns: tuple[str, ...], path: str) -> bool:
    """Tell whether one of the patterns names single policies of the file, be they there or not."""
    return any(matches_path(pattern, path) for pattern, _ in _parts(patterns)[1])


def name_policy(patterns: tuple[str, ...], path: str, addresses: Iterable[str]) -> bool:
    """Tell whether one of the patterns names the whole file, or a policy there that has these addresses."""
    if name_file(patterns, path):
        return True
    matches = (glob(address) for pattern, address in _parts(patterns)[1] if matches_path(pattern, path))
    return any(matches_address(address) for matches_address in matches for address in addresses)


def single_policies(patterns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The paths and addresses of the patterns that name policies of one certain file."""
    yield from ((path, address) for path, address in _parts(patterns)[1] if not _WILD.search(path))


def are_single_policies(patterns: tuple[str, ...]) -> bool:
    """Tell whether each of the patterns names one certain policy."""
    return not any(_WILD.search(pattern) for pattern in patterns) and not _parts(patterns)[0]


def not_a_reference(text: str) -> str | None:
    """Return what keeps a text from naming a file, or one policy in it; None if nothing does."""
    return not_a_path(parted(text)[0]) or _not_an_address(text)


def not_a_name(text: str) -> str | None:
    """Return what keeps a text from being a pattern of files, or of policies in them; None if nothing does."""
    return not_a_pattern(parted(text)[0]) or _not_an_address(text)


def _not_an_address(text: str) -> str | None:
    if text.endswith("#") and _MARK.search(text):
        return "write the address of a policy behind #, as policy-guard list does"
    return "an address holds no control characters" if _CONTROL.search(text) else None
