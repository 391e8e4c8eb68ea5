"""What a resource is in a manifest: its kind, what it is called, and whether it is one of AWS."""

from __future__ import annotations

from policy_guard.documents.containers.manifests.keys import (
    AWS_GROUP_PARTS,
    AWS_MODULE,
    CALLING,
    GRANTING_KIND,
    IAM_KIND,
    KUSTOMIZING,
    OF_KUBERNETES,
    ONE_LINE,
    SHORT_MODULES,
)
from policy_guard.documents.source import Array, Node, Object, Scalar
from policy_guard.records import NamedTuple

_MODULE_NAMES = ("name", "iam_name", "role_name", "bucket", "queue_name", "alias", "function_name")
_MARKS = ("{{", "{%", "${", "<%", "$(")
_ITEM_NAMES = ("namespace", "name", "policyName", "serviceAccountName")
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
    if resource := _manifest(node) or _pulumi(node, key):
        return resource
    return None if outer_resource else _task(node) or (None if key else _kustomization(node))


def is_manifest(document: Node) -> bool:
    """Tell whether a document holds resources of Kubernetes, Pulumi or Ansible."""
    if isinstance(document, Array):
        return any(isinstance(item, Object) and (_is_play(item) or is_operation(item)) for item in document.items)
    if isinstance(document, Scalar):
        return False
    makes_something = _manifest(document) or _kustomization(document)
    return makes_something is not None or is_project(document) or _is_play(document)


def is_operation(node: Object) -> bool:
    """Tell whether a mapping changes one place of a resource elsewhere, by a JSON Patch (RFC 6902)."""
    return bool(_text(node, "op") and _text(node, "path"))


def is_filled_in(text: str) -> bool:
    """Tell whether a template engine puts something into a text."""
    return any(opening in text for opening in _MARKS)


def _manifest(node: Object) -> Resource | None:
    """The resource of a manifest. Of a key written twice the last counts for most readers, and the first for some."""
    versions, kinds = _texts(node, "apiVersion"), _texts(node, "kind")
    if not versions or not kinds:
        return None
    kind = max(reversed(kinds), key=_is_telling)
    metadata_names = [
        name.text
        for metadata in values_of(node, "metadata")
        for key in ("namespace", "name")
        for name in (values_of(metadata, key) if isinstance(metadata, Object) else ())
        if isinstance(name, Scalar)
    ]
    in_aws = any(part in version for version in versions for part in AWS_GROUP_PARTS)
    may_be_aws = any(map(is_filled_in, versions)) and not _is_of_kubernetes(node, kind)
    return Resource("/".join((*kinds, *metadata_names)), kind, in_aws or may_be_aws)


def _is_telling(kind: str) -> bool:
    return is_filled_in(kind) or bool(GRANTING_KIND.fullmatch(kind) or IAM_KIND.fullmatch(kind))


def _is_of_kubernetes(node: Object, kind: str) -> bool:
    """Tell whether a kind is surely none of AWS; a role of Kubernetes has no `spec`."""
    return bool(OF_KUBERNETES.fullmatch(kind)) and not (kind == "Role" and node.get("spec") is not None)


def _kustomization(node: Object) -> Resource | None:
    if not any(isinstance(node.get(key), Array) for key in KUSTOMIZING):
        return None
    kind = _text(node, "kind") or "Kustomization"
    return Resource(kind, kind, False)


def is_project(document: Object) -> bool:
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
    module_call = _call(node)
    if module_call is None:
        return None
    module, arguments = module_call
    kind = module.rpartition(".")[2]
    text = isinstance(arguments, Scalar) and bool(ONE_LINE.search(arguments.text))
    return Resource(f"{kind}/{_name_in_aws(arguments) or _text(node, 'name')}", kind, True, text)


def _call(node: Object) -> tuple[str, Object | Scalar] | None:
    """Return the module of AWS that a task calls, with its arguments."""
    for key, value in node.entries:
        module, arguments = _module_call(key.text, value)
        if not isinstance(arguments, Object | Scalar):
            continue
        if (AWS_MODULE.fullmatch(module) and _is_called(node, arguments)) or _is_short(module, arguments):
            return module, arguments
    return None


def _name_in_aws(arguments: Node) -> str:
    """The name that the arguments of a module give a resource, with its policy; nothing if something is filled in."""
    if not isinstance(arguments, Object):
        return ""
    name = next(filter(None, (_text(arguments, key) for key in _MODULE_NAMES)), "")
    names = [_text(arguments, "iam_type"), name, _text(arguments, "policy_name")] if name else []
    return "" if any(map(is_filled_in, names)) else "/".join(filter(None, names))


def is_removed(resource: Resource, node: Object) -> bool:
    """Tell whether a resource is a task of Ansible that takes something away, whatever else it says of it.

    Source: the pages of Ansible's modules for AWS: `state: absent`.
    """
    module_call = _call(node)
    arguments = (*values_of(node, "args"), *((module_call[1],) if module_call else ()))
    if module_call is None or resource != _task(node) or not all(isinstance(each, Object) for each in arguments):
        return False
    states = [state for each in arguments if isinstance(each, Object) for state in values_of(each, "state")]
    return len(states) == 1 and isinstance(states[0], Scalar) and states[0].text == "absent"


def key_label(key: str) -> str:
    """A key as addresses show it: a module of Ansible without its collection."""
    return key.rpartition(".")[2] if AWS_MODULE.fullmatch(key) else key


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


def identity(node: Node, number: int) -> str:
    """Return what tells an item of a list from the others, whatever stands before it."""
    if not isinstance(node, Object):
        return str(number)
    metadata = node.get("metadata")
    for mapping in (node, metadata):
        names = [mapping.get(key) for key in _ITEM_NAMES] if isinstance(mapping, Object) else []
        texts = [name.text for name in names if isinstance(name, Scalar)]
        if texts:
            return f"name={'/'.join(texts)}"
    return str(number)


def values_of(node: Object, key: str) -> tuple[Node, ...]:
    """All values of a key, which may be written twice."""
    return tuple(entry.value for entry in node.entries if entry.key.text == key)


def _texts(node: Object, key: str) -> list[str]:
    return [value.text for value in values_of(node, key) if isinstance(value, Scalar) and value.text]


def _text(node: Object, key: str) -> str:
    value = node.get(key)
    return value.text if isinstance(value, Scalar) else ""
