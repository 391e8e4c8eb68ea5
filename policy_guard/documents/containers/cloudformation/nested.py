"""Nested templates that the repository holds: what decides their outputs, and which parameters decide access there.

Source: AWS CloudFormation User Guide, "Nested stacks"; AWS SAM Developer Guide, AWS::Serverless::Application; of AWS
CDK, `aws:asset:path` in the metadata of a resource.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import islice, product
from posixpath import basename

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.cloudformation.access_types import (
    deciding_properties,
    is_nested,
    speaks_of_access,
)
from policy_guard.documents.containers.cloudformation.calls import call, canonical, words_of
from policy_guard.documents.containers.cloudformation.compare import naming
from policy_guard.documents.containers.cloudformation.evaluate import Changes, Evaluator
from policy_guard.documents.containers.cloudformation.imports import import_arguments
from policy_guard.documents.containers.cloudformation.parts import parts_of
from policy_guard.documents.containers.cloudformation.places import places
from policy_guard.documents.containers.cloudformation.template import (
    ANY_OUTPUT,
    Nested,
    Output,
    Template,
    is_template,
    read_template,
    type_of,
)
from policy_guard.documents.containers.holes import Parts
from policy_guard.documents.containers.opaque import Opaque, digest
from policy_guard.documents.containers.revision_files import TEMPLATE_SUFFIXES, RevisionFiles, from_root
from policy_guard.documents.formats import read
from policy_guard.documents.source import Array, Hole, Node, Object, Scalar, Source, Unreadable, scalars
from policy_guard.regex import regex

_ADDRESSES = ("TemplateURL", "Location")
_ASSET = "aws:asset:path"
_IN_POLICIES = {"Statement", "PolicyDocument", "AssumeRolePolicyDocument"}
_DEEPEST, _MOST_FILES = 4, 50
# AWS CloudFormation User Guide, "Understand CloudFormation quotas": a template has at most so many resources.
_MOST_STACKS = 500
_LONGEST_ADDRESS = 2_000
_LONGEST_KEPT = 100_000
"""Characters of a template that is kept once it is read."""
_PLACE = regex(r"\$\{(\w+)\}")
_SILENT = ("Description", "ConstraintDescription", "NoEcho")
_NO_VALUE = "AWS::NoValue"
UNKNOWN_NAME: Parts = (Hole("a name"),)
"""What stands for a name that only a stack tells."""


def with_nested(template: Template, files: RevisionFiles, depth: int = 0) -> Template:
    """The template with what is known of the nested ones, as far as these are files of the repository."""
    names = [name for name, node in template.resources.items() if is_nested(type_of(node))]
    if not names or depth >= _DEEPEST:
        return template
    paths = frozenset(files.paths())
    nested = {name: _nested(template, template.resources[name], paths, files, depth) for name in names[:_MOST_STACKS]}
    return template._replace(nested={name: each for name, each in nested.items() if each})


def _nested(
    template: Template, resource: Object, paths: Collection[str], files: RevisionFiles, depth: int
) -> Nested | None:
    """Return what is known of a nested template; of several that it may be, of all of them."""
    addresses = tuple(_with_values(template, (*_addresses(resource), *_put_together(template, resource))))
    local_paths = {local for text in addresses if (local := _local_path(text, template.source.path)) in paths}
    names = local_paths or {name for text in addresses for name in _files_of_name(text, paths)}
    if len(names) > _MOST_FILES:
        any_output = Output(_digest_of_all(files, tuple(sorted(names))), frozenset(), frozenset((UNKNOWN_NAME,)))
        return Nested({ANY_OUTPUT: any_output}, frozenset(), certain=False)
    several: dict[str, list[Output]] = {}
    deciding: set[str] = set()
    for inner in _templates(sorted(names), files, depth):
        for name, output in outputs(inner, _parameters_of(resource)):
            several.setdefault(name, []).append(output)
        deciding |= _names_reached(inner, _words_of_access(inner)) & inner.parameters.keys()
    if not several and not deciding:
        return None
    joined_outputs = {name: _joined(each) for name, each in several.items()}
    return Nested(joined_outputs, frozenset(deciding), certain=len(local_paths) == 1)


def _joined(outputs: Sequence[Output]) -> Output:
    parameters = frozenset(name for output in outputs for name in output.parameters)
    imports = frozenset(name for output in outputs for name in output.imports)
    return Output(digest([output.digest for output in outputs]), parameters, imports)


def _templates(names: Iterable[str], files: RevisionFiles, depth: int) -> Iterator[Template]:
    """The templates in files of the repository."""
    for name in names:
        if (source := files.read(name)) is not None:
            yield from (with_nested(template, files, depth + 1) for template in templates_in(name, source.text))


def templates_in(path: str, text: str) -> tuple[Template, ...]:
    """The templates in a file, read once if they are short."""
    return (_templates_in if len(text) <= _LONGEST_KEPT else _templates_in.__wrapped__)(path, text)


@lru_cache(maxsize=64)
def _templates_in(path: str, text: str) -> tuple[Template, ...]:
    """The templates in a file, which many others may make."""
    source = Source(path, text)
    try:
        documents = read(source)
    except Unreadable:
        return ()
    return tuple(
        read_template(source, document)
        for document in documents
        if isinstance(document, Object) and is_template(document)
    )


def _parameters_of(resource: Object) -> Collection[str]:
    """The names of the values that a nested template is given, whatever conditions say."""
    properties = resource.get("Properties")
    values = properties.get("Parameters") if isinstance(properties, Object) else None
    entries = values.entries if isinstance(values, Object) else ()
    return {key.text for key, value in entries if all(_NO_VALUE not in scalar.text for scalar in scalars(value))}


def _addresses(resource: Object) -> Iterator[str]:
    """The texts that say where a nested template is."""
    properties, metadata = resource.get("Properties"), resource.get("Metadata")
    for key, value in properties.entries if isinstance(properties, Object) else ():
        if key.text in _ADDRESSES:
            yield from (scalar.text for scalar in scalars(value))
    for key, value in metadata.entries if isinstance(metadata, Object) else ():
        if key.text == _ASSET:
            yield from (scalar.text for scalar in scalars(value))


def _with_values(template: Template, addresses: Iterable[str]) -> Iterator[str]:
    """The addresses, and what stands in them by the defaults of parameters and by mappings."""
    for text in addresses:
        yield text
        filled = _PLACE.sub(lambda match: _default(template, match[1]), text)
        yield from (filled,) if filled != text else ()
        for name in _names_reached(template, {text, *_PLACE.findall(text)}) & {
            *template.parameters,
            *template.mappings,
        }:
            node = template.mappings.get(name) or template.parameters[name].get("Default")
            yield from (scalar.text for scalar in scalars(node)) if node is not None else ()


def _put_together(template: Template, resource: Object) -> Iterator[str]:
    """The addresses that functions put together of texts, defaults and mappings, as far as there are few."""
    properties = resource.get("Properties")
    for key, value in properties.entries if isinstance(properties, Object) else ():
        if key.text in _ADDRESSES:
            yield from _spellings(template, value)


def _spellings(template: Template, node: Node) -> list[str]:
    """Some texts that a node may come to."""
    function_call = call(node)
    if function_call is None:
        return [node.text[-_LONGEST_ADDRESS:]] if isinstance(node, Scalar) else []
    name, argument = function_call
    items = argument.items if isinstance(argument, Array) else (argument,)
    if name == "Ref" and isinstance(argument, Scalar):
        return [_default(template, argument.text)[-_LONGEST_ADDRESS:]]
    if name == "Fn::FindInMap" and items and isinstance(items[0], Scalar):
        mapping = template.mappings.get(items[0].text)
        return (
            [each.text[-_LONGEST_ADDRESS:] for each in islice(scalars(mapping), _MOST_FILES)]
            if mapping is not None
            else []
        )
    if name == "Fn::Join" and len(items) == 2 and isinstance(items[0], Scalar) and isinstance(items[1], Array):
        parts = [_spellings(template, item) or [""] for item in items[1].items[:_MOST_FILES]]
        return [items[0].text.join(pieces)[-_LONGEST_ADDRESS:] for pieces in islice(product(*parts), _MOST_FILES)]
    if name == "Fn::Sub" and len(items) == 2 and isinstance(items[0], Scalar) and isinstance(items[1], Object):
        texts = [items[0].text[-_LONGEST_ADDRESS:]]
        for key, value in items[1].entries:
            place, values = f"${{{key.text}}}", _spellings(template, value)
            filled = (text.replace(place, each)[-_LONGEST_ADDRESS:] for text in texts for each in values or [place])
            texts = list(islice(filled, _MOST_FILES))
        return texts
    return [text for item in items for text in _spellings(template, item)][:_MOST_FILES]


def _default(template: Template, name: str) -> str:
    default = template.parameters[name].get("Default") if name in template.parameters else None
    return default.text if isinstance(default, Scalar) else f"${{{name}}}"


def _local_path(text: str, path: str) -> str:
    """The path from the root of what stands beside the template; empty for an address elsewhere."""
    return "" if "${" in text or "://" in text else from_root(text.strip(), path)


def _files_of_name(text: str, paths: Collection[str]) -> Sequence[str]:
    """The files that an address elsewhere may mean, by their name."""
    name = basename(text.strip()).rpartition("}")[2]
    return [each for each in paths if basename(each) == name] if name.endswith(TEMPLATE_SUFFIXES) else []


@lru_cache(maxsize=64)
def _digest_of_all(files: RevisionFiles, names: Sequence[str]) -> str:
    """Return what decides the outputs of a template that may be any of very many: all that they say."""
    return digest([source.text for name in names if (source := files.read(name))])


def outputs(template: Template, set_names: Collection[str] | None) -> Iterator[tuple[str, Output]]:
    """The outputs of a template that is given values for some parameters alone, each with all that decides it.

    With None, nobody knows which values it is given.
    """
    nodes = template.root.get("Outputs")
    for key, value in nodes.entries if isinstance(nodes, Object) else ():
        is_written_elsewhere = key.text.startswith("Fn::")
        node = value.get("Value") if isinstance(value, Object) and not is_written_elsewhere else value
        if node is not None:
            reached_names = _names_reached(template, words_of(value))
            parameters = frozenset(reached_names & template.parameters.keys())
            open_names = sorted(reached_names - set(set_names or ()))
            meanings = [tuple(_meanings(template, name, set_names is None)) for name in open_names]
            types = [type_of(template.parameters[name]) for name in sorted(parameters)]
            condition = value.get("Condition") if isinstance(value, Object) else None
            texts = (canonical(node), canonical(condition) if condition is not None else "")
            yield (
                ANY_OUTPUT if is_written_elsewhere else key.text,
                Output(digest((*texts, meanings, types)), parameters, _imports(template, value, reached_names)),
            )


def _imports(template: Template, node: Node, reached_names: AbstractSet[str]) -> frozenset[Parts]:
    """The names of what a node and the names reached from it import, also by nested templates."""
    nodes = [node]
    nodes += (
        each for name in reached_names & template.resources.keys() for each in _deciding(template.resources[name])
    )
    imports = {import_name(template, argument) for each in nodes for argument in import_arguments(each)}
    nested = (template.nested[name] for name in reached_names if name in template.nested)
    return frozenset(imports.union(*(output.imports for each in nested for output in each.outputs.values())))


def import_name(template: Template, node: Node | None) -> Parts:
    """The name of an export, which conditions may decide."""
    if node is None:
        return UNKNOWN_NAME
    try:
        return parts_of(Evaluator(template, Changes(), {}).text(node))
    except (Need, Impossible, Opaque):
        return UNKNOWN_NAME


def _meanings(template: Template, name: str, is_open: bool) -> Iterator[object]:
    """Return what a name means in a template, as texts; parameters that are not `is_open` have their defaults."""
    for section in (template.mappings, template.conditions):
        if name in section:
            yield canonical(section[name])
    if name in template.parameters:
        for key, value in template.parameters[name].entries:
            if key.text == "Default" or (is_open and key.text not in _SILENT):
                yield key.text, canonical(value)
    if name in template.resources:
        yield from (canonical(node) for node in _deciding(template.resources[name]))
        yield type_of(template.resources[name])
    if name in template.nested:
        yield tuple((output, each.digest) for output, each in sorted(template.nested[name].outputs.items()))


def _deciding(resource: Object) -> Iterator[Node]:
    """The properties that may decide what a resource is called, or what a nested template gives back."""
    yield from naming(resource)
    properties = resource.get("Properties")
    if is_nested(type_of(resource)) and isinstance(properties, Object):
        yield from filter(None, (properties.get("Parameters"),))


def _names_reached(template: Template, words: set[str]) -> set[str]:
    """The names of a template among some words, and those that decide what they mean."""
    reached: set[str] = set()
    pending = set(words)
    while pending:
        name = pending.pop()
        if name in reached:
            continue
        nodes = [section[name] for section in (template.mappings, template.conditions) if name in section]
        nodes += _deciding(template.resources[name]) if name in template.resources else ()
        if nodes or name in template.parameters or name in template.resources:
            reached.add(name)
            pending |= {word for node in nodes for word in words_of(node)}
    return reached


def _words_of_access(template: Template) -> set[str]:
    """The words in what gives access in a template."""
    words: set[str] = set()
    for name, resource in template.resources.items():
        type_, properties = type_of(resource), resource.get("Properties")
        nodes = list(_nodes_of_access(type_, properties)) if isinstance(properties, Object) else []
        if is_nested(type_) and name in template.nested and isinstance(properties, Object):
            values = properties.get("Parameters")
            entries = values.entries if isinstance(values, Object) else ()
            nodes += (value for key, value in entries if key.text in template.nested[name].deciding)
        condition = resource.get("Condition")
        nodes += (condition,) if nodes and condition is not None else ()
        words |= {word for node in nodes for word in words_of(node)}
    return words


def _nodes_of_access(type_: str, properties: Object) -> Iterator[Node]:
    """The properties that give access, or say to whom or what."""
    listed = {place.path.partition(".")[0].removesuffix("[]") for place in places().get(type_, ())}
    listed |= {holder for place in places().get(type_, ()) for holder in place.holders}
    listed |= set(deciding_properties(type_, properties)) if not is_nested(type_) else set()
    for key, value in properties.entries:
        is_telling = key.text in listed or speaks_of_access(key.text) or speaks_of_access(type_)
        if is_telling or not _IN_POLICIES.isdisjoint(words_of(value)):
            yield value
