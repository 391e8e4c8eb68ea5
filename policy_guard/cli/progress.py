"""How far a run is, for people who wait at a terminal: one line that goes again, and none in the first second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO, TypeVar

from policy_guard.documents.printable import shortened

Result = TypeVar("Result")
PATIENCE, BETWEEN = 1.0, 0.1
_CLEAR = "\r\x1b[2K"


class Progress:
    """Called with the name of each policy that was judged. As a context, it leaves nothing behind."""

    def __init__(self, terminal: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal
        self._clock = clock
        self._next = clock() + PATIENCE
        self._judged = 0
        self._shown = False

    def __call__(self, name: str) -> None:
        self._judged += 1
        now = self._clock()
        if now >= self._next:
            self._next = now + BETWEEN
            self._shown = True
            self._terminal.write(f"{_CLEAR}{self._judged} judged: {shortened(name, 60)}")
            self._terminal.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown:
            self._shown = False
            self._terminal.write(_CLEAR)
            self._terminal.flush()


def awaited(terminal: TextIO | None, work: Callable[[Callable[[str], None]], Result]) -> Result:
    """Return what the work gives, which is told how to report progress; nobody sees it without a terminal."""
    if terminal is None or not terminal.isatty():
        return work(lambda name: None)
    with Progress(terminal) as progress:
        return work(progress)
