"""How far a run is, for people who wait at a terminal: one line that goes again, and none in the first second."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TextIO, TypeVar

from policy_guard.documents.printable import shortened
from policy_guard.pipeline.results import Progress, Step

Result = TypeVar("Result")
PATIENCE, BETWEEN = 1.0, 0.1
_CLEAR = "\r\x1b[2K"


class Line:
    """Called with each step of a run. As a context, it leaves nothing behind."""

    def __init__(self, terminal: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal
        self._clock = clock
        self._next = clock() + PATIENCE
        self._shown = False

    def __call__(self, step: Step) -> None:
        moment = self._clock()
        if moment >= self._next:
            self._next = moment + BETWEEN
            self._shown = True
            self._terminal.write(_CLEAR + _one_line(step, _columns(self._terminal) - 1))
            self._terminal.flush()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown:
            self._shown = False
            self._terminal.write(_CLEAR)
            self._terminal.flush()


def _one_line(step: Step, width: int) -> str:
    """The step in one line of a terminal, since one that is broken does not go again."""
    count = f"{step.number:,} of {step.total:,} {step.sort}: " if step.total else ""
    return count + shortened(step.name, max(1, width - len(count)))


def _columns(terminal: TextIO) -> int:
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def with_progress(terminal: TextIO | None, work: Callable[[Progress], Result]) -> Result:
    """Return what the work gives, which is told how to report progress; nobody sees it without a terminal."""
    if terminal is None or not terminal.isatty():
        return work(lambda step: None)
    with Line(terminal) as progress:
        return work(progress)
