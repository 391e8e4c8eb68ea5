"""Values that nobody can tell from a file, and short names for what decides them."""

from __future__ import annotations

from hashlib import sha256

from policy_guard.documents.source import Problem, Span
from policy_guard.regex import regex


class Opaque(Exception):
    """Raised for a value that nobody can tell from the file, with the problem to report."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.problem = Problem(message, span)


_LENGTH = 16
_DIGEST = regex(r"[0-9a-f]{16}")


class Excess(Opaque):
    """Raised for a value that takes more work than may be spent on it."""


class Missing(Opaque):
    """Raised for a part that a value surely does not have."""


class Unclear(Opaque):
    """Raised for a value that only a deployment tells."""


def digest(value: object) -> str:
    """A short text that is another one for every other value that is spelled otherwise."""
    return sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]


def is_digest(text: str) -> bool:
    """Tell whether a text is a `digest`, as far as it looks."""
    return _DIGEST.fullmatch(text) is not None
