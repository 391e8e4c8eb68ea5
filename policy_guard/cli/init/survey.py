"""What a repository holds before it is set up: its policies, their kinds, and what cannot be read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping

from policy_guard.documents.source import Problem, Source
from policy_guard.iam.policy import KINDS, Kind, Policy
from policy_guard.pipeline.pairing.file_version import FileVersion
from policy_guard.pipeline.pairing.reader import Reader
from policy_guard.pipeline.pairing.terraform import Tree, all_roots, present
from policy_guard.pipeline.repository import File, Repository
from policy_guard.pipeline.repository.changes import snapshot
from policy_guard.pipeline.repository.revisions import WORKING_TREE
from policy_guard.records import NamedTuple
from policy_guard.settings.config import Config, PolicyFiles
from policy_guard.settings.load import Settings


class Survey(NamedTuple):
    """The files of a working tree, and of those that hold or seem to be policies what they hold, by path.

    `embedded` counts the embedded policies, where no policy is looked for. No file is named for the policies
    in Terraform; `unread_terraform` says by path why some cannot be read.
    """

    files: Mapping[str, File]
    sides: Mapping[str, FileVersion]
    embedded: int
    terraform: tuple[Policy, ...] = ()
    unread_terraform: Mapping[str, str] = {}

    def in_files(self) -> Iterable[tuple[str, Policy]]:
        """Every policy that can be read in a file for itself, with its path."""
        return ((path, policy) for path, side in self.sides.items() for policy in side.policies.values())

    def policies(self) -> Iterable[tuple[str, Policy]]:
        """Every policy that can be read, with its path."""
        return (*self.in_files(), *((policy.source.path, policy) for policy in self.terraform))

    def kinds(self) -> dict[str, int]:
        """Return how many policies there are of each kind."""
        counts = Counter(policy.kind for _, policy in self.policies())
        return {kind: counts[kind] for kind in KINDS if counts[kind]}

    def unreadable(self) -> dict[str, str]:
        """By path, where and why a file cannot be read, of those where something cannot."""
        reasons = {path: _reason(side.source, side.problems[0]) for path, side in self.sides.items() if side.problems}
        return {**reasons, **self.unread_terraform}


def survey(repository: Repository, config: Config) -> Survey:
    """Return what the working tree holds, read as the configuration says."""
    present = snapshot(repository, WORKING_TREE)
    files = {path: file for path, file in sorted(present.items()) if os.path.lexists(repository.root / path)}
    reader = _reader(repository, config, files)
    read = {path: reader.version(file, path, WORKING_TREE) for path, file in files.items()}
    sides = {path: side for path, side in read.items() if side.policies or side.problems}
    policies, unread = _in_terraform(Tree(repository, files, WORKING_TREE.name), reader)
    return Survey(files, sides, sum(side.embedded for side in read.values()), policies, unread)


def _in_terraform(tree: Tree, reader: Reader) -> tuple[tuple[Policy, ...], dict[str, str]]:
    """The policies of Terraform, each by itself, and by path why some cannot be read."""
    results = [present(tree, folder, by_unit=True) for folder in all_roots(tree)]
    policies = (policy for each in results for policy in each.policies if reader.included(policy.source.path))
    problems = [(each.source, Problem(each.message, each.span)) for one in results for each in one.findings]
    problems += [(wrong.source, wrong.problem) for wrong in tree.wrong]
    unread = {source.path: _reason(source, problem) for source, problem in reversed(problems)}
    return tuple(policies), {path: reason for path, reason in unread.items() if reader.included(path)}


def read_as(repository: Repository, survey: Survey, kinds: Mapping[str, Kind]) -> dict[str, FileVersion]:
    """Return what files hold if they are configured as policies of these kinds."""
    versions: dict[str, FileVersion] = {}
    for kind in set(kinds.values()):
        reader = _reader(repository, Config(policies=(PolicyFiles(("**",), kind),)), survey.files)
        versions.update(
            (path, reader.version(survey.files[path], path, WORKING_TREE)) for path in kinds if kinds[path] == kind
        )
    return versions


def _reader(repository: Repository, config: Config, files: Mapping[str, File]) -> Reader:
    reader = Reader(repository, Settings(config))
    reader.with_files(WORKING_TREE, dict(files))
    return reader


def _reason(source: Source, problem: Problem) -> str:
    return f"line {source.position(problem.span.start).line}: {problem.message}"
