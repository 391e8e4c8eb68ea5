"""An object keeps its policies under another address, and what speaks of it speaks of the same object.

Source: Terraform, "Refactoring" and "moved block". Objects of `count` and `for_each` that move one by one are not told
apart: each of their policies counts as gone and come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from policy_guard.documents.containers.terraform.deciding import references
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.modules import module_scopes
from policy_guard.documents.containers.terraform.same_objects import same_objects
from policy_guard.documents.containers.terraform.scope import Scope
from policy_guard.documents.hcl.syntax import Attribute, Expression, Variable

_MOST_ROUNDS = 3
"""How often what is renamed is looked for again: what names it may have another label, too."""


def with_new_names(old: Folder, new: Folder) -> Folder:
    """The old version of a folder with the addresses that `moved` blocks of the new one give.

    A move counts only if Terraform would make it: the old address is gone, the new one was none before, and both are of
    one type. What a block says of anything else changes nothing. What has the same name in AWS is one object, too.
    """
    renamed = _with_moves(old, new, dict(_moves(new)))
    for _ in range(_MOST_ROUNDS):
        if not (same := same_objects(renamed, new)):
            break
        renamed = _with_moves(renamed, new, same)
    return renamed


def _with_moves(old: Folder, new: Folder, names: Mapping[str, str]) -> Folder:
    candidates = {
        start: end
        for start in old.definitions
        if start not in new.definitions and (end := end_of(start, names)) in new.definitions
    }
    counts = Counter(candidates.values())
    valid_moves = {
        start: end
        for start, end in candidates.items()
        if end not in old.definitions and counts[end] == 1 and start.partition(".")[0] == end.partition(".")[0]
    }
    return _rename(old, valid_moves) if valid_moves else old


def moved_places(scope: Scope, old: Collection[str], new: Collection[str]) -> dict[str, str]:
    """The new addresses of places whose objects the `moved` blocks take into a module, or out of one.

    As within a folder, a move counts only if the old address is gone, and the new one is there and was not before; of
    an object that has less than all its places at the new address, no place moves.
    """
    names = dict(written_moves(scope))
    starts = {address: start for address in (old if names else ()) if (start := _moved_start(address, names))}
    ends = {address: f"{end_of(start, names)}{address[len(start) :]}" for address, start in starts.items()}
    counts = Counter(ends.values())
    staying = {
        starts[address]
        for address, end in ends.items()
        if address in new or end not in new or end in old or counts[end] > 1
    }
    return {address: end for address, end in ends.items() if starts[address] not in staying}


def written_moves(scope: Scope) -> Iterator[tuple[str, str]]:
    """The addresses in `moved` blocks of a scope and its modules, of objects of one type; the first of a count is it.

    Source: Terraform, "Refactoring": the addresses are relative to the module that the block is in.
    """
    for address, definition in scope.folder.definitions.items():
        type_ = definition.block.type if definition.block is not None else ""
        if type_ == "module":
            for module_scope in module_scopes(scope, address.removeprefix("module.")) or ():
                yield from written_moves(module_scope)
        elif type_ == "moved":
            values = [definition.body.value(name) for name in ("from", "to")]
            start, end = ("".join(definition.written(v).split()) if v is not None else "" for v in values)
            objects = (object_of(start), object_of(end))
            if len({text.split(".")[-2] if "." in text else "" for text in objects}) == 1:
                yield f"{scope.name}{start.replace('[0]', '')}", f"{scope.name}{end.replace('[0]', '')}"


def imported_addresses(scope: Scope) -> Iterator[str]:
    """The addresses of the objects that `import` blocks of a root take over: what they are is there already."""
    for definition in scope.folder.definitions.values():
        value = definition.body.value("to") if definition.block and definition.block.type == "import" else None
        if value is not None:
            text = "".join(definition.written(value).split())
            yield object_of(text.strip('"').replace('\\"', '"'))


def object_of(address: str) -> str:
    """Return an address without the key at its end."""
    if not address.endswith("]"):
        return address
    return address.rpartition('["' if address.endswith('"]') else "[")[0]


def _moved_start(address: str, names: Mapping[str, str]) -> str:
    """Return the moved object or module that a place is in; nothing if it stays."""
    at = address.find(".")
    while at >= 0:
        if end_of(address[:at], names):
            return address[:at]
        at = address.find(".", at + 1)
    return ""


def _moves(folder: Folder) -> Iterator[tuple[str, str]]:
    for definition in folder.definitions.values():
        if definition.block is None or definition.block.type != "moved":
            continue
        start, end = (_address(definition.body.value(name)) for name in ("from", "to"))
        if start and end:
            yield start, end


def _address(value: Expression | None) -> str:
    """The address of a resource or module that an expression names as a whole; empty for anything else."""
    is_reference = isinstance(value, Attribute) and isinstance(value.value, Variable)
    return ".".join(next(references(value))) if is_reference else ""


def end_of(start: str, names: Mapping[str, str]) -> str:
    """Return where a chain of moves ends; nothing for a circle."""
    visited = {start}
    end = names.get(start, "")
    while end in names:
        if end in visited:
            return ""
        visited.add(end)
        end = names[end]
    return end


def _rename(folder: Folder, names: Mapping[str, str]) -> Folder:
    renamed_folder = Folder(folder.path, {}, folder.read, folder.paths, folder.contents_of)
    renamed_folder.wrong = folder.wrong
    renamed_folder.assignments = {
        name: _definition(definition, names) for name, definition in folder.assignments.items()
    }
    renamed_folder.definitions = {
        names.get(address, address): _definition(definition, names)
        for address, definition in folder.definitions.items()
    }
    return renamed_folder


def _definition(definition: Definition, names: Mapping[str, str]) -> Definition:
    return definition._replace(
        block=_exchange_names(definition.block, names), value=_exchange_names(definition.value, names)
    )


def _exchange_names(node: Any, names: Mapping[str, str]) -> Any:
    """The node with the names of moved objects exchanged."""
    if isinstance(node, Attribute) and isinstance(node.value, Variable):
        head, _, label = names.get(f"{node.value.name}.{node.name}", "").partition(".")
        return replace(node, value=replace(node.value, name=head), name=label) if label else node
    if is_dataclass(node) and not isinstance(node, type):
        return replace(
            node, **{field.name: _exchange_names(getattr(node, field.name), names) for field in fields(node)}
        )
    if isinstance(node, dict):
        return {key: _exchange_names(value, names) for key, value in node.items()}
    if isinstance(node, tuple) and not hasattr(node, "_fields"):
        return tuple(_exchange_names(each, names) for each in node)
    return node
