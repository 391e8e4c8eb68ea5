"""The pipeline: changed files, pairs of policies, checks, report. Start reading here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from policy_guard import config as settings
from policy_guard.base import Base, New, choose
from policy_guard.changes import Change, changes, snapshot
from policy_guard.config import Config, load_config
from policy_guard.errors import UserError
from policy_guard.finding import Finding
from policy_guard.format import decode
from policy_guard.git import LINK, Repository, names
from policy_guard.pairs import Pair, Reader, of_one_kind, pairs, side_of
from policy_guard.reporter import Report
from policy_guard.source import Source, Unreadable
from policy_guard.tally import Settings, Tally


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
        return _check(repository, options, environ)
    finally:
        repository.close()


def _check(repository: Repository, options: Options, environ: Mapping[str, str]) -> Report:
    config = load_config(_config_source(repository, options, environ))
    new, base = choose(repository, environ, options.base, options.staged, config.default_branch)
    tally = Tally(_settings(repository.root, config), options.fail_on)
    reader = Reader(repository, config)
    changed = changes(repository, new, base)
    if options.everything or _links(changed):
        _let_links_be_followed(repository, reader, new, base, changed)
    for change in changed:
        if _wanted(change, options.paths):
            outcome = pairs(reader, change, config, (base.name, new.name))
            tally.outcome(change.path, outcome)
            for pair in outcome.pairs:
                tally.pair(_held(pair, config, repository, base, reader, tally))
    if options.everything:
        done = {change.new.path for change in changed if change.new}
        for path, file in snapshot(repository, new).items():
            if path not in done and _wanted(Change(None, file), options.paths):
                tally.side(reader.side(file, path, new.name))
    return tally.report(base.name, "all" if options.everything else "changes")


def _config_source(repository: Repository, options: Options, environ: Mapping[str, str]) -> Source | None:
    path = Path(options.config) if options.config else repository.root / settings.NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if options.config:
            raise UserError(f"{options.config}: there is no such file") from None
        return None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    return _text(options.config or settings.NAME, data)


def _text(path: str, data: bytes) -> Source:
    try:
        return decode(path, data, "")
    except Unreadable as error:
        raise UserError(f"{path}: {error.problems[0].message}") from None


def _settings(root: Path, config: Config) -> Settings:
    notes = [f'the setting "{name}" has no effect yet' for name in config.unused]
    if config.critical is None:
        return Settings(config, (), tuple(notes))
    from policy_guard.critical import load_critical, unknown_actions

    try:
        listed = load_critical(_text(config.critical, (root / config.critical).read_bytes()))
    except OSError as error:
        raise UserError(f"{config.critical}: the critical list cannot be read: {error.strerror}") from None
    assert listed.source is not None
    findings = tuple(
        Finding(
            "critical-list",
            "violated",
            "warning",
            f"{entry.id} names an action that AWS does not have, {value.text}: it protects nothing",
            listed.source,
            value.span,
            facts=(("next", f"did you mean {near}?" if near else "look the action up in the service's reference"),),
        )
        for entry, value, near in unknown_actions(listed)
    )
    return Settings(config, listed.entries, tuple(notes), findings)


def _links(changed: Iterable[Change]) -> bool:
    return any(file is not None and file.mode == LINK for change in changed for file in (change.old, change.new))


def _let_links_be_followed(repository: Repository, reader: Reader, new: New, base: Base, changed: list[Change]) -> None:
    """Gives the reader every file of both sides, and adds the links whose targets changed to what changed."""
    from policy_guard.changes import follow

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
        file.path == path or file.path.startswith(f"{path.rstrip('/')}/") or path in ("", ".")
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
    config = Config()
    if options.config:
        config = load_config(_text(options.config, _bytes(Path(options.config))))
    tally = Tally(_settings(Path(options.config or ".").parent, config), options.fail_on)
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
