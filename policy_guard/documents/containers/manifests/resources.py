"""What a resource is in a manifest: its kind, what it is called, and whether it is one of AWS."""

from __future__ import annotations

from typing import NamedTuple

from policy_guard.documents.containers.manifests.keys import (
    AWS_GROUP_PARTS,
    AWS_MODULE,
    CALLING,
    ONE_LINE,
    SHORT_MODULES,
)
from policy_guard.documents.source import Array, Node, Object, Scalar

_NAMES = ("name", "iam_name", "role_name", "bucket", "queue_name", "alias", "function_name")
_PLAYS = ("hosts", "tasks", "pre_tasks", "post_tasks", "handlers", "block", "import_playbook")


class Resource(NamedTuple):
    """A mapping that makes one resource; `aws` tells whether AWS has it.

    With `text` all that it says of the resource is one text, such as the arguments of a module of Ansible in one line.
    """

    address: str
    kind: str
    aws: bool
    text: bool = False


def resource_of(node: Object, key: str, outer_resource: Resource | None = None) -> Resource | None:
    """Return the resource that a mapping makes, which stands under `key`; None for any other mapping.

    Arguments of an `outer_resource` may be called as a module of Ansible; they are no task.
    """
    return _manifest(node) or _pulumi(node, key) or (None if outer_resource else _task(node))


def is_manifest(document: Node) -> bool:
    """Tell whether a document holds resources of Kubernetes, Pulumi or Ansible."""
    if isinstance(document, Array):
        return any(isinstance(item, Object) and _is_play(item) for item in document.items)
    if isinstance(document, Scalar):
        return False
    return _manifest(document) is not None or _is_project(document) or _is_play(document)


def _manifest(node: Object) -> Resource | None:
    version, kind = _text(node, "apiVersion"), _text(node, "kind")
    if not version or not kind:
        return None
    metadata = node.get("metadata")
    names = (metadata.get(key) for key in ("namespace", "name")) if isinstance(metadata, Object) else ()
    name = "/".join((kind, *(each.text for each in names if isinstance(each, Scalar))))
    return Resource(name, kind, any(part in version for part in AWS_GROUP_PARTS))


def _is_project(document: Object) -> bool:
    """Tell whether a mapping is a program of Pulumi."""
    resources = document.get("resources")
    entries = resources.entries if isinstance(resources, Object) else ()
    return any(isinstance(value, Object) and _pulumi(value, key.text) is not None for key, value in entries)


def _pulumi(node: Object, key: str) -> Resource | None:
    type_ = _text(node, "type")
    if not type_.startswith(("aws:", "aws-native:", "pulumi:providers:aws", "eks:", "awsx:")):
        return None
    return Resource(f"{type_.rpartition(':')[2]}/{key}", type_.rpartition(":")[2], True)


def _is_play(node: Object) -> bool:
    return _task(node) is not None or any(isinstance(node.get(key), Array | Scalar) for key in _PLAYS)


def _task(node: Object) -> Resource | None:
    for key, value in node.entries:
        module, arguments = _module_call(key.text, value)
        if not isinstance(arguments, Object | Scalar):
            continue
        if (AWS_MODULE.fullmatch(module) and _is_called(node, arguments)) or _is_short(module, arguments):
            names = (_text(arguments, name) for name in _NAMES) if isinstance(arguments, Object) else ()
            name = next(filter(None, (_text(node, "name"), *names)), "")
            kind = module.rpartition(".")[2]
            text = isinstance(arguments, Scalar) and bool(ONE_LINE.search(arguments.text))
            return Resource(f"{kind}/{name}", kind, True, text)
    return None


def _module_call(key: str, value: Node) -> tuple[str, Node]:
    """The module that a key of a task calls, and its arguments."""
    if key in CALLING and isinstance(value, Object):
        return _text(value, "module"), value
    if key in CALLING and isinstance(value, Scalar):
        module, _, arguments = value.text.strip().partition(" ")
        return module, value._replace(text=arguments)
    return key, value


def _is_called(node: Object, value: Node) -> bool:
    """Tell whether a module is called: its name alone may be any key."""
    return isinstance(value, Object) or node.get("name") is not None or node.get("args") is not None


def _is_short(module: str, arguments: Object | Scalar) -> bool:
    """Tell whether a module is called by a name that may be any other key, too."""
    name = SHORT_MODULES.get(module)
    if name is None:
        return False
    return f"{name}=" in arguments.text if isinstance(arguments, Scalar) else arguments.get(name) is not None


def _text(node: Object, key: str) -> str:
    value = node.get(key)
    return value.text if isinstance(value, Scalar) else ""
