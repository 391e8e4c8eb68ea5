"""Templates that did not change, and make one that did: its outputs may stand in their policies."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from posixpath import basename

from policy_guard.documents.containers.revision_files import TEMPLATE_SUFFIXES
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.objects import OVERSIZED

_USE = b"Outputs."
# In texts with these, a name may be written in other bytes. Source: YAML 1.2, "Escaped Characters".
_ESCAPES = (b"\\x", b"\\u00", b"\\U0000", b"\\\n")


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
            if data is not None and data is not OVERSIZED and (_USE in data or _is_escaped(data)):
                users[path] = data
    pending, using_paths = [name.encode() for name in names], set[str]()
    while pending:
        name = pending.pop()
        paths = {path for path, data in users.items() if name in data or _is_escaped(data)} - using_paths
        using_paths |= paths
        pending += (basename(path).encode() for path in paths)
    return [Change(old[path], new[path], "reads") for path in sorted(using_paths)]


def _may_have_outputs(data: bytes) -> bool:
    test = any if _is_escaped(data) else all
    return test(word in data for word in (b"Outputs", b"Resources"))


def _is_escaped(data: bytes) -> bool:
    return any(escape in data for escape in _ESCAPES)
