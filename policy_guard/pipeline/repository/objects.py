"""Objects of a git repository, asked for one by one from a single `git cat-file --batch`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress

from policy_guard.documents.errors import SetupError
from policy_guard.records import NamedTuple

LARGEST = 100 * 1024 * 1024
"""Bytes of a file that are read. GitHub takes no larger one.

Source: https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github
"""
OVERSIZED = b"\0"
"""Stands in for the bytes of a file over the limit: nothing is known about such a file. Compare with `is`."""
_CHUNK = 1024 * 1024
_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
"""Ids of a file without bytes. The index names one after `git add -N`, and no such object need exist."""


class Object(NamedTuple):
    oid: str
    type: str
    data: bytes


class Objects:
    """Starts the process with the first question. `start` opens it; `folder` is for messages."""

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]], folder: str) -> None:
        self._start = start
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._answered = False

    def get(self, name: str) -> Object | None:
        """Returns the object of a name; None if there is none. The bytes of an oversized one are thrown away."""
        if name in _EMPTY_BLOBS:
            return Object(name, "blob", b"")
        if "\n" in name or not name or name.startswith("-"):
            return None
        fields = self._header(name)
        self._answered = True
        if len(fields) != 3 or not fields[2].isdigit():
            return None
        return Object(fields[0].decode(), fields[1].decode(), self._content(name, int(fields[2])))

    def _header(self, name: str) -> list[bytes]:
        """Asks for an object. Git answers ID TYPE SIZE, or the name with one word of why there is none."""
        self._process = self._process or self._start()
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(name.encode(errors="surrogateescape") + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._error(name) from None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._error(name)
        return line.split()

    def _content(self, name: str, size: int) -> bytes:
        if size <= LARGEST:
            return self._read(name, size + 1)[:-1]
        for at in range(0, size + 1, _CHUNK):
            self._read(name, min(size + 1 - at, _CHUNK))
        return OVERSIZED

    def _read(self, name: str, size: int) -> bytes:
        """Reads so many bytes. Git ends in the middle of a damaged object."""
        assert self._process and self._process.stdout
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise self._error(name)
        return data

    def _error(self, name: str) -> SetupError:
        if self._answered:
            return SetupError(
                f"git cannot read {name[:80]}: it is damaged, or it is neither in this clone nor to be had from the "
                "remote. Run git fsck, or clone again without --filter."
            )
        return SetupError(f"{self._folder} is not a git repository that git can read; run this inside one")

    def close(self) -> None:
        """Ends the process, if one was started; the next question starts another."""
        process, self._process = self._process, None
        if process and process.stdin and process.stdout:
            with suppress(BrokenPipeError):  # a question that git did not live to read is still in the pipe
                process.stdin.close()
            process.stdout.close()
            process.wait()
