"""The template of CloudFormation that a file of the Serverless Framework stands for, as far as access goes.

Source: Serverless Framework, "serverless.yml reference" and "AWS - IAM Permissions For Functions"; the plug-in
serverless-iam-roles-per-function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policy_guard.documents.containers.cloudformation.template import Template, key_repetitions, read_template
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.revision_files import RevisionFiles
from policy_guard.documents.containers.serverless_framework.account import account_of, with_values
from policy_guard.documents.containers.serverless_framework.acting_roles import (
    FUNCTION,
    deployment,
    functions_with_roles,
)
from policy_guard.documents.containers.serverless_framework.buckets import provider_buckets
from policy_guard.documents.containers.serverless_framework.endpoints import endpoints
from policy_guard.documents.containers.serverless_framework.functions import callers, url
from policy_guard.documents.containers.serverless_framework.layers import layer_permissions
from policy_guard.documents.containers.serverless_framework.made import entry, events, mapping, text
from policy_guard.documents.containers.serverless_framework.recognition import policies_beside
from policy_guard.documents.containers.serverless_framework.roles import SHARED, function_roles, used_plugins
from policy_guard.documents.containers.serverless_framework.sections import section_resources
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Source, Unreadable

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")
_STACKS_PLUGIN = "serverless-plugin-additional-stacks"
_API = "ApiGatewayRestApi"
_TYPES = {SHARED: "AWS::IAM::Role", _API: "AWS::ApiGateway::RestApi"}
_LIKE_ACCESS = ("Polic", "Statement", "Principal", "RoleArn")


def template_of(source: Source, root: Object, revision_files: RevisionFiles) -> Template:
    """The template that a file stands for. Raises `Unreadable` if nobody can tell."""
    if problems := tuple(key_repetitions(root)):
        raise Unreadable(*problems)
    try:
        variables = Variables(source, root, revision_files)
        sections = _sections(variables, root)
        sections["Resources"] += policies_beside(variables, source, root)
        account = account_of(variables, root, _provider(variables, root))
    except Opaque as error:
        raise Unreadable(error.problem) from None
    entries = [entry("AWSTemplateFormatVersion", text("2010-09-09", root.span))]
    entries += (
        Entry(Scalar(name, root.span), Object(tuple(section_entries), root.span))
        for name, section_entries in sections.items()
        if section_entries
    )
    return read_template(source, Object(tuple(entries), root.span))._replace(filled=True, account=account)


def _sections(variables: Variables, root: Object) -> dict[str, list[Entry]]:
    sections: dict[str, list[Entry]] = {name: [] for name in _SECTIONS}
    provider = _provider(variables, root)
    sections["Resources"] += _made(variables, root, provider)
    for part in _parts(variables, root.get("resources")):
        _add_sections(sections, variables, part, _SECTIONS)
        _extend(sections["Resources"], variables, variables.at(part, "extensions"))
    sections["Parameters"] = with_values(variables, sections["Parameters"], provider)
    for stack in _stacks(variables, root):
        _add_sections(sections, variables, stack, _SECTIONS[1:])
    return sections


def _provider(variables: Variables, root: Object) -> Object:
    provider = variables.target(root.get("provider") or root)
    if not isinstance(provider, Object):
        raise Opaque("nobody can tell from the repository what the provider is", provider.span)
    return provider


def _is_aws(variables: Variables, provider: Object) -> bool:
    """Tell whether a service is, or may be, one of AWS."""
    name = variables.value(provider.get("name"))
    return not isinstance(name, Scalar) or bool(name.parts) or name.text.lower() == "aws"


def _made(variables: Variables, root: Object, provider: Object) -> Iterator[Entry]:
    """The resources that the framework makes, as far as they are about access."""
    functions = list(_functions(variables, root))
    roles = function_roles(variables, root, provider, functions)
    yield from roles
    yield from functions_with_roles(variables, provider, functions, roles)
    yield deployment(variables, provider)
    for key, function in functions:
        yield from url(variables, key, function)
        yield from callers(variables, key, function) if _is_aws(variables, provider) else ()
    yield from endpoints(variables, provider, functions)
    yield from _api(variables, provider, functions)
    yield from provider_buckets(variables, provider)
    yield from layer_permissions(variables, _parts(variables, root.get("layers")))
    yield from section_resources(variables, root)


def _add_sections(sections: dict[str, list[Entry]], variables: Variables, part: Object, names: Sequence[str]) -> None:
    for name in names:
        section = variables.at(part, name)
        resolved_section = variables.resolve(section) if section is not None else None
        if isinstance(resolved_section, Object):
            _put(sections[name], resolved_section.entries)
        elif resolved_section is not None:
            raise Opaque(f'nobody can tell from the repository what "{name}" holds', resolved_section.span)


def _stacks(variables: Variables, root: Object) -> Iterator[Object]:
    """The templates of other stacks that a plug-in makes; their resources are read as if they were of this one."""
    plugins = list(used_plugins(variables, root, _STACKS_PLUGIN))
    node = variables.at(root, "custom", "additionalStacks")
    for part in _parts(variables, node) if plugins else ():
        for key, value in part.entries:
            stack = variables.target(value)
            if not isinstance(stack, Object):
                raise Opaque("nobody can tell from the repository what this stack is", key.span)
            yield stack


def _functions(variables: Variables, root: Object) -> Iterator[tuple[Scalar, Object]]:
    """The functions by name; a list of mappings, or of files, is one mapping."""
    for part in _parts(variables, root.get("functions")):
        for key, value in part.entries:
            function = variables.target(value)
            if isinstance(function, Object):
                yield key, function
            elif not (isinstance(function, Scalar) and function.kind == "null"):
                raise Opaque("nobody can tell from the repository what this function is", key.span)


def _parts(variables: Variables, node: Node | None) -> Iterator[Object]:
    """The mappings that a section is made of."""
    if node is None:
        return
    section = variables.target(node)
    for part in section.items if isinstance(section, Array) else (section,):
        part_node = variables.target(part)
        if isinstance(part_node, Object):
            yield part_node
        elif not (isinstance(part_node, Scalar) and part_node.kind == "null"):
            raise Opaque("nobody can tell from the repository what stands here", part_node.span)


def _api(variables: Variables, provider: Object, functions: Iterable[tuple[Scalar, Object]]) -> list[Entry]:
    """The API that all functions share, with its policy; without one it is open to everyone."""
    policy_node = variables.at(provider, "apiGateway", "resourcePolicy") or provider.get("resourcePolicy")
    statements = variables.items(policy_node)
    calling = next((kind for _, each in functions for kind, _ in events(variables, each) if kind.text == "http"), None)
    if policy_node is None or not statements:
        if calling is None or variables.at(provider, "apiGateway", "restApiId") is not None:
            return []
        return [entry(_API, mapping(calling.span, Type=text(_TYPES[_API], calling.span)))]
    policy = mapping(
        policy_node.span, Version=text("2012-10-17", policy_node.span), Statement=Array(statements, policy_node.span)
    )
    properties = mapping(policy_node.span, Policy=policy)
    return [entry(_API, mapping(policy_node.span, Type=text(_TYPES[_API], policy_node.span), Properties=properties))]


def _put(section: list[Entry], entries: Iterable[Entry]) -> None:
    """Adds what a file says to a section, or puts it over what is there; lists that meet stay two, and are refused."""
    positions = {each.key.text: number for number, each in enumerate(section)}
    for key, value in entries:
        position = positions.get(key.text)
        base = section[position].value if position is not None else None
        if position is None or base is None or _has_meeting_lists(base, value):
            section.append(Entry(key, value))
        else:
            section[position] = Entry(key, _merge(base, value))


def _has_meeting_lists(base: Node, addition: Node) -> bool:
    """Tell whether lists stand at the same place: these are merged item by item, and not all of them are known."""
    if isinstance(base, Array) and isinstance(addition, Array):
        return True
    if not (isinstance(base, Object) and isinstance(addition, Object)):
        return False
    base_values = {key.text: value for key, value in base.entries}
    return any(key.text in base_values and _has_meeting_lists(base_values[key.text], v) for key, v in addition.entries)


def _extend(resources: list[Entry], variables: Variables, extensions: Node | None) -> None:
    """Puts what a file extends into what the framework makes; of what it makes besides, nothing may be about access."""
    if extensions is None:
        return
    for key, value in _entries(variables.resolve(extensions)):
        position = next((number for number, each in enumerate(resources) if each.key.text == key.text), None)
        is_like_access = any(word in name for name in _keys(value) for word in _LIKE_ACCESS)
        if position is not None and not (is_like_access and key.text.endswith(FUNCTION)):
            resources[position] = Entry(resources[position].key, _merge(resources[position].value, value))
        elif key.text in _TYPES:
            resources.append(entry(key.text, _merge(mapping(key.span, Type=text(_TYPES[key.text], key.span)), value)))
        elif is_like_access:
            raise Opaque("what is extended here is not read, and may grant access; judge it by hand", key.span)


def _entries(node: Node) -> Sequence[Entry]:
    if not isinstance(node, Object):
        raise Opaque("nobody can tell from the repository what stands here", node.span)
    return node.entries


def _keys(node: Node) -> Iterator[str]:
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            yield from (key.text for key, _ in node.entries)
            stack += (value for _, value in node.entries)


def _merge(base: Node, addition: Node) -> Node:
    """The second put into the first: mappings key by key, lists one after the other, all else as the second says."""
    if isinstance(base, Array) and isinstance(addition, Array):
        return base._replace(items=(*base.items, *addition.items))
    if not (isinstance(base, Object) and isinstance(addition, Object)):
        return addition
    entries = {key.text: Entry(key, value) for key, value in base.entries}
    for key, value in addition.entries:
        existing_entry = entries.get(key.text)
        entries[key.text] = Entry(key, _merge(existing_entry.value, value) if existing_entry else value)
    return base._replace(entries=tuple(entries.values()))
