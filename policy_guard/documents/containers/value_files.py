"""Files of values that templates, plays and programs take from elsewhere.

Sources: Helm, "Values Files"; Helmfile, "Environment"; Ansible, "Organizing host and group variables" and "Roles";
Pulumi, "Configuration".
"""

from __future__ import annotations

from collections.abc import Iterator

from policy_guard.documents.format import sniff
from policy_guard.documents.source import Array, Node, Object, Scalar
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

_HELM = regex(
    r"(?i)(?:.*/)?(?:(?:values|environments)/(?:[^/]+/)?[^/]+|(?:[^/]*[-_.])?values(?:[-_.][^/]*)?)"
    r"\.(?:ya?ml|json)(?:\.gotmpl)?"
)
_ANSIBLE = regex(
    r"(?=.*\.(?:ya?ml|json)\Z)(?:.*/)?(?:(?:group_vars|host_vars)/.+|(?:vars|defaults)/[^/]+)"
    r"|(?:.*/)?(?:group_vars|host_vars)/[^.]+"
)
# Source: Ansible, "How to build your inventory", of which those in YAML are read.
_INVENTORY = regex(r"(?i)(?=.*\.ya?ml\Z)(?:.*/)?(?:inventor(?:y|ies)/.+|(?:[^/]*[-_.])?inventory\.\w+|hosts\.\w+)")
# The roles by which stacks are made. Source: AWS CDK, "cloud assembly manifest", properties of stacks.
_CDK = regex(r"(?=.*/manifest\.json\Z)(?:.*/)?cdk\.out/.+")
_PULUMI = regex(r"(?:.*/)?Pulumi\.[^/]+\.ya?ml")
_TEMPLATES = (".yaml", ".yml", ".json", ".tpl", ".j2", ".jinja", ".jinja2", ".gotmpl")
_CONFIG, _FACTS = "config", "set_fact"
_LONGEST_KEY = 100
# In which account a stack is made. Source: Pulumi Registry, "AWS: Installation & Configuration".
_ACCOUNTS = frozenset(f"{provider}:{key}" for provider in ("aws", "aws-native") for key in ("profile", "accessKey"))
_LONGEST = 500_000


class UsedNames(NamedTuple):
    """The names in policies: paths of values of Helm, variables of Ansible and settings of Pulumi.

    `charts` are the names of charts: below these stand values for them. `keys` are names that may stand anywhere in
    values of Helm, since a template hands these on as a whole; `included` are templates of Helm that others define.
    With those in `whole` fewer items may allow more: they are not only written into lists of what policies allow.
    """

    values: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    charts: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    included: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()


class Decision(NamedTuple):
    """A value that policies use, with its path; with `by_item` fewer items of it allow less."""

    path: str
    node: Node
    by_item: bool = False


NO_NAMES = UsedNames()


def is_value_file(path: str) -> bool:
    """Tell whether a file holds values for templates, plays or programs, by its name."""
    return any(pattern.fullmatch(path) for pattern in (_HELM, _ANSIBLE, _INVENTORY, _PULUMI, _CDK))


def sets_facts(text: str) -> bool:
    """Tell whether tasks of Ansible in a file may give values to variables that others use."""
    return _FACTS in text


def decisions(path: str, document: Node, names: UsedNames) -> Iterator[Decision]:
    """The values in a file that policies use."""
    if isinstance(document, Object) and _PULUMI.fullmatch(path):
        settings = document.get(_CONFIG)
        for key, value in settings.entries if isinstance(settings, Object) else ():
            if key.text.rpartition(":")[2] in names.settings or key.text in _ACCOUNTS:
                yield Decision(f"{_CONFIG}.{key.text}", value)
    if isinstance(document, Object) and _ANSIBLE.fullmatch(path):
        yield from (Decision(key.text, value) for key, value in document.entries if key.text in names.variables)
    yield from _of_inventory(path, document, names)
    if _HELM.fullmatch(path):
        stack: list[tuple[str, str, Node]] = [("", "", document)]
        while stack:
            label, value_path, node = stack.pop()
            for key, value in node.entries if isinstance(node, Object) else ():
                inner_label, inner_path = f"{label}.{key.text}".lstrip("."), f"{value_path}.{key.text}".lstrip(".")
                if inner_path in names.values or key.text in names.keys:
                    is_listed = inner_path not in names.whole and key.text not in names.keys
                    yield Decision(inner_label, value, by_item=is_listed and _is_list(value))
                else:
                    stack.append((inner_label, "" if inner_path in names.charts else inner_path, value))


def _is_list(node: Node) -> bool:
    return isinstance(node, Array) and all(isinstance(item, Scalar) for item in node.items)


def _of_inventory(path: str, document: Node, names: UsedNames) -> Iterator[Decision]:
    """The variables of an inventory of Ansible that policies use, and the facts that tasks set."""
    in_inventory = bool(_INVENTORY.fullmatch(path)) and isinstance(document, Object)
    stack: list[tuple[str, bool, Node]] = [("", in_inventory, document)] if names.variables else []
    while stack:
        label, gives_values, node = stack.pop()
        for number, item in enumerate(node.items if isinstance(node, Array) else ()):
            stack.append((f"{label}{number}.", False, item))
        for key, value in node.entries if isinstance(node, Object) else ():
            inner_label = f"{label}{key.text[:_LONGEST_KEY]}"
            if gives_values and key.text in names.variables:
                yield Decision(inner_label, value)
            else:
                stack.append((f"{inner_label}.", in_inventory or key.text.endswith(_FACTS), value))


def may_use_values(path: str) -> bool:
    """Tell whether a file may be a template in which names of values stand, by its name."""
    return path.lower().endswith(_TEMPLATES) and not is_value_file(path)


def has_names(data: bytes) -> bool:
    """Tell whether a template may hold a policy in which names of values stand."""
    return has_marks(data) and sniff(data)


def has_marks(data: bytes) -> bool:
    """Tell whether names of values may stand in a file."""
    return len(data) <= _LONGEST and (b"{{" in data or b"${" in data)


def may_define_templates(path: str) -> bool:
    """Tell whether Helm reads the file, and others may include what it defines. Source: Helm, "Named Templates"."""
    return "/templates/" in f"/{path}" or path.endswith(".tpl")
