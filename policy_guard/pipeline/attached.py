"""Where the documents of attached policies are read that the settings name, in a repository or beside two files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from policy_guard.pipeline.pairing import Pair
from policy_guard.pipeline.pairing.file_version import FileVersion, version_of
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.repository import File, Repository
from policy_guard.pipeline.repository.changes import Comparison, snapshot
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.settings.config import Config

if TYPE_CHECKING:
    from policy_guard.iam.policy import Statement
    from policy_guard.pipeline.pairing.attached_documents import AttachedDocuments

Versions: TypeAlias = "tuple[FileVersion | None, FileVersion | None]"
_TERRAFORM = (".tf", ".tofu")


class Attached:
    """The documents of `policies-by-arn`, looked for once a policy is judged. `read` gives both versions of a file."""

    def __init__(self, places: tuple[tuple[str, str], ...], read: Callable[[str], Versions]) -> None:
        self._places = places
        self._read = read
        self._has_asked = False

    @cached_property
    def _documents(self) -> AttachedDocuments:
        from policy_guard.pipeline.pairing.attached_documents import AttachedDocuments

        return AttachedDocuments(self._places, self._read)

    def pair(self, pair: Pair) -> Pair:
        """The pair with the documents of what it attaches, and with what a policy denied that it detaches."""
        self._has_asked = True
        return self._documents.pair(pair)

    def has_changed(self, statement: Statement) -> bool:
        """Tell whether a statement attaches a document that is another one in the new version."""
        return self._documents.has_changed(statement)

    def remarks(self) -> Iterator[str]:
        """Say which documents are not to be had, of those that were asked for."""
        for place in self._documents.missing() if self._has_asked else ():
            yield f"{place} holds no single identity policy here, so that nobody knows what attaching it allows"


def attached_in_repository(repository: Repository, reader: Reader, comparison: Comparison) -> Attached:
    """The documents in both versions of a repository."""

    def read(path: str) -> Versions:
        old, new = (_version(repository, reader, side, path) for side in comparison[:2])
        return old, new

    return Attached(reader.settings.config.policies_by_arn, read)


def attached_in_folder(root: Path, config: Config) -> Attached:
    """The documents in a folder, which count for both of two files that are compared."""

    def read(path: str) -> Versions:
        rule = config.policy_rule(path)
        kind, is_named = (rule.kind, True) if rule else (None, False)
        version = version_of((root / path).read_bytes(), path, "", is_named, kind, config.placeholders)
        return version, version

    return Attached(config.policies_by_arn, read)


def _version(repository: Repository, reader: Reader, revision: Revision, path: str) -> FileVersion | None:
    files = snapshot(repository, revision)
    if path.endswith(_TERRAFORM):
        return _terraform_version(repository, files, revision, path)
    return reader.version(files[path], path, revision) if path in files else None


def _terraform_version(
    repository: Repository, files: Mapping[str, File], revision: Revision, path: str
) -> FileVersion | None:
    """The policies in a file of Terraform, by their addresses."""
    from policy_guard.pipeline.pairing.terraform import Tree, present

    tree = Tree(repository, files, revision.name)
    source = tree.source(path)
    if source is None:
        return None
    policies = present(tree, path.rpartition("/")[0], by_unit=True).policies
    return FileVersion(source, {policy.label: policy for policy in policies if policy.source.path == path})
