"""The pipeline: changed files, pairs of policies, checks, report. Start reading here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from policy_guard.base import WITHOUT_CHANGE, Base, New, choose, in_ci, whole
from policy_guard.changes import Change, changes, file_of, snapshot
from policy_guard.config import FAIL_ON, Config
from policy_guard.errors import UserError
from policy_guard.git import A_LINK, Repository
from policy_guard.links import Sides, let_be_followed, may_matter, out_of_sight, tree_of
from policy_guard.pairs import Outcome, Pair, Reader, pairs
from policy_guard.reporter import Report
from policy_guard.settings import Settings, load_settings, settings_in, settings_name
from policy_guard.tally import Tally

if TYPE_CHECKING:
    from policy_guard.acceptances import Acceptances
    from policy_guard.finding import Finding
    from policy_guard.git import File
    from policy_guard.references import References
    from policy_guard.usage import Usage


class Options(NamedTuple):
    """What the command line asks for. `paths` restrict what is reported, relative to the repository's root."""

    paths: tuple[str, ...] = ()
    base: str | None = None
    staged: bool = False
    everything: bool = False
    config: str | None = None
    fail_on: str | None = None


Progress: TypeAlias = "Callable[[str], None]"
"""Is told each policy or group before the next is judged."""


def check(options: Options, folder: Path, environ: Mapping[str, str], progress: Progress = lambda name: None) -> Report:
    """Judges the policies that changed, or with `everything` every policy. Raises `UserError`."""
    repository = Repository(folder, environ)
    try:
        return _check(repository, options, folder, environ, progress)
    finally:
        repository.close()


def _check(
    repository: Repository, options: Options, folder: Path, environ: Mapping[str, str], progress: Progress
) -> Report:
    ci = in_ci(environ)
    here = load_settings(repository.root, options.config)
    branch = None if ci else here.config.default_branch
    alone = options.everything and options.base is None and environ.get("GITHUB_EVENT_NAME") in WITHOUT_CHANGE
    if alone:
        new, base, changed = *whole(repository), list[Change]()
    else:
        new, base = choose(repository, environ, options.base, options.staged, branch)
        changed = changes(repository, new, base)
    given = _trusted(here, options, repository, base, changed, ci)
    if ci and given.config.default_branch and options.base is None and not alone:
        new, base = choose(repository, environ, options.base, options.staged, given.config.default_branch)
        changed = changes(repository, new, base)
        given = _trusted(here, options, repository, base, changed, ci)
    fail_on = asked_severity(options, given.config, ci)
    accepted = _accepted(repository, given.config, new, base)
    tally = Tally(given, fail_on, usage_of(repository.root, given.config), progress, accepted)
    if options.fail_on not in (None, fail_on):
        tally.note(f"--fail-on {options.fail_on} does not count in CI, where the settings say {fail_on}")
    reader = Reader(repository, given)
    sides: Sides | None = None
    links = ci and any(repository.lists(tree, A_LINK) for tree in (base.commit or base.tree, new.commit))
    if links or options.everything or given.config.groups or may_matter(repository, reader, changed):
        sides = let_be_followed(repository, reader, new, base, changed)
    for change in changed:
        if said := out_of_sight(reader, sides, change, changed, base):
            tally.note(said[0])
            tally.outcome(change.path, Outcome((), said[1]))
    for found in _hidden(repository, reader, changed, base, new, ci):
        tally.outcome(found.source.path, Outcome((), (found,)))
    paths = tuple(_from_root(path, folder, repository.root) for path in options.paths)
    _refuse_what_is_not_there(paths, repository, changed)
    held = _held(given.config, reader, base, cache(partial(tree_of, repository, base)), tally)
    run = _Run(repository, given.config, new, base, reader, tally, changed, paths, sides, held)
    run.judge_changes()
    run.judge_groups(options.everything)
    run.judge_acceptances(accepted, options.everything)
    if options.everything:
        run.judge_the_rest()
    return tally.report(base.name, "all" if options.everything else "changes")


