"""A prefix tree over the words of action names, and the shortest prefixes in it that no unused action begins with."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from policy_guard.records import NamedTuple

# `Get` `Access` `Point`, `AWS` `Service` `-` `Events`, `Objects` `V2`: capitals in a row are one word.
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+|.", re.DOTALL)

Split: TypeAlias = "Callable[[str], tuple[str, ...]]"


class Branch(NamedTuple):
    """The actions that begin with `prefix`, and among them the `unused` ones.

    `chosen` is the pattern that keeps all of its actions: a prefix with `*` or the name of the one action; None where
    some of them go, and where what is above keeps them. `children` are there where nothing is chosen and some stay.
    """

    prefix: str
    names: tuple[str, ...]
    unused: tuple[str, ...]
    chosen: str | None = None
    children: tuple[Branch, ...] = ()

    def cover(self) -> Iterator[str]:
        """All that is chosen here and below, in the order of the names."""
        if self.chosen:
            yield self.chosen
        for child in self.children:
            yield from child.cover()


def words(name: str) -> tuple[str, ...]:
    """The words of an action's name, which joined are the name."""
    return tuple(_WORD.findall(name))


def characters(name: str) -> tuple[str, ...]:
    """The name letter by letter: prefixes may end inside a word, and so are fewer and wider."""
    return tuple(name)


def grow(names: Iterable[str], unused: Iterable[str], split: Split, allowed: Callable[[str], bool]) -> Branch:
    """The tree of some names, with the shortest safe prefixes chosen in it.

    A prefix is safe if no unused name begins with it, character by character and in any case, and if all names that
    begin with it are `allowed`. Source: least general generalisation, G. D. Plotkin, "A Note on Inductive
    Generalization", Machine Intelligence 5, 1970.
    """
    unused_names = {name.lower() for name in unused}
    split_names = sorted((split(name), name) for name in names)
    return _branch(
        "", split_names, 0, _SafetyTest(unused_names, sorted(unused_names), allowed), wide=split is characters
    )


class _SafetyTest(NamedTuple):
    unused: set[str]
    in_order: Sequence[str]
    allowed: Callable[[str], bool]

    def __call__(self, prefix: str) -> bool:
        start = prefix.lower()
        at = bisect_left(self.in_order, start)
        return not (at < len(self.in_order) and self.in_order[at].startswith(start)) and self.allowed(start)

    def is_unused(self, name: str) -> bool:
        return name.lower() in self.unused


def _branch(prefix: str, names: list[tuple[tuple[str, ...], str]], depth: int, safe: _SafetyTest, wide: bool) -> Branch:
    plain = tuple(name for _, name in names)
    unused = tuple(filter(safe.is_unused, plain))
    if len(unused) == len(plain):
        return Branch(prefix=prefix, names=plain, unused=unused)
    if len(plain) == 1:
        shorter = wide and len(prefix) + 1 < len(plain[0]) and safe(prefix)
        return Branch(prefix=prefix, names=plain, unused=(), chosen=f"{prefix}*" if shorter else plain[0])
    if safe(prefix):
        return Branch(prefix=prefix, names=plain, unused=(), chosen=f"{prefix}*")
    return Branch(
        prefix=prefix,
        names=plain,
        unused=unused,
        chosen=None,
        children=tuple(_children(prefix, names, depth, safe, wide)),
    )


def _children(
    prefix: str, names: list[tuple[tuple[str, ...], str]], depth: int, safe: _SafetyTest, wide: bool
) -> Iterator[Branch]:
    ends = [(split, name) for split, name in names if len(split) == depth]
    for item in ends:
        yield _branch(item[1], [item], depth, safe, wide=False)
    longer = (item for item in names if len(item[0]) > depth)
    for word, group in groupby(longer, key=lambda item: item[0][depth]):
        yield _branch(prefix + word, list(group), depth + 1, safe, wide)
