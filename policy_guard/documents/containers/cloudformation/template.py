"""One version of a template: its sections, each entry with its place, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from policy_guard.documents.containers.cloudformation.access_types import BLOCKED, BUS_POLICY, deciding_properties
from policy_guard.documents.containers.cloudformation.calls import LOOP, TRANSFORM, call, shape
from policy_guard.documents.containers.cloudformation.serverless import (
    IMPLICIT_API,
    PREFIX,
    added_resources,
    globals_problem,
    implicit_api,
    size,
    with_globals,
)
from policy_guard.documents.containers.holes import Parts
from policy_guard.documents.printable import quoted
from policy_guard.documents.source import Array, Entry, Node, Object, Problem, Scalar, Source, scalars
from policy_guard.records import NamedTuple

# AWS CloudFormation Template Reference, transform-reference: those of AWS that change no policy but as its pages say.
_KNOWN_TRANSFORMS = (
    *("AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen", "AWS::ServiceCatalog"),
    *("AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16", "AWS::Serverless-2016-10-31"),
)
_OTHER_PARTITIONS = re.compile(r"aws-(?<!\waws-)(?:cn|us-gov|iso|eusc)")
_OF_PARTITION = re.compile(r"AWS::(?:Partition|URLSuffix)")
_MOST_FROM_LOOPS = 2_000
_MOST_VALUES_FROM_LOOP = 200_000
_MOST_MERGED = 500_000
"""Values of Globals that are merged into resources, of all of them together."""
_TRUTHS = ("true", "false")
_VALUES = ("Parameters", "Mappings", "Conditions", "Rules", "Globals")


class Output(NamedTuple):
    """An output of a nested template: what decides it there, as a digest, and by which of its parameters.

    `imports` are the names of what it imports.
    """

    digest: str
    parameters: frozenset[str]
    imports: frozenset[Parts] = frozenset()


ANY_OUTPUT = "*"
"""What stands for the outputs of a nested template that loops write, or what is included."""


class Export(NamedTuple):
    """An export of a template of the repository: its name, what decides its value, and the value if it is a text.

    `imports` are the names of what its value imports itself.
    """

    name: Parts
    digest: str
    text: str | None
    imports: frozenset[Parts] = frozenset()


class Nested(NamedTuple):
    """A nested template as far as it is known: its outputs, and the parameters that decide access there.

    With `certain` it is the one at this path, and else one of several that may have the address.
    """

    outputs: Mapping[str, Output]
    deciding: frozenset[str]
    certain: bool


class Template(NamedTuple):
    """`repeated` are keys written twice where they may count; `unknown` are loops and inclusions that are not expanded.

    `macros` are what may rewrite the whole template, with their places. `sam_resources` are those that AWS SAM makes or
    completes: they say more than stands at their place. So does any node if the template is `filled` in, or has loops.
    `nested` are the templates of the repository that its resources make, by the names of these; `exports` is what
    others in it export, as far as this one may import it.
    """

    source: Source
    root: Object
    parameters: Mapping[str, Object]
    mappings: Mapping[str, Node]
    conditions: Mapping[str, Node]
    resources: Mapping[str, Object]
    macros: tuple[Node, ...]
    unknown: tuple[Entry, ...]
    repeated: tuple[Problem, ...]
    spans: Mapping[str, Scalar]
    sam_resources: frozenset[str] = frozenset()
    filled: bool = False
    account: Node | None = None
    nested: Mapping[str, Nested] = MappingProxyType({})
    exports: tuple[Export, ...] = ()

    @property
    def other_partitions(self) -> bool:
        """Tell whether the template speaks of a partition other than `aws`, or a condition asks which it is."""
        texts = (scalar.text for node in self.conditions.values() for scalar in scalars(node))
        return any(map(_OF_PARTITION.search, texts)) or _names_other_partition(self.source.text)

    @property
    def rules(self) -> Mapping[str, Node]:
        """Return what has to hold of parameters, by name."""
        return {entry.key.text: entry.value for entry in _section(self.root, "Rules")}


@lru_cache(maxsize=4)
def _names_other_partition(text: str) -> bool:
    """Tell whether a text names a partition other than `aws`; a file of snapshots is one text of many templates."""
    return _OTHER_PARTITIONS.search(text) is not None


def type_of(resource: Node | None) -> str:
    """The type that a resource says to have; empty if it says none."""
    node = resource.get("Type") if isinstance(resource, Object) else None
    return node.text if isinstance(node, Scalar) else ""


def is_template(node: Node) -> bool:
    """Tell whether a document is a template: by its format version, or by the types of its resources."""
    if not isinstance(node, Object):
        return False
    resources = node.get("Resources")
    if not isinstance(resources, Object):
        return False
    if node.get("AWSTemplateFormatVersion") is not None:
        return True
    loops = any(entry.key.text.startswith(LOOP) for entry in resources.entries)
    return loops or any("::" in type_of(entry.value) for entry in resources.entries)


def read_template(source: Source, root: Object) -> Template:
    """The template that a document is."""
    unknown: list[Entry] = []
    budget = [_MOST_FROM_LOOPS]
    sections = {
        name: _expand(_section(root, name), unknown, budget)
        for name in ("Parameters", "Mappings", "Conditions", "Resources")
    }
    resources = {e.key.text: e for e in sections["Resources"] if isinstance(e.value, Object)}
    unknown += (entry for entry in root.entries if entry.key.text == TRANSFORM)
    unknown += (entry for entry in sections["Resources"] if _is_made(entry.value))
    template = Template(
        source=source,
        root=root,
        parameters={e.key.text: e.value for e in sections["Parameters"] if isinstance(e.value, Object)},
        mappings={e.key.text: e.value for e in sections["Mappings"]},
        conditions={e.key.text: e.value for e in sections["Conditions"]},
        resources={name: e.value for name, e in resources.items() if isinstance(e.value, Object)},
        macros=tuple(_macros(root)),
        unknown=tuple(unknown),
        repeated=tuple(_repeated_keys(root, sections)),
        spans={name: entry.key for name, entry in resources.items()},
        filled=LOOP in source.text,
    )
    return _with_serverless(template)


def _with_serverless(template: Template) -> Template:
    """The template with the resources that AWS SAM makes, beside those that are written."""
    resources, spans, changed_names = dict(template.resources), dict(template.spans), set[str]()
    serverless = {name: type_of(node) for name, node in template.resources.items() if type_of(node).startswith(PREFIX)}
    globals_node = template.root.get("Globals")
    if globals_node is not None and size(globals_node, _MOST_MERGED) * len(serverless) > _MOST_MERGED:
        words = "Globals are too long to be merged into so many resources; write them shorter"
        return template._replace(repeated=(*template.repeated, Problem(words, globals_node.span)))
    problems = (globals_problem(template.resources[name]) for name in serverless)
    template = template._replace(repeated=(*template.repeated, *filter(None, problems)))
    for name, type_ in serverless.items():
        resource = template.resources[name]
        resources[name] = with_globals(template.root, resource, type_)
        changed_names |= {name} if resources[name] is not resource else set()
        for addition in added_resources(name, resources[name], type_):
            made_name = addition.name if addition.name not in resources else f"{addition.name} of AWS SAM"
            resources[made_name], spans[made_name] = addition.node, template.spans[name]
            changed_names.add(made_name)
    api = implicit_api(template.root, template.resources) if IMPLICIT_API not in resources else None
    if api is not None:
        resources[IMPLICIT_API], spans[IMPLICIT_API] = api, Scalar(IMPLICIT_API, api.span)
        changed_names.add(IMPLICIT_API)
    return (
        template._replace(resources=resources, spans=spans, sam_resources=frozenset(changed_names))
        if changed_names
        else template
    )


def _is_made(resource: Node) -> bool:
    """Tell whether a function makes a resource, or some of what decides its type."""
    if not isinstance(resource, Object) or call(resource):
        return True
    return any(entry.key.text == TRANSFORM for entry in resource.entries)


def _section(root: Object, name: str) -> tuple[Entry, ...]:
    node = root.get(name)
    return node.entries if isinstance(node, Object) else ()


def _expand(entries: tuple[Entry, ...], unknown: list[Entry], budget: list[int]) -> list[Entry]:
    expanded_entries: list[Entry] = []
    for entry in entries:
        if entry.key.text.startswith(LOOP):
            body = loop(entry, budget)
            if body is None:
                unknown.append(entry)
            else:
                expanded_entries += _expand(tuple(body), unknown, budget)
        elif entry.key.text == TRANSFORM:
            unknown.append(entry)
        else:
            expanded_entries.append(entry)
    return expanded_entries


def loop(entry: Entry, budget: list[int]) -> list[Entry] | None:
    """The entries that `Fn::ForEach` stands for; None if it runs over what the template does not say.

    `budget` counts how many more may come.
    """
    value = entry.value
    if not isinstance(value, Array) or len(value.items) != 3:
        return None
    name, collection, body = value.items
    plain = (
        isinstance(collection, Array) and collection.tag is None and all(_is_plain(item) for item in collection.items)
    )
    if not isinstance(name, Scalar) or not plain or not isinstance(body, Object):
        return None
    assert isinstance(collection, Array)
    budget[0] -= len(collection.items) * max(1, len(body.entries))
    if budget[0] < 0 or len(collection.items) * size(body, _MOST_VALUES_FROM_LOOP) > _MOST_VALUES_FROM_LOOP:
        return None
    texts = [item.text for item in collection.items if isinstance(item, Scalar)]
    bodies = (_loop_body(body, name.text, text) for text in texts)
    return [entry for each in bodies if isinstance(each, Object) for entry in each.entries]


def _is_plain(node: Node) -> bool:
    return isinstance(node, Scalar) and node.tag is None and node.parts is None


def _loop_body(node: Node, name: str, text: str) -> Node:
    """The body of a loop for one value of its variable (Template Reference, intrinsic-function-reference-foreach)."""
    if (function_call := call(node)) and function_call.name == "Ref":
        argument = function_call.argument
        if isinstance(argument, Scalar) and argument.text == name:
            return Scalar(text, node.span)
    if isinstance(node, Scalar):
        return node._replace(text=_substitute(node.text, name, text))
    if isinstance(node, Array):
        return node._replace(items=tuple(_loop_body(item, name, text) for item in node.items))
    entries = (
        Entry(key._replace(text=_substitute(key.text, name, text)), _loop_body(value, name, text))
        for key, value in node.entries
    )
    return node._replace(entries=tuple(entries))


def _substitute(text: str, name: str, value: str) -> str:
    if "{" not in text:
        return text
    plain = re.sub(r"[^A-Za-z0-9]", "", value)
    return text.replace(f"${{{name}}}", value).replace(f"&{{{name}}}", plain)


def _macros(root: Object) -> Iterator[Node]:
    node = root.get("Transform")
    for macro in node.items if isinstance(node, Array) else (node,) if node is not None else ():
        name = macro.get("Name") if isinstance(macro, Object) else macro
        if not isinstance(name, Scalar) or name.text not in _KNOWN_TRANSFORMS:
            yield macro


def _repeated_keys(root: Object, sections: Mapping[str, list[Entry]]) -> Iterator[Problem]:
    """The keys written twice of which CloudFormation takes the last, and other readers the first or none."""
    yield from _repeated_entries(root.entries)
    for entries in sections.values():
        yield from _repeated_entries(entries)
        yield from _names_read_differently(entries)
    for name in _VALUES:
        section = root.get(name)
        for entry in section.entries if isinstance(section, Object) else ():
            yield from key_repetitions(entry.value)
    for entry in sections["Resources"]:
        if isinstance(entry.value, Object):
            yield from _repeated_entries(entry.value.entries)
            properties = entry.value.get("Properties")
            yield from _in_properties(type_of(entry.value), properties)


def _names_read_differently(entries: list[Entry]) -> Iterator[Problem]:
    """The names of which readers may make one: `yes` beside `true`."""
    if sum(bool(key.disputed) or key.text.lower() in _TRUTHS or key.text.isdigit() for key, _ in entries) > 1:
        yield from (Problem(f"{quoted(key.text)} {key.disputed}", key.span) for key, _ in entries if key.disputed)


def _in_properties(type_: str, properties: Node | None) -> Iterator[Problem]:
    """The keys written twice in properties; what AWS SAM makes of them is made of all below."""
    if properties is not None and (type_.startswith(PREFIX) or _grants_by_properties(type_, properties)):
        yield from key_repetitions(properties)
    elif isinstance(properties, Object):
        yield from _repeated_entries(properties.entries)


def _grants_by_properties(type_: str, properties: Node) -> bool:
    is_mapping = isinstance(properties, Object)
    return is_mapping and (type_ in (*BLOCKED, BUS_POLICY) or bool(deciding_properties(type_, properties)))  # type: ignore[arg-type]


def key_repetitions(node: Node) -> Iterator[Problem]:
    """The keys written twice anywhere in a node."""
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Array):
            stack += node.items
        elif isinstance(node, Object):
            yield from _repeated_entries(node.entries)
            stack += (entry.value for entry in node.entries)


def _repeated_entries(entries: tuple[Entry, ...] | list[Entry]) -> Iterator[Problem]:
    texts: set[str] = set()
    for key, _ in entries:
        if key.text in texts:
            message = f'"{key.text}" is written twice, and parsers disagree on which one counts; keep one'
            yield Problem(message, key.span)
        texts.add(key.text)


def macro_shapes(template: Template) -> set[object]:
    """Return what may rewrite the template, without places."""
    return {shape(node) for node in template.macros}
