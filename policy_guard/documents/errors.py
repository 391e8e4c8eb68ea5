"""What goes wrong outside the policies."""

from __future__ import annotations

from policy_guard.documents.printable import shortened
from policy_guard.documents.source import Source, Span

_LONGEST_PATH = 200


class SetupError(Exception):
    """The set-up keeps policy_guard from checking anything.

    `message` says what is wrong and the remedy, in one line; the text of the error begins with the place, if there is
    one.
    """

    def __init__(self, message: str, source: Source | None = None, span: Span | None = None) -> None:
        """`source` and `span` are the place in the settings to look at."""
        place = shortened(source.path, _LONGEST_PATH) if source else ""
        if source and span:
            place += source.at(span.start)[len(source.path) :]
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.source = source
        self.span = span
