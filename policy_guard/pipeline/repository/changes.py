"""The changed files, each old version with its new one."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from pathlib import PurePosixPath

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.repository import SUBMODULE, File, Raw, Repository, Uncompared, names
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.records import NamedTuple

_SUFFIXES = (".json", ".yaml", ".yml")


class Change(NamedTuple):
    """One changed file; None where it was not, or is no more. `relation` is `same`, `renamed` or `rewritten`.

    A file that did not change, and `reads` one that did, is as good as changed.
    """

    old: File | None
    new: File | None
    relation: str = "same"

    @property
    def path(self) -> str:
        file = self.new or self.old
        assert file is not None
        return file.path


class Comparison(NamedTuple):
    """Two revisions of a repository, and the files that differ between them."""

    old: Revision
    new: Revision
    changes: list[Change]


def compare_revisions(repository: Repository, old: Revision, new: Revision) -> Comparison:
    """Compares two revisions; renames and rewrites in another format are paired."""
    return Comparison(old=old, new=new, changes=_changes(repository, old, new))


def _changes(repository: Repository, old: Revision, new: Revision) -> list[Change]:
    on_disk = new.commit is None and not new.staged
    read_uncompared = repository.uncompared_later() if on_disk else _no_uncompared
    raw = repository.differences(old.tree, new.commit, new.staged)
    uncompared = read_uncompared()
    unmerged = next((each for each in raw if each.status == "U"), None)
    if unmerged:
        path = (unmerged.old or unmerged.new or File("?", 0, None)).path
        raise SetupError(f'"{path[:200]}" is unmerged. Resolve the conflict and add the file.')
    if on_disk:
        tracked = {each.new.path for each in raw if each.new}
        raw += [Raw("A", None, file) for file in uncompared.untracked if file.path not in tracked]
        raw += _flagged_changes(
            repository, old, uncompared.flagged, {file.path for each in raw for file in each[1:] if file}
        )
        raw = [_as_on_disk(repository, each) for each in raw]
    changes = [Change(each.old, each.new, "renamed" if each.status == "R" else "same") for each in raw]
    return _join_moves(repository, _join_rewrites(_split_renames(changes)))


def _no_uncompared() -> Uncompared:
    return Uncompared([], [])


def _flagged_changes(
    repository: Repository, old: Revision, paths: Iterable[str], compared_paths: set[str]
) -> Iterator[Raw]:
    """A change for each file that git was told to take for unchanged, or to leave out of the working tree.

    Source: git's update-index, "--assume-unchanged" and "--skip-worktree".
    """
    for path in paths:
        if path not in compared_paths:
            file = File(path, repository.mode(path), None) if os.path.lexists(repository.root / path) else None
            old_file = repository.file(old.tree, path)
            if old_file or file:
                yield Raw("M", old_file, file)


def _as_on_disk(repository: Repository, raw: Raw) -> Raw:
    """In a comparison with the working tree the file on disk is the new version, whatever the index holds.

    A file that a sparse checkout leaves out is not there, and git names its version of the index.
    """
    if raw.new is None or (raw.new.oid and not os.path.lexists(repository.root / raw.new.path)):
        return raw
    return raw._replace(new=File(raw.new.path, raw.new.mode, None))


def _split_renames(changes: list[Change]) -> list[Change]:
    """Undoes renames to a name whose own file went: `dev.yaml` is the new `dev.json`, whatever else it is like."""
    deleted_stems = {_stem(change) for change in changes if change.new is None}
    split_changes: list[Change] = []
    for change in changes:
        if change.relation == "renamed" and _stem(change) in deleted_stems - {None}:
            split_changes += (Change(change.old, None), Change(None, change.new))
        else:
            split_changes.append(change)
    return split_changes


def _join_rewrites(all_changes: list[Change]) -> list[Change]:
    """Joins a deleted and an added file of the same folder and stem, where exactly one went and one came."""
    deletions: dict[str, list[Change]] = {}
    additions: dict[str, list[Change]] = {}
    for change in all_changes:
        stem = _stem(change)
        if stem is not None and change.new is None:
            deletions.setdefault(stem, []).append(change)
        elif stem is not None and change.old is None:
            additions.setdefault(stem, []).append(change)
    paired_stems = {stem for stem in deletions if len(deletions[stem]) == 1 and len(additions.get(stem, ())) == 1}
    paired_changes = {each for stem in paired_stems for each in (*deletions[stem], *additions[stem])}
    changes = [change for change in all_changes if change not in paired_changes]
    return [
        *changes,
        *(Change(deletions[stem][0].old, additions[stem][0].new, "rewritten") for stem in sorted(paired_stems)),
    ]


def _join_moves(repository: Repository, changes: list[Change]) -> list[Change]:
    """Joins a deleted and an added file of which one surely is the other, though git does not say so."""
    deletions = {change.path: change for change in changes if change.new is None}
    additions = {change.path: change for change in changes if change.old is None}
    if not deletions or not additions:
        return changes
    from policy_guard.pipeline.repository.reformatted import moved_files

    olds, news = ([each.old or each.new for each in side.values()] for side in (deletions, additions))
    pairs = list(moved_files(list(filter(None, olds)), list(filter(None, news)), repository.read))
    joined_paths = {file.path for pair in pairs for file in pair}
    moves = (Change(old, new, "rewritten") for old, new in pairs)
    return [*(change for change in changes if change.path not in joined_paths), *moves]


def _stem(change: Change) -> str | None:
    path = PurePosixPath(change.path)
    return str(path.with_suffix("")) if path.suffix in _SUFFIXES else None


def old_paths(repository: Repository, comparison: Comparison) -> list[str]:
    """The paths of the old side. Those of a comparison with the index come from that, which is listed anyway."""
    if not (comparison.new.staged and comparison.old.tree):
        return repository.paths(comparison.old.tree or None)
    new_paths = {change.new.path for change in comparison.changes if change.new}
    unchanged_paths = [path for path in repository.paths(None) if path not in new_paths]
    return unchanged_paths + [change.old.path for change in comparison.changes if change.old]


def snapshot(repository: Repository, revision: Revision) -> dict[str, File]:
    """Every file of a revision, by path."""
    if revision.tree and revision.commit is None:
        return {}
    if revision.commit is not None or revision.staged:
        return names(repository.files(revision.commit))
    left_out = repository.left_out()
    tracked = (_in_work_tree(repository, file, left_out) for file in repository.files(None))
    return names([*tracked, *repository.untracked()])


def _in_work_tree(repository: Repository, file: File, left_out: Container[str]) -> File:
    """The version on disk of a file of the index; the version of the index if a sparse checkout left it out."""
    if file.mode == SUBMODULE or (file.path in left_out and not os.path.lexists(repository.root / file.path)):
        return file
    return File(file.path, repository.mode(file.path), None)
