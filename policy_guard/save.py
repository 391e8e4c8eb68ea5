"""Files rewritten in one step: whatever happens, the old bytes are there, or the new ones."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from policy_guard.errors import UserError


def within(root: Path, path: str) -> Path:
    """The regular file that a path leads to, links followed. Raises `UserError` if it lies outside of `root`."""
    place = root / path
    try:
        real = place.resolve(strict=True)
        top = root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise UserError(f"{path}: {getattr(error, 'strerror', None) or 'it cannot be followed'}") from None
    if not real.is_relative_to(top):
        raise UserError(f"{path} is a link that leads out of {root}; nothing outside is rewritten")
    if not stat.S_ISREG(real.stat().st_mode):
        raise UserError(f"{path}: this is no regular file")
    return real


def replace(file: Path, name: str, old: bytes, new: bytes) -> None:
    """Puts `new` in place of `old`. Raises `UserError`, the file left alone, if it holds anything else by now.

    The mode stays; the file is called `name` in messages.
    """
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if not mode & stat.S_IWUSR or not os.access(file, os.W_OK):
            raise UserError(f"{name} is read-only and left as it is; make it writable")
        _replace(file, name, old, new, mode)
    except OSError as error:
        raise UserError(f"{name} cannot be written and is left as it is: {error.strerror}") from None


def _replace(file: Path, name: str, old: bytes, new: bytes, mode: int) -> None:
    descriptor, beside = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as writing:
            writing.write(new)
            writing.flush()
            os.chmod(beside, mode)
            os.fsync(writing.fileno())
        if file.read_bytes() != old:
            raise UserError(f"{name} changed meanwhile and is left as it is; run this again")
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
