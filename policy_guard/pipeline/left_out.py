"""What of a change is not looked at: policies in files that the settings exclude, and files outside of the paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_guard.documents.containers.terraform.folder import is_read
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import LINK, SUBMODULE, File, Repository
from policy_guard.pipeline.repository.changes import Change, Comparison
from policy_guard.pipeline.repository.revisions import Revision

MOST_READ = 500
"""How many excluded files are read to see whether they hold a policy; of more, the name alone decides."""


def excluded_policies(
    repository: Repository, reader: Reader, comparison: Comparison, changes: Iterable[Change]
) -> Iterator[str]:
    """The changed files that the settings exclude and that hold or held a policy; those of Terraform are not asked."""
    excluded_changes = [change for change in changes if not reader.included(change.path)]
    if not excluded_changes:
        return
    open_reader = _without_exclusions(repository, reader, comparison)
    read = 0
    for change in excluded_changes:
        if is_read(change.path.rpartition("/")[2]) or not open_reader.concerned(change.path):
            continue
        read += 1
        sides = ((change.old, comparison.old), (change.new, comparison.new))
        if read > MOST_READ or any(_holds_policy(open_reader, file, revision) for file, revision in sides):
            yield change.path


def _without_exclusions(repository: Repository, reader: Reader, comparison: Comparison) -> Reader:
    settings = reader.settings
    if settings.old_config:
        name, config = settings.old_config
        settings = settings._replace(old_config=(name, config._replace(exclude=())))
    return Reader(repository, settings._replace(config=settings.config._replace(exclude=())), comparison.old)


def _holds_policy(reader: Reader, file: File | None, revision: Revision) -> bool:
    """Tell whether a version is a policy, or may be one."""
    if file is None or file.mode in (LINK, SUBMODULE):
        return False
    version = reader.glance(file, file.path, revision)
    holds_some = version.policies or version.problems or version.template or version.snapshots
    return bool(holds_some or version.passed_over)


def changed_elsewhere(reader: Reader, changes: Iterable[Change]) -> int:
    """Return how many of the changes are about files that would be looked at."""
    return sum(
        reader.included(change.path) and (reader.concerned(change.path) or is_read(change.path.rpartition("/")[2]))
        for change in changes
    )
