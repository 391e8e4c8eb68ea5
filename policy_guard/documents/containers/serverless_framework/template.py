"""The template of CloudFormation that a file of the Serverless Framework stands for, as far as access goes.

Source: Serverless Framework, "serverless.yml reference" and "AWS - IAM Permissions For Functions"; the plug-in
serverless-iam-roles-per-function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policy_guard.documents.containers.cloudformation.template import Template, key_repetitions, read_template
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.serverless_framework.files import RevisionFiles
from policy_guard.documents.containers.serverless_framework.functions import function_resources
from policy_guard.documents.containers.serverless_framework.layers import layer_permissions
from policy_guard.documents.containers.serverless_framework.made import RoleContents, entry, mapping, text
from policy_guard.documents.containers.serverless_framework.variables import Variables
from policy_guard.documents.source import Array, Entry, Node, Object, Scalar, Source, Unreadable

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")
_ROLE = "IamRoleLambdaExecution"
_API = "ApiGatewayRestApi"
_TYPES = {_ROLE: "AWS::IAM::Role", _API: "AWS::ApiGateway::RestApi"}
_LIKE_ACCESS = ("Polic", "Statement", "Principal", "RoleArn")


def is_serverless(document: Node) -> bool:
    """Tell whether a document is a file of the Serverless Framework, for AWS as far as it says."""
    if not isinstance(document, Object) or document.get("provider") is None:
        return False
    return any(document.get(key) is not None for key in ("service", "functions", "resources", "frameworkVersion"))


def template_of(source: Source, root: Object, revision_files: RevisionFiles) -> Template:
    """The template that a file stands for. Raises `Unreadable` if nobody can tell."""
    if problems := tuple(key_repetitions(root)):
        raise Unreadable(*problems)
    try:
        sections = _sections(Variables(source, root, revision_files), root)
    except Opaque as error:
        raise Unreadable(error.problem) from None
    entries = [entry("AWSTemplateFormatVersion", text("2010-09-09", root.span))]
    entries += (
        Entry(Scalar(name, root.span), Object(tuple(section_entries), root.span))
        for name, section_entries in sections.items()
        if section_entries
    )
    return read_template(source, Object(tuple(entries), root.span))._replace(filled=True)


def _sections(variables: Variables, root: Object) -> dict[str, list[Entry]]:
    sections: dict[str, list[Entry]] = {name: [] for name in _SECTIONS}
    provider = variables.target(root.get("provider") or root)
    if not isinstance(provider, Object):
        raise Opaque("nobody can tell from the repository what the provider is", provider.span)
    provider_role = _shared_role(variables, provider)
    functions = list(_functions(variables, root))
    sections["Resources"] += function_resources(variables, root, provider, provider_role, functions)
    sections["Resources"] += _api(variables, provider)
    sections["Resources"] += layer_permissions(variables, _parts(variables, root.get("layers")))
    for part in _parts(variables, root.get("resources")):
        for name in _SECTIONS:
            section = variables.at(part, name)
            resolved_section = variables.resolve(section) if section is not None else None
            if isinstance(resolved_section, Object):
                sections[name] += resolved_section.entries
            elif resolved_section is not None:
                raise Opaque(f'nobody can tell from the repository what "{name}" holds', resolved_section.span)
        _extend(sections["Resources"], variables, variables.at(part, "extensions"))
    return sections


def _shared_role(variables: Variables, provider: Object) -> RoleContents:
    """Return what the provider gives to the role of all functions, in the present and in the earlier spelling."""
    iam_role = variables.at(provider, "iam", "role")
    role = variables.target(iam_role) if iam_role is not None else None
    if isinstance(role, Object):
        return RoleContents(
            statements=variables.items(variables.at(role, "statements")),
            managed=variables.items(variables.at(role, "managedPolicies")),
            boundary=variables.value(variables.at(role, "permissionsBoundary"))
            or variables.value(variables.at(role, "permissionBoundary")),
        )
    return RoleContents(
        statements=variables.items(provider.get("iamRoleStatements")),
        managed=variables.items(provider.get("iamManagedPolicies")),
        boundary=variables.value(provider.get("rolePermissionsBoundary")),
    )


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


def _api(variables: Variables, provider: Object) -> list[Entry]:
    """The policy of the API that all functions share."""
    policy_node = variables.at(provider, "apiGateway", "resourcePolicy") or provider.get("resourcePolicy")
    statements = variables.items(policy_node)
    if policy_node is None or not statements:
        return []
    policy = mapping(
        policy_node.span, Version=text("2012-10-17", policy_node.span), Statement=Array(statements, policy_node.span)
    )
    properties = mapping(policy_node.span, Policy=policy)
    return [entry(_API, mapping(policy_node.span, Type=text(_TYPES[_API], policy_node.span), Properties=properties))]


def _extend(resources: list[Entry], variables: Variables, extensions: Node | None) -> None:
    """Puts what a file extends into what the framework makes; of what it makes besides, nothing may be about access."""
    if extensions is None:
        return
    for key, value in _entries(variables.resolve(extensions)):
        position = next((number for number, each in enumerate(resources) if each.key.text == key.text), None)
        if position is not None:
            resources[position] = Entry(resources[position].key, _merge(resources[position].value, value))
        elif key.text in _TYPES:
            resources.append(entry(key.text, _merge(mapping(key.span, Type=text(_TYPES[key.text], key.span)), value)))
        elif any(word in name for name in _keys(value) for word in _LIKE_ACCESS):
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
