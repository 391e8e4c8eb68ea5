"""Files of the Serverless Framework that read other files: where one of those changes, so may the policies of these."""

from __future__ import annotations

from policy_guard.documents.containers.serverless_framework.files import (
    composition_files,
    files_read,
    is_environment,
    is_serverless_name,
)
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository.changes import Change, Comparison


def readers(reader: Reader, comparison: Comparison) -> list[Change]:
    """The files that did not change, and read one that did on one of the sides."""
    changed = {file.path for change in comparison.changes for file in (change.old, change.new) if file}
    old, new = (reader.files(revision) for revision in comparison[:2])
    unchanged = sorted(path for path in old.keys() & new.keys() - changed if is_serverless_name(path))
    sides = [reader.siblings(revision) for revision in comparison[:2]]
    parameters_change = any(changed & composition_files(side, changed) for side in sides)
    read = (
        parameters_change
        or any(is_environment(each, path) for each in changed)
        or any(changed & files_read(path, side, changed) for side in sides)
        for path in unchanged
    )
    return [Change(old[path], new[path], "reads") for path, reads in zip(unchanged, read, strict=True) if reads]
