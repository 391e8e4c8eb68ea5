"""Files as git lists them, and what git prints taken apart: whole entries, never a text somewhere inside of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from policy_guard.documents.errors import SetupError
from policy_guard.records import NamedTuple
from policy_guard.regex import regex

LINK, SUBMODULE, FOLDER, GONE = 0o120000, 0o160000, 0o040000, 0
A_LINK = regex(rb"\0(?:[A-Za-z?] )?120000 ")
LEFT_OUT = regex(rb"(?:(?<=\0)|\A)[Ss] [^\t]+\t([^\0]+)")
UNCOMPARED = regex(rb"(?:(?<=\0)|\A)([a-z?S]) ([^\0]+)")
"""Entries of `ls-files -v`: ? is untracked, a small letter taken for unchanged, S left out; all others are H."""

MOST_FOLDERS = 200
"""Folders above a changed file: what is asked of each of them would take too long for more."""


class File(NamedTuple):
    """A file at one revision. `oid` is None where it has to be read from the working tree."""

    path: str
    mode: int
    oid: str | None


class Uncompared(NamedTuple):
    """Files of the working tree that `git diff-index` passes over.

    `flagged` are paths of the index that git was told to take for unchanged, or to leave out of the working tree. Those
    of the second kind that are not there are no changes.
    """

    untracked: list[File]
    flagged: list[str]


class Ref(NamedTuple):
    """A ref by its full name, with the id that it holds. `leads_to` is the ref that a symbolic one points to."""

    name: str
    oid: str
    leads_to: str


class Attribute(NamedTuple):
    """`value` is the text that is set, or `set`, `unset` or `unspecified`."""

    path: str
    name: str
    value: str


class Raw(NamedTuple):
    """One line of `git diff --raw`: `status` is A, D, M, R, T or U."""

    status: str
    old: File | None
    new: File | None


def in_folder(data: bytes, path: str, size: int) -> Iterator[File]:
    """The files among the entries of a tree object: mode, blank, name, NUL, and the id in `size` bytes."""
    while data:
        head, _, remainder = data.partition(b"\0")
        mode, _, name = head.partition(b" ")
        oid, data = remainder[:size].hex(), remainder[size:]
        if int(mode, 8) != FOLDER:
            yield File(f"{path}/{os.fsdecode(name)}", int(mode, 8), oid)


def parse_entry(entry: bytes, staged: bool) -> File:
    """Reads an entry of `ls-files -v --stage` (tag, mode, id, stage, path) or of `ls-tree` (mode, type, id, path)."""
    head, _, path = entry.partition(b"\t")
    fields = head.split(b" ")
    return File(os.fsdecode(path), int(fields[1 if staged else 0], 8), fields[2].decode())


def raw_changes(output: bytes) -> list[Raw]:
    """The entries of `git diff --raw -z`: modes, ids and status, then one path, or two of a rename or a copy."""
    fields = iter(output.split(b"\0")[:-1])
    changes: list[Raw] = []
    for field in fields:
        if not field.startswith(b":"):
            raise SetupError(f"git prints what is not understood here: {field[:80]!r}. Use git 2.30 or later.")
        old_mode, new_mode, old_oid, new_oid, status = field[1:].decode().split(" ")
        path = os.fsdecode(next(fields))
        moved = os.fsdecode(next(fields)) if status[0] in "RC" else path
        changes.append(Raw(status[0], _file(path, old_mode, old_oid), _file(moved, new_mode, new_oid)))
    return changes


def _file(path: str, mode: str, oid: str) -> File | None:
    if int(mode, 8) == GONE:
        return None
    if path.count("/") > MOST_FOLDERS:
        raise SetupError(f"{path[:200]} lies below more than {MOST_FOLDERS} folders. Move it up.")
    return File(path, int(mode, 8), oid if oid.strip("0") else None)


def names(files: Iterable[File]) -> dict[str, File]:
    """The files by path."""
    return {file.path: file for file in files}
