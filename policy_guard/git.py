"""The git repository: the only place that runs git, and only its plumbing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from policy_guard.errors import UserError

EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
LINK, SUBMODULE, FOLDER, GONE = 0o120000, 0o160000, 0o040000, 0
TOO_LARGE = 8 * 1024 * 1024
CHUNK = 1024 * 1024
PATHS_AT_ONCE = 200
A_LINK = b"\x00120000 "


class File(NamedTuple):
    """A file at one revision. `oid` is None where it has to be read from the work tree."""

    path: str
    mode: int
    oid: str | None


class Raw(NamedTuple):
    """One line of `git diff --raw`: `status` is A, D, M, R, T or U."""

    status: str
    old: File | None
    new: File | None


class Ref(NamedTuple):
    """A ref by its full name, with the id that it holds. `leads_to` is the ref that a symbolic one points to."""

    name: str
    oid: str
    leads_to: str


class _Object(NamedTuple):
    oid: str
    type: str
    data: bytes


class Repository:
    """One checkout. `root` is the top of its work tree."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.environ = {
            **environ,
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }
        self._folder = folder
        self._reading: subprocess.Popen[bytes] | None = None
        self._listings: dict[str | None, bytes] = {}
        self.root = folder
        self.root = self._root()

    def _root(self) -> Path:
        if "GIT_DIR" not in self.environ and "GIT_WORK_TREE" not in self.environ:
            for folder in (self._folder, *self._folder.parents):
                if (folder / ".git").exists():
                    return folder
        return Path(os.fsdecode(self.run("rev-parse", "--show-toplevel").rstrip(b"\n")))

    def run(self, *arguments: str, fails: str | None = None) -> bytes:
        """What the git command prints. A failure is a `UserError` that says `fails`, or else git's own words."""
        done = self._run(arguments)
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines() or ["git failed without a word"]
            raise UserError(fails or f"git {arguments[0]}: {words[0]}")
        return done.stdout

    def attempt(self, *arguments: str) -> bytes | None:
        """What the git command prints, or None if it fails."""
        done = self._run(arguments)
        return None if done.returncode else done.stdout

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                self._command(*arguments),
                cwd=self._folder,
                env=self.environ,
                capture_output=True,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            raise UserError("git is not installed, or not on the PATH; install it") from None

    def _command(self, *arguments: str) -> list[str]:
        """In containers the checkout belongs to another user, which git refuses unless it is told."""
        safe = f"safe.directory={self.root}"
        return ["git", "-c", safe, "-c", "core.quotePath=false", "-c", "core.fsmonitor=false", *arguments]

    def _batch(self) -> subprocess.Popen[bytes]:
        """One process that gives every object asked for, started with the first question."""
        if self._reading is None:
            command = self._command("cat-file", "--batch")
            self._reading = self._open(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return self._reading

    def _open(self, command: list[str], stdin: int, stderr: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command, cwd=self._folder, env=self.environ, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr
            )
        except FileNotFoundError:
            raise UserError("git is not installed, or not on the PATH; install it") from None

    def close(self) -> None:
        """Ends the reading process, if one was started; the next question starts another."""
        batch, self._reading = self._reading, None
        if batch and batch.stdin and batch.stdout:
            batch.stdin.close()
            batch.stdout.close()
            batch.wait()

    def _object(self, name: str) -> _Object | None:
        """What a name stands for; None if it is not here. Large bytes are thrown away."""
        if "\n" in name or not name or name.startswith("-"):
            return None
        batch = self._batch()
        assert batch.stdin and batch.stdout
        try:
            batch.stdin.write(name.encode(errors="surrogateescape") + b"\n")
            batch.stdin.flush()
        except BrokenPipeError:
            raise self._no_repository() from None
        header = batch.stdout.readline().split()
        if not header:
            raise self._no_repository()
        if len(header) != 3 or not header[2].isdigit():
            return None
        size = int(header[2])
        data = _oversized() if size > TOO_LARGE else batch.stdout.read(size)
        for _ in range(size // CHUNK + 1 if size > TOO_LARGE else 0):
            size -= len(batch.stdout.read(min(size, CHUNK)))
        batch.stdout.read(1)
        return _Object(header[0].decode(), header[1].decode(), data)

    def _no_repository(self) -> UserError:
        return UserError(f"{self._folder} is no git repository that git can read; run this inside one")

    def commit(self, name: str) -> str | None:
        """The id of the commit that an id stands for, or HEAD; None if there is none here.

        Other names are resolved in `revisions`: here git would guess.
        """
        found = self._object(f"{name}^{{commit}}")
        return found.oid if found else None

    def refs(self, names: Iterable[str]) -> list[Ref]:
        """Those of the refs that exist. The names are full and without wildcards, and mean nothing else.

        Asked as a name of an object, `refs/heads/x` may be a tag called `refs/heads/x`.
        """
        wanted = set(names)
        listed = self.run("for-each-ref", "--format=%(refname)%00%(objectname)%00%(symref)", "--", *sorted(wanted))
        every = (Ref(*map(os.fsdecode, line.split(b"\0"))) for line in listed.splitlines())
        return [ref for ref in every if ref.name in wanted] if wanted else []

    def special(self, name: str) -> list[str]:
        """The lines of a file such as FETCH_HEAD beside the refs; none if it is not there."""
        place = os.fsdecode(self.run("rev-parse", "--git-path", name).rstrip(b"\n"))
        try:
            return (self._folder / place).read_text("utf-8", "replace").splitlines()
        except OSError:
            return []

    def beginning(self, start: str) -> list[str]:
        """The ids of all commits whose ids begin so."""
        listed = self.run("rev-parse", f"--disambiguate={start}").decode().split()
        return [oid for oid in listed if self.commit(oid) == oid]

    def parents(self, commit: str) -> list[str]:
        """The parents that the commit names, also those that a shallow clone lacks."""
        found = self._object(commit)
        lines = found.data.split(b"\n\n")[0].splitlines() if found else []
        return [line[7:].decode() for line in lines if line.startswith(b"parent ")]

    def read(self, file: File) -> bytes | None:
        """The bytes of a file; None if they are not to be had. Of a link its target, and never what it leads to."""
        if file.oid is not None:
            found = self._object(file.oid)
            return found.data if found else None
        path = self.root / os.fsdecode(os.fsencode(file.path))
        try:
            if path.is_symlink():
                return os.fsencode(os.readlink(path))
            if path.stat().st_size > TOO_LARGE:
                return _oversized()
            return path.read_bytes() if path.is_file() else None
        except OSError:
            return None

    def ancestors(self, one: str, other: str) -> list[str]:
        """The best common ancestors of two commits: several where each was merged into the other's history."""
        found = self.attempt("merge-base", "--all", one, other)
        return found.decode().split() if found else []

    def attribute(self, name: str, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The value of an attribute for each path, as the work tree's .gitattributes say."""
        every = list(paths)
        for at in range(0, len(every), PATHS_AT_ONCE):
            fields = self.run("check-attr", "-z", name, "--", *every[at : at + PATHS_AT_ONCE]).split(b"\0")
            yield from zip(map(os.fsdecode, fields[::3]), map(os.fsdecode, fields[2::3]), strict=False)

    def is_cut_off(self, ancestor: str, *commits: str) -> bool:
        """Whether a shallow clone lacks history between the commits and their ancestor.

        Then it may lack a later one that they have in common, and this one may be of the author's choice.
        """
        place = os.fsdecode(self.run("rev-parse", "--git-path", "shallow").strip())
        try:
            ends = set((self._folder / place).read_text("ascii", "replace").split())
        except OSError:
            return False
        between = self.run("rev-list", *commits, f"^{ancestor}").decode().split()
        return not ends.isdisjoint(between)

    def differences(self, base: str, new: str | None, cached: bool) -> list[Raw]:
        """What changed from a tree to another, or to the index (`cached`), or to the work tree and the index."""
        options = ["--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv"]
        if new is not None:
            return _raw(self.run("diff-tree", "-r", *options, base, new, "--"))
        return _raw(self.run("diff-index", *(["--cached"] if cached else []), *options, base, "--"))

    def untracked(self) -> list[File]:
        """The files of the work tree that git neither tracks nor ignores."""
        return self.untracked_later()()

    def untracked_later(self) -> Callable[[], list[File]]:
        """The same, looked for while something else is done: in a large work tree it takes its time."""
        command = self._command("ls-files", "-z", "--others", "--exclude-standard", "--full-name", ":/")
        running = self._open(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def result() -> list[File]:
            listed, words = running.communicate()
            if running.returncode:
                raise UserError(f"git ls-files: {words.decode(errors='replace').strip() or 'failed without a word'}")
            paths = [os.fsdecode(path) for path in listed.split(b"\0") if path]
            return [File(path, self.mode(path), None) for path in paths]

        return result

    def mode(self, path: str) -> int:
        """The mode that git would give a file of the work tree."""
        return LINK if (self.root / path).is_symlink() else 0o100644

    def files(self, tree: str | None) -> list[File]:
        """Every file of a tree, or of the index."""
        return [_listed(entry, tree is None) for entry in self._listing(tree).split(b"\0") if entry]

    def file(self, tree: str, path: str) -> File | None:
        """One file of a tree, found without looking at the others."""
        listing, name = self._listing(tree), b"\t" + os.fsencode(path) + b"\0"
        at = listing.find(name)
        return _listed(listing[listing.rfind(b"\0", 0, at) + 1 : at + len(name) - 1], False) if at >= 0 else None

    def folder(self, tree: str, path: str) -> list[File]:
        """The files right in a folder of a tree; none where it is no folder. Asks for no listing."""
        found = self._object(f"{tree}:{path}")
        return list(_in_folder(found.data, path, len(found.oid) // 2)) if found and found.type == "tree" else []

    def lists(self, tree: str | None, part: bytes) -> bool:
        """Whether this is in the listing of a tree, or of the index: mode, type, id, tab, path, NUL of each entry."""
        return part in b"\0" + self._listing(tree) + b"\0"

    def _listing(self, tree: str | None) -> bytes:
        if tree not in self._listings:
            index = ("ls-files", "-z", "--stage", "--full-name", ":/")
            self._listings[tree] = self.run(*(index if tree is None else ("ls-tree", "-r", "-z", "--full-tree", tree)))
        return self._listings[tree]


def _in_folder(data: bytes, path: str, size: int) -> Iterator[File]:
    """The files among the entries of a tree object: mode, blank, name, NUL, and the id in `size` bytes."""
    while data:
        head, _, rest = data.partition(b"\0")
        mode, _, name = head.partition(b" ")
        oid, data = rest[:size].hex(), rest[size:]
        if int(mode, 8) != FOLDER:
            yield File(f"{path}/{os.fsdecode(name)}", int(mode, 8), oid)


def _listed(entry: bytes, staged: bool) -> File:
    head, _, path = entry.partition(b"\t")
    fields = head.split()
    return File(os.fsdecode(path), int(fields[0], 8), fields[1 if staged else 2].decode())


def _raw(output: bytes) -> list[Raw]:
    fields = iter(output.split(b"\0"))
    changes: list[Raw] = []
    for field in fields:
        if not field.startswith(b":"):
            continue
        old_mode, new_mode, old_oid, new_oid, status = field[1:].decode().split()
        path = os.fsdecode(next(fields))
        moved = os.fsdecode(next(fields)) if status[0] in "RC" else path
        changes.append(Raw(status[0], _file(path, old_mode, old_oid), _file(moved, new_mode, new_oid)))
    return changes


def _file(path: str, mode: str, oid: str) -> File | None:
    if int(mode, 8) == GONE:
        return None
    return File(path, int(mode, 8), oid if oid.strip("0") else None)


def _oversized() -> bytes:
    """Stands in for a file over the limit: too large for every reader, and never passed over as no policy."""
    return b'{"Statement": {"Effect": "\0"}}' * (TOO_LARGE // 30 + 1)


def names(files: Iterable[File]) -> dict[str, File]:
    """The files by path."""
    return {file.path: file for file in files}
