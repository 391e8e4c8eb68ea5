"""Templates that did not change, and make one that did, or import from it: its outputs may stand in their policies."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from posixpath import basename, splitext

from policy_guard.documents.containers.revision_files import TEMPLATE_SUFFIXES, is_escaped, may_export, may_use_outputs
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import File
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.objects import OVERSIZED
from policy_guard.regex import regex

_WORD = regex(r"[A-Za-z0-9]+")


def may_be_nested(reader: Reader, change: Change) -> Iterator[str]:
    """The names of a changed file under which other templates may make it, if it has outputs."""
    for file in (change.old, change.new):
        if file is not None and file.path.lower().endswith(TEMPLATE_SUFFIXES):
            data = reader.content(file)
            if data is not None and data is not OVERSIZED and _may_have_outputs(data):
                yield basename(file.path)


def outer_templates(reader: Reader, comparison: Comparison, names: Collection[str]) -> list[Change]:
    """The unchanged templates that name one of these files, or one that does, and use an output."""
    changed = {file.path for change in comparison.changes for file in (change.old, change.new) if file}
    old, new = (reader.files(revision) for revision in comparison[:2])
    users: dict[str, bytes] = {}
    for path in sorted(old.keys() & new.keys() - changed):
        if path.lower().endswith(TEMPLATE_SUFFIXES) and reader.concerned(path):
            data = reader.content(new[path])
            if data is not None and data is not OVERSIZED and may_use_outputs(data):
                users[path] = data
    pending, using_paths = list(names), set[str]()
    while pending:
        name = pending.pop()
        using = {path for path, data in users.items() if _names(data, name) or is_escaped(data)} - using_paths
        using_paths |= using
        pending += map(basename, using)
    return [Change(old[path], new[path], "reads") for path in sorted(using_paths)]


def importing_templates(reader: Reader, comparison: Comparison) -> list[Change]:
    """The unchanged templates that may import what changed ones export in another way now."""
    if not any(_may_export(reader, file) for change in comparison.changes for file in (change.old, change.new) if file):
        nested_names = {name for change in comparison.changes for name in may_be_nested(reader, change)}
        texts = (source.text.encode() for revision in comparison[:2] for source in reader.exporters(revision))
        if not nested_names or not any(map(may_use_outputs, texts)):
            return []
    from policy_guard.documents.containers.cloudformation.exports import may_import_one_of, repository_exports

    old_exports, new_exports = (
        {export for _, several in repository_exports(reader.siblings(revision)) for export in several}
        for revision in comparison[:2]
    )
    changed = {file.path for change in comparison.changes for file in (change.old, change.new) if file}
    old, new = (reader.files(revision) for revision in comparison[:2])
    unchanged_paths = sorted(old.keys() & new.keys() - changed) if old_exports != new_exports else ()
    return [
        Change(old[path], new[path], "reads")
        for path in unchanged_paths
        if reader.concerned(path)
        and (data := _content(reader, new[path])) is not None
        and may_import_one_of(data.decode("utf-8", "replace"), old_exports ^ new_exports)
    ]


def _may_export(reader: Reader, file: File) -> bool:
    data = _content(reader, file)
    return data is not None and may_export(data)


def _content(reader: Reader, file: File) -> bytes | None:
    """The bytes of a file that may be a template by its name."""
    data = reader.content(file) if file.path.lower().endswith(TEMPLATE_SUFFIXES) else None
    return None if data is OVERSIZED else data


def _names(data: bytes, name: str) -> bool:
    """Tell whether a template names a file, or may put its name together of the part before the suffix and that."""
    stem, suffix = splitext(name)
    return suffix.encode() in data and all(word.encode() in data for word in _WORD.findall(stem))


def _may_have_outputs(data: bytes) -> bool:
    test = any if is_escaped(data) else all
    return test(word in data for word in (b"Outputs", b"Resources"))
