"""Two versions of a file of snapshots: the templates in them, side by side by the names of their snapshots."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from policy_guard.documents.containers.cloudformation.calls import shape
from policy_guard.pipeline.pairing import FileResult, Pair, compare_templates, pair_policies, with_template_problems
from policy_guard.pipeline.pairing.file_version import FileVersion, in_snapshot
from policy_guard.settings.config import Config
from policy_guard.verify.readable import unreadable_findings

if TYPE_CHECKING:
    from policy_guard.iam.policy import Policy


def compare_snapshots(config: Config, path: str, old: FileVersion | None, new: FileVersion | None) -> FileResult:
    """Return what comes of comparing two files of snapshots; None is no file."""
    olds, news = (dict(side.snapshots or {}) if side else {} for side in (old, new))
    predecessors = _predecessors(olds, news)
    renamed_names = set(predecessors.values())
    results = [
        _in_snapshot(_compare_versions(config, path, olds.get(predecessors.get(name, name)), news.get(name)), name)
        for name in [*news, *(name for name in olds if name not in news and name not in renamed_names)]
    ]
    return FileResult(
        pairs=tuple(pair for result in results for pair in result.pairs),
        findings=tuple(dict.fromkeys(finding for result in results for finding in result.findings)),
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
    )


def _compare_versions(config: Config, path: str, old: FileVersion | None, new: FileVersion | None) -> FileResult:
    if old and new:
        if _shape(old) == _shape(new):
            return FileResult((), ())
        return compare_templates(path, old, new, config)
    old = old.completed(config.placeholders, grants=True) if old else None
    new = with_template_problems(new.completed(config.placeholders, grants=True)) if new else None
    if new and new.problems:
        return FileResult((), tuple(unreadable_findings(new.source, new.problems)))
    return FileResult(tuple(pair_policies(path, old, new)), ())


def _predecessors(olds: Mapping[str, FileVersion], news: Mapping[str, FileVersion]) -> dict[str, str]:
    """New names of snapshots, and the names that they had: those that say the same, or the only one that is left."""
    removed_names = [name for name in olds if name not in news]
    new_names = [name for name in news if name not in olds]
    shapes = {_shape(olds[name]): name for name in removed_names}
    predecessors: dict[str, str] = {}
    for name in new_names:
        same_name = shapes.pop(_shape(news[name]), None)
        if same_name is not None:
            predecessors[name] = same_name
    left_names = [name for name in new_names if name not in predecessors]
    renamed_names = set(predecessors.values())
    left_removed_names = [name for name in removed_names if name not in renamed_names]
    if len(left_names) == len(left_removed_names) == 1:
        predecessors[left_names[0]] = left_removed_names[0]
    return predecessors


def _shape(version: FileVersion) -> Hashable:
    assert version.template is not None
    return shape(version.template.root)


def _in_snapshot(result: FileResult, name: str) -> FileResult:
    """The result with its policies under the name of the snapshot."""
    return result._replace(pairs=tuple(_named(pair, name) for pair in result.pairs))


def _named(pair: Pair, name: str) -> Pair:
    return pair._replace(
        old=_policy(pair.old, name), new=_policy(pair.new, name), instead_of=_policy(pair.instead_of, name)
    )


def _policy(policy: Policy | None, name: str) -> Policy | None:
    return in_snapshot(policy, name) if policy else None
