"""Resources under another logical id: a role that its users and its trust tell to be the one that went, and CDK's ids.
Parameters under another name that are defined and used as before are told as well.

The old template is then read as if it had used the new id, so that all is judged as for a resource that kept its own.
A name is no more than what the template calls a thing; whom a role trusts and what acts by it has to be the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping

from policy_guard.documents.containers.cloudformation.calls import shape, words_of
from policy_guard.documents.containers.cloudformation.template import Template, read_template, type_of
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, scalars

_ROLE = "AWS::IAM::Role"
# AWS CDK Developer Guide, "Identifiers": a hash of the path of a construct ends a logical id; that of a version or a
# deployment has one of what it holds behind it.
_HASHED = re.compile(r"([A-Za-z][A-Za-z0-9]*?)[0-9A-F]{8}(?:[0-9a-f]{32})?")
_FILLED_IN = re.compile(r"\$\{(\s*)([A-Za-z0-9]+)(\s*|\.[^{}]*)\}")
# The properties by which a policy names the role that it is a part of.
_HOLDERS = {
    "AWS::IAM::Policy": "Roles",
    "AWS::IAM::ManagedPolicy": "Roles",
    "AWS::IAM::RolePolicy": "RoleName",
}
_NAMING_SECTIONS = ("Resources", "Parameters")
_DESCRIBING = ("Description", "ConstraintDescription")
_WITHOUT_MEANING = ("DependsOn", "Metadata")
_CODE = ("Code", "CodeUri")


def new_names(old: Template, new: Template) -> dict[str, str]:
    """Old names of resources and parameters, and those that the same ones have in the new template."""
    parameter_names = dict(_parameter_names(old, new))
    old = with_names(old, parameter_names)
    return parameter_names | _resource_names(old, new)


def _resource_names(old: Template, new: Template) -> dict[str, str]:
    gone, fresh = _names_without(old, new), _names_without(new, old)
    if not gone or not fresh:
        return {}
    gone, fresh = _unmistakable(gone, old, new), _unmistakable(fresh, new, old)
    names = dict(_hashed_names(old, new, gone, fresh))
    return names | _role_names(old, new, names, (gone, fresh))


def with_names(old: Template, names: Mapping[str, str]) -> Template:
    """The template with other logical ids."""
    if not names:
        return old
    root = _renamed(old.root, names)
    assert isinstance(root, Object)
    entries = (
        entry._replace(value=_with_ids(entry.value, names)) if entry.key.text in _NAMING_SECTIONS else entry
        for entry in root.entries
    )
    template = read_template(old.source, root._replace(entries=tuple(entries)))
    return template._replace(account=old.account, filled=old.filled)


def _parameter_names(old: Template, new: Template) -> Iterator[tuple[str, str]]:
    """Parameters that are gone, and those that are defined and used as they were, if there is one alone for each.

    Nobody may have given the new one its value yet, so none has a default that stands for many texts.
    """
    by_traits = [_parameters_by_traits(old, new), _parameters_by_traits(new, old)]
    for traits, names in by_traits[0].items():
        if len(names) == len(by_traits[1].get(traits, ())) == 1:
            yield names[0], by_traits[1][traits][0]


def _parameters_by_traits(template: Template, other: Template) -> dict[Hashable, list[str]]:
    names = [name for name in template.parameters if name not in other.parameters]
    if not names or all(name in template.parameters for name in other.parameters):
        return {}
    other_words = {word for word, _ in _mentions(other.root)} | set(other.resources)
    uses: dict[str, set[Hashable]] = {name: set() for name in names}
    for section, value in template.root.entries:
        for entry in (
            value.entries if isinstance(value, Object) and section.text not in ("Metadata", "Parameters") else ()
        ):
            for word, path in _mentions(entry.value):
                if word in uses:
                    uses[word].add((section.text, entry.key.text, path))
    by_traits: dict[Hashable, list[str]] = {}
    for name in names:
        definition = template.parameters[name]
        default = definition.get("Default")
        if name not in other_words and not (default is not None and any("*" in s.text for s in scalars(default))):
            by_traits.setdefault((shape(_without(definition, _DESCRIBING)), frozenset(uses[name])), []).append(name)
    return by_traits


def _names_without(template: Template, other: Template) -> list[str]:
    """The resources that are written in one template alone; what AWS SAM makes follows the resource it is made of."""
    return [name for name in template.resources if name not in other.resources and name not in template.sam_resources]


def _unmistakable(names: list[str], template: Template, other: Template) -> list[str]:
    """Return those of the names that stand for nothing but their resource, in both templates."""
    if not names:
        return []
    words = {word for word, _ in _mentions(other.root)} | set(_keys(other.root))
    counts = Counter(_keys(template.root))
    return [name for name in names if name not in words and counts[name] == 1]


def _keys(root: Node) -> Iterator[str]:
    """All keys of all mappings."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            yield from (entry.key.text for entry in node.entries)
            stack += (entry.value for entry in node.entries)


