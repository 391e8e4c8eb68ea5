"""The pipeline: changed files, pairs of policies, checks, report. Start reading here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from policy_guard.base import Base, New, choose
from policy_guard.changes import Change, changes, follow, snapshot
from policy_guard.config import Config
from policy_guard.errors import UserError
from policy_guard.format import sniff
from policy_guard.git import LINK, Repository, names
from policy_guard.pairs import Pair, Reader, of_one_kind, pairs, side_of
from policy_guard.reporter import Report
from policy_guard.settings import Settings, load_settings
from policy_guard.tally import Tally


class Options(NamedTuple):
    """What the command line asks for. `paths` restrict what is reported, relative to the repository's root."""

    paths: tuple[str, ...] = ()
    base: str | None = None
    staged: bool = False
    everything: bool = False
    config: str | None = None
    fail_on: str = "error"


def check(options: Options, folder: Path, environ: Mapping[str, str]) -> Report:
    """Judges the policies that changed, or with `everything` every policy. Raises `UserError`."""
    repository = Repository(folder, environ)
    try:
        return _check(repository, options, folder, environ)
    finally:
        repository.close()


def _check(repository: Repository, options: Options, folder: Path, environ: Mapping[str, str]) -> Report:
    given = load_settings(repository.root, options.config)
    config = given.config
    new, base = choose(repository, environ, options.base, options.staged, config.default_branch)
    tally = Tally(given, options.fail_on)
    reader = Reader(repository, given)
    changed = changes(repository, new, base)
    if options.everything or _links_may_matter(repository, reader, changed):
        _let_links_be_followed(repository, reader, new, base, changed)
    paths = tuple(_from_root(path, folder, repository.root) for path in options.paths)
    for change in changed:
        if _wanted(change, paths):
            outcome = pairs(reader, change, (base.name, new.name))
            tally.outcome(change.path, outcome)
            for pair in outcome.pairs:
                tally.pair(_held(pair, config, repository, base, reader, tally))
    if options.everything:
        done = {change.new.path for change in changed if change.new}
        for path, file in snapshot(repository, new).items():
            if path not in done and _wanted(Change(None, file), paths):
                tally.side(reader.side(file, path, new.name))
    return tally.report(base.name, "all" if options.everything else "changes")


def _from_root(path: str, folder: Path, root: Path) -> str:
    """A path argument, which is relative to the folder at hand, as a path from the root."""
    absolute = Path(os.path.abspath(folder / path))
    try:
        return absolute.relative_to(os.path.abspath(root)).as_posix()
    except ValueError:
        raise UserError(f"{path} lies outside the repository {root}") from None


def _links_may_matter(repository: Repository, reader: Reader, changed: Iterable[Change]) -> bool:
    """Whether a changed file is a link, or may be a policy under a name that only a link makes one.

    Listing all files to look for links costs one process more, so it is done only then.
    """
    for change in changed:
        for file in (change.old, change.new):
            if file and file.mode == LINK:
                return True
        if change.new and not reader.concerned(change.path) and sniff(repository.read(change.new) or b""):
            return True
    return False


def _let_links_be_followed(repository: Repository, reader: Reader, new: New, base: Base, changed: list[Change]) -> None:
    """Gives the reader every file of both sides, and adds the links whose targets changed to what changed."""
    after = snapshot(repository, new)
    before = names(repository.files(base.commit)) if base.commit else {}
    reader.with_files(new.name, after)
    reader.with_files(base.name, before)
    touched = {file.path for change in changed for file in (change.old, change.new) if file}
    for path, file in after.items():
        if file.mode == LINK and path not in touched and reader.concerned(path):
            target = follow(repository, file, after).file
            if target is None or target.path in touched:
                changed.append(Change(before.get(path), file))


def _wanted(change: Change, paths: tuple[str, ...]) -> bool:
    return not paths or any(
        file.path == path or file.path.startswith(f"{path.rstrip('/')}/") or path == "."
        for file in (change.old, change.new)
        if file
        for path in paths
    )


def _held(pair: Pair, config: Config, repository: Repository, base: Base, reader: Reader, tally: Tally) -> Pair:
    """A policy without an old version is held against its reference, if one is configured, as the base has it."""
    rule = config.policy_rule(pair.path)
    if pair.old or not pair.new or not rule or not rule.reference or not base.commit:
        return pair
    file = names(repository.files(base.commit)).get(rule.reference)
    side = reader.side(file, pair.path, base.name)
    kinds = [policy.kind for policy in side.policies.values()]
    if side.problems or kinds != [pair.new.kind]:
        tally.note(f"{rule.reference} is no single {pair.new.kind} policy in the base: nothing is held against it")
        return pair
    tally.note(f"{pair.path} has no old version and is held against {rule.reference}")
    return pair._replace(old=next(iter(side.policies.values())))


def compare(old: Path, new: Path, options: Options) -> Report:
    """Judges one file held against another, without git. Raises `UserError`."""
    given = load_settings(Path(options.config).parent, options.config) if options.config else Settings(Config())
    config = given.config
    tally = Tally(given, options.fail_on)
    before, after = (side_of(_bytes(path), str(path), str(path), True, _kind(config, path)) for path in (old, new))
    if before.problems or after.problems:
        tally.side(before._replace(policies={}))
        tally.side(after._replace(policies={}))
        return tally.report(str(old), "compare")
    olds, news = before.policies, after.policies
    if len(olds) == len(news) == 1:
        olds = dict(zip(news, olds.values(), strict=True))
    for label in dict.fromkeys([*news, *olds]):
        for pair in of_one_kind(Pair(str(new), olds.get(label), news.get(label))):
            tally.pair(pair)
    return tally.report(str(old), "compare")


def _kind(config: Config, path: Path) -> str | None:
    rule = config.policy_rule(path.as_posix())
    return rule.kind if rule else None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
