"""Commits of plain files as the bytes that git would write: starting git three times takes longer than most checks."""

from __future__ import annotations

import os
import stat
import struct
import time
import zlib
from collections.abc import Mapping
from hashlib import sha1
from pathlib import Path

HEAD = b"ref: refs/heads/main\n"
REGULAR, EXECUTABLE, FOLDER = 0o100644, 0o100755, 0o40000


class PlainGit:
    """The git directory of a repository, as long as nothing else has written an index or a setting into it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._git = folder, folder / ".git"
        self._untouched = self._state()

    def files(self) -> dict[str, os.stat_result] | None:
        """The files of the working tree; None if git has to see to them, for links, attributes or settings."""
        if self._state() != self._untouched or (self._git / "HEAD").read_bytes() != HEAD:
            return None
        files: dict[str, os.stat_result] = {}
        for place, folders, names in os.walk(self._folder):
            if place == str(self._folder):
                folders.remove(".git")
            if any(name.startswith(".git") for name in (*folders, *names)):
                return None
            if any(os.path.islink(os.path.join(place, folder)) for folder in folders):
                return None
            for name in names:
                file = os.path.join(place, name)
                files[os.path.relpath(file, self._folder)] = os.lstat(file)
        return files if all(stat.S_ISREG(status.st_mode) for status in files.values()) else None

    def commit(self, files: Mapping[str, os.stat_result]) -> str:
        """Commits these files of the working tree, as `git add -A` and `git commit` do."""
        tree = self.add(files)
        branch = self._git / "refs/heads/main"
        parent = f"parent {branch.read_text()}" if branch.exists() else ""
        person = f"a <a@example.com> {int(time.time())} +0000"
        text = f"tree {tree}\n{parent}author {person}\ncommitter {person}\n\nchange\n"
        commit = self._write("commit", text.encode()).hex()
        branch.write_text(f"{commit}\n")
        return commit

    def add(self, files: Mapping[str, os.stat_result]) -> str:
        """Makes these files of the working tree the index, and returns their tree."""
        modes = {path: EXECUTABLE if status.st_mode & 0o100 else REGULAR for path, status in files.items()}
        blobs = {path: self._write("blob", (self._folder / path).read_bytes()) for path in files}
        self._write_index(files, modes, blobs)
        return self._write_tree({os.fsencode(path): (modes[path], blobs[path]) for path in files}).hex()

    def _state(self) -> tuple[object, ...]:
        paths = (self._git / "index", self._git / "config", *sorted((self._git / "info").iterdir()))
        return tuple((path.name, path.stat().st_ino, path.stat().st_mtime_ns) for path in paths if path.exists())

    def _write(self, kind: str, data: bytes) -> bytes:
        content = b"%s %d\0%s" % (kind.encode(), len(data), data)
        digest = sha1(content, usedforsecurity=False)
        name = digest.hexdigest()
        file = self._git / "objects" / name[:2] / name[2:]
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(content, 1))
        return digest.digest()

    def _write_tree(self, entries: Mapping[bytes, tuple[int, bytes]]) -> bytes:
        """Writes a folder, and those in it. Git sorts a folder as if its name ended with a slash."""
        below: dict[bytes, dict[bytes, tuple[int, bytes]]] = {}
        items: dict[bytes, tuple[int, bytes]] = {}
        for path, entry in entries.items():
            first, slash, rest = path.partition(b"/")
            if slash:
                below.setdefault(first, {})[rest] = entry
            else:
                items[first] = entry
        items |= {name + b"/": (FOLDER, self._write_tree(inner)) for name, inner in below.items()}
        lines = (b"%o %s\0%s" % (mode, name.rstrip(b"/"), blob) for name, (mode, blob) in sorted(items.items()))
        return self._write("tree", b"".join(lines))

    def _write_index(
        self, files: Mapping[str, os.stat_result], modes: Mapping[str, int], blobs: Mapping[str, bytes]
    ) -> None:
        """Source: git's gitformat-index, version 2."""
        entries = [struct.pack(">4sII", b"DIRC", 2, len(files))]
        for path in sorted(files, key=os.fsencode):
            status, name = files[path], os.fsencode(path)
            numbers = (
                *divmod(status.st_ctime_ns, 10**9),
                *divmod(status.st_mtime_ns, 10**9),
                status.st_dev,
                status.st_ino,
                modes[path],
                status.st_uid,
                status.st_gid,
                status.st_size,
            )
            entry = struct.pack(
                ">10I20sH", *(number & 0xFFFFFFFF for number in numbers), blobs[path], min(len(name), 0xFFF)
            )
            entries.append((entry + name).ljust((len(entry) + len(name)) // 8 * 8 + 8, b"\0"))
        data = b"".join(entries)
        (self._git / "index").write_bytes(data + sha1(data, usedforsecurity=False).digest())
        self._untouched = self._state()