def _hashed_names(
    old: Template, new: Template, gone: Collection[str], fresh: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Ids that differ in the hash at their end alone; a role is told by more than that."""
    sides = [_by_stem(template, names) for template, names in ((old, gone), (new, fresh))]
    for stem, names in sides[0].items():
        if len(names) == len(sides[1].get(stem, ())) == 1:
            yield names[0], sides[1][stem][0]


def _by_stem(template: Template, names: Collection[str]) -> dict[tuple[str, str], list[str]]:
    by_stem: dict[tuple[str, str], list[str]] = {}
    for name in names:
        type_ = type_of(template.resources[name])
        if type_ not in ("", _ROLE) and (match := _HASHED.fullmatch(name)):
            by_stem.setdefault((type_, match[1]), []).append(name)
    return by_stem


def _role_names(
    old: Template, new: Template, names: Mapping[str, str], candidates: tuple[list[str], list[str]]
) -> dict[str, str]:
    """The roles without a name that one role alone can be in the new template, by trust and users."""
    by_traits = [
        _roles_by_traits(old, new, candidates[0], names),
        _roles_by_traits(new, old, candidates[1], {name: name for name in names.values()}),
    ]
    return {
        roles[0]: by_traits[1][traits][0]
        for traits, roles in by_traits[0].items()
        if len(roles) == len(by_traits[1].get(traits, ())) == 1
    }


def _roles_by_traits(
    template: Template, other: Template, candidates: Collection[str], names: Mapping[str, str]
) -> dict[Hashable, list[str]]:
    """The roles among the candidates by what makes one the same under another id; `names` are ids that are known."""
    roles = {name: template.resources[name] for name in candidates if type_of(template.resources[name]) == _ROLE}
    if not roles:
        return {}
    kinds = {name: f"a {type_of(template.resources[name])}" for name in _names_without(template, other)} | dict(names)
    users = _users(template, roles, kinds)
    by_traits: dict[Hashable, list[str]] = {}
    for name, role in roles.items():
        properties = role.get("Properties")
        if not isinstance(properties, Object) or properties.get("RoleName") is not None:
            continue
        trust = properties.get("AssumeRolePolicyDocument")
        if trust is not None:
            by_traits.setdefault((shape(_renamed(trust, kinds)), frozenset(users[name])), []).append(name)
    return by_traits


def _users(template: Template, roles: Collection[str], kinds: Mapping[str, str]) -> dict[str, set[Hashable]]:
    """Return what uses each role, and in which property; the policies of a role are no users of it."""
    users: dict[str, set[Hashable]] = {name: set() for name in roles}
    for section, value in template.root.entries:
        for entry in value.entries if isinstance(value, Object) and section.text != "Metadata" else ():
            mentions = [each for each in _mentions(entry.value) if each[0] in users and each[0] != entry.key.text]
            user = _user(section.text, entry, kinds) if mentions else None
            holder = _HOLDERS.get(type_of(entry.value))
            for role, path in mentions:
                if holder is None or path[:2] != ("Properties", holder):
                    users[role].add((user, path))
    return users


def _user(section: str, entry: Entry, kinds: Mapping[str, str]) -> Hashable:
    """Return what a user is the same by: its name, or all that it says but for its code."""
    name = entry.key.text
    if section != "Resources" or not kinds.get(name, name).startswith("a "):
        return section, kinds.get(name, name)
    return section, shape(_without_code(_renamed(entry.value, kinds)))


def _without_code(resource: Node) -> Node:
    if not isinstance(resource, Object):
        return resource
    entries = (
        entry._replace(value=_without(entry.value, _CODE)) if entry.key.text == "Properties" else entry
        for entry in resource.entries
        if entry.key.text not in _WITHOUT_MEANING
    )
    return resource._replace(entries=tuple(entries))


def _without(node: Node, keys: Collection[str]) -> Node:
    if not isinstance(node, Object):
        return node
    return node._replace(entries=tuple(entry for entry in node.entries if entry.key.text not in keys))


def _mentions(node: Node) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names that a node may speak of, with the keys that lead there."""
    stack: list[tuple[Node, tuple[str, ...]]] = [(node, ())]
    while stack:
        node, path = stack.pop()
        if isinstance(node, Scalar):
            yield from ((word, path) for word in words_of(node))
        elif isinstance(node, Array):
            stack += ((item, path) for item in node.items)
        else:
            stack += ((value, (*path, key.text)) for key, value in node.entries if not _is_remark(key.text, value))


def _is_remark(key: str, value: Node) -> bool:
    """Tell whether an entry speaks of no resource that gives or gets anything."""
    return key in _WITHOUT_MEANING or (key in ("Type", "Description") and isinstance(value, Scalar) and not value.tag)


def _with_ids(resources: Node, names: Mapping[str, str]) -> Node:
    """The resources under their new ids, with what they depend on."""
    if not isinstance(resources, Object):
        return resources
    entries = (Entry(key._replace(text=names.get(key.text, key.text)), value) for key, value in resources.entries)
    return resources._replace(entries=tuple(entries))


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    """The node with other names wherever a function refers to one; a text that only looks like it stays."""
    if isinstance(node, Scalar):
        return _scalar(node, (node.tag or "").removeprefix("!"), names)
    if isinstance(node, Array):
        items = [_renamed(item, names) for item in node.items]
        name = (node.tag or "").removeprefix("!")
        if name in ("GetAtt", "Sub") and items and isinstance(items[0], Scalar) and items[0].tag is None:
            items[0] = _scalar(items[0], "Ref" if name == "GetAtt" else name, names)
        return node._replace(items=tuple(items))
    return node._replace(entries=tuple(Entry(key, _argument(key.text, value, names)) for key, value in node.entries))


def _argument(key: str, value: Node, names: Mapping[str, str]) -> Node:
    """The value of an entry, which a function takes if the key is its name."""
    function = key.removeprefix("Fn::")
    if function not in ("Ref", "GetAtt", "Sub") or value.tag is not None:
        return _renamed(value, names)
    if isinstance(value, Array):
        return _renamed(value._replace(tag=f"!{function}"), names)._replace(tag=None)
    return _scalar(value, function, names) if isinstance(value, Scalar) else _renamed(value, names)


def _scalar(scalar: Scalar, function: str, names: Mapping[str, str]) -> Scalar:
    """The text that a function takes, with other names in it."""
    text = scalar.text
    if function == "Ref":
        return scalar._replace(text=names.get(text, text))
    if function == "GetAtt":
        name, dot, attribute = text.partition(".")
        return scalar._replace(text=f"{names.get(name, name)}{dot}{attribute}")
    if function == "Sub" and "${" in text:
        return scalar._replace(
            text=_FILLED_IN.sub(lambda match: f"${{{match[1]}{names.get(match[2], match[2])}{match[3]}}}", text)
        )
    return scalar
