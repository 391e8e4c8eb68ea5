"""Names as file systems take them that do not tell all of them apart.

Sources: Apple's "About Apple File System" (case and normal forms of Unicode), Apple's Technical Note 1150 (characters
that HFS Plus ignores), Microsoft's "Naming Files, Paths, and Namespaces" (blanks and dots at the end, streams).
"""

from __future__ import annotations

from unicodedata import normalize

from policy_guard.regex import regex

_IGNORED = regex("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_CUT_OFF = regex(r"(?<=[^/.])[. ]+(?=/|\Z)|(?<=[^/]):[^/]*")


def folded(path: str) -> str:
    """The path in the one spelling of all that some file system takes for the same."""
    if not path.isascii():
        path = normalize("NFC", normalize("NFD", _IGNORED.sub("", path)).casefold())
    return _CUT_OFF.sub("", path).lower() if "." in path or " " in path or ":" in path else path.lower()
