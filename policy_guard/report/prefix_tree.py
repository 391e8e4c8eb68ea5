"""The trees behind replaced patterns, as text for a terminal and as mermaid graphs for Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TypeAlias

from policy_guard.documents.printable import counted
from policy_guard.iam.prefix_tree import Branch

Trees: TypeAlias = "tuple[tuple[str, Branch], ...]"
"""The tree of each service, by its prefix."""
SAFE, MIXED, UNUSED = "safe", "unsafe", "unused"
_COLORS = {SAFE: "32", MIXED: "33", UNUSED: "2"}
_CLASSES = (
    "  classDef safe fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "  classDef unsafe fill:#fff1e5,stroke:#bc4c00,color:#1f2328",
    "  classDef unused fill:#f6f8fa,stroke:#8c959f,color:#59636e,stroke-dasharray:4",
)


def draw(pattern: str, trees: Trees, color: bool) -> Iterator[str]:
    """One line for each node, safe and unsafe ones apart, each below what it begins with."""
    for service, tree in trees:
        yield pattern if pattern.lower().startswith(f"{service.lower()}:") else f"{pattern}, in {service}"
        yield from _branch_lines((_first_fork(tree),), "", "", color)


def mermaid(trees: Trees) -> Iterator[str]:
    """The lines of a mermaid flow chart, as GitHub shows it in Markdown."""
    yield "graph LR"
    numbers = count()
    for service, tree in trees:
        yield from _nodes(_first_fork(tree), f"{service}:", "", numbers)
    yield from _CLASSES


def _first_fork(branch: Branch) -> Branch:
    """The first node at which the tree branches, or ends."""
    while len(branch.children) == 1:
        branch = branch.children[0]
    return branch


def _branch_lines(branches: tuple[Branch, ...], parent_prefix: str, margin: str, color: bool) -> Iterator[str]:
    for at, branch in enumerate(branches):
        last = at == len(branches) - 1
        corner, continuation = ("└─ ", "   ") if last else ("├─ ", "│  ")
        name = _name(branch, parent_prefix)
        mark = f"{state(branch):6}"
        colored_mark = f"\x1b[{_COLORS[state(branch)]}m{mark}\x1b[0m" if color else mark
        yield f"{margin}{corner}{colored_mark} {name}{_detail(branch)}"
        children = tuple(map(_first_fork, branch.children))
        yield from _branch_lines(children, branch.prefix, margin + continuation, color)


def state(branch: Branch) -> str:
    """Tell whether all of the actions stay, some, or none."""
    if branch.chosen:
        return SAFE
    return UNUSED if len(branch.unused) == len(branch.names) else MIXED


def _detail(branch: Branch) -> str:
    total = len(branch.names)
    actions = counted(total, "action")
    if branch.chosen:
        return f"  -> {branch.chosen}" + (f" ({actions})" if total > 1 else "")
    if len(branch.unused) == total:
        suffix = "" if branch.names[0] == branch.prefix else f"  {branch.names[0]}"
        return suffix if total == 1 else f"  {actions}"
    if not branch.unused:
        return f"  none of {actions} unused, but {branch.prefix}* covers more"
    return f"  {len(branch.unused)} of {actions} unused"


def _name(branch: Branch, parent_prefix: str) -> str:
    """Return the text that the node adds to its parent's."""
    return branch.prefix.removeprefix(parent_prefix) or ("(itself)" if branch.prefix else "(all)")


def _nodes(branch: Branch, parent_prefix: str, parent: str, numbers: Iterator[int]) -> Iterator[str]:
    node = f"n{next(numbers)}"
    name = _name(branch, parent_prefix) if parent else f"{parent_prefix}{branch.prefix}"
    label = f"{name}{_detail(branch).replace('  -> ', '<br>').replace('  ', '<br>')}"
    yield f'  {parent}{node}["{label}"]:::{state(branch)}'
    for child in branch.children:
        yield from _nodes(_first_fork(child), branch.prefix, f"{node} --> ", numbers)
