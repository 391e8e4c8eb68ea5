"""CODEOWNERS of GitHub: who has to review a change of a path."""

from __future__ import annotations

from policy_guard.documents.globs import matches_path
from policy_guard.regex import regex

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""The first of these that is there counts (GitHub Docs, "About code owners")."""
MOST_BYTES = 3 * 1024 * 1024
_OWNER = regex(r"@[\w.-]+(/[\w.-]+)?|[^@\s]+@[^@\s]+")
# Backslash, brackets and exclamation marks have no meaning there, and a line with them is passed over.
_NOT_SUPPORTED = regex(r"[\\\[\]!]")


def owners(text: str, path: str) -> tuple[str, ...]:
    """The owners of a path, by the last line that matches it; none where that line names nobody.

    GitHub passes over a line with a mistake, and so does this; whoever is named has to have write access, which is
    not to be seen here.
    """
    last_owners: tuple[str, ...] = ()
    for line in text.splitlines():
        pattern, *names = line.partition("#")[0].split()[:50] or [""]
        if not pattern or _NOT_SUPPORTED.search(pattern) or not all(map(_OWNER.fullmatch, names)):
            continue
        if _matches(pattern, path):
            last_owners = tuple(names)
    return last_owners


def _matches(pattern: str, path: str) -> bool:
    """As in .gitignore: anchored by a slash at the front or inside, a folder means all below it."""
    anchored = "/" in pattern.rstrip("/")
    plain = pattern.strip("/")
    if not plain:
        return False
    start = plain if anchored else f"**/{plain}"
    contents = [] if plain.endswith("/*") or (anchored and plain == "*") else [f"{start}/**/*"]
    exact = [] if pattern.endswith("/") else [start]
    return any(matches_path(each, path) for each in (*exact, *contents))
