"""The definitions that decide a value, followed from name to name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from policy_guard.documents.containers.terraform.definition import Definition
from policy_guard.documents.containers.terraform.file_patterns import patterns_of_call
from policy_guard.documents.containers.terraform.folder import ANY_FILE, FilePattern
from policy_guard.documents.containers.terraform.scope import Link, Scope
from policy_guard.documents.hcl.syntax import (
    Attribute,
    Block,
    Call,
    For,
    OtherFile,
    Repeated,
    Variable,
    parts_of,
)
from policy_guard.documents.line_diff import differing
from policy_guard.documents.source import Span, Spot

Decision: TypeAlias = "tuple[frozenset[tuple[str, str, str]], frozenset[FilePattern]]"
"""The texts that decide something, each with the scope's name and the address, and which files do so too."""
AFTER = "depends_on"
"""The argument of every block that says what has to be there first."""
_MAY_BE_ANYTHING = "Statement, Effect"
_AROUND_OUTPUTS = ("provider", "moved")
_FILES = ("file", "templatefile(")
_PATH_NAMES = frozenset({"local", "path", "var"})
_FROM_FILES = tuple(
    ("data", name) for name in ("local_file", "local_sensitive_file", "external", "archive_file", "sops_file")
)


def references(node: object) -> Iterator[tuple[str, ...]]:
    """The names that stand at the beginning of references, and the calls of functions."""
    stack: list[object] = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, Attribute):
            labels, inner = [node.name], node.value
            while isinstance(inner, Attribute):
                labels.append(inner.name)
                inner = inner.value
            if isinstance(inner, Variable):
                yield (inner.name, *reversed(labels))
                continue
            stack.append(inner)
        elif isinstance(node, dict):
            stack += node.values()
        elif isinstance(node, tuple):
            stack += node
        else:
            if isinstance(node, Call):
                yield (f"{node.name}(",)
            stack += parts_of(node)


def deciding_texts(scope: Scope, start: object, excluded_prefix: str = "") -> Decision:
    """The texts of all definitions that a value depends on, and which files may decide it too.

    What decides the resources whose addresses begin with `excluded_prefix` is left out, if that is given.
    """
    key = scope.name, id(start), excluded_prefix
    if key not in scope.decisions:
        # What is kept by its identity has to stay.
        scope.decisions[key] = start, _decision(scope, start, excluded_prefix)
    decision: Decision = scope.decisions[key][1]
    return decision


def all_deciding(scope: Scope, node: object) -> list[object]:
    """Return what is written in a node, in all that decides it, and in the files that may."""
    texts, reads = deciding_texts(scope, node)
    return [_written(node), sorted(texts), contents_of(scope, reads)]


def contents_of(scope: Scope, reads: Iterable[FilePattern]) -> list[str]:
    """Return what tells apart the contents of files that may decide something."""
    return [scope.folder.contents_of(pattern) for pattern in sorted(reads)]


def _written(node: object) -> object:
    """Return what a node says, without its places."""
    if isinstance(node, OtherFile):
        return _written(node.value)
    if isinstance(node, Span) or node is None:
        return None
    if isinstance(node, dict):
        return [(key, _written(value)) for key, value in sorted(node.items())]
    if isinstance(node, tuple):
        return list(map(_written, node))
    parts = parts_of(node)
    return [type(node).__name__, *map(_written, parts)] if parts else node


def _decision(scope: Scope, start: object, excluded_prefix: str) -> Decision:
    links, reads = _links_from(scope, start)
    visited: set[Link] = set()
    stack = [links]
    while stack:
        scope.looks[0] -= 1
        if scope.looks[0] < 0:
            # Too much to follow: it may be a policy, and is not the same as on the other side.
            return frozenset({("", "", f"{_MAY_BE_ANYTHING} {id(scope.root())}")}), frozenset({ANY_FILE})
        for link in stack.pop():
            if link in visited or (excluded_prefix and link.key[1].startswith(excluded_prefix)):
                continue
            visited.add(link)
            stack.append(following(link))
            reads |= link.reads
    return frozenset(link.key for link in visited if link.definition is not None), reads


