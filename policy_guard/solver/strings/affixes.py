"""What the texts of a pattern begin and end with, as far as that is fixed."""

from __future__ import annotations

from collections.abc import Sequence

from policy_guard.solver.strings.automaton import Glob, Step


def literal_prefix(glob: Sequence[Step]) -> str:
    """Return what every text of the glob begins with, as far as it is fixed."""
    characters: list[str] = []
    for step in glob:
        if step.outside or step.loop or len(step.symbols) != 1:
            break
        (symbol,) = step.symbols
        if not isinstance(symbol, str):
            break
        characters.append(symbol)
    return "".join(characters)


def plain_text(glob: Glob) -> str | None:
    """The one text that the glob stands for, if it is one."""
    text = literal_prefix(glob)
    return text if len(text) == len(glob) else None


def edges_of(glob: Glob) -> tuple[str, str]:
    """Return what every text of the glob begins with and ends with, as far as that is fixed."""
    return literal_prefix(glob), literal_prefix(glob[::-1])[::-1]


def surely_apart(edges: tuple[str, str], other_edges: tuple[str, str]) -> bool:
    """Tell whether two globs have no text in common because their edges differ."""
    (head, tail), (other_head, other_tail) = edges, other_edges
    return not (
        (head.startswith(other_head) or other_head.startswith(head))
        and (tail.endswith(other_tail) or other_tail.endswith(tail))
    )
