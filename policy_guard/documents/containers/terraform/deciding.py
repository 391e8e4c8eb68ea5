"""The definitions that decide a value, followed from name to name."""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.containers.terraform.folder import Definition
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.hcl.syntax import (
    Attribute,
    Call,
    Variable,
    parts_of,
)

_MAY_BE_ANYTHING = "Statement, Effect"
_FILES = ("file(", "templatefile(", "filebase64(", "fileset(")
_FROM_FILES = (("data", "local_file"), ("data", "external"), ("data", "archive_file"))


def references(node: object) -> Iterator[tuple[str, ...]]:
    """The names that stand at the beginning of references, and the calls of functions."""
    waiting: list[object] = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Attribute):
            labels, inner = [node.name], node.value
            while isinstance(inner, Attribute):
                labels.append(inner.name)
                inner = inner.value
            if isinstance(inner, Variable):
                yield (inner.name, *reversed(labels))
                continue
            waiting.append(inner)
        elif isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, tuple):
            waiting += node
        else:
            if isinstance(node, Call):
                yield (f"{node.name}(",)
            waiting += parts_of(node)


def deciding(scope: Scope, start: object, beyond: str = "") -> tuple[frozenset[tuple[str, str, str]], bool]:
    """The texts of all definitions that a value depends on, and whether files may decide it too.

    What decides the resources whose addresses begin with `beyond` is left out, if that is given.
    """
    found: set[tuple[str, str, str]] = set()
    reads = False
    waiting: list[tuple[Scope, object]] = [(scope, start)]
    while waiting:
        here, node = waiting.pop()
        scope.looks[0] -= 1
        if scope.looks[0] < 0:
            # Too much to follow: it may be a policy, and is not the same as on the other side.
            return frozenset({("", "", f"{_MAY_BE_ANYTHING} {id(scope.root())}")}), True
        for names in references(node):
            reads = reads or names[0] in _FILES or names[:2] in _FROM_FILES
            for address, where, definition in _definitions(here, names):
                key = (where.name, address, definition.text)
                if key not in found and not (beyond and address.startswith(beyond)):
                    found.add(key)
                    waiting.append((where, definition.block if definition.block else definition.value))
        if here.parent is not None and here.call is not None:
            key = (here.parent.name, here.name, here.call.text)
            if key not in found:
                found.add(key)
                waiting.append((here.parent, here.call.block))
    return frozenset(found), reads


def _definitions(scope: Scope, names: tuple[str, ...]) -> Iterator[tuple[str, Scope, Definition]]:
    for address in (".".join(names[:2]), ".".join(names[:3])):
        if definition := scope.folder.found.get(address):
            yield address, scope, definition
    if names[0] == "var" and len(names) > 1 and (given := scope.folder.given.get(names[1])):
        yield f"given {names[1]}", scope, given
    if names[0] == "module" and len(names) > 1 and (below := scope.below(names[1])):
        yield from ((address, below, each) for address, each in below.folder.found.items())
