"""What the files of one folder define: variables, locals, resources, data sources, modules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as MappingOf
from typing import NamedTuple

from policy_guard.documents.formats.json import scan
from policy_guard.documents.hcl.bodies import read_file
from policy_guard.documents.hcl.syntax import Argument, Block, Body, Expression, List, Literal, Mapping, Template, Text
from policy_guard.documents.source import Array, Node, Object, Problem, Scalar, Source, Span, Unreadable

_SUFFIXES = (".tf", ".tofu")
_OVERRIDE = re.compile(r"(?:.*_)?override\.(?:tf|tofu)")
_VALUES = re.compile(r"(?:terraform|.*\.auto)\.tfvars(?:\.json)?")


class Definition(NamedTuple):
    """A block or value with the file that it stands in; `text` is as written."""

    block: Block | None
    value: Expression | None
    source: Source
    span: Span

    @property
    def text(self) -> str:
        return self.source.text[slice(*self.span)]

    @property
    def body(self) -> Body:
        return self.block.body if self.block else Body({}, (), self.span)


class Wrong(NamedTuple):
    """What cannot be read, and in which file."""

    source: Source
    problem: Problem


class Folder:
    """The definitions of a folder by their addresses, and what is wrong in it."""

    def __init__(
        self,
        path: str,
        files: MappingOf[str, Source],
        read: Callable[[str], Source | None] = lambda path: None,
        paths: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """`files` are those of the folder that Terraform reads, by name.

        `read` gives any file of the repository, and `paths` the paths of all.
        """
        self.read = read
        self.paths = paths
        self.path = path
        self.definitions: dict[str, Definition] = {}
        self.assignments: dict[str, Definition] = {}
        self.wrong: list[Wrong] = []
        # Terraform, "Variable Definition Precedence": what is loaded later counts.
        for name in sorted(files, key=lambda name: (".auto." in name, name)):
            self._add(name, files[name], files)

    def _add(self, name: str, source: Source, files: MappingOf[str, Source]) -> None:
        if words := _refusal(name, files):
            self.wrong.append(Wrong(source, Problem(words, Span(0, min(1, len(source.text))))))
            return
        try:
            body = _values_in_json(source) if name.endswith(".json") else read_file(source.text)
        except Unreadable as error:
            self.wrong += (Wrong(source, problem) for problem in error.problems)
            return
        if _VALUES.fullmatch(name):
            self.assignments |= {key: _definition_of(argument, source) for key, argument in body.arguments.items()}
            return
        for block in body.blocks:
            self._define(block, source)

    def _define(self, block: Block, source: Source) -> None:
        if block.type == "locals":
            for argument in block.body.arguments.values():
                self._put(f"local.{argument.name}", _definition_of(argument, source))
            return
        prefix = {"resource": "", "variable": "var.", "provider": "provider.aws."}.get(block.type, f"{block.type}.")
        definition = Definition(block, None, source, block.span)
        address = f"{prefix}{'.'.join(block.labels)}"
        if block.type in ("resource", "data", "variable", "module", "output"):
            self._put(address, definition)
        else:
            self.definitions.setdefault(f"{address}@{len(self.definitions)}", definition)

    def _put(self, address: str, definition: Definition) -> None:
        if address in self.definitions:
            words = f"{address} is defined twice, which Terraform refuses; keep one"
            self.wrong.append(Wrong(definition.source, Problem(words, definition.span)))
        self.definitions[address] = definition


def _values_in_json(source: Source) -> Body:
    """Return the values of variables in JSON, in which texts are taken as they are (Terraform, "Input Variables")."""
    tree = scan(source.text)
    if not isinstance(tree, Object):
        raise Unreadable(Problem("the values of variables are a mapping", Span(0, 1)))
    names = {
        entry.key.text: Argument(entry.key.text, _expression_of(entry.value), entry.value.span)
        for entry in tree.entries
    }
    return Body(names, (), tree.span)


def _expression_of(node: Node) -> Expression:
    """Return the expression that says what a value in JSON says."""
    if isinstance(node, Array):
        return List(tuple(map(_expression_of, node.items)), node.span)
    if isinstance(node, Object):
        keys = (_text(entry.key) for entry in node.entries)
        return Mapping(
            tuple(zip(keys, (_expression_of(entry.value) for entry in node.entries), strict=True)), node.span
        )
    return _text(node) if node.kind == "string" else Literal(node.kind, node.text, node.span)


def _text(scalar: Scalar) -> Template:
    return Template((Text(scalar.text, scalar.span),), scalar.span)


def _definition_of(argument: Argument, source: Source) -> Definition:
    return Definition(None, argument.value, source, argument.span)


def _refusal(name: str, files: MappingOf[str, Source]) -> str:
    """Return why a file is not read."""
    if _OVERRIDE.fullmatch(name):
        return "override files change what others say, and are not read; write the values in their place"
    if name.endswith(".json") and not _VALUES.fullmatch(name):
        return "Terraform in JSON is not read; write it in Terraform's own language"
    if name.endswith(".tf") and f"{name[:-3]}.tofu" in files:
        return "OpenTofu reads the .tofu file instead of this, and Terraform this; keep one"
    return ""


def is_read(name: str) -> bool:
    """Tell whether Terraform reads a file of this name by itself."""
    return name.endswith((*_SUFFIXES, ".tf.json", ".tofu.json")) or _VALUES.fullmatch(name) is not None
