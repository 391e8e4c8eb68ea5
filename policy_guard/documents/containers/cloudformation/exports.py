"""Outputs that templates of the repository export, each with all that decides it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, lru_cache, partial

from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.evaluate import PLACE
from policy_guard.documents.containers.cloudformation.imports import import_arguments, matching
from policy_guard.documents.containers.cloudformation.nested import (
    UNKNOWN_NAME,
    import_name,
    outputs,
    templates_in,
    with_nested,
)
from policy_guard.documents.containers.cloudformation.template import ANY_OUTPUT, Export, Nested, Template
from policy_guard.documents.containers.holes import Parts
from policy_guard.documents.containers.opaque import digest
from policy_guard.documents.containers.revision_files import RevisionFiles, is_escaped, may_use_outputs
from policy_guard.documents.source import Node, Object, Scalar, Source, scalars
from policy_guard.regex import regex

_WORD = regex(r"[A-Za-z0-9]+")
_IMPORT = "ImportValue"
_MOST_STEPS = 2_000_000
"""Names that are compared to follow imports that are exported again."""
# An import whose name has a word in it that stands there.
_NAMED = regex(
    _IMPORT + r"""["']?\s{0,99}:?\s{0,99}(?:\{?\s{0,99}["']?(?:!|Fn::)Sub["']?\s{0,99}:?\s{0,99})?["']?"""
    r"""(?:\$\{[^{}]{0,99}\}|[-:/._]){0,20}(?!Ref\b|Fn::)[A-Za-z0-9]"""
)


def with_exports(template: Template, files: RevisionFiles) -> Template:
    """The template with what others of the repository export, as far as it may import that."""
    arguments = import_arguments(template.root) if may_import(template.source.text) else []
    names = {name for each in template.nested.values() for output in each.outputs.values() for name in output.imports}
    if not arguments and not names:
        return template
    named_words = [*map(_words_of_name, arguments), *map(_words_in, names)]
    exports = [
        export
        for source, several in repository_exports(files)
        if any(_may_speak_of(source.text, words) for words in named_words)
        for export in several
    ]
    nested = {name: _with_imports(each, exports) for name, each in template.nested.items()}
    return template._replace(exports=tuple(exports), nested=nested)


def _with_imports(nested: Nested, exports: Sequence[Export]) -> Nested:
    """A nested template as it is known, where what its outputs import decides them, too."""
    outputs_by_name = dict(nested.outputs)
    for name, output in nested.outputs.items():
        if imported := {export.digest for each in output.imports for export in matching(exports, each)}:
            outputs_by_name[name] = output._replace(digest=digest((output.digest, sorted(imported))))
    return nested._replace(outputs=outputs_by_name)


@lru_cache(maxsize=4)
def repository_exports(files: RevisionFiles) -> Sequence[tuple[Source, Sequence[Export]]]:
    """The templates of a revision that export something, with that; an export of an import is decided by what it means.

    Where a chain of imports is too long, all that is exported decides.
    """
    by_source = [(source, _exports_of(source, files)) for source in files.exporters()]
    every_export = [export for _, several in by_source for export in several]
    if not any(export.imports for export in every_export):
        return by_source
    meant_by_name = cache(partial(matching, every_export))
    everything, steps = digest(sorted({export.digest for export in every_export})), [_MOST_STEPS]

    def closed(export: Export) -> Export:
        reached: set[Export] = set()
        pending = [*export.imports]
        for name in pending:
            steps[0] -= len(every_export)
            if steps[0] < 0:
                return export._replace(digest=digest((export.digest, everything)))
            others = {*meant_by_name(name)} - reached
            reached |= others
            pending += (inner_name for other in others for inner_name in other.imports)
        return export._replace(digest=digest((export.digest, sorted(other.digest for other in reached))))

    return [(source, [closed(each) if each.imports else each for each in several]) for source, several in by_source]


def may_import(text: str) -> bool:
    """Tell whether a template may import something."""
    return _IMPORT in text or is_escaped(text.encode("utf-8", "replace"))


def may_import_one_of(text: str, exports: Iterable[Export]) -> bool:
    """Tell whether a template may import one of these, by the words in its text."""
    if not may_import(text):
        return False
    if text.count(_IMPORT) > sum(1 for _ in _NAMED.finditer(text)):
        return True
    return any(_may_speak_of(text, _words_in(export.name)) for export in exports)


def _may_speak_of(text: str, words: Collection[str]) -> bool:
    """Tell whether one of the words of a name stands in a text, or may; without words every text may speak of it."""
    return not words or any(word in text for word in words) or is_escaped(text.encode("utf-8", "replace"))


def _words_of_name(node: Node) -> set[str]:
    """The words in the name of an import, but for what is filled in."""
    return {word for scalar in scalars(node) for word in _WORD.findall(PLACE.sub(" ", scalar.text))}


def _words_in(name: Parts) -> set[str]:
    """The words in the name of an export."""
    return {word for part in name if isinstance(part, str) for word in _WORD.findall(part)}


def _exports_of(source: Source, files: RevisionFiles) -> Sequence[Export]:
    """The exports of a file, if it is a template, with what nested templates decide of them."""
    if not may_use_outputs(source.text.encode()):
        return _exports_alone(source.path, source.text)
    templates = (with_nested(template, files) for template in templates_in(source.path, source.text))
    return tuple(export for template in templates for export in _exports(template))


@lru_cache(maxsize=1_000)
def _exports_alone(path: str, text: str) -> Sequence[Export]:
    """The exports of a file that uses no nested template."""
    return tuple(export for template in templates_in(path, text) for export in _exports(template))


def _exports(template: Template) -> Iterator[Export]:
    nodes = template.root.get("Outputs")
    entries = nodes.entries if isinstance(nodes, Object) else ()
    by_name = dict(outputs(template, None))
    for key, node in entries:
        if key.text.startswith("Fn::"):
            output = by_name[ANY_OUTPUT]
            yield Export(UNKNOWN_NAME, output.digest, None, output.imports)
        elif isinstance(node, Object) and (export := node.get("Export")) is not None and key.text in by_name:
            name = export.get("Name") if isinstance(export, Object) and call(export) is None else None
            output = by_name[key.text]
            yield Export(import_name(template, name), output.digest, _text(node), output.imports)


def _text(output: Object) -> str | None:
    """The value of an output that is a text as it stands there, whatever holds."""
    value = output.get("Value")
    if not isinstance(value, Scalar) or value.tag or value.kind == "null" or value.disputed or "{{" in value.text:
        return None
    return value.text if output.get("Condition") is None else None
