"""Files rewritten in one step: whatever happens, the old bytes are there, or the new ones."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from policy_guard.errors import UserError


def within(root: Path, path: str) -> Path:
    """The regular file that a path leads to, links followed. Raises `UserError` if it lies outside of `root`.

    What git keeps for itself lies outside, too.
    """
    place = root / path
    try:
        real = place.resolve(strict=True)
        top = root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise UserError(f"{path}: {getattr(error, 'strerror', None) or 'it cannot be followed'}") from None
    if not real.is_relative_to(top):
        raise UserError(f"{path} is a link that leads out of {root}; nothing outside is rewritten")
    if ".git" in real.relative_to(top).parts:
        raise UserError(f"{path} lies in .git; nothing there is rewritten")
    if not stat.S_ISREG(real.stat().st_mode):
        raise UserError(f"{path}: this is no regular file")
    return real


def create(root: Path, path: str, content: bytes) -> bool:
    """Writes a new file, with the folders above it; False if it is there already, with this content.

    Raises `UserError` where another file stands there, or a folder is a link that leads out of `root`.
    """
    file = root / path
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.parent.resolve(strict=True).is_relative_to(root.resolve(strict=True)):
            raise UserError(f"{path}: its folder is a link that leads out of {root}; nothing is written there")
        with file.open("xb") as writing:
            writing.write(content)
    except FileExistsError:
        if file.is_file() and file.read_bytes() == content:
            return False
        raise UserError(f"{path} is there already, with other content; remove it first") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
    return True


def replace(file: Path, name: str, old: bytes, new: bytes) -> None:
    """Puts `new` in place of `old`. Raises `UserError`, the file left alone, if it holds anything else by now.

    Mode and owner stay; the file is called `name` in messages.
    """
    try:
        before = file.stat()
        if not before.st_mode & stat.S_IWUSR or not os.access(file, os.W_OK):
            raise UserError(f"{name} is read-only and left as it is; make it writable")
        if before.st_nlink > 1:
            raise UserError(f"{name} has other names (hard links) and is left as it is; make it a file of its own")
        _replace(file, name, old, new, before)
    except OSError as error:
        raise UserError(f"{name} cannot be written and is left as it is: {error.strerror}") from None


def _replace(file: Path, name: str, old: bytes, new: bytes, before: os.stat_result) -> None:
    descriptor, beside = tempfile.mkstemp(prefix=".policy-guard-", suffix=".tmp", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as writing:
            writing.write(new)
            writing.flush()
            made = os.fstat(writing.fileno())
            if (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
                os.chown(beside, before.st_uid, before.st_gid)
            os.chmod(beside, stat.S_IMODE(before.st_mode))
            os.fsync(writing.fileno())
        if file.read_bytes() != old:
            raise UserError(f"{name} changed meanwhile and is left as it is; run this again")
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
