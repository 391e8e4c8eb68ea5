"""What a template leaves open, as free truths, and all outcomes of an evaluation that asks for some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from policy_guard.documents.containers.opaque import Excess, Opaque
from policy_guard.documents.source import Guard, Span
from policy_guard.solver.strings.pattern import HIDDEN

MOST_OUTCOMES = 64
"""How many outcomes one statement, list or property may have."""
_CHOICE = f"{HIDDEN}choice "
T = TypeVar("T")


class Atom(NamedTuple):
    """A truth that the template leaves open: the text of `key` is one of `values`.

    `label` is the key for people. `allowed` are all texts that it can be, if the template says so; it is `bounded` if
    the other side of a comparison says otherwise.
    """

    key: str
    values: tuple[str, ...]
    label: str
    allowed: tuple[str, ...] | None = None
    bounded: bool = False


Truths: TypeAlias = "Mapping[Atom, bool]"


class ConditionName(NamedTuple):
    """The condition that holds if a truth is `truth`, and that nothing else decides."""

    condition: str
    truth: bool


class Need(Exception):
    """Raised by an evaluation that has to know a truth."""

    def __init__(self, atom: Atom) -> None:
        super().__init__(atom.label)
        self.atom = atom


class Impossible(Exception):
    """Raised if a template cannot be deployed under the truths."""


class Outcome(NamedTuple, Generic[T]):
    """A result of an evaluation, under the truths for which it is that; None if nothing can be deployed then."""

    truths: Truths
    value: T | None


def free(label: str, key: str = "") -> Atom:
    """A truth of which nothing is known but its name."""
    return Atom(f"{_CHOICE}{key or label}", ("true",), label)


def asked_by(guard: Guard) -> Atom:
    """The truth that decides whether a guard holds."""
    return Atom(guard.key, guard.values, _opposite(guard.words) if guard.negated else guard.words)


def settle(atom: Atom, truths: Truths) -> bool | None:
    """The truth of the atom as far as the others decide it: one text is not two."""
    if atom in truths:
        return truths[atom]
    possible_values = possible_texts(atom, truths)
    if possible_values is not None and not possible_values.isdisjoint(atom.values):
        return True if possible_values <= set(atom.values) else None
    if possible_values is not None:
        return False
    excluded_values = {
        text
        for decided_atom, truth in truths.items()
        if decided_atom.key == atom.key and not truth
        for text in decided_atom.values
    }
    return False if excluded_values >= set(atom.values) else None


def possible_texts(atom: Atom, truths: Truths) -> set[str] | None:
    """The texts that the key of the atom can be; None if they are without number."""
    possible = set(atom.allowed) if atom.allowed is not None else None
    for decided_atom, truth in truths.items():
        if decided_atom.key == atom.key and truth:
            possible = set(decided_atom.values) if possible is None else possible & set(decided_atom.values)
    if possible is None:
        return None
    for decided_atom, truth in truths.items():
        if decided_atom.key == atom.key and not truth:
            possible -= set(decided_atom.values)
    return possible


def outcomes(run: Callable[[Truths], T], truths: Truths, span: Span) -> list[Outcome[T]]:
    """Every outcome of `run` for all truths that it asks for, beside those in `truths`.

    Raises `Opaque` if there are more than can be looked at. Truths that change nothing are left out.
    """
    budget = [MOST_OUTCOMES * 2]
    all_outcomes: list[Outcome[T]] = list(_flatten(_explore(run, truths, span, budget), truths))
    if all(outcome.value is None for outcome in all_outcomes):
        raise Opaque("this cannot be deployed with any parameters; correct it", span)
    return all_outcomes


def outcome_table(all_outcomes: Iterable[Outcome[str]]) -> Sequence[object]:
    """Return what tells outcomes apart from those of another value, whatever is so."""
    return sorted(
        (sorted((atom.key, atom.values, truth) for atom, truth in outcome.truths.items()), outcome.value or "")
        for outcome in all_outcomes
    )


class _Branch(NamedTuple):
    atom: Atom
    if_true: _Branch | _Leaf
    if_false: _Branch | _Leaf


class _Leaf(NamedTuple):
    value: object


def _explore(run: Callable[[Truths], T], truths: Truths, span: Span, budget: list[int]) -> _Branch | _Leaf:
    budget[0] -= 1
    if budget[0] < 0:
        raise Excess("this value depends on too many conditions; write it with fewer", span)
    try:
        return _Leaf(run(truths))
    except Impossible:
        return _Leaf(None)
    except Need as need:
        atom = need.atom
    if_true = _explore(run, {**truths, atom: True}, span, budget)
    if_false = _explore(run, {**truths, atom: False}, span, budget)
    return if_true if if_true == if_false else _Branch(atom, if_true, if_false)


def _flatten(tree: _Branch | _Leaf, truths: Truths) -> Iterator[Outcome[T]]:
    if isinstance(tree, _Leaf):
        yield Outcome(truths, tree.value)  # type: ignore[arg-type]  # what `run` gave, or None
    else:
        yield from _flatten(tree.if_true, {**truths, tree.atom: True})
        yield from _flatten(tree.if_false, {**truths, tree.atom: False})


def guards(
    truths: Truths,
    condition_names: Mapping[Atom, ConditionName],
    assumptions: Iterable[Atom] = (),
    bounded: bool = True,
) -> tuple[Guard, ...]:
    """The truths as guards, those about one text as one. `condition_names` has the truths with a name.

    The `assumptions` hold whatever the truths are. Unless `bounded`, texts that only the other side of a comparison
    takes count as the last of those that are taken.
    """
    all_guards: list[Guard] = []
    all_truths = {**dict.fromkeys(assumptions, True), **truths}
    for key in dict.fromkeys(atom.key for atom in truths):
        atoms = [atom for atom in truths if atom.key == key]
        name = condition_names.get(atoms[0]) if len(atoms) == 1 else None
        all_guards.append(_guard_of(all_truths, atoms, bounded))
        if name is not None:
            verb = "holds" if truths[atoms[0]] == name.truth else "does not hold"
            all_guards[-1] = all_guards[-1]._replace(words=f"{name.condition} {verb} ({all_guards[-1].words})")
    return tuple(guard for guard in all_guards if guard.values or not guard.negated)


def _guard_of(truths: Truths, atoms: list[Atom], bounded: bool) -> Guard:
    """Return what the truths say of the text that these atoms ask for."""
    base = next((atom for atom in atoms if atom.allowed is not None), atoms[0])
    possible = possible_texts(base, truths)
    if possible is not None and (
        (bounded and base.bounded) or base.allowed is None or base.allowed[-1] not in possible
    ):
        return _guard(base, possible, False)
    if base.allowed is not None and possible is not None:
        # The last of the texts stands for all others, so that what holds for each of them always holds.
        return _guard(base, set(base.allowed) - possible, True)
    return _guard(base, {text for atom in atoms for text in atom.values}, True)


def _guard(atom: Atom, values: set[str], negated: bool) -> Guard:
    texts = tuple(sorted(values))
    return Guard(atom.key, texts, negated, _words(atom, texts, not negated))


_NEGATED = {
    " holds": " does not hold",
    " is not 0": " is 0",
    " is not empty": " is empty",
    " is left at its default": " is not left at its default",
    " has the value in the repository": " has another value than in the repository",
}
_NOT_SO = "it is not so that "


def _negated(label: str) -> str:
    """The opposite of a sentence about a truth."""
    ending = next((ending for ending in _NEGATED if label.endswith(ending)), None)
    return f"{label.removesuffix(ending)}{_NEGATED[ending]}" if ending else f"{_NOT_SO}{label}"


def _opposite(words: str) -> str:
    """The sentence that was negated."""
    ending = next((ending for ending, negated in _NEGATED.items() if words.endswith(negated)), None)
    return f"{words.removesuffix(_NEGATED[ending])}{ending}" if ending else words.removeprefix(_NOT_SO)


def _words(atom: Atom, values: tuple[str, ...], truth: bool) -> str:
    if atom.key.startswith(_CHOICE):
        return atom.label if truth else _negated(atom.label)
    return f"{atom.label} is {'' if truth else 'not '}{' or '.join(values) or 'nothing'}"
