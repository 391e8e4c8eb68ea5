"""What names come to below one root, each worked out once for all truths that do not change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policy_guard.documents.containers.choices import Atom, Need, Truths, settle


class Memory:
    """Keeps values by their place, each with the truths that it took; what depends on the asker is not kept."""

    def __init__(self) -> None:
        self._values: dict[object, list[tuple[Mapping[Atom, bool | None], Any]]] = {}
        self._truths: list[dict[Atom, bool | None]] = []
        self._exceptions = 0

    def note(self, atom: Atom, truth: bool | None) -> None:
        """Note that the truth of an atom was asked for, and what it was; None if nobody knows it."""
        if self._truths and self._truths[-1].setdefault(atom, truth) != truth:
            self.forgo()

    def forgo(self) -> None:
        """Keep nothing of what is being worked out: it depends on who asks, as circles and too many steps do."""
        self._exceptions += 1

    def value(self, place: object, truths: Truths, work: Callable[[], Any]) -> Any:
        """Return what `work` returns under these truths, or returned under others that are the same to it."""
        for needed_truths, value in self._values.get(place, ()):
            if all(settle(atom, truths) == truth for atom, truth in needed_truths.items()):
                self._note_all(needed_truths)
                if isinstance(value, Need):
                    raise Need(value.atom)
                return value
        exceptions = self._exceptions
        self._truths.append({})
        try:
            value = work()
            self._keep(place, value, exceptions)
        except Need as need:
            self._keep(place, need, exceptions)
            raise
        finally:
            self._note_all(self._truths.pop())
        return value

    def _keep(self, place: object, value: Any, exceptions: int) -> None:
        """Keep a value, unless there is an exception that was not there before."""
        if exceptions == self._exceptions:
            self._values.setdefault(place, []).append((self._truths[-1], value))

    def _note_all(self, truths: Mapping[Atom, bool | None]) -> None:
        for atom, truth in truths.items():
            self.note(atom, truth)