class _Run(NamedTuple):
    """One run over a repository: what is judged, and where it is told."""

    repository: Repository
    config: Config
    new: New
    base: Base
    reader: Reader
    tally: Tally
    changed: list[Change]
    paths: tuple[str, ...]
    sides: Sides | None
    references: References | None

    def judge_changes(self) -> None:
        """The files that changed, but for the sides of them that belong to a group."""
        for change in self.changed:
            if not _wanted(change, self.paths):
                continue
            outcome = pairs(self.reader, change, (self.base.name, self.new.name))
            self.tally.outcome(change.path, outcome)
            for pair in outcome.pairs:
                if alone := _alone(pair, self.config):
                    self.tally.pair(self.references.held(alone) if self.references else alone)

    def judge_groups(self, everything: bool) -> None:
        """The groups of which a file changed, and with `everything` the others by themselves."""
        if not self.config.groups or self.sides is None:
            return
        from policy_guard.groups import Trees, joined, touched

        changed = list(touched(self.config.groups, (c for c in self.changed if _wanted(c, self.paths))))
        if not changed and not everything:
            return
        before, after = self.sides.before.named(), self.sides.after.named()
        trees = Trees(before, after, (self.base.name, self.new.name))
        asked_for = [path for path, file in after.items() if _wanted(Change(None, file), self.paths)]
        for group in self.config.groups:
            if group in changed or (everything and any(map(group.holds, asked_for))):
                found = joined(group, self.reader, trees, self.changed)
                if found.pair and self.references:
                    paths = {policy.source.path for policy in found.members}
                    found = found._replace(pair=self.references.bounded(found.pair, sorted(paths)))
                self.tally.group(found, comparing=group in changed)

    def judge_acceptances(self, accepted: Callable[[], Acceptances], everything: bool) -> None:
        """The acceptances that came or changed, those that would count again, and with `everything` what is done."""
        files = [file for change in self.changed for file in (change.old, change.new) if file]
        below = f"{self.config.accepted}/"
        came = [change.new.path for change in self.changed if change.new and change.new.path.startswith(below)]
        if not came and not everything and not any(self.reader.concerned(file.path) for file in files):
            return
        every = accepted()
        if not every.here and not every.wrong:
            return
        from policy_guard.groups import Trees, touched
        from policy_guard.reviewed import Versions, rearmed, stale, unusable

        before, after = tree_of(self.repository, self.base), snapshot(self.repository, self.new)
        if self.sides:
            before, after = self.sides.before.named(), self.sides.after.named()
        trees = Trees(before, after, (self.base.name, self.new.name))
        versions = Versions(self.reader, self.config.groups, trees, self.changed)
        paths = [*(file.path for file in files), *(group.name for group in touched(self.config.groups, self.changed))]
        today = datetime.now(timezone.utc).date()
        for finding in (*unusable(every, came, after), *rearmed(every, paths, versions, today)):
            self.tally.found(finding)
        for each in stale(every, versions, today) if everything else ():
            self.tally.note(f"{each.path} is {each.why}. policy-guard accept --prune removes it")

    def judge_the_rest(self) -> None:
        """The files that did not change and belong to no group, by themselves."""
        assert self.sides is not None
        done = {change.new.path for change in self.changed if change.new}
        files = self.sides.after.apart(self.reader)
        for pattern in self.config.naming_nothing(files):
            self.tally.note(f"{pattern} names no file here")
        for entry in self.reader.given.critical:
            if entry.files and not any(map(entry.concerns, files)):
                self.tally.note(f"the critical entry {entry.id} is about no file here: {', '.join(entry.files)}")
        for path, file in files.items():
            if path not in done and not self.config.scope(path) and _wanted(Change(None, file), self.paths):
                side = self.reader.side(file, path, self.new.name)
                if self.references:
                    self.tally.side(side, partial(self.references.bounded, paths=(path,)))
                else:
                    self.tally.side(side)


