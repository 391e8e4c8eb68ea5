"""The pipeline of `refine`: findings and policies in, edits proved, then shown or written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from policy_guard import catalog
from policy_guard.config import Config
from policy_guard.errors import UserError
from policy_guard.git import Repository
from policy_guard.pairs import Side, side_of
from policy_guard.refine.file import Refined, refined
from policy_guard.refine.narrow import Scope
from policy_guard.refinement import Entry, Refinement
from policy_guard.save import replace, within
from policy_guard.settings import load_settings
from policy_guard.unused import Unused
from policy_guard.usage import Usage, files_of, load_usage

TOO_LARGE = "AWS takes no policy of its new size"


class Wishes(NamedTuple):
    """What the command line asks for. `paths` are relative to the folder at hand; none are all."""

    paths: tuple[str, ...] = ()
    findings: str | None = None
    config: str | None = None
    write: bool = False
    coarse: bool = False


def refine(wishes: Wishes, folder: Path, environ: Mapping[str, str], today: date) -> Refinement:
    """Refines the policies of the principals in the settings, or those asked for. Raises `UserError`.

    With `write` every file is replaced by its proved result, one after the other.
    """
    root = _root(folder, environ)
    config = load_settings(root, wishes.config).config
    if wishes.findings is None and not config.refine.findings:
        raise UserError("there are no findings. Give --findings FILE, or set refine.findings in .policy-guard.yaml")
    usage = load_usage(root, config.refine, today, wishes.findings)
    run = _Run(root, config, usage, wishes)
    missing = [*_roles_without_files(run)]
    entries = tuple(run.entry(path, alone) for path, alone in _asked(run, folder))
    remarks = (*missing, *usage.remarks(asked=wishes.findings is not None))
    return Refinement(entries, remarks, wishes.write, environ.get("PRE_COMMIT") == "1")


class _Run(NamedTuple):
    root: Path
    config: Config
    usage: Usage
    wishes: Wishes

    def entry(self, path: str, alone: bool) -> Entry:
        """What came of one file; `alone` if the findings belong to it because both were named together."""
        try:
            return self._entry(path, within(self.root, path), alone)
        except UserError as error:
            return Entry(path, error=str(error))

    def _entry(self, path: str, file: Path, alone: bool) -> Entry:
        old = _bytes(file, path)
        rule = self.config.policy_rule(path)
        side = side_of(old, path, "", True, rule.kind if rule else None)
        unused = self.usage.of_anyone() if alone else self.usage.of(path)
        notes = tuple(self.usage.notes(None if alone else path))
        if side.problems:
            return Entry(path, Refined(side.source, side.source.text), notes, side.problems)
        done = self.result(side, unused, alone)
        if self.wishes.write and not all(large.fits for large in done.large):
            done = done._replace(text=side.source.text, refused=TOO_LARGE)
        if self.wishes.write and done.changes:
            mark = b"\xef\xbb\xbf" if old.startswith(b"\xef\xbb\xbf") else b""
            replace(file, path, old, mark + done.text.encode())
        return Entry(path, done, notes, basis=unused.by)

    def result(self, side: Side, unused: Unused, alone: bool) -> Refined:
        scope = Scope(unused, catalog, self.wishes.coarse)
        return refined(side.source, side.policies, scope, any_kind=alone and len(side.policies) == 1)


def _root(folder: Path, environ: Mapping[str, str]) -> Path:
    """The top of the repository; outside of one the folder itself."""
    try:
        repository = Repository(folder, environ)
    except UserError:
        return folder
    repository.close()
    return repository.root


def _asked(run: _Run, folder: Path) -> Iterator[tuple[str, bool]]:
    """The files to refine, from the root, and whether the findings are to be taken as theirs."""
    configured = _configured(run)
    if not run.wishes.paths:
        if not configured:
            raise UserError("no policy belongs to a principal. Say which in refine.roles, or name one with --findings")
        yield from ((path, False) for path in configured)
    one = run.wishes.findings is not None and len(run.usage.principals) < 2
    for given in run.wishes.paths:
        path = _from_root(folder / given, run.root)
        if (folder / given).is_dir():
            inside = [each for each in configured if path == "." or each.startswith(f"{path}/")]
            if not inside:
                raise UserError(f"no policy in {given} belongs to a principal. Name it in refine.roles")
            yield from ((each, False) for each in inside)
        elif not os.path.lexists(folder / given):
            raise UserError(f"there is no {given}")
        elif path in configured or run.wishes.findings is not None:
            yield path, one or path not in configured
        else:
            raise UserError(f"{given} belongs to no principal. Name it in refine.roles, or give its --findings")


def _configured(run: _Run) -> list[str]:
    patterns = dict.fromkeys(pattern for _, files in run.config.refine.roles for pattern in files)
    paths = dict.fromkeys(path for pattern in patterns for path in files_of(run.root, pattern))
    return [path for path in paths if not run.config.excluded(path)]


def _roles_without_files(run: _Run) -> Iterator[str]:
    """A note for each pattern that names no file. Raises `UserError` for a path of one."""
    for role, patterns in run.config.refine.roles:
        for pattern in patterns:
            if not any(files_of(run.root, pattern)):
                said = f"refine.roles: {pattern}, of {role}, names no file"
                if "*" not in pattern and "?" not in pattern:
                    raise UserError(f"{said}; correct it, or take it out")
                yield said


def _from_root(path: Path, root: Path) -> str:
    try:
        return Path(os.path.abspath(path)).relative_to(os.path.abspath(root)).as_posix()
    except ValueError:
        raise UserError(f"{path} lies outside of {root}; nothing outside is rewritten") from None


def _bytes(file: Path, path: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
