"""The pipeline: changed files, pairs of policies, checks, report. Start reading here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from policy_guard.documents.errors import SetupError
from policy_guard.pipeline.ahead import Ahead
from policy_guard.pipeline.attached import attached_in_repository
from policy_guard.pipeline.ci import in_ci, is_without_change
from policy_guard.pipeline.executors import Parallel
from policy_guard.pipeline.hidden import look_for_hidden
from policy_guard.pipeline.judging import Judge
from policy_guard.pipeline.moved_statements import MovedStatements
from policy_guard.pipeline.pairing.links import Sides, follow_links, may_matter
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.remaining import judge_the_rest
from policy_guard.pipeline.repository import Repository, folder_from_root, from_root
from policy_guard.pipeline.repository.changes import Change, Comparison, compare_revisions, snapshot
from policy_guard.pipeline.repository.revisions import (
    NothingToCompare,
    Revision,
    choose,
    head_with_itself,
    is_on_all_files,
)
from policy_guard.pipeline.results import Progress, Results
from policy_guard.pipeline.session import Session, Watch, unwatched
from policy_guard.pipeline.shards import Shard, subject
from policy_guard.pipeline.stages import Run, touches
from policy_guard.records import NamedTuple
from policy_guard.report.report import Part, Report
from policy_guard.settings.addresses import names_policies
from policy_guard.settings.config import Config
from policy_guard.settings.load import Settings, load_settings, may_differ, settings_name
from policy_guard.settings.severity import FAIL_ON, FailOn

if TYPE_CHECKING:
    from policy_guard.pipeline.acceptances import Acceptances
    from policy_guard.pipeline.pairing.references import References
    from policy_guard.pipeline.tasks import Frame
    from policy_guard.refine.attribution import Usage


class Alone(NamedTuple):
    """A revision whose policies are judged by themselves, also for the critical permissions of these packs."""

    revision: Revision
    packs: tuple[str, ...] = ()


class Options(NamedTuple):
    """What the command line asks for. `paths` restrict what is reported, relative to the
    repository's root; `today` is the day in UTC. With `alone` nothing is compared, with `accepting` findings
    can be accepted afterwards, and those of all paths are there: a finding may stand in another file than its policy.
    """

    today: date
    paths: tuple[str, ...] = ()
    base: str | None = None
    staged: bool = False
    all_policies: bool = False
    config: str | None = None
    fail_on: FailOn | None = None
    verbose: bool = False
    plan: str | None = None
    alone: Alone | None = None
    parallel: Parallel = Parallel()
    accepting: bool = False
    shard: Shard | None = None


def check(
    options: Options,
    folder: Path,
    environ: Mapping[str, str],
    progress: Progress = lambda step: None,
    watch: Watch = unwatched,
) -> Report:
    """Judges the policies that changed, or with `all_policies` every policy. Raises `SetupError`."""
    repository = Repository(folder, environ)
    try:
        return _check(repository, options, folder, environ, progress, watch)
    finally:
        repository.close()


def _check(
    repository: Repository,
    options: Options,
    folder: Path,
    environ: Mapping[str, str],
    progress: Progress,
    watch: Watch,
) -> Report:
    ci = in_ci(environ)
    comparison, settings = comparison_and_settings(repository, options, environ, ci)
    old = comparison.old
    compared = not ci or old.commit != repository.commit("HEAD")
    options = options if compared else options._replace(all_policies=True)
    fail_on = failing_severity(options, settings.config, ci)
    today = options.today
    accepted = _acceptance_loader(repository, settings.config, comparison, today)
    usage = usage_of(repository.root, settings.config, today)
    plain = options.alone is not None
    judge = Judge(settings, today, usage, accepted, options.verbose, plain)
    results = Results(settings, fail_on, today, progress, options.accepting)
    for sentence in _about_the_comparison(options, comparison, fail_on, ci, compared):
        results.note(sentence)
    if options.shard:
        results.restrict_to(Part(*options.shard, _subject(options, comparison, settings, fail_on, ci)))
    moved = MovedStatements()
    reader = Reader(repository, settings, old)
    attached = attached_in_repository(repository, reader, comparison)
    paths = tuple(from_root(folder / path, repository.root) for path in options.paths)
    _refuse_missing_paths(paths, repository, comparison.changes)
    watched = watch is not unwatched
    frame = partial(frame_of, settings, today, usage, accepted, options.verbose, watched, plain)
    ahead = Ahead(judge, frame, options.parallel)
    run = Run(
        repository=repository,
        config=settings.config,
        reader=reader,
        session=Session(judge, results, moved, attached, ahead, watch),
        today=today,
        comparison=comparison,
        paths=() if options.accepting else paths,
        sides=_sides(repository, reader, comparison, ci, options.all_policies),
        references=_references(repository, reader, comparison, results.note),
        shard=options.shard or Shard(),
        plan=from_root(folder / options.plan, repository.root) if options.plan else "",
    )
    _judge(run, options, folder, accepted)
    mode = "all" if options.all_policies else "changes"
    report = results.report(old.name if compared else "", mode, lambda: not run.has_policy())
    return report._replace(folder=folder_from_root(folder, repository.root))


def _judge(run: Run, options: Options, folder: Path, accepted: Callable[[], Acceptances]) -> None:
    """Go through the run, and end the workers whatever comes of it."""
    session = run.session
    try:
        _go_through(run, options, folder, accepted)
    finally:
        session.ahead.close()
    session.results.explain(session.moved.with_origin)


def _go_through(run: Run, options: Options, folder: Path, accepted: Callable[[], Acceptances]) -> None:
    """Go through the stages of a run."""
    look_for_hidden(run, options.all_policies)
    run.judge_changes()
    run.judge_principals()
    if run.config.exclude or run.paths:
        run.tell_what_is_left_out()
    run.judge_terraform(options.all_policies)
    if options.plan and run.shard.holds(options.plan):
        run.session.plan(options.plan, folder / options.plan, run.config.by_principal)
    run.judge_groups(options.all_policies)
    run.look_for_named(options.all_policies)
    run.judge_acceptances(accepted, options.all_policies)
    if options.all_policies:
        judge_the_rest(run)
    for sentence in run.session.attached.remarks():
        run.session.results.note(sentence)


def _subject(options: Options, comparison: Comparison, settings: Settings, fail_on: FailOn, ci: bool) -> dict[str, str]:
    """Return what all parts of a run have in common. Raises `SetupError`."""
    common_options = {
        "today": options.today,
        "paths": options.paths,
        "all": options.all_policies,
        "verbose": options.verbose,
        "plan": options.plan,
        "fail-on": fail_on,
        "ci": ci,
    }
    return subject(comparison, settings, common_options)


def _about_the_comparison(
    options: Options, comparison: Comparison, fail_on: FailOn, ci: bool, compared: bool
) -> Iterator[str]:
    """Say which options have no effect, and why nothing was compared if that is so."""
    if options.fail_on not in (None, fail_on):
        yield f"--fail-on {options.fail_on} is ignored in CI, where the settings say {fail_on}"
    old, new, changes = comparison
    if not (ci or changes or new.staged or options.all_policies or options.plan) and old.name.startswith("HEAD@"):
        yield (
            "nothing differs from HEAD, so nothing was compared. Name the branch to compare with, as in --base main; "
            "in CI, set CI=true"
        )
    if not compared:
        yield "nothing was compared: neither this clone nor this environment names an old version"


def _sides(
    repository: Repository, reader: Reader, comparison: Comparison, ci: bool, all_policies: bool
) -> Sides | None:
    """Return both sides with what stands behind their links; None if no link can matter."""
    links = ci and any(repository.has_links(tree) for tree in (comparison.old.tree, comparison.new.commit))
    if links or all_policies or reader.settings.config.groups or may_matter(repository, reader, comparison.changes):
        return follow_links(repository, reader, comparison)
    return None


def comparison_and_settings(
    repository: Repository, options: Options, environ: Mapping[str, str], ci: bool
) -> tuple[Comparison, Settings]:
    """Return what is compared, and the settings that hold: in CI those name the branch, too."""
    head_settings = load_settings(repository.root, options.config)
    if options.alone:
        revision = options.alone.revision
        return Comparison(old=revision, new=revision, changes=[]), _with_packs(head_settings, options.alone.packs)
    all_files = is_on_all_files(environ, options.base)
    on_schedule = (options.all_policies or all_files) and options.base is None and is_without_change(environ)
    if on_schedule or (ci and options.all_policies and options.base == "HEAD"):
        old, new = head_with_itself(repository)
        comparison = Comparison(old=old, new=new, changes=[])
        return comparison, _trusted_settings(head_settings, options, repository, comparison, ci)
    branch = None if ci else head_settings.config.default_branch
    while True:
        try:
            old, new = choose(repository, environ, options.base, options.staged, branch)
        except NothingToCompare as error:
            if options.all_policies and not all_files:
                raise SetupError(f"{error} On a schedule, --all --base HEAD looks at every policy by itself.") from None
            if not all_files:
                raise
            old, new = head_with_itself(repository)
        comparison = compare_revisions(repository, old, new)
        settings = _trusted_settings(head_settings, options, repository, comparison, ci)
        if not ci or branch or not settings.config.default_branch or options.base is not None:
            return comparison, settings
        branch = settings.config.default_branch


def _with_packs(settings: Settings, packs: tuple[str, ...]) -> Settings:
    from policy_guard.settings.critical.packs import pack

    ids = {entry.id for entry in settings.critical}
    missing = (entry for name in packs for entry in pack(name) if entry.id not in ids)
    return settings._replace(critical=(*settings.critical, *missing))


def _references(
    repository: Repository, reader: Reader, comparison: Comparison, note: Callable[[str], None]
) -> References | None:
    """Return what policies are held against besides their old versions; None where the settings name nothing."""
    config = reader.settings.config
    if not any(rule.reference or names_policies(rule.files) for rule in config.policies):
        return None
    from policy_guard.pipeline.pairing.references import References
    from policy_guard.pipeline.pairing.terraform import Tree

    base = comparison.old
    files = cache(partial(snapshot, repository, base))
    terraform = cache(lambda: Tree(repository, files(), base.name))
    return References(config, reader, comparison, files, terraform, note)


def frame_of(
    settings: Settings,
    today: date,
    usage: Callable[[], Usage] | None,
    acceptances: Callable[[], Acceptances] | None,
    verbose: bool,
    with_policies: bool = False,
    plain: bool = False,
) -> Frame:
    """What a judge is made of, as values that another process can have. Raises `SetupError`, as a judge does."""
    from policy_guard.pipeline.tasks import Frame

    return Frame(
        settings=settings,
        today=today,
        usage=usage() if usage else None,
        acceptances=acceptances() if acceptances else None,
        verbose=verbose,
        with_policies=with_policies,
        plain=plain,
    )


def _acceptance_loader(
    repository: Repository, config: Config, comparison: Comparison, today: date
) -> Callable[[], Acceptances]:
    """Reads the acceptances when they are first asked for."""

    @cache
    def read() -> Acceptances:
        from policy_guard.pipeline.acceptances import load_acceptances

        return load_acceptances(repository, config, comparison.old, comparison.new, today)

    return read


def failing_severity(options: Options, config: Config, ci: bool) -> FailOn:
    """Return what was asked for, or else what is set; in CI, where a change brings its workflow along, the stricter."""
    if options.fail_on is None:
        return config.fail_on
    return min(options.fail_on, config.fail_on, key=FAIL_ON.index) if ci else options.fail_on


def usage_of(root: Path, config: Config, today: date) -> Callable[[], Usage] | None:
    """Reads the findings about unused access when they are first asked for; None where the settings name none."""
    if not config.refine.findings:
        return None

    @cache
    def read() -> Usage:
        from policy_guard.refine.attribution import load_usage

        return load_usage(root, config.refine, today)

    return read


def _trusted_settings(
    head_settings: Settings, options: Options, repository: Repository, comparison: Comparison, ci: bool
) -> Settings:
    """In CI the settings of the base, elsewhere its groups: a change cannot choose beside which files it is judged."""
    base = comparison.old
    if ci and base.commit:
        from policy_guard.pipeline.base_settings import trusted_settings

        return trusted_settings(head_settings, options.config, repository, base)
    paths = {file.path for change in comparison.changes for file in (change.old, change.new) if file}
    name = settings_name(options.config, repository.root)
    setting_files = (name, head_settings.config.critical)
    if name.startswith("../") or not any(may_differ(repository.root, path, paths) for path in setting_files if path):
        return head_settings
    from policy_guard.pipeline.base_settings import local_settings

    return local_settings(head_settings, name, repository, base)


def _refuse_missing_paths(paths: tuple[str, ...], repository: Repository, changed: list[Change]) -> None:
    """A path that names nothing, now or before, is a mistake: nothing would be checked."""
    for path in paths:
        exists = os.path.lexists(repository.root / path)
        if not exists and not any(touches(change, (path,)) for change in changed):
            raise SetupError(f"there is no {path} to check")