def following(link: Link) -> tuple[Link, ...]:
    """The definitions that a definition refers to."""
    if link.following is None:
        definition = link.definition
        if definition is None:
            definitions = link.scope.folder.definitions.items()
            link.following = tuple(link_of(link.scope, address, each) for address, each in definitions)
        else:
            link.following, link.reads = _links_from(link.scope, definition.block or definition.value)
    return link.following


def _links_from(scope: Scope, node: object) -> tuple[tuple[Link, ...], frozenset[FilePattern]]:
    """The definitions that a node refers to, with the call of its module, and which files it reads itself."""
    links: dict[Link, None] = {}
    reads: frozenset[FilePattern] = frozenset()
    all_names = _references_of(scope, node)
    if any(map(_is_reading, all_names)):
        reads = _files_read(scope, node)
    for names in all_names:
        reads |= {ANY_FILE} if names[:2] in _FROM_FILES else frozenset()
        for address, definition in _definitions(scope, names):
            links[link_of(scope, address, definition)] = None
        links |= dict.fromkeys(_links_into_module(scope, names))
    if scope.parent is not None and scope.call is not None:
        links[link_of(scope.parent, scope.name, scope.call, scope.call.text)] = None
    return tuple(links), reads


def _links_into_module(scope: Scope, names: tuple[str, ...]) -> Iterator[Link]:
    """What a reference to a module of the repository asks for: one of its outputs, or all that it defines.

    Its providers and moves are asked for with each output: they say in which account, and by which address, an object
    is known.
    """
    module_scope = scope.module_scope(names[1]) if names[0] == "module" and len(names) > 1 else None
    if module_scope is None:
        return
    address = f"output.{names[2]}" if len(names) > 2 else ""
    output = module_scope.folder.definitions.get(address)
    if output is None:
        yield _contents(module_scope)
        return
    yield link_of(module_scope, address, output)
    blocks = (each for each in module_scope.folder.definitions.values() if each.block is not None)
    around = [each for each in blocks if each.block is not None and each.block.type in _AROUND_OUTPUTS]
    yield from (link_of(module_scope, f"around outputs {number}", each) for number, each in enumerate(around))


def link_of(scope: Scope, address: str, definition: Definition, text: str | None = None) -> Link:
    """The definition at an address of a scope, as what decides others."""
    place = (scope.name, address)
    if place not in scope.links:
        key = (*place, definition.deciding_text if text is None else text)
        scope.links[place] = Link(key, scope, definition)
        scope.decisive[key] = definition
    return scope.links[place]


def _contents(scope: Scope) -> Link:
    """All that a scope defines, as what decides others."""
    place = (scope.name, "")
    if place not in scope.links:
        scope.links[place] = Link((*place, ""), scope, None)
    return scope.links[place]


def _is_reading(names: tuple[str, ...]) -> bool:
    """Tell whether a function reads files, by their content, their digest or their presence."""
    return names[0].endswith("(") and names[0].startswith(_FILES)


def _files_read(scope: Scope, node: object) -> frozenset[FilePattern]:
    """The files that the functions in a node read; all where a loop in it takes a name that a path may begin with."""
    patterns: set[FilePattern] = set()
    stack: list[object] = [_deciding_parts(node)]
    while stack:
        node = stack.pop()
        if isinstance(node, For | Repeated | Block) and _PATH_NAMES.intersection(_names_of_loop(node)):
            return frozenset({ANY_FILE})
        if isinstance(node, Call) and _is_reading((f"{node.name}(",)):
            patterns |= patterns_of_call(scope, node)
        if isinstance(node, dict):
            stack += node.values()
        else:
            stack += node if isinstance(node, tuple) else parts_of(node)
    return frozenset(patterns)


