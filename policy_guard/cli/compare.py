"""Two files held against each other, without git."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from policy_guard.documents.errors import SetupError
from policy_guard.documents.source import Source
from policy_guard.iam.policy import CAPS, Kind
from policy_guard.pipeline.ahead import Ahead
from policy_guard.pipeline.attached import attached_in_folder
from policy_guard.pipeline.check import Options, failing_severity, frame_of, usage_of
from policy_guard.pipeline.judging import Judge
from policy_guard.pipeline.moved_statements import MovedStatements
from policy_guard.pipeline.pairing import Pair, compare_templates, split_pair
from policy_guard.pipeline.pairing.file_version import FileVersion, glance_of
from policy_guard.pipeline.results import Results
from policy_guard.pipeline.session import Session
from policy_guard.pipeline.stages import TERRAFORM_FILES
from policy_guard.records import NamedTuple
from policy_guard.report.report import Relation, Report
from policy_guard.settings.load import Settings, load_settings
from policy_guard.settings.severity import CheckId
from policy_guard.verify.finding import Finding

_STANDARD_INPUT = Path("-")
NEW_ACCESS, OTHER_ACCESS, LOST_ACCESS = CheckId("no-new-access"), CheckId("other-access"), CheckId("lost-access")
_OF_RELATIONS = (NEW_ACCESS, OTHER_ACCESS, CheckId("no-lost-deny"))


class _FileComparison(NamedTuple):
    """Facts about both directions of a comparison."""

    options: Options
    settings: Settings
    root: Path

    def report(self, old: FileVersion, new: FileVersion) -> Report:
        """The report on the new side held against the old one."""
        today = self.options.today
        config = self.settings.config
        usage = usage_of(self.root, config, today)
        judge = Judge(self.settings, today, usage, verbose=self.options.verbose)
        frame = partial(frame_of, self.settings, today, usage, None, self.options.verbose)
        ahead = Ahead(judge, frame, self.options.parallel)
        results = Results(self.settings, failing_severity(self.options, config, ci=False), today)
        attached = attached_in_folder(self.root, config)
        try:
            self._judge(Session(judge, results, MovedStatements(), attached, ahead), old, new)
        finally:
            ahead.close()
        return results.report(old.source.path, "compare")

    def _judge(self, session: Session, old: FileVersion, new: FileVersion) -> None:
        config, path = self.settings.config, new.source.path
        if old.template and new.template:
            outcome = compare_templates(path, old, new, config)
            session.results.outcome(path, outcome)
            session.pairs(pair._replace(within=None) for pair in outcome.pairs)
            return
        if old.snapshots is not None and new.snapshots is not None:
            from policy_guard.pipeline.pairing.snapshots import compare_snapshots

            outcome = compare_snapshots(config, path, old, new)
            session.results.outcome(path, outcome)
            session.pairs(pair._replace(within=None) for pair in outcome.pairs)
            return
        old, new = (side.completed(config.placeholders, grants=True) for side in (old, new))
        new = new.with_unresolved(old)
        if old.problems or new.problems:
            session.version(old._replace(policies={}))
            session.version(new._replace(policies={}))
            return
        olds, news = old.policies, new.policies
        if len(olds) == len(news) == 1:
            (was,), (label, policy) = olds.values(), *news.items()
            olds = {label: was._replace(holder=policy.holder) if old.template or new.template else was}
        for label in dict.fromkeys([*news, *olds]):
            session.pairs(split_pair(Pair(path=path, old=olds.get(label), new=news.get(label))))


def compare(old: Path, new: Path, options: Options, lost: bool = False) -> Report:
    """Judge one file compared with another, without git, and tell how they relate. Raises `SetupError`.

    Each policy is compared as it is written, whatever a boundary leaves of it: the relation is that of the texts.

    A path `-` is the standard input. An empty file, or an empty mapping, is no policy. With `lost`, what the new
    version does not grant any more is told in notes.
    """
    root = Path(options.config).parent if options.config else _root(Path.cwd())
    comparison = _FileComparison(options, load_settings(root, options.config), root)
    if old == new == _STANDARD_INPUT:
        raise SetupError("both files cannot be the standard input. Give one of them as a file.")
    _refuse_terraform(old, new)
    old_version, new_version = _versions(old, new, comparison)
    if _is_nothing(old_version) and _is_nothing(new_version):
        raise SetupError(f"{old} and {new} are both empty: there is no policy to compare")
    forward, backward = (
        comparison.report(old_version, new_version),
        comparison.report(new_version, old_version),
    )
    notes = map(_as_loss, backward.findings) if lost else ()
    return forward._replace(
        relation=_relation(forward, backward), findings=(*forward.findings, *(note for note in notes if note))
    )


def compare_plan(path: Path, options: Options) -> Report:
    """Judge what a plan of Terraform in JSON changes. Raises `SetupError`, also if the file is no plan."""
    root = Path(options.config).parent if options.config else _root(Path.cwd())
    settings = load_settings(root, options.config)
    usage = usage_of(root, settings.config, options.today)
    judge = Judge(settings, options.today, usage, verbose=options.verbose)
    frame = partial(frame_of, settings, options.today, usage, None, options.verbose)
    ahead = Ahead(judge, frame, options.parallel)
    moved = MovedStatements()
    results = Results(settings, failing_severity(options, settings.config, ci=False), options.today)
    session = Session(judge, results, moved, attached_in_folder(root, settings.config), ahead)
    try:
        session.plan(str(path), path, settings.config.by_principal)
    finally:
        ahead.close()
    results.explain(moved.with_origin)
    return results.report("the state before the plan", "compare")


def _root(folder: Path) -> Path:
    """Return the top of the repository that a folder lies in, where its settings are, or else the folder itself."""
    return next((path for path in (folder, *folder.parents) if (path / ".git").exists()), folder)


def _as_loss(finding: Finding) -> Finding | None:
    """Return what a finding about new access says if the two versions are exchanged; None for any other finding."""
    from policy_guard.verify.checks import check

    if finding.check not in (NEW_ACCESS, OTHER_ACCESS) or finding.outcome != "violated":
        return None
    loss, new = check(LOST_ACCESS), check(NEW_ACCESS).label
    facts_by_name = dict(finding.facts)
    facts = [(loss.label, facts_by_name[new])] if new in facts_by_name else []
    facts += [(name, facts_by_name[name]) for name in ("example",) if name in facts_by_name]
    return finding._replace(
        check=LOST_ACCESS,
        severity=loss.default,
        message=loss.headline,
        facts=(*facts, ("next", loss.advice)),
        related=(),
        acceptable=None,
    )


def _relation(forward: Report, backward: Report) -> Relation:
    """Return how the new version relates to the old one, by what each direction found."""
    grown, shrunk = _allows_more(forward), _allows_more(backward)
    if grown is None or shrunk is None:
        return "unknown"
    if grown:
        return "neither" if shrunk else "wider"
    return "narrower" if shrunk else "same"


def _allows_more(report: Report) -> bool | None:
    """Tell whether the new side of a report allows more or denies less; None if not all of that is decided."""
    if not (report.policies or report.findings or report.skipped):
        return False
    of_these = [finding for finding in report.findings if finding.check in _OF_RELATIONS]
    all_asked = report.policies and set(_OF_RELATIONS) <= set(report.checks)
    undecided = any(finding.outcome != "violated" for finding in report.findings if finding.severity == "error")
    silenced = any(each.check in _OF_RELATIONS for each in report.not_asked)
    if not all_asked or silenced or undecided or any(finding.outcome != "violated" for finding in of_these):
        return None
    return bool(of_these)


def _refuse_terraform(*paths: Path) -> None:
    if path := next((path for path in paths if path.name.endswith(TERRAFORM_FILES)), None):
        raise SetupError(f"compare does not read {path}, a file of Terraform. Use check, or compare a plan in JSON.")


def _versions(old: Path, new: Path, comparison: _FileComparison) -> tuple[FileVersion, FileVersion]:
    """Read both files as one kind: a cap that is known as one on one side alone would seem to go."""
    contents, kind = (_bytes(old), _bytes(new)), _kind((old, new), comparison)
    versions = [_version(path, data, kind, comparison) for path, data in zip((old, new), contents, strict=True)]
    if cap := _cap(versions, comparison):
        versions = [_version(path, data, cap, comparison) for path, data in zip((old, new), contents, strict=True)]
        if _cap(versions, comparison):
            raise SetupError(f"only one of {old} and {new} is of the kind {cap}. Compare two policies of one kind.")
    return versions[0], versions[1]


def _version(path: Path, data: bytes, kind: Kind | None, comparison: _FileComparison) -> FileVersion:
    name = "standard input" if path == _STANDARD_INPUT else str(path)
    if b"".join(data.split()) in (b"", b"{}"):
        return FileVersion(Source(name, ""), {})
    return glance_of(data, name, name, True, kind, comparison.settings.config.placeholders)


def _cap(versions: Sequence[FileVersion], comparison: _FileComparison) -> Kind | None:
    """Return the kind of the one policy that caps what others grant, if one on the other side is of another kind."""
    placeholders = comparison.settings.config.placeholders
    policies = [list(version.completed(placeholders).policies.values()) for version in versions]
    kinds = [side[0].kind for side in policies if len(side) == 1]
    caps = [kind for kind in kinds if kind in CAPS]
    return caps[0] if len(kinds) == 2 and caps and kinds[0] != kinds[1] else None


def _is_nothing(version: FileVersion) -> bool:
    return not (version.policies or version.problems or version.template or version.snapshots)


def _kind(paths: Sequence[Path], comparison: _FileComparison) -> Kind | None:
    """Return the kind that the settings give to either file. Raises `SetupError` if they give two."""
    kinds: dict[Kind, Path] = {}
    for path in paths:
        relative_path = Path(os.path.relpath(path, comparison.root)).as_posix()
        rule = comparison.settings.config.policy_rule(relative_path) if path != _STANDARD_INPUT else None
        if rule and rule.kind:
            kinds.setdefault(rule.kind, path)
    if len(kinds) > 1:
        (kind, path), (other_kind, other_path) = kinds.items()
        raise SetupError(
            f"{path} is of the kind {kind} by the settings, and {other_path} of the kind {other_kind}. "
            "Compare two policies of one kind."
        )
    return next(iter(kinds), None)


def _bytes(path: Path) -> bytes:
    if path == _STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None
