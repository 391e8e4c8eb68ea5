"""The pipeline of `refine`: findings and policies in, edits proved, then shown or written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path

from policy_guard.documents.errors import SetupError
from policy_guard.documents.format import decode
from policy_guard.documents.source import Problem, Source, Unreadable
from policy_guard.documents.write import file_within, replace
from policy_guard.iam import catalog
from policy_guard.iam.policy import Policy, meaning
from policy_guard.pipeline.pairing.file_version import FileVersion, version_of
from policy_guard.pipeline.repository import Repository, from_root
from policy_guard.records import NamedTuple
from policy_guard.refine.attribution import Usage, files_of, load_usage
from policy_guard.refine.file import Reading, Refined, is_same_tree, refined
from policy_guard.refine.narrow import Scope
from policy_guard.refine.unused_actions import Unused
from policy_guard.regex import regex
from policy_guard.report.refinement import Entry, Refinement
from policy_guard.settings.addresses import parted
from policy_guard.settings.config import Config
from policy_guard.settings.load import load_settings

_OF_TERRAFORM = regex(r"(?:.*/)?[^./][^/]*\.(?:tf|tofu)(?:\.json)?")
TOO_LARGE = "AWS takes no policy of its new size"


class RefineOptions(NamedTuple):
    """What the command line asks for. `paths` are relative to the folder at hand; none are all."""

    paths: tuple[str, ...] = ()
    findings: str | None = None
    config: str | None = None
    write: bool = False
    coarse: bool = False


def refine(options: RefineOptions, folder: Path, environ: Mapping[str, str], today: date) -> Refinement:
    """Refines the policies of the principals in the settings, or those asked for. Raises `SetupError`.

    With `write` every file is replaced by its proved result, one after the other.
    """
    root = _root(folder, environ)
    config = load_settings(root, options.config).config
    if options.findings is None and not config.refine.findings:
        raise SetupError("there are no findings. Give --findings FILE, or set refine.findings in .policy-guard.yaml")
    usage = load_usage(root, config.refine, today, options.findings)
    run = _Run(root, config, usage, options)
    missing = [*_roles_without_files(run)]
    targets = tuple(_targets(run, folder))
    results = [run.result(target) for target in targets]
    if options.write:
        results = [_write(target, result) for target, result in zip(targets, results, strict=True)]
    remarks = (*missing, *usage.remarks(requested=options.findings is not None))
    return Refinement(tuple(each.entry for each in results), remarks, options.write, environ.get("PRE_COMMIT") == "1")


class _Target(NamedTuple):
    """A file to refine: as it was asked for, all names by which it belongs to principals, and where it is.

    `alone` if the findings belong to it because both were named together.
    """

    path: str
    names: tuple[str, ...]
    alone: bool
    file: Path | None = None
    error: str | None = None


class _Result(NamedTuple):
    """What is to become of a file that holds `old` bytes."""

    entry: Entry
    old: bytes = b""


class _Run(NamedTuple):
    root: Path
    config: Config
    usage: Usage
    options: RefineOptions

    def result(self, target: _Target) -> _Result:
        if target.file is None:
            return _Result(Entry(target.path, error=target.error))
        try:
            old = target.file.read_bytes()
        except OSError as error:
            return _Result(Entry(target.path, error=f"{target.path}: {error.strerror}"))
        unused = self.usage.unused_by_anyone() if target.alone else self.usage.unused_in(*target.names)
        if _OF_TERRAFORM.fullmatch(target.path):
            return _Result(self.entry_of_terraform(target, old, unused), old)
        return _Result(self.entry(target, self.version(target, old), unused), old)

    def version(self, target: _Target, data: bytes) -> FileVersion:
        """Return what a file holds with these bytes, of its policies those that the settings name."""
        version = self._whole_version(target, data)
        return version._replace(policies=self._named_policies(target, version.policies))

    def _named_policies(self, target: _Target, policies: Mapping[str, Policy]) -> dict[str, Policy]:
        return {
            label: policy
            for label, policy in policies.items()
            if target.alone or any(self.config.refine.has_principal(path, policy.addresses) for path in target.names)
        }

    def _whole_version(self, target: _Target, data: bytes) -> FileVersion:
        rule = self.config.policy_rule(target.path)
        kind = rule.kind if rule else None
        version = version_of(data, target.path, "", True, kind, self.config.placeholders)
        return version.completed(self.config.placeholders)

    def notes(self, target: _Target) -> list[str]:
        notes = [*self.usage.notes(*(() if target.alone else target.names))]
        if len(target.names) > 1:
            notes.append(f"{' and '.join(target.names)} are one file")
        return notes

    def entry_of_terraform(self, target: _Target, data: bytes, unused: Unused) -> Entry:
        """Return what is to become of a file of Terraform."""
        from policy_guard.documents.containers.terraform.folder import Folder
        from policy_guard.pipeline.working_tree import WorkingTree
        from policy_guard.refine.terraform import Folders, refined_terraform

        tree, notes = WorkingTree(self.root), tuple(self.notes(target))
        folder = target.path.rpartition("/")[0]
        try:
            source = decode(target.path, data, "")
            folders = Folders(lambda changed: tree.folder(folder, changed) or Folder(folder, {}), tree.folder)
            names = self.usage.principals if target.alone else self.names(target)
            scope = Scope(unused, catalog, self.options.coarse)
            refinement = refined_terraform(source, folders, scope, {name.rpartition("/")[2] for name in names} - {""})
        except Unreadable as error:
            source = Source(target.path, data.decode("utf-8", "replace"))
            return Entry(path=target.path, refined=Refined(source, source.text), notes=notes, problems=error.problems)
        return Entry(path=target.path, refined=self.within_limits(refinement), notes=notes, basis=unused.by)

    def names(self, target: _Target) -> Iterator[str]:
        """The names and ARNs of the principals that the settings give a file."""
        return (name for path in target.names for name in self.config.refine.principals(path))

    def within_limits(self, refinement: Refined) -> Refined:
        """The result, left as it is if it would be written and AWS would not take it."""
        if self.options.write and not all(large.fits for large in refinement.large):
            return refinement._replace(text=refinement.source.text, refused=TOO_LARGE)
        return refinement

    def entry(self, target: _Target, side: FileVersion, unused: Unused) -> Entry:
        notes = self.notes(target)
        if side.embedded:
            notes.append(f"the file contains embedded policies, which are not refined: {side.embedded}")
        if side.problems:
            return Entry(
                path=target.path,
                refined=Refined(side.source, side.source.text),
                notes=tuple(notes),
                problems=side.problems,
            )
        scope = Scope(unused, catalog, self.options.coarse)
        any_kind = target.alone and len(side.policies) == 1
        reading = (
            Reading(partial(self.policies, target, self._others(target, side.source)), is_same_tree)
            if side.template is not None or side.manifest
            else None
        )
        refinement = refined(side.source, side.policies, scope, any_kind=any_kind, reading=reading)
        return Entry(path=target.path, refined=self.within_limits(refinement), notes=tuple(notes), basis=unused.by)

    def policies(
        self, target: _Target, others: Mapping[str, Policy], source: Source, old_policies: Mapping[str, Policy]
    ) -> tuple[Mapping[str, Policy], Mapping[str, int]]:
        """The policies of a template or a manifest. Raises `Unreadable`, also if others of it change."""
        version = self._whole_version(target, source.text.encode())
        if version.problems:
            raise Unreadable(*version.problems)
        named_policies = self._named_policies(target, version.policies)
        for label, policy in others.items():
            new_policy = version.policies.get(label)
            if new_policy is None or meaning(new_policy) != meaning(policy):
                raise Unreadable(Problem(f"{label} would change with it; give each policy its own text", policy.span))
        return named_policies, {}

    def _others(self, target: _Target, source: Source) -> Mapping[str, Policy]:
        """The policies of a file that belong to no principal."""
        policies = self._whole_version(target, source.text.encode()).policies
        named_policies = self._named_policies(target, policies)
        return {label: policy for label, policy in policies.items() if label not in named_policies}


def _write(target: _Target, result: _Result) -> _Result:
    entry = result.entry
    if entry.error is not None or target.file is None or not entry.refined.changes:
        return result
    mark = b"\xef\xbb\xbf" if result.old.startswith(b"\xef\xbb\xbf") else b""
    try:
        replace(target.file, target.path, result.old, mark + entry.refined.text.encode())
    except SetupError as error:
        return result._replace(entry=Entry(target.path, error=str(error)))
    return result


def _targets(run: _Run, folder: Path) -> Iterator[_Target]:
    """The files to refine, each once, with all names that lead to it: a link makes it a policy of others, too."""
    requested_files = list(_requested_files(run, folder))
    names: dict[Path, list[str]] = {}
    for path in _configured_paths(run):
        with suppress(SetupError):
            names.setdefault(file_within(run.root, path), []).append(path)
    paths: set[Path] = set()
    for path, alone in requested_files:
        try:
            file = file_within(run.root, path)
        except SetupError as error:
            yield _Target(path=path, names=(path,), alone=alone, error=str(error))
            continue
        if file not in paths:
            paths.add(file)
            yield _Target(path=path, names=tuple(names.get(file, [path])), alone=alone, file=file)


def _root(folder: Path, environ: Mapping[str, str]) -> Path:
    """The top of the repository; outside of one the folder itself."""
    try:
        repository = Repository(folder, environ)
    except SetupError:
        return folder
    repository.close()
    return repository.root


def _requested_files(run: _Run, folder: Path) -> Iterator[tuple[str, bool]]:
    """The files to refine, from the root, and whether the findings are to be taken as theirs."""
    configured = _configured_paths(run)
    if not run.options.paths:
        if not configured:
            raise SetupError("no policy belongs to a principal. Say which in refine.roles, or name one with --findings")
        yield from ((path, False) for path in configured)
    single_principal = run.options.findings is not None and len(run.usage.principals) < 2
    for argument in run.options.paths:
        path = from_root(folder / argument, run.root)
        if os.path.isdir(folder / argument):
            paths_inside = [each for each in configured if path == "." or each.startswith(f"{path}/")]
            if not paths_inside:
                raise SetupError(f"no policy in {argument} belongs to a principal. Name it in refine.roles")
            yield from ((each, False) for each in paths_inside)
        elif not os.path.lexists(folder / argument):
            raise SetupError(f"there is no {argument}")
        elif path in configured or run.options.findings is not None:
            yield path, single_principal or path not in configured
        else:
            raise SetupError(f"{argument} belongs to no principal. Name it in refine.roles, or give its --findings")


def _configured_paths(run: _Run) -> list[str]:
    patterns = dict.fromkeys(parted(pattern)[0] for _, files in run.config.refine.roles for pattern in files)
    paths = dict.fromkeys(path for pattern in patterns for path in files_of(run.root, pattern))
    return [path for path in paths if not run.config.is_excluded(path)]


def _roles_without_files(run: _Run) -> Iterator[str]:
    """A note for each pattern that names no file. Raises `SetupError` for a path of one."""
    for role, patterns in run.config.refine.roles:
        for pattern in patterns:
            path = parted(pattern)[0]
            if not any(files_of(run.root, path)):
                sentence = f"refine.roles: {path}, of {role}, names no file"
                if "*" not in path and "?" not in path:
                    raise SetupError(f"{sentence}; correct it, or remove it")
                yield sentence
