"""Folders of Terraform as they are in the working tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from policy_guard.documents.containers.terraform.folder import NO_TEXT, Folder, Wrong, is_read
from policy_guard.documents.errors import SetupError
from policy_guard.documents.format import decode
from policy_guard.documents.source import Problem, Source, Span, Unreadable
from policy_guard.documents.write import file_within
from policy_guard.refine.attribution import files_of


class WorkingTree:
    """Reads files and folders below a root; nothing outside of it is read."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sources: dict[str, Source | None] = {}

    def source(self, path: str) -> Source | None:
        """The text of a file; None if it cannot be read."""
        if path not in self._sources:
            self._sources[path] = self._read(path)
        return self._sources[path]

    def _read(self, path: str) -> Source | None:
        try:
            return decode(path, file_within(self._root, path).read_bytes(), "")
        except (SetupError, OSError, Unreadable):
            return None

    def folder(self, path: str, changed: Source | None = None) -> Folder | None:
        """A folder with Terraform in it, with a changed file in the place of the one that has its path."""
        place = self._root / path
        names = sorted(filter(is_read, os.listdir(place))) if place.is_dir() else []
        files: dict[str, Source] = {}
        unreadable: list[str] = []
        for name in names:
            full_path = f"{path}/{name}" if path else name
            source = changed if changed is not None and changed.path == full_path else self.source(full_path)
            if source is None:
                unreadable.append(full_path)
            else:
                files[name] = source
        folder = Folder(path, files, self.source, self._paths) if names else None
        if folder is not None:
            folder.wrong += (Wrong(Source(each, ""), Problem(NO_TEXT, Span(0, 0))) for each in unreadable)
        return folder

    def _paths(self) -> Iterator[str]:
        return files_of(self._root, "**")
