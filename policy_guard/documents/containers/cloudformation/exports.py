"""Outputs that templates of the repository export, each with all that decides it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from policy_guard.documents.containers.choices import Impossible, Need
from policy_guard.documents.containers.cloudformation.calls import call
from policy_guard.documents.containers.cloudformation.evaluate import PLACE, Changes, Evaluator
from policy_guard.documents.containers.cloudformation.imports import import_arguments
from policy_guard.documents.containers.cloudformation.nested import outputs
from policy_guard.documents.containers.cloudformation.parts import parts_of
from policy_guard.documents.containers.cloudformation.template import (
    ANY_OUTPUT,
    Export,
    Template,
    is_template,
    read_template,
)
from policy_guard.documents.containers.holes import Parts
from policy_guard.documents.containers.opaque import Opaque
from policy_guard.documents.containers.revision_files import RevisionFiles, is_escaped
from policy_guard.documents.formats import read
from policy_guard.documents.source import Hole, Node, Object, Scalar, Source, Unreadable, scalars
from policy_guard.regex import regex

_UNKNOWN: Parts = (Hole("a name"),)
_WORD = regex(r"[A-Za-z0-9]+")
_IMPORT = "ImportValue"
# An import whose name has a word in it that stands there.
_NAMED = regex(
    _IMPORT + r"""["']?\s{0,99}:?\s{0,99}(?:\{?\s{0,99}["']?(?:!|Fn::)Sub["']?\s{0,99}:?\s{0,99})?["']?"""
    r"""(?:\$\{[^{}]{0,99}\}|[-:/._]){0,20}(?!Ref\b|Fn::)[A-Za-z0-9]"""
)


def with_exports(template: Template, files: RevisionFiles) -> Template:
    """The template with what others of the repository export, as far as it may import that."""
    arguments = import_arguments(template.root) if may_import(template.source.text) else []
    if not arguments:
        return template
    named_words = [_words_of_name(argument) for argument in arguments]
    exports = [
        export
        for source in files.exporters()
        if any(_may_speak_of(source.text, words) for words in named_words)
        for export in exports_of(source.path, source.text)
    ]
    return template._replace(exports=tuple(exports))


def may_import(text: str) -> bool:
    """Tell whether a template may import something."""
    return _IMPORT in text or is_escaped(text.encode("utf-8", "replace"))


def may_import_one_of(text: str, exports: Iterable[Export]) -> bool:
    """Tell whether a template may import one of these, by the words in its text."""
    if not may_import(text):
        return False
    if text.count(_IMPORT) > sum(1 for _ in _NAMED.finditer(text)):
        return True
    return any(_may_speak_of(text, _words_of_export(export)) for export in exports)


def _may_speak_of(text: str, words: Collection[str]) -> bool:
    """Tell whether one of the words of a name stands in a text, or may; without words every text may speak of it."""
    return not words or any(word in text for word in words) or is_escaped(text.encode("utf-8", "replace"))


def _words_of_name(node: Node) -> set[str]:
    """The words in the name of an import, but for what is filled in."""
    return {word for scalar in scalars(node) for word in _WORD.findall(PLACE.sub(" ", scalar.text))}


def _words_of_export(export: Export) -> set[str]:
    """The words in the name of an export."""
    return {word for part in export.name if isinstance(part, str) for word in _WORD.findall(part)}


@lru_cache(maxsize=1_000)
def exports_of(path: str, text: str) -> Sequence[Export]:
    """What a file exports, if it is a template."""
    source = Source(path, text)
    try:
        documents = read(source)
    except Unreadable:
        return ()
    return tuple(
        export
        for document in documents
        if isinstance(document, Object) and is_template(document)
        for export in _exports(read_template(source, document))
    )


def _exports(template: Template) -> Iterator[Export]:
    nodes = template.root.get("Outputs")
    entries = nodes.entries if isinstance(nodes, Object) else ()
    digests = {name: output.digest for name, output in outputs(template, None)}
    for key, node in entries:
        if key.text.startswith("Fn::"):
            yield Export(_UNKNOWN, digests[ANY_OUTPUT], None)
        elif isinstance(node, Object) and (export := node.get("Export")) is not None and key.text in digests:
            name = export.get("Name") if isinstance(export, Object) and call(export) is None else None
            yield Export(_name(template, name), digests[key.text], _text(node))


def _name(template: Template, node: Node | None) -> Parts:
    """The name of an export, which conditions may decide."""
    if node is None:
        return _UNKNOWN
    try:
        return parts_of(Evaluator(template, Changes(), {}).text(node))
    except (Need, Impossible, Opaque):
        return _UNKNOWN


def _text(output: Object) -> str | None:
    """The value of an output that is a text as it stands there, whatever holds."""
    value = output.get("Value")
    if not isinstance(value, Scalar) or value.tag or value.kind == "null" or value.disputed or "{{" in value.text:
        return None
    return value.text if output.get("Condition") is None else None
