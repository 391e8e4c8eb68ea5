"""What names come to, each worked out once for all truths that do not change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from policy_guard.documents.containers.choices import Atom, Need, Truths, settle

T = TypeVar("T")


class Written:
    """An expression as part of a place: it is equal to itself alone, and stays as long as what is kept of it."""

    __slots__ = ("node",)

    def __init__(self, node: object) -> None:
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Written) and self.node is other.node

    def __hash__(self) -> int:
        return id(self.node)


class _Step:
    """A step on the way to a value: the truth that is asked for next, and where each answer leads; or the value."""

    __slots__ = ("answers", "atom", "value")

    def __init__(self) -> None:
        self.atom: Atom | None = None
        self.answers: dict[bool | None, _Step] = {}
        self.value: tuple[Any, dict[Atom, bool | None]] | None = None


class Memory:
    """Keeps values by their place, each with the truths that it took; what depends on the asker is not kept."""

    def __init__(self) -> None:
        self._values: dict[object, _Step] = {}
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
        step = self._values.get(place)
        while step is not None and step.atom is not None:
            step = step.answers.get(settle(step.atom, truths))
        if step is not None and step.value is not None:
            value, needed_truths = step.value
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

    def aside(self, truths: Truths, work: Callable[[], T]) -> T:
        """Return what `work` returns under more truths than these, of which what is worked out takes these alone."""
        self._truths.append({})
        try:
            return work()
        finally:
            for atom in self._truths.pop():
                self.note(atom, settle(atom, truths))

    def apart(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, which takes none of the truths that hold here."""
        self._truths.append({})
        try:
            return work()
        finally:
            self._truths.pop()

    def _keep(self, place: object, value: Any, exceptions: int) -> None:
        """Keep a value, unless there is an exception that was not there before."""
        if exceptions != self._exceptions:
            return
        truths = self._truths[-1]
        step = self._values.setdefault(place, _Step())
        # The same answers lead to the same question; where they did not, a value is worked out again.
        for atom, truth in truths.items():
            if step.value is not None or step.atom not in (None, atom):
                return
            step.atom = atom
            step = step.answers.setdefault(truth, _Step())
        if step.atom is None:
            step.value = value, truths

    def _note_all(self, truths: Mapping[Atom, bool | None]) -> None:
        for atom, truth in truths.items():
            self.note(atom, truth)
