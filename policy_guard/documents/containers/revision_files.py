"""Other files of a revision, for what reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from posixpath import dirname, normpath

from policy_guard.documents.containers.value_files import UsedNames
from policy_guard.documents.source import Source
from policy_guard.records import NamedTuple

TEMPLATE_SUFFIXES = (".yaml", ".yml", ".json", ".template", ".tpl", ".tmpl", ".txt", ".cfn", ".cft")
"""What the names of templates of CloudFormation end with that others make."""


# In texts with these, a name may be written in other bytes. Source: YAML 1.2, "Escaped Characters".
_ESCAPES = (b"\\x", b"\\u00", b"\\U0000", b"\\\n")


class RevisionFiles(NamedTuple):
    """Reads other files of a revision: the text of one by its path from the root, if there is one, and all paths.

    `names` are those of values that policies in the revision use, and `exporters` the templates that export something.
    """

    read: Callable[[str], Source | None]
    paths: Callable[[], Iterable[str]]
    names: Callable[[], UsedNames] = UsedNames
    exporters: Callable[[], Iterable[Source]] = tuple


NO_FILES = RevisionFiles(lambda path: None, lambda: ())


def is_escaped(data: bytes) -> bool:
    """Tell whether names may be written in other bytes in a template."""
    return any(escape in data for escape in _ESCAPES)


def may_export(data: bytes) -> bool:
    """Tell whether a template may export something."""
    return (b"Export" in data and b"Outputs" in data) or is_escaped(data)


def may_use_outputs(data: bytes) -> bool:
    """Tell whether a template may use an output of a nested one."""
    return b"Outputs." in data or is_escaped(data)


def from_root(name: str, reading: str) -> str:
    """The path from the root of a file by its name beside the one that reads it."""
    return normpath(f"{dirname(reading) or '.'}/{name}").removeprefix("./")
