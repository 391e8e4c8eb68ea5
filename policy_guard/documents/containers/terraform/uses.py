"""The arguments of AWS resources that take policies, and what they are attached to.

`arguments.txt` has them all for one version of both providers of AWS; what it does not know, a newer provider may have
got since, and counts by its name. Source: the schemas of the providers, and their documentation of each resource.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from policy_guard.documents.containers import Kind

_FILE = Path(__file__).with_name("arguments.txt")
_PROVIDERS = ("aws_", "awscc_")
_ATTACHED, _BOUNDARY, _NONE = "attached", "boundary", "none"
_CEILING = "permissions_boundary"
_LIKE_POLICY = re.compile(r"(?:.*_)?polic(?:y|ies)(?:_document|_text|_template|_json)?")
_LIKE_ARNS = re.compile(r"(?:.*_)?policy_arns?")
_KINDS: dict[str, Kind] = {
    "identity": "identity",
    "resource": "resource",
    "trust": "trust",
    "session": "session",
    "endpoint": "endpoint",
}
HOLDERS: tuple[str, ...] = (
    *("role", "user", "group", "roles", "users", "groups", "bucket", "key_id", "queue_url", "arn", "repository"),
    *("resource_arn", "secret_arn", "vault_name", "backup_vault_name", "rest_api_id", "vpc_endpoint_id", "domain_name"),
    *("file_system_id", "function_name", "event_bus_name", "topic_arn", "identity", "instance_arn", "name", "provider"),
    *("permission_set_arn", "repository_name", "target_id", "domain", "table_bucket_arn", "type", "layer_name"),
    *("region", "account_id", "role_name", "user_name", "group_name"),
)


@cache
def _table() -> dict[tuple[str, str], str]:
    """Return what each argument takes, by the type of the resource and its path."""
    lines = (line.split(" ") for line in _FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {(type_, path): kind for type_, path, kind in lines}


@cache
def inner_paths(type_: str) -> tuple[str, ...]:
    """The paths of policies that lie in blocks of a type of resource, or in values of its arguments."""
    return tuple(path for (name, path), kind in _table().items() if name == type_ and "." in path and kind != _NONE)


def is_of_aws(type_: str) -> bool:
    """Tell whether a type of resource is one of AWS."""
    return type_.startswith(_PROVIDERS)


def _taken_by(type_: str, path: str) -> str:
    """Return what an argument takes, as the table says it."""
    if not is_of_aws(type_):
        return _NONE
    if (kind := _table().get((type_, path))) is not None:
        return kind
    name = path.rpartition(".")[2]
    if any(inner.startswith(f"{path}.") for inner in inner_paths(type_)):
        return _NONE
    if _LIKE_ARNS.fullmatch(name) or name == _CEILING:
        return _BOUNDARY if name == _CEILING else _ATTACHED
    return "resource" if _LIKE_POLICY.fullmatch(name) else _NONE


def takes_policy(type_: str, path: str) -> bool:
    """Tell whether an argument of a type of resource takes a policy; a path has dots between blocks and arguments."""
    return _taken_by(type_, path) not in (_ATTACHED, _BOUNDARY, _NONE)


def is_of_organization(type_: str, path: str) -> bool:
    """Tell whether an argument takes a policy of an organization, of which another one tells the kind."""
    return _taken_by(type_, path) == "organizations"


def takes_name(type_: str, path: str) -> bool:
    """Tell whether an argument of a type of resource names policies that stand elsewhere."""
    return _taken_by(type_, path) == _ATTACHED


def takes_boundary(type_: str, path: str) -> bool:
    """Tell whether an argument of a type of resource takes a boundary."""
    return _taken_by(type_, path) == _BOUNDARY


def kind_of(type_: str, path: str) -> Kind | None:
    """The kind of the policies in an argument; None if only another argument tells."""
    return _KINDS.get(_taken_by(type_, path))
