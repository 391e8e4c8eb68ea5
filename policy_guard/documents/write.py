"""Files rewritten in one step, or made anew: whatever happens, all of the new bytes are there, or none."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from policy_guard.documents.errors import SetupError


def file_within(root: Path, path: str) -> Path:
    """The regular file that a path leads to, links followed. Raises `SetupError` if it lies outside of `root`.

    What git keeps for itself lies outside, too.
    """
    place = root / path
    try:
        real_path = place.resolve(strict=True)
        top = root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SetupError(f"{path}: {getattr(error, 'strerror', None) or 'it cannot be followed'}") from None
    if not real_path.is_relative_to(top):
        raise SetupError(f"{path} is a link that leads out of {root}; nothing outside is rewritten")
    if ".git" in real_path.relative_to(top).parts:
        raise SetupError(f"{path} lies in .git; nothing there is rewritten")
    if not stat.S_ISREG(real_path.stat().st_mode):
        raise SetupError(f"{path}: this is not a regular file")
    return real_path


def replace(file: Path, name: str, old: bytes, new: bytes) -> None:
    """Puts `new` in place of `old`. Raises `SetupError`, the file left alone, if it holds anything else by now.

    Mode and owner stay; the file is called `name` in messages.
    """
    try:
        status = file.stat()
        if not status.st_mode & stat.S_IWUSR or not os.access(file, os.W_OK):
            raise SetupError(f"{name} is read-only and left as it is; make it writable")
        if status.st_nlink > 1:
            raise SetupError(f"{name} has other names (hard links) and is left as it is; make it a file of its own")
        _replace(file, name, old, new, status)
    except OSError as error:
        raise SetupError(f"{name} cannot be written and is left as it is: {error.strerror}") from None


def _replace(file: Path, name: str, old: bytes, new: bytes, status: os.stat_result) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=".policy-guard-", suffix=".tmp", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(new)
            stream.flush()
            new_status = os.fstat(stream.fileno())
            if (new_status.st_uid, new_status.st_gid) != (status.st_uid, status.st_gid):
                os.chown(temporary, status.st_uid, status.st_gid)
            os.chmod(temporary, stat.S_IMODE(status.st_mode))
            os.fsync(stream.fileno())
        if file.read_bytes() != old:
            raise SetupError(f"{name} changed meanwhile and is left as it is; run this again")
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def vacant(root: Path, path: str) -> None:
    """Raises `SetupError` if a file of this path cannot be created in `root`, links in its folders followed."""
    folder = next(place for place in (root / path).parents if os.path.lexists(place))
    real_path, top = Path(os.path.realpath(folder)), Path(os.path.realpath(root))
    if not real_path.is_relative_to(top):
        raise SetupError(f"{path} would lie behind a link that leads out of {root}; make it a folder of its own")
    if ".git" in real_path.relative_to(top).parts:
        raise SetupError(f"{path} would lie in .git; nothing is written there")
    if not real_path.is_dir():
        raise SetupError(f"{path} cannot be written, because {folder.relative_to(root)} is not a folder; move it away")
    if not os.access(real_path, os.W_OK | os.X_OK):
        raise SetupError(f"{path} cannot be written, because its folder is read-only; make {folder} writable")


def create(root: Path, path: str, data: bytes) -> None:
    """Makes a new file, and the folders that it needs. Raises `SetupError`, no half of it left behind, if that fails.

    What has the name already, a link that leads nowhere included, stays.
    """
    place = root / path
    try:
        vacant(root, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise SetupError(f"{path} was created meanwhile and is left as it is; run this again") from None
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
    except OSError as error:
        place.unlink()
        raise SetupError(f"{path} cannot be written: {error.strerror}") from None
