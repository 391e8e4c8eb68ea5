"""Resources that AWS knows by the same name before a change and after it, though their address is another.

Terraform removes the one and makes the other where no `moved` block says that they are one: it has all that is written
for the new one, as if it had been changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass

from policy_guard.documents.containers.terraform.deciding import references
from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.folder import Folder
from policy_guard.documents.containers.terraform.ignored import is_ignoring
from policy_guard.documents.containers.terraform.uses import HOLDERS
from policy_guard.documents.source import Span

_NAMES = frozenset(HOLDERS) | {
    *("cluster_identifier", "identifier", "cluster_name", "policy_arn", "statement_id", "state_machine_arn"),
    *("rest_api_id", "resource_id", "http_method", "api_id", "route_key", "authorizer_id", "db_cluster_identifier"),
}
# Without one of these another object may have the rest, too.
_HOW_MANY = ("provider", "region", "count", "for_each", "type")
# What is no resource of IAM acts by a role, and is not named by it.
_OF_IAM = "aws_iam_"
_ROLES = frozenset({"role", "roles", "role_name"})
# Of these there may be several that are called alike.
_GENERATED = "name_prefix"


def same_objects(old: Folder, new: Folder) -> dict[str, str]:
    """Where resources and calls of modules are now that are called as before, if there is one of each alone."""
    removed = {each for definition in new.definitions.values() for each in _removed(definition)}
    gone = _by_identity(old, lambda address: address not in new.definitions and address not in removed)
    come = _by_identity(new, lambda address: address not in old.definitions)
    return {
        addresses[0]: come[identity][0]
        for identity, addresses in gone.items()
        if len(addresses) == 1 and len(come.get(identity, ())) == 1
    }


def _removed(definition: Definition) -> Iterator[str]:
    """The addresses that a `removed` block lets go of, which stay as they are."""
    if definition.block is not None and definition.block.type == "removed":
        yield from (".".join(names[:2]) for names in references(definition.block))


def _by_identity(folder: Folder, counts: Callable[[str], bool]) -> Mapping[object, list[str]]:
    """The addresses of resources and calls of modules, by what tells each from others."""
    by_identity: dict[object, list[str]] = defaultdict(list)
    for address, definition in folder.definitions.items():
        if counts(address) and (identity := _identity(address, definition)):
            by_identity[identity].append(address)
    return by_identity


def _identity(address: str, definition: Definition) -> object:
    """Return what tells an object from others of its type; nothing where that cannot be said.

    What Terraform ignored of one that is gone it applies to the new one.
    """
    if definition.block is None or definition.block.type not in ("resource", "module") or is_ignoring(definition):
        return None
    arguments = definition.body.arguments
    is_module = definition.block.type == "module"
    type_ = address.partition(".")[0]
    others = frozenset() if type_.startswith(_OF_IAM) else _ROLES
    names = [n for n in sorted(arguments) if is_module or n in _HOW_MANY or (n in _NAMES and n not in others)]
    if _GENERATED in arguments or not {*names}.difference(_HOW_MANY):
        return None
    return type_, tuple((name, _shape(arguments[name].value)) for name in names)


def _shape(node: object) -> object:
    """An expression without its places."""
    if is_dataclass(node) and not isinstance(node, type):
        values = (getattr(node, field.name) for field in fields(node))
        return type(node).__name__, *(_shape(value) for value in values if not isinstance(value, Span))
    if isinstance(node, dict):
        node = tuple(node.items())
    return tuple(map(_shape, node)) if isinstance(node, tuple) else node
