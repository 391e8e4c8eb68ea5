"""One run over a repository: what is judged, and where it is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from functools import cache, partial
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from policy_guard.documents.containers.serverless_framework.files import is_serverless_name
from policy_guard.pipeline.pairing import FileResult, Pair, pairs, unless_others_name
from policy_guard.pipeline.pairing.links import Sides
from policy_guard.pipeline.pairing.reader import TERRAFORM, Reader
from policy_guard.pipeline.principals import principals_with_changed_documents
from policy_guard.pipeline.repository import File, Repository
from policy_guard.pipeline.repository.changes import Change, Comparison, old_paths, snapshot
from policy_guard.pipeline.repository.revisions import Revision
from policy_guard.pipeline.session import Session
from policy_guard.pipeline.shards import Shard
from policy_guard.records import NamedTuple
from policy_guard.settings.addresses import names_policies
from policy_guard.settings.config import Config
from policy_guard.verify.readable import unreadable_findings

if TYPE_CHECKING:
    from policy_guard.iam.policy import PolicyId
    from policy_guard.pipeline.acceptances import Acceptances
    from policy_guard.pipeline.pairing.departures import Departures
    from policy_guard.pipeline.pairing.references import References
    from policy_guard.pipeline.pairing.terraform import Present, Touched, Tree
    from policy_guard.pipeline.pairing.terraform_values import Given


MOST_EXAMINED = 50
"""How many acceptances `check --all` examines for being done: each may take a proof."""
TERRAFORM_FILES = (*TERRAFORM, ".tfvars", ".tfvars.json")
"""What the names of files end with that Terraform reads by itself, or is told to load."""
FOREIGN_VALUES = (
    "gives values to Terraform of which no folder here declares the variables; what they decide is not checked"
)


class _Referenced(NamedTuple):
    """A pair with what it is held against besides its old version, and the sentences about that."""

    pair: Pair
    notes: list[str]


class _Compared(NamedTuple):
    """What came of reading a changed file or folder, and those of its policies that are judged by themselves."""

    unit: str
    outcome: FileResult
    judged: list[_Referenced]


class Run(NamedTuple):
    """`paths` restrict what is told; `sides` are both sides with what stands behind links, where that may matter.

    `plan` is the file of a plan of Terraform, which is judged as that.
    """

    repository: Repository
    config: Config
    reader: Reader
    session: Session
    today: date
    comparison: Comparison
    paths: tuple[str, ...]
    sides: Sides | None
    references: References | None
    shard: Shard
    plan: str = ""

    def judge_changes(self) -> None:
        """The files that changed, but for the sides of them that belong to a group."""
        changes = [change for change in (*self.comparison.changes, *self._readers()) if touches(change, self.paths)]
        departures = self._departures(changes)
        compared = self.session.in_advance(self._compared(changes, departures), self._pairs)
        steps = self.session.results.stepwise(changes, "changed files", attrgetter("path"))
        for _, each in zip(steps, compared, strict=True):
            self._judge_compared(each)
        for pair in departures.pairs() if departures else ():
            if departures and pair.old and pair.new and self.shard.holds(pair.path):
                self.session.results.note(departures.note(pair))
            self._judge_alone(self._referenced(pair), pair.path)

    def _compared(self, changes: Iterable[Change], departures: Departures | None) -> Iterator[_Compared]:
        """What comes of each changed file, and those of its policies that are judged by themselves and at once."""
        changes = list(changes)
        files_of_terraform = cache(partial(self._files_of_terraform, changes))
        for change in changes:
            outcome = pairs(self.reader, change, self.comparison)
            is_new = change.old is None and bool(outcome.pairs or outcome.findings)
            is_template = bool(change.old and outcome.findings and not outcome.pairs)
            if (is_new or is_template) and change.path in files_of_terraform():
                outcome = FileResult((), ())
            if not (outcome.pairs or outcome.findings):
                remark = unread_remark(self.reader, change.new, change.path, changed=True)
                outcome = outcome._replace(unread=remark or outcome.unread)
            if change.path == self.plan:
                outcome = outcome._replace(embedded=0, unread="")
            alone = [(pair, _without_groups(pair, self.reader)) for pair in outcome.pairs]
            judged_pairs = [
                self._referenced(judged)
                for pair, judged in alone
                if judged and not (departures and judged is pair and departures.hold(outcome, pair))
            ]
            yield _Compared(change.path, outcome, judged_pairs)

    def _files_of_terraform(self, changes: Iterable[Change]) -> frozenset[str]:
        """The files that are the policy of a resource of Terraform, and were if they are not new."""
        changes = [change for change in changes if change.new]
        read = self.read_by_terraform({change.path for change in changes}, self.comparison.new)
        new_paths = {change.path for change in changes if change.old is None}
        old_paths = {change.path for change in changes if change.old and change.old.path == change.path}
        return (read & new_paths) | self.read_by_terraform(old_paths & read, self.comparison.old)

    def read_by_terraform(self, all_paths: Collection[str], side: Revision) -> frozenset[str]:
        """The files among these that are the policy of a resource of Terraform, and that the settings do not name."""
        paths = {path for path in all_paths if not (self.config.policy_rule(path) or self.reader.groups(path))}
        files = snapshot(self.repository, side)
        if not paths or not any(path.endswith(TERRAFORM) for path in files):
            return frozenset()
        from policy_guard.pipeline.pairing.terraform import Tree
        from policy_guard.pipeline.pairing.terraform_files import policy_files

        return policy_files(Tree(self.repository, files, side.name), paths, self.reader.included)

    def _pairs(self, compared: _Compared) -> list[Pair]:
        return [each.pair for each in compared.judged] if self.shard.holds(compared.unit) else []

    def _judge_compared(self, compared: _Compared) -> None:
        if self.shard.holds(compared.unit):
            self.session.results.outcome(compared.unit, compared.outcome)
        for referenced in compared.judged:
            self._judge_alone(referenced, compared.unit)

    def _referenced(self, pair: Pair) -> _Referenced:
        sentences: list[str] = []
        references = self.references._replace(note=sentences.append) if self.references else None
        return _Referenced(references.with_reference(pair) if references else pair, sentences)

    def _judge_alone(self, referenced: _Referenced, unit: str) -> None:
        """Judge a policy, or see what moved into it if another shard judges it."""
        if not self.shard.holds(unit):
            self.session.pass_by(referenced.pair)
            return
        for sentence in referenced.notes:
            self.session.results.note(sentence)
        self.session.pair(referenced.pair)

    def as_it_is(self, pair: Pair) -> Pair | None:
        """A policy that did not change, with what bounds it; None if a group judges it."""
        alone = _without_groups(pair, self.reader)
        return self.references.with_bound(alone) if alone and self.references else alone

    def _departures(self, changes: Collection[Change]) -> Departures | None:
        """Return what holds policies back that may go from one file to another; None where there are no two."""
        if len(changes) < 2:
            return None
        from policy_guard.pipeline.pairing.departures import Departures

        return Departures(self._has_same_use)

    def _has_same_use(self, old_path: str, new_path: str) -> bool:
        """Tell whether a file has the rules of another one, and was not left out by a kustomization in its folder.

        Source: kubectl, "Kustomization": files that it does not name are not applied.
        """
        folder, _, name = old_path.rpartition("/")
        old_files = self.reader.files(self.comparison.old)
        for kustomization in ("kustomization.yaml", "kustomization.yml", "Kustomization"):
            file = old_files.get(f"{folder}/{kustomization}".lstrip("/"))
            data = self.reader.content(file) if file else None
            if file and not (isinstance(data, bytes) and name.encode() in data):
                return False
        return self.reader.has_same_rules(old_path, new_path)

    def judge_principals(self) -> None:
        """Judge the principals in files that did not change, and to which a document is attached that did."""
        for change, pair in principals_with_changed_documents(self.repository, self.reader, self.comparison):
            if touches(change, self.paths) and self.shard.holds(change.path):
                self.session.principal(pair)

    def has_policy(self) -> bool:
        """Tell whether there is any policy in the new version, or a file that may be one, changed or not."""
        from policy_guard.pipeline.pairing.terraform import Tree, all_roots, present

        files, new = snapshot(self.repository, self.comparison.new), self.comparison.new
        self.reader.with_files(new, files)
        for path, file in sorted(files.items()):
            version = self.reader.completed(self.reader.glance(file, path, new))
            if version.policies or version.problems:
                return True
        tree = Tree(self.repository, files, new.name)
        return any(self.reader.included(folder) and present(tree, folder).policies for folder in all_roots(tree))

    def tell_what_is_left_out(self) -> None:
        """The changed files that are not looked at, since the settings exclude them or the paths do not name them."""
        from policy_guard.pipeline.left_out import changed_elsewhere, excluded_policies

        changes = self.comparison.changes
        inside = [change for change in changes if touches(change, self.paths)]
        for path in excluded_policies(self.repository, self.reader, self.comparison, inside):
            self.session.results.add_excluded(path)
        if self.paths and "." not in self.paths:
            outside = [change for change in changes if not touches(change, self.paths)]
            self.session.results.restrict(self.paths, changed_elsewhere(self.reader, outside))

    def _readers(self) -> list[Change]:
        """The files that did not change themselves, and read one that did."""
        from policy_guard.pipeline.pairing.nested import importing_templates, may_be_nested, outer_templates

        changes = self.comparison.changes
        reading_files: list[Change] = []
        if changes and any(map(is_serverless_name, old_paths(self.repository, self.comparison))):
            from policy_guard.pipeline.pairing.serverless import readers

            reading_files += readers(self.reader, self.comparison)
        importing = importing_templates(self.reader, self.comparison)
        if names := {name for change in (*changes, *importing) for name in may_be_nested(self.reader, change)}:
            reading_files += outer_templates(self.reader, self.comparison, names)
        reading_files += importing
        return list({change.path: change for change in reading_files}.values())

    def judge_terraform(self, all_policies: bool) -> None:
        """Judge the folders with Terraform that the change is about, and those that call them.

        With `all_policies`, the policies of all folders by themselves, too.
        """
        changes = [change for change in self.comparison.changes if touches(change, self.paths)]
        if not all_policies and not (changes and _may_touch_terraform(self.repository, self.comparison, changes)):
            return
        from policy_guard.documents.containers.terraform.parsed import Parsed
        from policy_guard.pipeline.pairing.terraform import Tree, touched_folders
        from policy_guard.pipeline.pairing.terraform_values import given_values

        parsed = Parsed()
        old, new = (
            Tree(self.repository, snapshot(self.repository, side), side.name, parsed) for side in self.comparison[:2]
        )
        identifiers: set[PolicyId] = set()
        touched = touched_folders((old, new), changes, self.reader.included)
        given = given_values((old, new), changes, self.reader.included)
        for path in (*touched.unseen, *given.unseen):
            self.session.results.add_excluded(path)
        for path in given.foreign:
            self.session.results.add_skipped(path, FOREIGN_VALUES)
        folders = sorted(touched.folders | given.values.keys())
        compared = self.session.in_advance(self._compared_folders((old, new), folders, touched, given), self._pairs)
        for _, each in zip(
            self.session.results.stepwise(folders, "folders with Terraform", str), compared, strict=True
        ):
            self._judge_compared(each)
            identifiers |= {pair.id for pair in each.outcome.pairs}
        if all_policies:
            self._judge_all_terraform(new, identifiers)
        for wrong in dict.fromkeys((*new.wrong, *given.wrong)):
            findings = tuple(unreadable_findings(wrong.source, (wrong.problem,)))
            self.session.results.outcome(wrong.source.path, FileResult((), findings), is_common=True)

    def _compared_folders(
        self, trees: tuple[Tree, Tree], folders: Iterable[str], touched: Touched, given: Given
    ) -> Iterator[_Compared]:
        """What comes of each folder, as it is and with each file of values that changed."""
        from policy_guard.pipeline.pairing.terraform import Values, compare_folder

        for folder in folders:
            all_values = [*([Values()] if folder in touched.folders else []), *given.values.get(folder, ())]
            outcome = compare_folder(trees, folder, folder in touched.reading, self.config.by_principal, all_values)
            outcome = unless_others_name(self.reader, self.comparison.new, outcome)
            yield _Compared(folder, outcome, list(map(self._referenced, outcome.pairs)))

    def _judge_all_terraform(self, tree: Tree, compared_ids: Collection[PolicyId]) -> None:
        """Judge all policies of Terraform by themselves, but for those that were compared."""
        from policy_guard.pipeline.pairing.terraform import all_roots, present

        def pairs_of(contents: Present) -> list[Pair]:
            remaining_pairs = [
                Pair(path=policy.source.path, old=policy, new=policy)
                for policy in contents.policies
                if policy.id not in compared_ids and self._is_asked(policy.source.path)
            ]
            return list(map(self.references.with_bound, remaining_pairs)) if self.references else remaining_pairs

        roots = list(filter(self.shard.holds, all_roots(tree)))
        read = ((contents, pairs_of(contents)) for contents in (present(tree, folder) for folder in roots))
        steps = self.session.results.stepwise(roots, "folders with Terraform", str)
        in_advance = self.session.in_advance(read, itemgetter(1), comparing=False)
        for folder, (contents, folder_pairs) in zip(steps, in_advance, strict=True):
            for _, findings in contents.findings_by_policy:
                if self._is_asked(findings[0].source.path):
                    self.session.results.add_unreadable(findings)
            for pair in folder_pairs:
                self.session.pair(pair, comparing=False)
            for address in contents.elsewhere if self._is_asked(folder) else ():
                words = f"{address} is a module elsewhere, and what it makes is not read"
                self.session.results.add_skipped(folder or ".", words)

    def _is_asked(self, path: str) -> bool:
        return touches(Change(None, File(path, 0, None)), self.paths) and self.reader.included(path)

    def judge_groups(self, all_policies: bool) -> None:
        """The groups of which a file changed, and with `all_policies` the others by themselves."""
        if not self.config.groups or self.sides is None:
            return
        from policy_guard.pipeline.pairing.groups import Trees, join_group, touched_groups

        changed = list(
            touched_groups(self.config.groups, (c for c in self.comparison.changes if touches(c, self.paths)))
        )
        if not changed and not all_policies:
            return
        old_files, new_files = self.sides.before.files_by_name(), self.sides.after.files_by_name()
        trees = Trees(old_files, new_files)
        selected_paths = [path for path, file in new_files.items() if touches(Change(None, file), self.paths)]
        groups = [
            g for g in self.config.groups if g in changed or (all_policies and any(map(g.reaches, selected_paths)))
        ]
        for group in self.session.results.stepwise(groups, "groups", attrgetter("name")):
            result = join_group(group, self.reader, trees, self.comparison)
            if self.references:
                with_bound = partial(self.references.with_bound, members=result.members)
                result = result._replace(pairs=tuple(map(with_bound, result.pairs)))
            if self.shard.holds(f"group {group.name}"):
                self.session.group(result, comparing=group in changed)
            else:
                for pair in result.pairs if group in changed else ():
                    self.session.pass_by(pair)

    def look_for_named(self, all_policies: bool) -> None:
        """Say which addresses in the settings name no policy of a file that changed, or with `all_policies` of any."""
        patterns = [entry.files for entry in self.config.policies] + [entry.files for entry in self.config.groups]
        patterns += [entry.files for entry in self.reader.settings.critical]
        if not any(map(names_policies, patterns)):
            return
        from policy_guard.pipeline.pairing.named import NamedPolicies

        trees = NamedPolicies(self.repository, self.reader, self.comparison)
        selected = (
            self.comparison.changes
            if not self.paths
            else [c for c in self.comparison.changes if touches(c, self.paths)]
        )
        for finding in trees.missing(selected, all_policies):
            self.session.results.add_finding(finding)

    def judge_acceptances(self, accepted: Callable[[], Acceptances], all_policies: bool) -> None:
        """The acceptances that came or changed, those that would count again, and with `all_policies` what is done."""
        files = [file for change in self.comparison.changes for file in (change.old, change.new) if file]
        prefix = f"{self.config.accepted}/"
        new_paths = [
            change.new.path for change in self.comparison.changes if change.new and change.new.path.startswith(prefix)
        ]
        if not new_paths and not all_policies and not any(self.reader.concerned(file.path) for file in files):
            return
        acceptances = accepted()
        if not acceptances.new_side and not acceptances.wrong:
            return
        from policy_guard.pipeline.acceptances.status import (
            Versions,
            rearmed_acceptances,
            stale_acceptances,
            unusable_acceptances,
        )
        from policy_guard.pipeline.pairing.groups import Trees, touched_groups

        old_files, new_files = (snapshot(self.repository, side) for side in self.comparison[:2])
        if self.sides:
            old_files, new_files = self.sides.before.files_by_name(), self.sides.after.files_by_name()
        trees = Trees(old_files, new_files)
        versions = Versions(self.reader, self.config.groups, trees, self.comparison)
        paths = [
            *(file.path for file in files),
            *(group.name for group in touched_groups(self.config.groups, self.comparison.changes)),
        ]
        for finding in (
            *unusable_acceptances(acceptances, new_paths, new_files),
            *rearmed_acceptances(acceptances, paths, versions, self.today),
        ):
            self.session.results.add_finding(finding)
        for stale_acceptance in (
            stale_acceptances(acceptances.counting[:MOST_EXAMINED], acceptances.base, versions, self.today)
            if all_policies
            else ()
        ):
            self.session.results.note(
                f"{stale_acceptance.path} is {stale_acceptance.reason}. policy-guard accept --prune removes it"
            )


def unread_remark(reader: Reader, file: File | None, path: str, changed: bool) -> str:
    from policy_guard.pipeline.pairing.languages import unread_policies

    return unread_policies(reader, file, path, changed)


def _may_touch_terraform(repository: Repository, comparison: Comparison, changes: list[Change]) -> bool:
    """Tell whether a file of Terraform changed, or another one beside Terraform that may read it."""
    paths = [file.path for change in changes for file in (change.old, change.new) if file]
    if any(path.endswith(TERRAFORM_FILES) for path in paths):
        return True
    return any(path.endswith(TERRAFORM) for path in old_paths(repository, comparison))


def _without_groups(pair: Pair, reader: Reader) -> Pair | None:
    """The pair without the sides that a group judges; None if that is both."""
    old, new = (None if side and reader.groups(side.source.path, side) else side for side in (pair.old, pair.new))
    if old is pair.old and new is pair.new:
        return pair
    return pair._replace(old=old, new=new) if old or new else None


def touches(change: Change, paths: tuple[str, ...]) -> bool:
    """Tell whether a change is about one of the files and folders; none at all stand for every one."""
    return not paths or any(is_under(file.path, paths) for file in (change.old, change.new) if file)


def is_under(name: str, paths: tuple[str, ...]) -> bool:
    """Tell whether a file is one of the files, or lies in one of the folders; none at all stand for every one."""
    return not paths or any(name == path or name.startswith(f"{path.rstrip('/')}/") or path == "." for path in paths)
