"""What the files of one folder define: variables, locals, resources, data sources, modules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as MappingOf
from copy import copy

from policy_guard.documents.containers.terraform.chained import unchained
from policy_guard.documents.containers.terraform.definition import Definition, merged, plain_text
from policy_guard.documents.containers.terraform.json_syntax import plain, read_json
from policy_guard.documents.containers.terraform.parsed import Parsed
from policy_guard.documents.formats.json import scan
from policy_guard.documents.hcl.syntax import Argument, Block, Body
from policy_guard.documents.source import Object, Problem, Source, Span, Unreadable
from policy_guard.records import NamedTuple

NO_TEXT = "this is no plain text in the repository, and what it defines is not known; write it out"
_SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json")
_OVERRIDE = re.compile(r"(?:.*_)?override\.(?:tf|tofu)(?:\.json)?")
_VALUES = re.compile(r"(?:terraform|.*\.auto)\.tfvars(?:\.json)?")
_REFUSED_TWICE = ("resource", "data", "ephemeral", "variable", "module", "output")
# Terraform, "Override Files", and its internal/configs/module.go: what else stands there overrides nothing.
_OVERRIDABLE = (*_REFUSED_TWICE, "provider", "locals", "terraform")


class Wrong(NamedTuple):
    """What cannot be read, and in which file."""

    source: Source
    problem: Problem


class FilePattern(NamedTuple):
    """What some files have in common: their paths hold the words one after the other, and end with the last.

    With `is_policy` those are left out that are written in a language in which there are no policies.
    """

    words: tuple[str, ...]
    is_policy: bool = False


ANY_FILE = FilePattern(("",))


class Folder:
    """The definitions of a folder by their addresses, and what is wrong in it."""

    def __init__(
        self,
        path: str,
        files: MappingOf[str, Source],
        read: Callable[[str], Source | None] = lambda path: None,
        paths: Callable[[], Iterable[str]] = tuple,
        contents_of: Callable[[FilePattern], str] = lambda pattern: "",
        parsed: Parsed | None = None,
    ) -> None:
        """`files` are those of the folder that Terraform reads, by name.

        `read` gives any file of the repository, `paths` the paths of all, and `contents_of` what tells apart the
        contents of those that a pattern names. `parsed` keeps what is read of texts.
        """
        self.parsed = parsed or Parsed()
        self.read = read
        self.paths = paths
        self.contents_of = contents_of
        self.path = path
        self.definitions: dict[str, Definition] = {}
        self.assignments: dict[str, Definition] = {}
        self.wrong: list[Wrong] = []
        # Terraform, "Variable Definition Precedence": what is loaded later counts; "Override Files": they come last.
        for name in sorted(files, key=lambda name: (".auto." in name, is_override(name), name)):
            self._add(name, files[name], files)
        self.definitions |= unchained(self.definitions)

    def _add(self, name: str, source: Source, files: MappingOf[str, Source]) -> None:
        if words := _refusal(name, files):
            self._refuse(words, source, Span(0, min(1, len(source.text))))
            return
        if _VALUES.fullmatch(name):
            self._assign(source)
            return
        try:
            body = read_json(source) if name.endswith(".json") else self.parsed.body(source.text)
        except Unreadable as error:
            self.wrong += (Wrong(source, problem) for problem in error.problems)
            return
        define = self._override if is_override(name) else self._define
        for block in body.blocks:
            define(block, source)

    def _assign(self, source: Source) -> None:
        """Give variables the values in a file."""
        try:
            body = _values_in_json(source) if source.path.endswith(".json") else self.parsed.body(source.text)
        except Unreadable as error:
            self.wrong += (Wrong(source, problem) for problem in error.problems)
            return
        self.assignments |= {key: _definition_of(argument, source) for key, argument in body.arguments.items()}

    def with_values(self, source: Source | None, path: str) -> Folder:
        """Return the folder with the values in another file, which count last; without its text it is wrong."""
        folder = copy(self)
        folder.assignments, folder.wrong = {**self.assignments}, [*self.wrong]
        if source is None:
            folder._refuse(NO_TEXT, Source(path, ""), Span(0, 0))
        else:
            folder._assign(source)
        return folder

    def _refuse(self, words: str, source: Source, span: Span) -> None:
        self.wrong.append(Wrong(source, Problem(words, span)))

    def _define(self, block: Block, source: Source) -> None:
        if block.type == "locals":
            for argument in block.body.arguments.values():
                self._put(f"local.{argument.name}", _definition_of(argument, source))
            return
        definition, address = Definition(block, None, source, block.span), _address(block)
        if block.type in _REFUSED_TWICE:
            self._put(address, definition)
        else:
            self.definitions.setdefault(f"{address}@{len(self.definitions)}", definition)

    def _put(self, address: str, definition: Definition) -> None:
        if address in self.definitions:
            words = f"{address} is defined twice, which Terraform refuses; keep one"
            self._refuse(words, definition.source, definition.span)
        self.definitions[address] = definition

    def _override(self, block: Block, source: Source) -> None:
        """Merge a block of an override file into what it overrides.

        Source: Terraform, "Override Files"; its internal/configs/module.go and module_merge.go.
        """
        if block.type not in _OVERRIDABLE:
            self._refuse(f"{block.type[:60]} blocks cannot be overridden; write it in another file", source, block.head)
        for address, definition in _overriding(block, source):
            key = self._overridden(address, definition) if block.type == "provider" else address
            if key in self.definitions:
                self._merge(key, definition)
            elif block.type == "provider" and definition.body.value("alias") is None:
                self._define(block, source)
            elif block.type != "terraform":
                self._refuse(f"{address} overrides nothing, which Terraform refuses", source, definition.span)

    def _merge(self, address: str, definition: Definition) -> None:
        if "depends_on" in definition.body.arguments:
            self._refuse("depends_on cannot be overridden; leave it out", definition.source, definition.span)
        result = merged(self.definitions[address], definition)
        if {"count", "for_each"} <= set(result.body.arguments):
            self._refuse("count and for_each exclude each other; keep one", definition.source, definition.span)
        self.definitions[address] = result

    def _overridden(self, address: str, definition: Definition) -> str:
        """The key of the provider that has the same alias."""
        alias = plain_text(definition.body.value("alias"))
        return next(
            (
                key
                for key, each in self.definitions.items()
                if key.rpartition("@")[0] == address and plain_text(each.body.value("alias")) == alias
            ),
            "",
        )


def _address(block: Block) -> str:
    prefix = {"resource": "", "variable": "var.", "provider": "provider.aws."}.get(block.type, f"{block.type}.")
    return f"{prefix}{'.'.join(block.labels)}"


def _overriding(block: Block, source: Source) -> Iterator[tuple[str, Definition]]:
    """The definitions in a block, each with the address of what it overrides."""
    if block.type == "locals":
        for argument in block.body.arguments.values():
            yield f"local.{argument.name}", _definition_of(argument, source)
    elif block.type in _OVERRIDABLE:
        yield _address(block), Definition(block, None, source, block.span)


def _values_in_json(source: Source) -> Body:
    """Return the values of variables in JSON, in which texts are taken as they are (Terraform, "Input Variables")."""
    tree = scan(source.text)
    if not isinstance(tree, Object):
        raise Unreadable(Problem("the values of variables are a mapping", Span(0, 1)))
    names = {entry.key.text: Argument(entry.key.text, plain(entry.value), entry.value.span) for entry in tree.entries}
    return Body(names, (), tree.span)


def _definition_of(argument: Argument, source: Source) -> Definition:
    return Definition(None, argument.value, source, argument.span)


def _refusal(name: str, files: MappingOf[str, Source]) -> str:
    """Return why a file is not read."""
    if name.endswith(".tf") and f"{name[:-3]}.tofu" in files:
        return "OpenTofu reads the .tofu file instead of this, and Terraform this; keep one"
    return ""


def is_override(name: str) -> bool:
    """Tell whether a file of this name changes what others define."""
    return _OVERRIDE.fullmatch(name) is not None


def is_read(name: str) -> bool:
    """Tell whether Terraform reads a file of this name by itself; it ignores hidden ones but those of values.

    Source: terraform, internal/configs/parser_config_dir.go, IsIgnoredFile.
    """
    return (name.endswith(_SUFFIXES) and not name.startswith(".")) or _VALUES.fullmatch(name) is not None
