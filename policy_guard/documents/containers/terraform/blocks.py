"""Blocks of public access, boundaries and the like: one that is gone leaves open what it capped, if that stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from policy_guard.documents.containers.terraform.deciding import deciding_texts, references
from policy_guard.documents.containers.terraform.grants import BLOCKS, CAP, OPEN_WITHOUT
from policy_guard.documents.containers.terraform.lasting import ACTING, LASTING, OWNERSHIP, is_lasting
from policy_guard.documents.containers.terraform.modules import module_scopes
from policy_guard.documents.containers.terraform.moves import end_of, imported_addresses, object_of, written_moves
from policy_guard.documents.containers.terraform.places import GRANT, MADE, Use, told_at, type_of
from policy_guard.documents.containers.terraform.scope import Scope

# The argument that refers to what is capped, and the type of that.
_CAPPED = {
    **dict.fromkeys(BLOCKS, ("bucket", "aws_s3_bucket")),
    CAP: ("permission_set_arn", "aws_ssoadmin_permission_set"),
    "aws_api_gateway_rest_api_policy": ("rest_api_id", "aws_api_gateway_rest_api"),
    "aws_efs_file_system_policy": ("file_system_id", "aws_efs_file_system"),
    OWNERSHIP: ("bucket", "aws_s3_bucket"),
}


def is_block(use: Use) -> bool:
    """Tell whether a place is a block of public access, a boundary, or a policy without which everybody has access."""
    if type_of(use) in OPEN_WITHOUT:
        return use.address.endswith(".policy")
    if type_of(use) == OWNERSHIP:
        return told_at(use) == LASTING
    return type_of(use) in (*BLOCKS, CAP) and use.address.endswith(f".{GRANT}")


def with_openings(old_uses: Mapping[str, Use], new_uses: Mapping[str, Use], fresh: frozenset[str]) -> dict[str, Use]:
    """The places after a change; a block opens where it is not made, if something else than before decides that.

    A boundary that is new takes away: it is no place of what is granted. `fresh` are the addresses of what is new: what
    counts only for resources that were there before does not for these.
    """

    def fresh_at(address: str, use: Use) -> frozenset[str]:
        if told_at(use) == MADE:
            return frozenset({address} - old_uses.keys())
        return fresh if told_at(use) == ACTING else use.fresh

    return {
        address: replace(use, opens=_opens(old_uses.get(address), use), fresh=fresh_at(address, use))
        for address, use in new_uses.items()
        if (address in old_uses or type_of(use) != CAP) and not _is_of_fresh(use, fresh)
    }


def fresh_addresses(old: Scope | None, new: Scope | None) -> frozenset[str]:
    """The addresses of the resources that only the new version has, and that no `moved` block or `import` leads to."""
    if new is None:
        return frozenset()
    ends = {*(object_of(end) for _, end in written_moves(new)), *imported_addresses(new)}
    return frozenset(_resources(new)) - frozenset(_resources(old) if old else ()) - ends


def former_addresses(old: Scope, new: Scope) -> dict[str, str]:
    """Where resources were before `moved` blocks of the root took them into a module, or out of one."""
    names = dict(written_moves(new))
    if not names:
        return {}
    before, after = frozenset(_resources(old)), frozenset(_resources(new))
    pairs = [(end_of(start, names), start) for start in names if start in before - after]
    counts = Counter(end for end, _ in pairs)
    return {end: start for end, start in pairs if end in after - before and counts[end] == 1}


def _is_of_fresh(use: Use, fresh: frozenset[str]) -> bool:
    """Tell whether a place is one of a new resource, at which only what was there before is judged.

    Who owns the objects of a bucket is said beside it: there the bucket is new or not.
    """
    type_ = type_of(use)
    if not is_lasting(type_, told_at(use)):
        return False
    if type_ == OWNERSHIP:
        value = use.definition.body.value("bucket")
        names = next(references(value), ()) if value is not None else ()
        return f"{use.scope.name}{'.'.join(names[:2])}" in fresh
    return resource_of(use) in fresh


def resource_of(use: Use) -> str:
    """The address of the resource that a place is in."""
    return f"{use.scope.name}{'.'.join(use.address.removeprefix(use.scope.name).split('.')[:2])}"


def _opens(old: Use | None, new: Use) -> bool:
    return old is not None and is_block(new) and _existence(old) != _existence(new)


def _existence(use: Use) -> frozenset[tuple[str, str, str]]:
    """The texts that decide how many there are of an object, and of the modules around it."""
    texts: set[tuple[str, str, str]] = set()
    scope, definition = use.scope, use.definition
    while True:
        for name in ("count", "for_each"):
            if (argument := definition.body.arguments.get(name)) is not None:
                argument_text = (scope.name, name, definition.written(argument))
                texts |= deciding_texts(scope, argument)[0] | {argument_text}
        if scope.call is None or scope.parent is None:
            return frozenset(texts)
        definition = scope.call
        scope = scope.parent


def missed_blocks(old_uses: Mapping[str, Use], new: Scope) -> Iterator[Use]:
    """The blocks that would be missed if they are gone: what they cap is there still, as far as it is known."""
    starts = [start for start, _ in written_moves(new)]
    addresses = frozenset((*_resources(new), *starts, *(f"{start}." for start in starts)))
    return (use for use in old_uses.values() if is_block(use) and not _is_capped_gone(use, addresses))


def _is_capped_gone(use: Use, addresses: frozenset[str]) -> bool:
    argument, type_ = _CAPPED[type_of(use)]
    value = use.definition.body.value(argument)
    names = next(references(value), ()) if value is not None else ()
    capped = ".".join(names[:2])
    if names[:1] != (type_,) or capped not in use.scope.folder.definitions:
        return False
    may_exist = any(name.endswith(".") and use.scope.name.startswith(name) for name in addresses)
    return not may_exist and f"{use.scope.name}{capped}" not in addresses


def _resources(scope: Scope) -> Iterator[str]:
    """The addresses of all resources, and beginnings of addresses of which others may be there."""
    for address, definition in scope.folder.definitions.items():
        label = address.removeprefix("module.")
        if definition.block is not None and definition.block.type == "module":
            scopes = module_scopes(scope, label)
            yield from (f"{scope.name}{address}.",) if scopes is None else ()
            yield from (inner for module_scope in scopes or () for inner in _resources(module_scope))
        elif definition.block is not None and definition.block.type == "removed":
            removed_addresses = [f"{scope.name}{'.'.join(names[:2])}" for names in references(definition.block)]
            yield from (*removed_addresses, *(f"{name}." for name in removed_addresses))
        else:
            yield f"{scope.name}{address}"