def _hidden(
    repository: Repository, reader: Reader, changed: list[Change], base: Base, new: New, ci: bool
) -> Iterator[Finding]:
    """The policies that the change puts where they are not seen. Most changes have nothing that could do so."""
    gone, came = (any(getattr(change, side) is None for change in changed) for side in ("new", "old"))
    if gone and came:
        from policy_guard.hidden import moved_out_of_sight

        yield from moved_out_of_sight(reader, changed, base, new)
    if ci and repository.lists(new.commit, b".gitattributes\0"):
        from policy_guard.hidden import recoded

        yield from recoded(repository, reader, new)


def _held(
    config: Config, reader: Reader, base: Base, files: Callable[[], dict[str, File]], tally: Tally
) -> References | None:
    """What policies are held against besides their old versions; None where the settings name nothing."""
    if not any(rule.reference for rule in config.policies):
        return None
    from policy_guard.references import References

    return References(config, reader, base, files, tally.note)


def asked_severity(options: Options, config: Config, ci: bool) -> str:
    """What was asked for, or else what is set; in CI, where a change brings its workflow along, the stricter."""
    if options.fail_on is None:
        return config.fail_on
    return min(options.fail_on, config.fail_on, key=FAIL_ON.index) if ci else options.fail_on


def usage_of(root: Path, config: Config) -> Callable[[], Usage] | None:
    """Reads the findings about unused access when they are first asked for; None where the settings name none."""
    if not config.refine.findings:
        return None

    @cache
    def read() -> Usage:
        from policy_guard.usage import load_usage

        return load_usage(root, config.refine, datetime.now(timezone.utc).date())

    return read


def _accepted(repository: Repository, config: Config, new: New, base: Base) -> Callable[[], Acceptances]:
    """Reads the acceptances when they are first asked for."""

    @cache
    def read() -> Acceptances:
        from policy_guard.acceptances import load_acceptances

        return load_acceptances(repository, config, new, base, datetime.now(timezone.utc).date())

    return read


def _alone(pair: Pair, config: Config) -> Pair | None:
    """The pair without the sides that a group judges; None if that is both."""
    old, new = (None if side and config.scope(side.source.path) else side for side in (pair.old, pair.new))
    return pair._replace(old=old, new=new) if old or new else None


def _trusted(
    given: Settings, options: Options, repository: Repository, base: Base, changed: list[Change], ci: bool
) -> Settings:
    """In CI the settings of the base, elsewhere its groups: a change cannot choose beside which files it is judged."""
    if ci and base.commit:
        from policy_guard.trusted import trusted

        return trusted(given, options.config, repository, base)
    here = settings_name(options.config, repository.root)
    paths = {file.path for change in changed for file in (change.old, change.new) if file}
    if here not in paths and not os.path.islink(repository.root / here):
        return given
    data = file_of(repository, tree_of(repository, base), here)
    groups = settings_in(data, here).groups if data is not None else ()
    notes = given.notes
    if groups != given.config.groups:
        notes = (*notes, "the groups changed here; those of the base are judged, and the new ones once they are there")
    return given._replace(config=given.config._replace(groups=groups), notes=notes)


def _refuse_what_is_not_there(paths: tuple[str, ...], repository: Repository, changed: list[Change]) -> None:
    """A path that names nothing, now or before, is a mistake: nothing would be checked."""
    for path in paths:
        here = os.path.lexists(repository.root / path)
        if not here and not any(_wanted(change, (path,)) for change in changed):
            raise UserError(f"there is no {path} to check")


def _from_root(path: str, folder: Path, root: Path) -> str:
    """A path argument, which is relative to the folder at hand, as a path from the root."""
    absolute = Path(os.path.abspath(folder / path))
    try:
        return absolute.relative_to(os.path.abspath(root)).as_posix()
    except ValueError:
        raise UserError(f"{path} lies outside the repository {root}") from None


def _wanted(change: Change, paths: tuple[str, ...]) -> bool:
    return not paths or any(
        file.path == path or file.path.startswith(f"{path.rstrip('/')}/") or path == "."
        for file in (change.old, change.new)
        if file
        for path in paths
    )