def _names_of_loop(node: For | Repeated | Block) -> Iterator[str | None]:
    """The names that a loop gives its items, or a `dynamic` block."""
    if not isinstance(node, Block):
        yield from node.names
    elif node.type == "dynamic":
        iterator = node.body.value("iterator")
        yield iterator.name if isinstance(iterator, Variable) else "".join(node.labels)


def _references_of(scope: Scope, node: object) -> tuple[tuple[str, ...], ...]:
    """The references in a node, looked for once: many resources may speak of one."""
    all_references = scope.folder.parsed.references
    if id(node) not in all_references:
        all_references[id(node)] = node, tuple(dict.fromkeys(references(_deciding_parts(node))))
    return all_references[id(node)][1]


def _deciding_parts(node: object) -> object:
    """A node but for the `depends_on` of a block: it says what has to be there first, and decides no value.

    Source: Terraform, "depends_on meta-argument".
    """
    if not isinstance(node, Block):
        return node
    return tuple(each for name, each in node.body.arguments.items() if name != AFTER), node.body.blocks


def changed_spots(
    scopes: tuple[Scope, Scope], old: Iterable[tuple[str, str, str]], new: Iterable[tuple[str, str, str]]
) -> list[Spot]:
    """Return the first line that changed in each of the definitions that decide something; `scopes` are old and new."""
    old_texts: dict[tuple[str, str], str] = {(where, address): text for where, address, text in old}
    spots = []
    for where, address, text in sorted(set(new) - set(old)):
        definition = scopes[1].decisive.get((where, address, text))
        if definition is None or not address:
            continue
        old_text = old_texts.get((where, address), "")
        old_definition = scopes[0].folder.definitions.get(address) if where == scopes[0].name else None
        if old_definition is None or old_definition.deciding_text != text:
            spots.append(first_changed_line(definition, old_text, text))
    return spots


def first_changed_line(definition: Definition, old_text: str, new_text: str) -> Spot:
    """Return the first line of what decides in a definition and was not there, or else of anything in it that was not.

    Where nothing is new it is the line before which others were taken out.
    """
    old_lines, new_lines = ({line.strip() for line in text.splitlines()} for text in (old_text, new_text))
    new_spots = [spot for spot in _lines(definition) if _text(spot) not in old_lines]
    deciding = next((spot for spot in new_spots if _text(spot) in new_lines), None)
    return deciding or next(iter(new_spots), None) or _line_of_removal(definition, old_text)


def _lines(definition: Definition) -> Iterator[Spot]:
    """Return what is written on each line of a definition."""
    for source, span in definition.spots:
        at = span.start
        for line in source.text[slice(*span)].splitlines(keepends=True):
            if content := line.strip():
                start = at + line.index(content)
                yield Spot(source, Span(start, start + len(content)))
            at += len(line)


def _text(spot: Spot) -> str:
    return spot.source.text[slice(*spot.span)]


def _line_of_removal(definition: Definition, old_text: str) -> Spot:
    """Return the line before which lines were taken out, or the one above if it only closes."""
    lines = definition.source.text[slice(*definition.span)].splitlines(keepends=True)
    number = next((run.start for run in differing(old_text, "".join(lines))), 0) if old_text else 0
    number = min(number, len(lines) - 1)
    if not lines[number].strip(" \t\r\n,;]})"):
        number = max(number - 1, 0)
    content = lines[number].strip()
    start = definition.span.start + sum(map(len, lines[:number])) + lines[number].index(content)
    return Spot(definition.source, Span(start, start + max(len(content), 1)))


def _definitions(scope: Scope, names: tuple[str, ...]) -> Iterator[tuple[str, Definition]]:
    for address in (".".join(names[:2]), ".".join(names[:3])):
        if definition := scope.folder.definitions.get(address):
            yield address, definition
    if names[0] == "var" and len(names) > 1 and (assignment := scope.folder.assignments.get(names[1])):
        yield f"given {names[1]}", assignment
