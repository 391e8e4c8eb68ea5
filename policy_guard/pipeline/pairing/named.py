"""The policies that the settings name by their addresses, and the addresses that name none."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from policy_guard.documents.globs import glob
from policy_guard.documents.source import Problem, Source, Span
from policy_guard.pipeline.pairing.reader import TERRAFORM, Reader
from policy_guard.pipeline.repository import Repository
from policy_guard.pipeline.repository.changes import Change, Comparison, snapshot
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.settings.addresses import single_policies
from policy_guard.verify.finding import Finding
from policy_guard.verify.readable import unreadable_findings

if TYPE_CHECKING:
    from policy_guard.pipeline.pairing.terraform import Tree

_REMEDY = "correct the address in the settings, as policy-guard list shows it, and merge that first"


class NamedPolicies:
    """Looks for the policies that the settings name by their addresses in both versions."""

    def __init__(self, repository: Repository, reader: Reader, comparison: Comparison) -> None:
        self._repository = repository
        self._reader = reader
        self._comparison = comparison

    def missing(self, changes: Collection[Change], all_policies: bool) -> Iterator[Finding]:
        """Return the addresses that name no policy of a changed file, old and new; with `all_policies` no new one."""
        changed_paths = {file.path for change in changes for file in (change.old, change.new) if file}
        changed_folders = {path.rpartition("/")[0] for path in changed_paths if path.endswith(TERRAFORM)}
        for path, address in self._places:
            is_changed = path in changed_paths or (
                path.endswith(TERRAFORM) and path.rpartition("/")[0] in changed_folders
            )
            if not self._reader.included(path) or not (is_changed or all_policies):
                continue
            is_gone = path not in self._reader.files(self._comparison.new) and not path.endswith(TERRAFORM)
            if (path, address) in self._critical and is_gone:
                continue
            # Under another address, a policy would no longer be asked what the entry says.
            is_asked_anew = all_policies or (path, address) in self._critical
            sides = self._comparison[1:2] if is_asked_anew else self._comparison[:2]
            if not any(self._has(path, address, side) for side in sides):
                words = f"the settings name a policy of this file that is not there: {address}"
                source = Source(path, "", self._comparison.new.name)
                (finding,) = unreadable_findings(source, [Problem(words, Span(0, 0))])
                yield finding._replace(facts=(("next", _REMEDY),))

    @cached_property
    def _places(self) -> tuple[tuple[str, str], ...]:
        config = self._reader.settings.config
        patterns = [entry.files for entry in config.policies] + [entry.files for entry in config.groups]
        named_places = (place for each in patterns for place in single_policies(each))
        return tuple(dict.fromkeys((*named_places, *sorted(self._critical))))

    @cached_property
    def _critical(self) -> frozenset[tuple[str, str]]:
        """The places that entries of the critical list name."""
        entries = self._reader.settings.critical
        return frozenset(place for entry in entries for place in single_policies(entry.files))

    def _has(self, path: str, address: str, revision: Revision) -> bool:
        matches = glob(address)
        return any(map(matches, self._addresses(path, revision)))

    def _addresses(self, path: str, revision: Revision) -> Iterator[str]:
        """The addresses of the policies in a file; of one that cannot be read there is a finding elsewhere."""
        if path.endswith(TERRAFORM):
            from policy_guard.pipeline.pairing.terraform import policies_in_file

            policies = policies_in_file(self._tree(revision), path).policies
        else:
            version = self._reader.version(self._reader.files(revision).get(path), path, revision)
            policies = tuple(version.policies.values())
        yield from (address for policy in policies for address in policy.addresses)

    def _tree(self, revision: Revision) -> Tree:
        from policy_guard.pipeline.pairing.terraform import Tree

        return Tree(self._repository, snapshot(self._repository, revision), revision.name)
