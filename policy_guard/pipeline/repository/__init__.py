"""The git repository: the only place that runs git, and only its plumbing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.repository.entries import (
    A_LINK,
    FOLDER,
    GONE,
    LEFT_OUT,
    LINK,
    SUBMODULE,
    UNCOMPARED,
    Attribute,
    File,
    Raw,
    Ref,
    Uncompared,
    in_folder,
    names,
    parse_entry,
    raw_changes,
)
from policy_guard.pipeline.repository.folded import folded
from policy_guard.pipeline.repository.isolation import FIXED, environment
from policy_guard.pipeline.repository.objects import LARGEST, OVERSIZED, Objects

EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
__all__ = [
    "EMPTY_TREES",
    "FOLDER",
    "GONE",
    "LINK",
    "SUBMODULE",
    "File",
    "Raw",
    "Ref",
    "Repository",
    "Uncompared",
    "names",
]


class Repository:
    """One checkout. `root` is the top of its working tree."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.environ = environment(environ)
        self._folder = folder
        self._objects = Objects(self._batch, str(folder))
        self._listings: dict[str | None, bytes] = {}
        self._paths: dict[str | None, list[str]] = {}
        self.root = folder
        self.root = self._root()
        for name in ("GIT_DIR", "GIT_WORK_TREE"):
            if self.environ.get(name):
                self.environ[name] = str(folder.absolute() / self.environ[name])
        self._folder = self.root

    def _root(self) -> Path:
        if "GIT_DIR" not in self.environ and "GIT_WORK_TREE" not in self.environ:
            for folder in (self._folder, *self._folder.parents):
                if (folder / ".git").exists():
                    return folder
        try:
            return Path(os.fsdecode(self.run("rev-parse", "--show-toplevel").removesuffix(b"\n")))
        except SetupError as error:
            raise SetupError(f"{error}. Go to a repository with a working tree, or begin one with git init.") from None

    def run(self, *arguments: str, fails: str | None = None, lines: bytes = b"", **environ: str) -> bytes:
        """Return what the git command prints. A failure is a `SetupError` that says `fails`, or else git's own words.

        It reads `lines`, and runs at the root with some more in its environment.
        """
        process = self._run(arguments, lines, environ)
        if process.returncode:
            words = process.stderr.decode(errors="replace").strip().splitlines() or ["git failed without a word"]
            raise SetupError(fails or f"git {arguments[0]}: {words[0]}")
        return process.stdout

    def attempt(self, *arguments: str) -> bytes | None:
        """Return what the git command prints, or None if it fails."""
        process = self._run(arguments, b"", {})
        return None if process.returncode else process.stdout

    def _run(
        self, arguments: tuple[str, ...], lines: bytes, environ: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                self._command(*arguments),
                cwd=self._folder,
                env={**self.environ, **environ},
                capture_output=True,
                input=lines,
            )
        except FileNotFoundError:
            raise SetupError("git is not installed, or not on the PATH; install it") from None

    def _command(self, *arguments: str) -> list[str]:
        """Builds a command. In containers the checkout belongs to another user, which git refuses unless it is told."""
        settings = (f"safe.directory={self.root}", *FIXED)
        return ["git", *(part for setting in settings for part in ("-c", setting)), *arguments]

    def _batch(self) -> subprocess.Popen[bytes]:
        return self._open(self._command("cat-file", "--batch"), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def _open(self, command: list[str], stdin: int, stderr: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command, cwd=self._folder, env=self.environ, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr
            )
        except FileNotFoundError:
            raise SetupError("git is not installed, or not on the PATH; install it") from None

    def close(self) -> None:
        """Ends the reading process, if one was started; the next question starts another."""
        self._objects.close()

    def commit(self, name: str) -> str | None:
        """The id of the commit that an id stands for, or HEAD; None if there is none here.

        Other names are resolved in `revisions`: here git would guess.
        """
        mapping = self._objects.get(f"{name}^{{commit}}")
        return mapping.oid if mapping else None

    def refs(self, names: Iterable[str]) -> list[Ref]:
        """Return those of the refs that exist. The names are full and without wildcards, and mean nothing else.

        Asked as a name of an object, `refs/heads/x` may be a tag called `refs/heads/x`.
        """
        full_names = set(names)
        output = self.run("for-each-ref", "--format=%(refname)%00%(objectname)%00%(symref)", "--", *sorted(full_names))
        refs = (Ref(*map(os.fsdecode, line.split(b"\0"))) for line in output.split(b"\n") if line)
        return [ref for ref in refs if ref.name in full_names] if full_names else []

    def special(self, name: str) -> list[str]:
        """The lines of a file such as FETCH_HEAD beside the refs; none if it is not there."""
        place = os.fsdecode(self.run("rev-parse", "--git-path", name).removesuffix(b"\n"))
        try:
            text = (self._folder / place).read_bytes().decode("utf-8", "replace")
        except OSError:
            return []
        return [line for line in text.split("\n") if line]

    def beginning(self, start: str) -> list[str]:
        """The ids of all commits whose ids begin so."""
        commits = self.run("rev-parse", f"--disambiguate={start}").decode().split()
        return [oid for oid in commits if self.commit(oid) == oid]

    def parents(self, commit: str) -> list[str]:
        """The parents that the commit names, also those that a shallow clone lacks."""
        mapping = self._objects.get(commit)
        lines = mapping.data.partition(b"\n\n")[0].split(b"\n") if mapping else []
        return [line[7:].decode() for line in lines if line.startswith(b"parent ")]

    def read(self, file: File) -> bytes | None:
        """Reads a file; None if it is no file, `OVERSIZED` if it is too large. Of a link the target is read.

        Raises `SetupError` if git or the disk does not give the bytes: such a file may be a policy.
        """
        if file.mode == SUBMODULE:
            return None
        if file.oid is None:
            return self._on_disk(file)
        mapping = self._objects.get(file.oid)
        if mapping is None or mapping.type != "blob":
            raise SetupError(
                f"{file.path[:200]} (blob {file.oid[:12]}) is not in this clone. Fetch it, or clone without --filter."
            )
        return mapping.data

    def _on_disk(self, file: File) -> bytes | None:
        path = self.root / os.fsdecode(os.fsencode(file.path))
        try:
            if path.is_symlink():
                return os.fsencode(os.readlink(path))
            if not path.is_file():
                return None
            return OVERSIZED if path.stat().st_size > LARGEST else path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SetupError(f"{file.path[:200]} cannot be read: {error.strerror}. Make it readable.") from None

    def ancestors(self, first: str, second: str) -> list[str]:
        """The best common ancestors of two commits: several where each was merged into the other's history."""
        output = self.attempt("merge-base", "--all", first, second)
        return output.decode().split() if output else []

    def attributes(
        self, names: Sequence[str], paths: Iterable[str], *options: str, folded: bool | None = None, **environ: str
    ) -> list[Attribute]:
        """The values of attributes for paths from the root, as `git check-attr` gives them with these options.

        `folded` says whether names in another case are the same, which else the machine decides.
        """
        lines = b"".join(os.fsencode(path) + b"\0" for path in paths)
        case = () if folded is None else ("-c", f"core.ignoreCase={str(folded).lower()}")
        output = self.run(*case, "check-attr", "-z", "--stdin", *options, *names, lines=lines, **environ)
        fields = list(map(os.fsdecode, output.split(b"\0")[:-1]))
        return list(map(Attribute, fields[::3], fields[1::3], fields[2::3]))

    def place(self) -> str:
        """The folder of the repository itself, wherever its working tree is."""
        if (self.root / ".git").exists() and not self.environ.get("GIT_DIR"):
            return str(self.root / ".git")
        return os.fsdecode(self.run("rev-parse", "--absolute-git-dir").removesuffix(b"\n"))

    def is_cut_off(self, ancestor: str, *commits: str) -> bool:
        """Tell whether a shallow clone lacks history between the commits and their ancestor.

        Then it may lack a later one that they have in common, and this one may be of the author's choice.
        """
        place = os.fsdecode(self.run("rev-parse", "--git-path", "shallow").removesuffix(b"\n"))
        try:
            ends = set((self._folder / place).read_text("ascii", "replace").split())
        except OSError:
            return False
        between = self.run("rev-list", *commits, f"^{ancestor}").decode().split()
        return not ends.isdisjoint(between)

    def differences(self, base: str, new: str | None, cached: bool) -> list[Raw]:
        """Return what changed from a tree to another, or to the index (`cached`), or to the working tree and the index.

        Of a submodule in the working tree only the commit counts: git would run inside of it to find other changes.
        """
        ignored = "none" if cached or new is not None else "dirty"
        options = ["--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv"]
        options.append(f"--ignore-submodules={ignored}")
        if new is not None:
            return raw_changes(self.run("diff-tree", "-r", *options, base, new, "--"))
        return raw_changes(self.run("diff-index", *(["--cached"] if cached else []), *options, base, "--"))

    def untracked(self) -> list[File]:
        """The files of the working tree that git neither tracks nor ignores."""
        return self.uncompared_later()().untracked

    def uncompared_later(self) -> Callable[[], Uncompared]:
        """Return what git does not compare, looked for in the background: a large working tree takes its time."""
        selection = ("--cached", "--others", "--exclude-standard")
        command = self._command("ls-files", "-z", "-v", *selection, "--full-name", ":/")
        process = self._open(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def result() -> Uncompared:
            output, words = process.communicate()
            if process.returncode:
                raise SetupError(f"git ls-files: {words.decode(errors='replace').strip() or 'failed without a word'}")
            uncompared = Uncompared([], [])
            for tag, name in UNCOMPARED.findall(output):
                path = os.fsdecode(name)
                if tag == b"?":
                    uncompared.untracked.append(File(path, self.mode(path), None))
                elif tag.upper() != b"S" or os.path.lexists(self.root / path):
                    uncompared.flagged.append(path)
            return uncompared

        return result

    def mode(self, path: str) -> int:
        """The mode that git would give a file of the working tree."""
        return LINK if (self.root / path).is_symlink() else 0o100644

    def files(self, tree: str | None) -> list[File]:
        """Every file of a tree, or of the index."""
        return [parse_entry(entry, tree is None) for entry in self._listing(tree).split(b"\0") if entry]

    def paths(self, tree: str | None) -> list[str]:
        """The paths of every file of a tree, or of the index; remembered, and found without taking entries apart."""
        if tree not in self._paths:
            entries = os.fsdecode(self._listing(tree)).split("\0")
            self._paths[tree] = [entry.partition("\t")[2] for entry in entries if entry]
        return self._paths[tree]

    def file(self, tree: str, path: str) -> File | None:
        """One file of a tree, found without taking the others apart. A name may hold a tab, and end like the path."""
        listing, name = self._listing(tree), os.fsencode(path)
        at = listing.find(b"\t" + name + b"\0")
        while at >= 0:
            entry = listing[listing.rfind(b"\0", 0, at) + 1 : at + 1 + len(name)]
            if entry.partition(b"\t")[2] == name:
                return parse_entry(entry, False)
            at = listing.find(b"\t" + name + b"\0", at + 1)
        return None

    def files_called(self, tree: str | None, name: str) -> list[File]:
        """The files of a tree, or of the index, that have a name, in whatever spelling and in whatever folder."""
        listing, end = self._listing(tree), name.encode() + b"\0"
        lowered, entries = listing.lower(), dict[bytes, None]()
        at = lowered.find(end)
        while at >= 0:
            entries[listing[listing.rfind(b"\0", 0, at) + 1 : at + len(end) - 1]] = None
            at = lowered.find(end, at + 1)
        if not listing.isascii():
            entries.update((entry, None) for entry in listing.split(b"\0") if not entry.isascii())
        files = (parse_entry(entry, tree is None) for entry in entries)
        return [file for file in files if folded(file.path.rpartition("/")[2]) == name]

    def folder(self, tree: str, path: str) -> list[File]:
        """The files right in a folder of a tree; none where it is no folder. Asks for no listing."""
        mapping = self._objects.get(f"{tree}:{path}")
        return list(in_folder(mapping.data, path, len(mapping.oid) // 2)) if mapping and mapping.type == "tree" else []

    def has_links(self, tree: str | None) -> bool:
        """Tell whether there is a link in a tree, or in the index."""
        return A_LINK.search(b"\0" + self._listing(tree)) is not None

    def left_out(self) -> set[str]:
        """The paths of the index that a sparse checkout leaves out of the working tree."""
        return {os.fsdecode(path) for path in LEFT_OUT.findall(self._listing(None))}

    def _listing(self, tree: str | None) -> bytes:
        if tree not in self._listings:
            index = ("ls-files", "-z", "-v", "--stage", "--full-name", ":/")
            self._listings[tree] = self.run(*(index if tree is None else ("ls-tree", "-r", "-z", "--full-tree", tree)))
        return self._listings[tree]


def from_root(path: Path, root: Path) -> str:
    """The path from the root of a repository. Raises `SetupError` outside of it.

    Links count in the folders that lead to it, and not in its own name.
    """
    plain_path = os.path.abspath(path)
    resolved_path = os.path.join(os.path.realpath(os.path.dirname(plain_path)), os.path.basename(plain_path))
    for top, candidate in ((os.path.abspath(root), plain_path), (os.path.realpath(root), resolved_path)):
        if Path(candidate).is_relative_to(top):
            return Path(candidate).relative_to(top).as_posix()
    raise SetupError(f"{path} lies outside the repository {root}")


def folder_from_root(folder: Path, root: Path) -> str:
    """The path of a folder from the root; empty if it is the root, or lies outside of a tree that is elsewhere."""
    try:
        path = from_root(folder, root)
    except SetupError:
        return ""
    return "" if path == "." else path
